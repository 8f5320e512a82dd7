// Time and delivery: payments that take days, rotated secrets, an endpoint that fails for three days, and an
// endpoint with an old API version.
'use strict';

const assert = require('node:assert/strict');
const { NO_ANSWER } = require('./receiver.cjs');
const { payByDebit, returned } = require('./page.cjs');
const { DAY, includesInOrder, types } = require('./stage.cjs');

// FairePlace's published retry schedule: seconds between attempts.
const SCHEDULE = [300, 1_800, 7_200, 28_800, 86_400];
const MARGIN = 60;
const COMPLETED = ['checkout.session.completed'];
const CARD = { card: '4242424242424242' };

async function deliveries(stage, shop) {
  const { stripe } = stage;

  async function debited(iban) {
    const { id, url } = await stripe.checkout.sessions.create(stage.order());
    const page = await stage.browser.open(url);
    await payByDebit(page, iban);
    await returned(page, `${stage.receiver.url}/success`);
    await page.context().close();
    const { session, ids } = await stage.purchase(id);
    assert.deepEqual([session.status, session.payment_status], ['complete', 'unpaid']);
    const completed = shop.about(session.id).find(({ type }) => type === 'checkout.session.completed');
    assert.equal(completed.data.object.payment_status, 'unpaid', 'nothing to grant yet');
    await stage.advance(14 * DAY);
    return { said: types(shop.about(...ids)), ...(await stage.purchase(session.id)) };
  }

  await stage.step('a SEPA debit succeeds days later', async () => {
    const { said, session, intent } = await debited('AT321904300235473204');
    includesInOrder(said, ['checkout.session.completed', 'checkout.session.async_payment_succeeded']);
    includesInOrder(said, ['payment_intent.processing', 'payment_intent.succeeded']);
    assert.deepEqual([session.payment_status, intent.status], ['paid', 'succeeded']);
  });

  await stage.step('a SEPA debit fails days later', async () => {
    const { said, session, intent } = await debited('AT861904300235473202');
    includesInOrder(said, ['checkout.session.completed', 'checkout.session.async_payment_failed']);
    assert(said.includes('charge.failed') && said.includes('payment_intent.payment_failed'), said);
    assert.deepEqual([session.status, session.payment_status], ['complete', 'unpaid']);
    assert.equal(intent.status, 'requires_payment_method');
  });

  await stage.step('a rotated secret: both verify, then only the new one', async () => {
    const endpoint = stage.receiver.endpoint('/rotated');
    const { secret: old } = await endpoint.register(stripe, { enabled_events: COMPLETED });
    const body = { grace_period_seconds: 3600 };
    const rotated = await stage.control('POST', `/endpoints/${endpoint.id}/rotate`, body);
    assert.match(rotated.secret, /^whsec_/);
    endpoint.secrets = [old, rotated.secret];
    const verdicts = async () => {
      await stage.buy(CARD);
      return endpoint.arrivals.at(-1).verified.map((result) => !(result instanceof Error));
    };
    assert.deepEqual(await verdicts(), [true, true]);
    assert.equal(endpoint.arrivals.at(-1).headers['stripe-signature'].match(/v1=/g).length, 2);
    await stage.advance(3700);
    assert.deepEqual(await verdicts(), [false, true]);
    await stripe.webhookEndpoints.del(endpoint.id);
  });

  await stage.step('an endpoint of 2022-11-15 receives charge.refunded and no refund.*', async () => {
    const endpoint = stage.receiver.endpoint('/old');
    await endpoint.register(stripe, { enabled_events: ['*'], api_version: '2022-11-15' });
    const { charge } = await stage.buy(CARD);
    await stripe.refunds.create({ charge: charge.id, amount: 500 });
    await stage.settled();
    const said = types(endpoint.events);
    assert(said.includes('charge.refunded'), said);
    assert.deepEqual(said.filter((type) => type.startsWith('refund.')), []);
    assert(endpoint.events.every((event) => event.api_version === '2022-11-15'));
    assert('invoice' in endpoint.events.find(({ type }) => type === 'charge.refunded').data.object);
    await stripe.webhookEndpoints.del(endpoint.id);
  });

  await stage.step('an endpoint receives the enabled types, and nothing when disabled', async () => {
    const endpoint = stage.receiver.endpoint('/some');
    await endpoint.register(stripe, { enabled_events: ['charge.succeeded'] });
    await stage.buy(CARD);
    assert.deepEqual(types(endpoint.events), ['charge.succeeded']);
    await stripe.webhookEndpoints.update(endpoint.id, { disabled: true });
    await stage.buy(CARD);
    assert.equal(endpoint.arrivals.length, 1);
    await stripe.webhookEndpoints.del(endpoint.id);
  });

  await stage.step('a session without a payment due, and one that expires unpaid after a day', async () => {
    const gift = { currency: 'eur', unit_amount: 0, product_data: { name: 'A gift' } };
    const free = await stripe.checkout.sessions.create(stage.order({
      line_items: [{ quantity: 1, price_data: gift }],
    }));
    await stage.control('POST', `/sessions/${free.id}/pay`, CARD);
    await stage.settled();
    const given = await stripe.checkout.sessions.retrieve(free.id);
    assert.deepEqual([given.status, given.payment_status, given.payment_intent],
      ['complete', 'no_payment_required', null]);
    assert.deepEqual(types(shop.about(free.id)), COMPLETED);
    const { id } = await stripe.checkout.sessions.create(stage.order());
    await stage.advance(DAY + MARGIN);
    assert.equal((await stripe.checkout.sessions.retrieve(id)).status, 'expired');
    assert.deepEqual(types(shop.about(id)), ['checkout.session.expired']);
  });

  await stage.step('a redirect is a failure and is not followed; an endless answer is cut off', async () => {
    for (const [path, status] of [['/moved', 302], ['/endless', 200], ['/hung-up', NO_ANSWER]]) {
      const endpoint = stage.receiver.endpoint(path);
      await endpoint.register(stripe, { enabled_events: ['charge.succeeded'] });
      endpoint.status = status;
      endpoint.answersEndlessly = status === 200;
      await stage.buy(CARD);
      const { data: [{ state, attempts }] } =
        await stage.control('GET', `/deliveries?endpoint=${endpoint.id}`);
      assert.deepEqual([state, attempts.length], [status === 200 ? 'delivered' : 'waiting', 1], path);
      assert.equal(endpoint.arrivals.length, 1);
      await stripe.webhookEndpoints.del(endpoint.id);
    }
  });

  await stage.step('duplicates on demand repeat the same event', async () => {
    const endpoint = stage.receiver.endpoint('/twice');
    await endpoint.register(stripe, { enabled_events: ['charge.succeeded'] });
    await stage.control('POST', `/endpoints/${endpoint.id}/misbehave`, { seed: 1, duplicate: 100 });
    await stage.buy(CARD);
    await stage.advance(3600);
    assert(endpoint.events.length >= 2, `${endpoint.events.length} came`);
    assert.equal(new Set(endpoint.events.map(({ id }) => id)).size, 1);
    await stripe.webhookEndpoints.del(endpoint.id);
  });

  await stage.step('a failing endpoint is tried again over three days, signed afresh each time', async () => {
    const endpoint = stage.receiver.endpoint('/failing');
    await endpoint.register(stripe, { enabled_events: COMPLETED });
    endpoint.status = 500;
    const { session } = await stage.buy(CARD);
    assert.equal(endpoint.arrivals.length, 1);
    const { id } = endpoint.events[0];
    for (const [failures, delay] of SCHEDULE.entries()) {
      await stage.advance(delay - MARGIN);
      assert.equal(endpoint.arrivals.length, failures + 1, `too early, before ${delay} s`);
      await stage.advance(MARGIN);
      assert.equal(endpoint.arrivals.length, failures + 2, `no attempt ${delay} s after the failure`);
    }
    await stage.advance(3 * DAY);
    assert.equal(endpoint.arrivals.length, SCHEDULE.length + 1, 'it is given up');
    assert(endpoint.arrivals.every(({ event }) => event.id === id && event.data.object.id === session.id));
    const owed = await stripe.events.list({ delivery_success: false, limit: 100 });
    assert(owed.data.some((event) => event.id === id && event.pending_webhooks === 1));
    await stripe.webhookEndpoints.del(endpoint.id);
    const gone = await stripe.webhookEndpoints.list();
    assert(!gone.data.some((it) => it.id === endpoint.id));
  });
}

module.exports = { deliveries };
