//! Refunds (docs.stripe.com/api/refunds): the parameters and Stripe's error messages around `act::refund`.

use serde_json::Value;
use stripe::write::{Refund, RefundStatus};

use super::call::Call;
use crate::act::refund::{self, NewRefund, RefundRefusal};
use crate::wire::StripeError;
use crate::world::World;

const NOUN: &str = "refund";
const REASONS: [(&str, &str); 3] = [
    ("duplicate", "duplicate"),
    ("fraudulent", "fraudulent"),
    ("requested_by_customer", "requested_by_customer"),
];

pub(super) fn create(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    params.refuse(&["customer", "origin", "refund_application_fee", "reverse_transfer"])?;
    params.ignore(&["currency", "instructions_email"]);
    let (charge, intent) = (params.text("charge")?, params.text("payment_intent")?);
    let amount = params.integer_from("amount", 1)?;
    let reason = params.one_of("reason", &REASONS)?.map(str::to_owned);
    let metadata = params.metadata()?.for_new()?;
    params.finish()?;
    let charge = charge_of(call.world, charge, intent)?;
    let new = NewRefund { charge: charge.clone(), amount, reason, metadata };
    call.id = refund::create(call.world, new)
        .map_err(|refusal| refusal_error(call.world, &refusal, &charge, amount))?;
    show(call)
}

/// The charge to refund: the one that is named, or the latest of the payment intent.
fn charge_of(world: &World, charge: Option<String>, intent: Option<String>) -> Result<String, StripeError> {
    let charge = match (charge, intent) {
        (None, None) => {
            let message =
                "One of the following params should be provided for this request: payment_intent or charge.";
            return Err(StripeError::invalid(message).code("parameter_missing"));
        }
        (charge, Some(id)) => {
            let intent = world.payment_intents.get(&id);
            let intent =
                intent.ok_or_else(|| StripeError::no_such("payment_intent", &id, "payment_intent"))?;
            let latest = intent.latest_charge.clone().ok_or_else(|| {
                StripeError::invalid(format!(
                    "This PaymentIntent ({id}) does not have a successful charge to refund."
                ))
                .code("payment_intent_unexpected_state")
                .param("payment_intent")
            })?;
            if charge.is_some_and(|charge| charge != latest) {
                return Err(StripeError::exclusive(&["charge", "payment_intent"]));
            }
            latest
        }
        (Some(id), None) => id,
    };
    match world.charges.get(&charge) {
        Some(_) => Ok(charge),
        None => Err(StripeError::no_such("charge", &charge, "charge")),
    }
}

fn refusal_error(world: &World, refusal: &RefundRefusal, charge: &str, amount: Option<i64>) -> StripeError {
    match refusal {
        RefundRefusal::NoCharge => StripeError::no_such("charge", charge, "charge"),
        RefundRefusal::NotPaid => {
            let message = format!("Charge {charge} has not succeeded, and cannot be refunded.");
            StripeError::invalid(message).code("charge_not_refundable")
        }
        RefundRefusal::AlreadyRefunded => {
            StripeError::invalid(format!("Charge {charge} has already been refunded."))
                .code("charge_already_refunded")
        }
        RefundRefusal::NotPositive => StripeError::below("amount", 1),
        RefundRefusal::TooMuch { left } => {
            let currency = world.charges.get(charge).map(|charge| charge.currency.to_uppercase());
            let currency = currency.unwrap_or_default();
            StripeError::invalid(format!(
                "Refund amount ({} {currency}) is greater than unrefunded amount on charge ({left} \
                 {currency})",
                amount.unwrap_or_default()
            ))
            .param("amount")
        }
        RefundRefusal::Disputed => {
            let message = format!("Charge {charge} has been charged back; cannot issue a refund.");
            StripeError::invalid(message).code("charge_disputed")
        }
    }
}

pub(super) fn retrieve(call: &mut Call<'_>) -> Result<Value, StripeError> {
    call.params.finish()?;
    show(call)
}

pub(super) fn update(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let metadata = call.params.metadata()?;
    call.update::<Refund>("refund.updated", NOUN, metadata, |refund| &mut refund.metadata, |_| {})?;
    show(call)
}

pub(super) fn cancel(call: &mut Call<'_>) -> Result<Value, StripeError> {
    call.params.finish()?;
    let status = call.named(&call.world.refunds, NOUN)?.status;
    if status != RefundStatus::Pending {
        return Err(StripeError::invalid(format!(
            "This refund cannot be canceled because it has a status of {}. Only a pending refund can be.",
            status.name()
        )));
    }
    refund::cancel(call.world, &call.id);
    show(call)
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    let (charge, intent) = (params.text("charge")?, params.text("payment_intent")?);
    let keep = |refund: &Refund| {
        (charge.is_none() || refund.charge == charge) && (intent.is_none() || refund.payment_intent == intent)
    };
    let (refunds, version) = (&call.world.refunds, call.version);
    let render = |refund: &Refund| refund.render(version);
    Call::list(&mut call.params, (NOUN, "/v1/refunds"), refunds, |refund| refund.created, keep, render)
}

/// `GET /v1/charges/{id}/refunds`, which some SDK helpers still call.
pub(super) fn list_of_charge(call: &mut Call<'_>) -> Result<Value, StripeError> {
    call.named(&call.world.charges, "charge")?;
    let keep = |refund: &Refund| refund.charge.as_ref() == Some(&call.id);
    let (refunds, version) = (&call.world.refunds, call.version);
    let render = |refund: &Refund| refund.render(version);
    let url = format!("/v1/charges/{}/refunds", call.id);
    Call::list(&mut call.params, (NOUN, &url), refunds, |refund| refund.created, keep, render)
}

fn show(call: &Call<'_>) -> Result<Value, StripeError> {
    call.named(&call.world.refunds, NOUN).map(|refund| refund.render(call.version))
}
