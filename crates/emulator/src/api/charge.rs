//! Charges (docs.stripe.com/api/charges). Only payment intents create them; the legacy `POST /v1/charges` is
//! not emulated.

use serde_json::Value;
use stripe::write::Charge;

use super::call::Call;
use crate::wire::StripeError;

const NOUN: &str = "charge";

pub(super) fn retrieve(call: &mut Call<'_>) -> Result<Value, StripeError> {
    call.params.finish()?;
    show(call)
}

pub(super) fn update(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    params.refuse(&["customer"])?;
    params.ignore(&["fraud_details", "receipt_email", "shipping", "transfer_group"]);
    let description = params.text_change("description")?;
    let metadata = params.metadata()?;
    call.update::<Charge>(
        "charge.updated",
        NOUN,
        metadata,
        |charge| &mut charge.metadata,
        |charge| {
            description.apply(&mut charge.description);
        },
    )?;
    show(call)
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    let (customer, intent) = (params.text("customer")?, params.text("payment_intent")?);
    let keep = |charge: &Charge| {
        (customer.is_none() || charge.customer == customer)
            && (intent.is_none() || charge.payment_intent == intent)
    };
    let (charges, version) = (&call.world.charges, call.version);
    let render = |charge: &Charge| charge.render(version);
    Call::list(&mut call.params, (NOUN, "/v1/charges"), charges, |charge| charge.created, keep, render)
}

fn show(call: &Call<'_>) -> Result<Value, StripeError> {
    call.named(&call.world.charges, NOUN).map(|charge| charge.render(call.version))
}
