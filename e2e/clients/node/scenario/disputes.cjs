// Disputes: won, lost, and an inquiry, which moves no money.
'use strict';

const assert = require('node:assert/strict');
const { DAY, includesInOrder, refused, types } = require('./stage.cjs');

async function disputes(stage, shop) {
  const { stripe } = stage;

  async function disputed(card) {
    const bought = await stage.buy({ card });
    // The test card causes a dispute at once or soon after.
    await stage.advance(3600);
    const { data: [dispute] } = await stripe.disputes.list({ charge: bought.charge.id });
    return { ...bought, dispute };
  }

  async function answered({ dispute, ids }, evidence) {
    await stripe.disputes.update(dispute.id, { evidence: { uncategorized_text: evidence }, submit: true });
    await stage.advance(DAY);
    return {
      closed: await stripe.disputes.retrieve(dispute.id),
      events: shop.about(dispute.id, ...ids).filter(({ type }) => type.startsWith('charge.dispute.')),
    };
  }

  await stage.step('a dispute takes the money at once and forbids refunds', async () => {
    const { charge, dispute, ids } = await disputed('4000000000000259');
    assert.equal(dispute.status, 'needs_response');
    assert.equal(dispute.reason, 'fraudulent');
    assert.deepEqual([dispute.amount, dispute.charge], [2000, charge.id]);
    assert.equal(dispute.balance_transactions.length, 1);
    assert.equal(dispute.balance_transactions[0].amount, -2000);
    assert.equal((await stripe.charges.retrieve(charge.id)).disputed, true);
    includesInOrder(types(shop.about(...ids)),
      ['charge.succeeded', 'charge.dispute.created', 'charge.dispute.funds_withdrawn']);
    await refused(stripe.refunds.create({ charge: charge.id }), 'StripeInvalidRequestError', {
      code: 'charge_disputed',
    });
  });

  await stage.step('winning evidence returns the money', async () => {
    const bought = await disputed('4000000000000259');
    const { closed, events } = await answered(bought, 'winning_evidence');
    assert.equal(closed.status, 'won');
    assert.equal(closed.evidence.uncategorized_text, 'winning_evidence');
    assert.deepEqual(closed.balance_transactions.map(({ amount }) => amount), [-2000, 2000]);
    const said = types(events);
    assert(said.includes('charge.dispute.funds_reinstated'), said);
    includesInOrder(said, ['charge.dispute.created', 'charge.dispute.funds_withdrawn',
      'charge.dispute.closed']);
    const last = events.find(({ type }) => type === 'charge.dispute.closed').data.object;
    assert.equal(last.status, 'won');
  });

  await stage.step('losing evidence does not return the money', async () => {
    const bought = await disputed('4000000000002685');
    assert.equal(bought.dispute.reason, 'product_not_received');
    const { closed, events } = await answered(bought, 'losing_evidence');
    assert.equal(closed.status, 'lost');
    assert.deepEqual(closed.balance_transactions.map(({ amount }) => amount), [-2000]);
    assert(!types(events).includes('charge.dispute.funds_reinstated'));
    const last = events.find(({ type }) => type === 'charge.dispute.closed').data.object;
    assert.equal(last.status, 'lost');
  });

  await stage.step('an inquiry moves no money', async () => {
    const { dispute, ids } = await disputed('4000000000001976');
    assert.equal(dispute.status, 'warning_needs_response');
    assert.deepEqual(dispute.balance_transactions, []);
    const said = types(shop.about(dispute.id, ...ids));
    assert(said.includes('charge.dispute.created'));
    assert(!said.includes('charge.dispute.funds_withdrawn'), said);
  });
}

module.exports = { disputes };
