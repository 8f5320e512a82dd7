//! Manual capture: a card is authorized first, and charged later
//! (docs.stripe.com/payments/place-a-hold-on-a-payment-method).
//!
//! Not here: asking for it; the emulator's API captures every payment automatically.

use stripe::write::{BillingDetails, CaptureMethod, Charge, ChargeStatus, IntentStatus, PaymentIntent};

use super::payment::{self, Instrument};
use crate::world::World;

/// The card that is authorized.
const CARD: &str = "4242424242424242";

/// Authorizes the whole amount of a payment intent, and takes nothing yet.
pub(crate) fn authorize(world: &mut World, intent: &str, payer: &BillingDetails) {
    let Some(instrument) = Instrument::of_number(CARD) else { return };
    let charge = payment::charge(world, intent, &instrument, payer, ChargeStatus::Succeeded, false);
    let charge = Charge { captured: false, amount_captured: 0, ..charge };
    let (id, method) = (charge.id.clone(), charge.payment_method.clone());
    world.create(charge, "charge.succeeded");
    world.transition::<PaymentIntent>(intent, "payment_intent.amount_capturable_updated", |intent| {
        intent.status = IntentStatus::RequiresCapture;
        intent.capture_method = CaptureMethod::Manual;
        intent.amount_capturable = intent.amount;
        intent.latest_charge = Some(id);
        intent.payment_method = method;
    });
}

/// Takes `amount` of what was authorized, or all of it; the rest counts as refunded. Nothing happens when it
/// is not between 1 and what was authorized.
pub(crate) fn capture(world: &mut World, charge: &str, amount: Option<i64>) {
    let Some(intent) = authorized(world, charge) else { return };
    let authorized = world.charges.get(charge).map(|charge| charge.amount).unwrap_or_default();
    let amount = amount.unwrap_or(authorized);
    if !(1..=authorized).contains(&amount) {
        return;
    }
    let transaction = world.id("txn");
    world.transition::<Charge>(charge, "charge.captured", |charge| {
        charge.captured = true;
        charge.amount_captured = amount;
        charge.amount_refunded = charge.amount - amount;
        charge.balance_transaction = Some(transaction);
    });
    world.transition::<PaymentIntent>(&intent, "payment_intent.succeeded", |intent| {
        intent.status = IntentStatus::Succeeded;
        intent.amount_capturable = 0;
        intent.amount_received = amount;
    });
}

/// The authorization expires: everything counts as refunded, and the payment intent is canceled.
pub(crate) fn expire(world: &mut World, charge: &str) {
    let Some(intent) = authorized(world, charge) else { return };
    world.transition::<Charge>(charge, "charge.expired", |charge| {
        charge.amount_refunded = charge.amount;
        charge.refunded = true;
    });
    payment::cancel(world, &intent, "automatic");
}

/// The payment intent of a charge that waits for its capture.
fn authorized(world: &World, charge: &str) -> Option<String> {
    let charge = world.charges.get(charge)?;
    let waits = charge.status == ChargeStatus::Succeeded && !charge.captured && !charge.refunded;
    charge.payment_intent.clone().filter(|_| waits)
}
