// Refunds: partial, too large, delayed, and failed.
'use strict';

const assert = require('node:assert/strict');
const { DAY, includesInOrder, refused, types } = require('./stage.cjs');

async function refunds(stage, shop) {
  const { stripe } = stage;

  await stage.step('half is refunded, more than the rest is rejected, then the rest', async () => {
    const { intent, charge, ids } = await stage.buy({ card: '4242424242424242' });
    const half = await stripe.refunds.create({ payment_intent: intent.id, amount: 1000,
      reason: 'requested_by_customer', metadata: { ticket: '7' } });
    assert.deepEqual([half.amount, half.status, half.charge], [1000, 'succeeded', charge.id]);
    assert.equal(half.metadata.ticket, '7');
    await stage.settled();
    const events = shop.about(...ids);
    includesInOrder(types(events), ['refund.created', 'charge.refunded']);
    const refunded = events.find(({ type }) => type === 'charge.refunded');
    assert.equal(refunded.data.object.amount_refunded, 1000);
    assert.equal(refunded.data.object.refunded, false);
    assert.equal(refunded.data.previous_attributes.amount_refunded, 0);
    assert.equal(refunded.data.object.refunds, undefined, 'not expanded since 2022-11-15');
    const kind = 'StripeInvalidRequestError';
    await refused(stripe.refunds.create({ charge: charge.id, amount: 1001 }), kind, {
      statusCode: 400, param: 'amount', message: /is greater than unrefunded amount on charge/,
    });
    await refused(stripe.refunds.create({ charge: charge.id, amount: 0 }), kind, { param: 'amount' });
    await refused(stripe.refunds.create({ charge: charge.id, amount: -5 }), kind, { param: 'amount' });
    const rest = await stripe.refunds.create({ charge: charge.id });
    assert.equal(rest.amount, 1000);
    await refused(stripe.refunds.create({ charge: charge.id }), kind, { code: 'charge_already_refunded' });
    await stage.settled();
    const all = shop.about(...ids).filter(({ type }) => type === 'charge.refunded');
    assert.deepEqual(all.map(({ data }) => data.object.amount_refunded), [1000, 2000], 'it is cumulative');
    assert.equal(all[1].data.object.refunded, true);
    const listed = await stripe.refunds.list({ payment_intent: intent.id });
    assert.deepEqual(listed.data.map(({ id }) => id), [rest.id, half.id]);
  });

  await stage.step('7726: a refund is pending, and succeeds later', async () => {
    const { charge, ids } = await stage.buy({ card: '4000000000007726' });
    const refund = await stripe.refunds.create({ charge: charge.id });
    assert.equal(refund.status, 'pending');
    await stage.advance(3 * DAY);
    assert.equal((await stripe.refunds.retrieve(refund.id)).status, 'succeeded');
    const updated = shop.about(...ids).filter(({ type }) => type === 'refund.updated');
    const succeeded = updated.find(({ data }) => data.previous_attributes.status === 'pending');
    assert.equal(succeeded.data.object.status, 'succeeded');
  });

  await stage.step('5126: a refund succeeds, and fails later', async () => {
    const { charge, ids } = await stage.buy({ card: '4000000000005126' });
    const refund = await stripe.refunds.create({ charge: charge.id });
    assert.equal(refund.status, 'succeeded');
    await stage.advance(30 * DAY);
    const failed = await stripe.refunds.retrieve(refund.id);
    assert.equal(failed.status, 'failed');
    assert(failed.failure_reason, 'it says why');
    assert(failed.failure_balance_transaction, 'the money is back');
    const events = shop.about(...ids);
    includesInOrder(types(events), ['refund.created', 'refund.failed']);
    assert.equal(events.find(({ type }) => type === 'refund.failed').data.object.id, refund.id);
  });
}

module.exports = { refunds };
