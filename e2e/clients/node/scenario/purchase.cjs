// Purchases: the catalogue, the session, the payment page in a browser, and the events that the shop
// receives.
'use strict';

const assert = require('node:assert/strict');
const { payWithKeyboard, payWithMouse, returned } = require('./page.cjs');
const { includesInOrder, refused, types } = require('./stage.cjs');

const PAID = ['payment_intent.created', 'charge.succeeded', 'payment_intent.succeeded',
  'checkout.session.completed'];

async function purchase(stage) {
  const { stripe } = stage;
  const shop = stage.receiver.endpoint('/webhooks/stripe');
  let price;
  let ordered;

  await stage.step('a product and its price', async () => {
    const product = await stripe.products.create({ name: 'Ten credits', metadata: { credits: '10' } });
    assert.equal(product.object, 'product');
    assert.equal(product.metadata.credits, '10');
    price = await stripe.prices.create({
      product: product.id, unit_amount: 1500, currency: 'eur', tax_behavior: 'exclusive',
    });
    assert.equal(price.type, 'one_time');
    const expanded = await stripe.prices.retrieve(price.id, { expand: ['product'] });
    assert.equal(expanded.product.name, 'Ten credits');
    const renamed = await stripe.products.update(product.id, { metadata: { credits: '' , series: 'A' } });
    assert.deepEqual({ ...renamed.metadata }, { series: 'A' }, 'an empty value takes the key away');
    const listed = await stripe.prices.list({ product: product.id });
    assert.deepEqual(listed.data.map(({ id }) => id), [price.id]);
  });

  await stage.step('an endpoint, whose secret is shown once', async () => {
    const created = await shop.register(stripe, { enabled_events: ['*'], description: 'the shop' });
    assert.match(created.secret, /^whsec_\w{16,}$/);
    assert.equal(created.status, 'enabled');
    assert.equal((await stripe.webhookEndpoints.retrieve(created.id)).secret, undefined);
    const listed = await stripe.webhookEndpoints.list();
    const found = listed.data.find(({ id }) => id === created.id);
    assert.equal(found.url, shop.url);
    assert.equal(found.secret, undefined);
    const changed = await stripe.webhookEndpoints.update(created.id, { description: 'our shop' });
    assert.equal(changed.description, 'our shop');
  });

  await stage.step('a session with two kinds of line items', async () => {
    const inline = {
      currency: 'eur', unit_amount: 700, tax_behavior: 'exclusive', product_data: { name: 'One sticker' },
    };
    ordered = await stripe.checkout.sessions.create(stage.order({
      line_items: [{ price: price.id, quantity: 2 }, { price_data: inline, quantity: 3 }],
      metadata: { tenant_id: '550e8400-e29b-41d4-a716-446655440000', package: '10_credits', credits: '10' },
      client_reference_id: 'order-1',
      automatic_tax: { enabled: true },
    }));
    assert.match(ordered.id, /^cs_test_/);
    assert.equal(ordered.object, 'checkout.session');
    assert.equal(ordered.amount_subtotal, 2 * 1500 + 3 * 700);
    assert.equal(ordered.status, 'open');
    assert.equal(ordered.payment_status, 'unpaid');
    assert.equal(ordered.payment_intent, null, 'none before it is confirmed');
    assert.equal(ordered.livemode, false);
    assert.equal(ordered.automatic_tax.enabled, true);
    assert.equal(ordered.expires_at - ordered.created, 86_400);
    assert.equal(ordered.line_items, undefined, 'only when expanded');
    const items = await stripe.checkout.sessions.listLineItems(ordered.id);
    assert.deepEqual(items.data.map(({ description, quantity, amount_subtotal: amount }) =>
      [description, quantity, amount]), [['Ten credits', 2, 3000], ['One sticker', 3, 2100]]);
    const whole = await stripe.checkout.sessions.retrieve(ordered.id, { expand: ['line_items'] });
    assert.deepEqual(whole.line_items.data.map(({ id }) => id), items.data.map(({ id }) => id));
  });

  await stage.step('paid on the page with the keyboard alone', async () => {
    const page = await stage.browser.open(ordered.url);
    const text = await page.locator('body').innerText();
    for (const shown of [/Ten credits/, /One sticker/, /emulat/i]) assert.match(text, shown);
    await payWithKeyboard(page, '4242424242424242');
    const landed = await returned(page, `${stage.receiver.url}/success`);
    assert.equal(landed.searchParams.get('session_id'), ordered.id);
    const heard = types(shop.events);
    assert(heard.includes('checkout.session.completed'), `the page returned before the event: ${heard}`);
    await page.context().close();
  });

  await stage.step('the shop received signed events in order', async () => {
    const { session, intent, charge, ids } = await stage.purchase(ordered.id);
    const events = shop.about(...ids);
    assert.deepEqual(types(events), PAID);
    assert(shop.arrivals.every(({ event }) => event), 'something arrived that its secret does not verify');
    const [created, , , completed] = events;
    assert.equal(created.data.object.id, intent.id);
    assert.deepEqual({ ...completed.data.object.metadata }, { ...ordered.metadata });
    assert.equal(completed.data.object.payment_status, 'paid');
    assert.equal(completed.data.object.line_items, undefined, 'never in the payload');
    assert.equal(session.payment_status, 'paid');
    assert.equal(session.status, 'complete');
    assert.equal(session.customer_details.email, 'jenny.rosen@example.com');
    const tax = session.total_details.amount_tax;
    assert(tax > 0, 'automatic tax adds some');
    assert.equal(session.amount_total, session.amount_subtotal + tax);
    assert.equal(session.automatic_tax.status, 'complete');
    assert.equal(intent.amount_received, session.amount_total);
    assert.equal(intent.status, 'succeeded');
    assert.equal(charge.amount_captured, session.amount_total);
    assert.equal(charge.payment_method_details.card.last4, '4242');
    assert.equal(charge.billing_details.email, 'jenny.rosen@example.com');
  });

  await stage.step('the envelope and the headers of a delivery', async () => {
    const { event, headers, body } = shop.arrivals.find((it) => it.event.type === 'charge.succeeded');
    assert.equal(event.object, 'event');
    assert.equal(event.livemode, false);
    assert.match(event.api_version, /^20\d\d-\d\d-\d\d/);
    assert(event.pending_webhooks >= 1);
    assert('idempotency_key' in event.request && 'id' in event.request);
    assert.equal(headers['content-type'], 'application/json; charset=utf-8');
    assert.match(headers['user-agent'], /^Stripe\/1\.0 /);
    assert.equal(body, JSON.stringify(JSON.parse(body), null, 2), 'two spaces deep, as Stripe writes it');
    const kept = await stripe.events.retrieve(event.id);
    assert.deepEqual(kept.data.object, event.data.object);
    assert.equal(kept.pending_webhooks, 0, 'no webhook is pending');
  });

  await stage.step("the session's metadata stays on the session", async () => {
    const { intent, charge, ids } = await stage.purchase(ordered.id);
    assert.deepEqual([{ ...intent.metadata }, { ...charge.metadata }], [{}, {}]);
    for (const event of shop.about(...ids).filter(({ type }) => !type.startsWith('checkout.'))) {
      assert.deepEqual({ ...event.data.object.metadata }, {}, event.type);
    }
  });

  await stage.step('paid with the mouse; payment_intent_data.metadata reaches the charge', async () => {
    const { id, url } = await stripe.checkout.sessions.create(stage.order({
      metadata: { credits: '20' },
      payment_intent_data: { metadata: { tenant_id: 'tenant-2' } },
    }));
    const page = await stage.browser.open(url);
    await payWithMouse(page, '4242424242424242');
    await returned(page, `${stage.receiver.url}/success`);
    await page.context().close();
    const { intent, charge, ids } = await stage.purchase(id);
    assert.deepEqual({ ...intent.metadata }, { tenant_id: 'tenant-2' });
    assert.deepEqual({ ...charge.metadata }, { tenant_id: 'tenant-2' });
    const succeeded = shop.about(...ids).find(({ type }) => type === 'charge.succeeded');
    assert.deepEqual({ ...succeeded.data.object.metadata }, { tenant_id: 'tenant-2' });
  });

  await stage.step('a declined card, then another on the same page', async () => {
    const { id, url } = await stripe.checkout.sessions.create(stage.order());
    const page = await stage.browser.open(url);
    await payWithMouse(page, '4000000000000002');
    await page.getByRole('alert').filter({ hasText: /declined/i }).waitFor();
    await stage.settled();
    const open = await stripe.checkout.sessions.retrieve(id, { expand: ['payment_intent'] });
    assert.deepEqual([open.status, open.payment_status], ['open', 'unpaid']);
    await payWithMouse(page, '4242424242424242');
    await returned(page, `${stage.receiver.url}/success`);
    await page.context().close();
    const { intent, ids } = await stage.purchase(id);
    const events = shop.events.filter(({ data: { object } }) =>
      [object.id, object.payment_intent].some((it) => ids.includes(it)));
    includesInOrder(types(events), ['payment_intent.created', 'charge.failed', 'charge.succeeded',
      'payment_intent.succeeded', 'checkout.session.completed']);
    assert(types(events).includes('payment_intent.payment_failed'));
    const failed = events.find(({ type }) => type === 'charge.failed').data.object;
    assert.equal(failed.status, 'failed');
    assert.equal(failed.paid, false);
    assert.equal(failed.failure_code, 'card_declined');
    assert.equal(failed.payment_intent, intent.id, 'the same PaymentIntent for both attempts');
    const charges = await stripe.charges.list({ payment_intent: intent.id });
    assert.deepEqual(charges.data.map(({ status }) => status), ['succeeded', 'failed']);
  });

  await stage.step('3-D Secure: failed, then passed', async () => {
    const { id, url } = await stripe.checkout.sessions.create(stage.order());
    const page = await stage.browser.open(url);
    await payWithMouse(page, '4000002500003155');
    await page.getByRole('button', { name: /fail/i }).click();
    await page.getByRole('alert').filter({ hasText: /authenticat/i }).waitFor();
    await payWithMouse(page, '4000002500003155');
    await page.getByRole('button', { name: /complete/i }).click();
    await returned(page, `${stage.receiver.url}/success`);
    await page.context().close();
    const { charge, ids } = await stage.purchase(id);
    includesInOrder(types(shop.about(...ids)), ['payment_intent.requires_action',
      'payment_intent.payment_failed', 'payment_intent.requires_action', 'charge.succeeded',
      'checkout.session.completed']);
    assert.equal(charge.payment_method_details.card.three_d_secure.result, 'authenticated');
  });

  await stage.step('an expired session cannot be paid', async () => {
    const { id, url } = await stripe.checkout.sessions.create(stage.order());
    const expired = await stripe.checkout.sessions.expire(id);
    assert.deepEqual([expired.status, expired.payment_status, expired.url], ['expired', 'unpaid', null]);
    await stage.settled();
    assert.deepEqual(types(shop.about(id)), ['checkout.session.expired']);
    const page = await stage.browser.open(url);
    assert.equal(await page.locator('[autocomplete~="cc-number"]:visible').count(), 0);
    await page.context().close();
    const paid = await stage.ask('POST', `/sessions/${id}/pay`, { card: '4242424242424242' });
    assert(paid.status >= 400 && paid.status < 500, `${paid.status} ${paid.text}`);
    await refused(stripe.checkout.sessions.expire(id), 'StripeInvalidRequestError', {
      statusCode: 400, message: /status in \["open"\] can be expired/,
    });
    assert.equal((await stripe.checkout.sessions.retrieve(id)).payment_intent, null);
  });
  return shop;
}

module.exports = { purchase };
