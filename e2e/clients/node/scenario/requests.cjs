// Requests: lists and pages, idempotency keys, and the error classes of the SDK.
'use strict';

const assert = require('node:assert/strict');
const { DAY, gathered, refused, types } = require('./stage.cjs');

async function requests(stage) {
  const { stripe } = stage;

  await stage.step('lists return every object once, newest first and in reverse', async () => {
    const made = [];
    for (let number = 1; number <= 27; number += 1) {
      made.push((await stripe.customers.create({ name: `Customer ${number}` })).id);
    }
    const ids = async (params) => (await gathered(stripe.customers.list({ limit: 10, ...params }))).map(
      ({ id }) => id);
    const newestFirst = [...made].reverse();
    assert.deepEqual(await ids(), newestFirst);
    assert.deepEqual(await ids({ starting_after: made[20] }), newestFirst.slice(7));
    // With ending_before, the SDK pages towards the newest object and reverses each page.
    assert.deepEqual(await ids({ ending_before: made[0] }), made.slice(1));
    const page = await stripe.customers.list({ limit: 3, ending_before: made[10] });
    assert.deepEqual(page.data.map(({ id }) => id), [made[13], made[12], made[11]]);
    assert.equal(page.has_more, true);
    assert.equal(page.url, '/v1/customers');
    const last = await stripe.customers.list({ limit: 10, starting_after: made[5] });
    assert.deepEqual([last.data.length, last.has_more], [5, false]);
  });

  await stage.step('customers are updated and deleted', async () => {
    const { id } = await stripe.customers.create({ email: 'a@example.com', metadata: { tenant: '1' } });
    const changed = await stripe.customers.update(id, { email: 'b@example.com' });
    assert.deepEqual([changed.email, changed.metadata.tenant], ['b@example.com', '1']);
    const gone = await stripe.customers.del(id);
    assert.deepEqual([gone.id, gone.deleted], [id, true]);
    assert.equal((await stripe.customers.retrieve(id)).deleted, true);
  });

  await stage.step('an existing customer, and one that the session creates', async () => {
    const known = await stripe.customers.create({ name: 'Known' });
    for (const params of [{ customer: known.id }, { customer_creation: 'always' }]) {
      const { session, intent, charge } = await stage.buy({ card: '4242424242424242' }, params);
      assert.match(session.customer, /^cus_/);
      assert.deepEqual([intent.customer, charge.customer], [session.customer, session.customer]);
      assert.equal(session.customer === known.id, 'customer' in params);
      assert.equal((await stripe.customers.retrieve(session.customer)).object, 'customer');
    }
    const guest = await stage.buy({ card: '4242424242424242' });
    assert.deepEqual([guest.session.customer, guest.charge.customer], [null, null]);
  });

  await stage.step('events by type, by several types and by creation time', async () => {
    const { intent, charge, ids, session } = await stage.buy({ card: '4242424242424242' });
    await stripe.refunds.create({ payment_intent: intent.id });
    await stage.settled();
    const byType = await stripe.events.list({ type: 'charge.succeeded', limit: 100 });
    assert(byType.data.length > 0 && byType.data.every(({ type }) => type === 'charge.succeeded'));
    assert.equal(byType.data[0].data.object.id, charge.id, 'the newest comes first');
    const both = await stripe.events.list({ types: ['charge.refunded', 'charge.succeeded'], limit: 2 });
    assert.deepEqual(types(both.data), ['charge.refunded', 'charge.succeeded']);
    const wild = await stripe.events.list({ type: 'charge.*', limit: 100 });
    assert(wild.data.length > 0 && wild.data.every(({ type }) => type.startsWith('charge.')));
    const since = await gathered(stripe.events.list({ created: { gte: session.created }, limit: 100 }));
    assert(since.some(({ data }) => ids.includes(data.object.id)));
    assert(since.every(({ created }) => created >= session.created));
    const later = await stripe.events.list({ created: { gt: session.created + DAY } });
    assert.deepEqual(later.data, []);
    const before = await gathered(stripe.events.list({ created: { lt: session.created }, limit: 100 }));
    assert(before.every(({ created }) => created < session.created));
  });

  await stage.step('an idempotency key replays the answer and rejects another request', async () => {
    const idempotencyKey = `key-${process.pid}`;
    const first = await stripe.customers.create({ name: 'Once' }, { idempotencyKey });
    const again = await stripe.customers.create({ name: 'Once' }, { idempotencyKey });
    assert.equal(again.id, first.id);
    assert.deepEqual({ ...again }, { ...first });
    assert.equal(again.lastResponse.headers['idempotent-replayed'], 'true');
    assert.equal(first.lastResponse.headers['idempotent-replayed'], undefined);
    assert.equal(again.lastResponse.idempotencyKey, idempotencyKey);
    assert.match(first.lastResponse.requestId, /^req_/);
    await refused(stripe.customers.create({ name: 'Twice' }, { idempotencyKey }), 'StripeIdempotencyError', {
      statusCode: 400, message: /same parameters/,
    });
    const failing = { idempotencyKey: `${idempotencyKey}-failing` };
    const bad = { payment_intent: 'pi_missing' };
    const one = await refused(stripe.refunds.create(bad, failing), 'StripeInvalidRequestError');
    const two = await refused(stripe.refunds.create(bad, failing), 'StripeInvalidRequestError');
    assert.equal(one.message, two.message);
  });

  await stage.step('a wrong key', async () => {
    const error = await refused(
      stage.client('sk_test_somebody_elses_0123456789').customers.list(), 'StripeAuthenticationError',
      { statusCode: 401, message: /Invalid API Key provided: sk_test_/ },
    );
    assert(!error.message.includes('somebody'), 'the key is not repeated');
  });

  await stage.step('missing objects', async () => {
    const missing = { statusCode: 404, code: 'resource_missing' };
    const kind = 'StripeInvalidRequestError';
    await refused(stripe.charges.retrieve('ch_missing'), kind, {
      ...missing, message: /No such charge: 'ch_missing'/,
    });
    await refused(stripe.customers.retrieve('cus_missing'), kind, missing);
    await refused(stripe.checkout.sessions.retrieve('cs_test_missing'), kind, missing);
    await refused(stripe.events.retrieve('evt_missing'), kind, missing);
    const price = { line_items: [{ price: 'price_missing', quantity: 1 }] };
    await refused(stripe.checkout.sessions.create(stage.order(price)), kind, {
      code: 'resource_missing', param: 'line_items[0][price]', message: /No such price: 'price_missing'/,
    });
  });

  await stage.step('wrong parameters', async () => {
    const kind = 'StripeInvalidRequestError';
    const session = (params) => stripe.checkout.sessions.create(stage.order(params));
    await refused(stripe.customers.create({ flavour: 'x' }), kind, {
      code: 'parameter_unknown', param: 'flavour',
    });
    await refused(stripe.prices.create({ currency: 'eur', unit_amount: 100 }), kind, { statusCode: 400 });
    await refused(session({ mode: undefined, line_items: undefined }), kind, { statusCode: 400 });
    const negative = { currency: 'eur', unit_amount: -100, product_data: { name: 'x' } };
    await refused(session({ line_items: [{ quantity: 1, price_data: negative }] }), kind, {
      statusCode: 400, param: /unit_amount/,
    });
    const newest = { apiVersion: '2026-10-28.endive' };
    await refused(
      stripe.checkout.sessions.create(stage.order({ payment_method_types: ['card'] }), newest), kind,
      { code: 'payment_method_types_no_longer_supported', param: 'payment_method_types' },
    );
    await refused(stripe.customers.list({ starting_after: 'cus_missing' }), kind, {
      code: 'resource_missing', param: 'starting_after',
    });
    await refused(session({ metadata: { ['k'.repeat(41)]: 'v' } }), kind, { statusCode: 400 });
  });

  await stage.step('a route that is not emulated is reported', async () => {
    const error = await refused(stripe.subscriptions.list(), 'StripeInvalidRequestError');
    assert.match(error.message, /subscriptions/);
  });
}

module.exports = { requests };
