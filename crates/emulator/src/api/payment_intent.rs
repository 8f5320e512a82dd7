//! Payment intents (docs.stripe.com/api/payment_intents): retrieving, updating, canceling.
//!
//! Not here: what a payment does (`act::payment`).

mod confirm;

use serde_json::Value;
use stripe::write::{IntentStatus, PaymentIntent, SessionStatus};

use super::call::Call;
use crate::act::payment;
use crate::wire::StripeError;
pub(super) use confirm::{confirm, create};

const NOUN: &str = "payment_intent";
const REASONS: [(&str, &str); 4] = [
    ("duplicate", "duplicate"),
    ("fraudulent", "fraudulent"),
    ("requested_by_customer", "requested_by_customer"),
    ("abandoned", "abandoned"),
];

pub(super) fn retrieve(call: &mut Call<'_>) -> Result<Value, StripeError> {
    call.params.ignore(&["client_secret"]);
    call.params.finish()?;
    show(call)
}

/// Updates description and metadata. Stripe has no event for it.
pub(super) fn update(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    params.refuse(&["amount", "capture_method", "currency", "customer", "payment_method"])?;
    params.ignore(&["receipt_email", "shipping", "statement_descriptor", "statement_descriptor_suffix"]);
    let description = params.text_change("description")?;
    let change = params.metadata()?;
    params.finish()?;
    let mut metadata = call.named(&call.world.payment_intents, NOUN)?.metadata.clone();
    change.apply(&mut metadata)?;
    if let Some(intent) = call.world.payment_intents.get_mut(&call.id) {
        intent.metadata = metadata;
        description.apply(&mut intent.description);
    }
    show(call)
}

pub(super) fn cancel(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let reason = call.params.one_of("cancellation_reason", &REASONS)?.unwrap_or("abandoned");
    call.params.finish()?;
    let intent = call.named(&call.world.payment_intents, NOUN)?;
    let session = call.world.session_of.get(&call.id).and_then(|id| call.world.sessions.get(id));
    let open = session.is_some_and(|session| session.status == SessionStatus::Open);
    if open {
        return Err(StripeError::invalid(
            "You cannot cancel this PaymentIntent because it was created by Checkout. Expire the Checkout \
             Session instead.",
        )
        .code("payment_intent_unexpected_state"));
    }
    match intent.status {
        IntentStatus::Succeeded | IntentStatus::Processing | IntentStatus::Canceled => {
            return Err(StripeError::invalid(format!(
                "You cannot cancel this PaymentIntent because it has a status of {}. Only a PaymentIntent \
                 with one of the following statuses may be canceled: requires_payment_method, \
                 requires_capture, requires_confirmation, requires_action.",
                intent.status.name()
            ))
            .code("payment_intent_unexpected_state")
            .payment_intent(intent.render(call.version)));
        }
        IntentStatus::RequiresPaymentMethod
        | IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresAction
        | IntentStatus::RequiresCapture => {}
    }
    payment::cancel(call.world, &call.id, reason);
    show(call)
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let customer = call.params.text("customer")?;
    let keep = |intent: &PaymentIntent| customer.is_none() || intent.customer == customer;
    let (intents, version) = (&call.world.payment_intents, call.version);
    let render = |intent: &PaymentIntent| intent.render(version);
    let names = (NOUN, "/v1/payment_intents");
    Call::list(&mut call.params, names, intents, |intent| intent.created, keep, render)
}

fn show(call: &Call<'_>) -> Result<Value, StripeError> {
    call.named(&call.world.payment_intents, NOUN).map(|intent| intent.render(call.version))
}
