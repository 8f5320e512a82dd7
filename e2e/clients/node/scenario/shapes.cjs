// Answers, compared with the SDK's types: required fields are present, and there are no unknown fields. The
// types describe the SDK's own API version.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');

const TYPES = path.join(path.dirname(require.resolve('stripe')), 'resources');

// The fields of an interface; true for required ones.
function fieldsOf(file, name) {
  const text = fs.readFileSync(path.join(TYPES, `${file}.d.ts`), 'utf8');
  const start = text.indexOf(`export interface ${name} {`);
  assert(start >= 0, `no ${name} in ${file}.d.ts`);
  const body = text.slice(start, text.indexOf('\n}', start));
  const fields = new Map();
  for (const [, field, optional] of body.matchAll(/^ {4}(\w+)(\?)?: /gm)) fields.set(field, !optional);
  assert(fields.get('id'), `${name} was not understood`);
  // Removed in 2025-09-30.clover according to Stripe's changelog, but still in the types.
  fields.delete('currency_conversion');
  return fields;
}

function compare(object, file, name) {
  const fields = fieldsOf(file, name);
  const found = Object.keys(object).filter((field) => field !== 'lastResponse');
  const missing = [...fields].filter(([field, always]) => always && !found.includes(field)).map(([it]) => it);
  const unknown = found.filter((field) => !fields.has(field));
  return [...missing.map((it) => `${name}.${it} is missing`), ...unknown.map((it) => `${name}.${it} is odd`)];
}

async function shapes(stage, shop) {
  const { stripe } = stage;
  await stage.step("every object has the fields of the SDK's types, and no others", async () => {
    const { session, intent, charge } = await stage.buy({ card: '4000000000000259' });
    await stage.advance(3600);
    const { data: [dispute] } = await stripe.disputes.list({ charge: charge.id });
    const other = await stage.buy({ card: '4242424242424242' });
    const refund = await stripe.refunds.create({ charge: other.charge.id });
    const { data: [item] } = await stripe.checkout.sessions.listLineItems(session.id);
    const product = await stripe.products.create({ name: 'A credit' });
    const price = await stripe.prices.create({ product: product.id, unit_amount: 150, currency: 'eur' });
    const { data: [event] } = await stripe.events.list();
    assert.deepEqual([
      ...compare(session, 'Checkout/Sessions', 'Session'),
      ...compare(intent, 'PaymentIntents', 'PaymentIntent'),
      ...compare(charge, 'Charges', 'Charge'),
      ...compare(refund, 'Refunds', 'Refund'),
      ...compare(dispute, 'Disputes', 'Dispute'),
      ...compare(item, 'LineItems', 'LineItem'),
      ...compare(product, 'Products', 'Product'),
      ...compare(price, 'Prices', 'Price'),
      ...compare(await stripe.customers.create({ name: 'C' }), 'Customers', 'Customer'),
      ...compare(await stripe.webhookEndpoints.retrieve(shop.id), 'WebhookEndpoints', 'WebhookEndpoint'),
      ...compare(event, 'Events', 'EventBase'),
    ], []);
  });
}

module.exports = { shapes };
