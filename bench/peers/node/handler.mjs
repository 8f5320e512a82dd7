// The handler of FairePlace's webhook guide, in Node: verify, switch on the type, read the metadata, answer.
// It does what the guide shows and no more: it stores nothing, so an event is lost with its process.
import express from 'express';
import Stripe from 'stripe';

const stripe = new Stripe('sk_test_never_used_for_a_call');
const secret = process.env.STRIPE_WEBHOOK_SECRET;
const app = express();

app.post('/webhooks/stripe', express.raw({ type: 'application/json' }), (request, response) => {
  let event;
  try {
    event = stripe.webhooks.constructEvent(request.body, request.headers['stripe-signature'], secret);
  } catch {
    return response.status(400).send('Webhook Error');
  }
  const object = event.data.object;
  switch (event.type) {
    case 'checkout.session.completed': {
      const { tenant_id, credits } = object.metadata;
      creditTenant(tenant_id, Number.parseInt(credits, 10));
      break;
    }
    case 'charge.succeeded':
      finalisePayment(object.id);
      break;
    case 'charge.refunded':
      deductCredits(object.metadata.tenant_id, object.amount_refunded);
      break;
    case 'charge.failed':
      break;
  }
  response.json({ received: true });
});

// Where a real handler would work. Empty, so that only receiving is measured.
function creditTenant() {}
function finalisePayment() {}
function deductCredits() {}

app.listen(Number(process.env.PORT), '127.0.0.1');
