//! Payment intents created and confirmed without Checkout, with one of Stripe's test payment methods
//! (docs.stripe.com/testing#cards): `payment_method=pm_card_visa&confirm=true`.
//!
//! Not here: Stripe.js, saved payment methods, and manual capture. An intent whose bank asks for 3-D Secure
//! stays at `requires_action`, because only Checkout has a page where the customer could respond.

use serde_json::Value;
use stripe::write::{BillingDetails, IntentStatus, PaymentIntent};

use super::{NOUN, show};
use crate::act::payment::{self, AttemptResult, Instrument};
use crate::api::call::Call;
use crate::api::currency;
use crate::wire::{Params, StripeError};

const NOT_EMULATED: [&str; 9] = [
    "application_fee_amount",
    "mandate",
    "mandate_data",
    "on_behalf_of",
    "payment_method_data",
    "payment_method_types",
    "radar_options",
    "source",
    "transfer_data",
];
const IGNORED: [&str; 16] = [
    "amount_details",
    "automatic_payment_methods",
    "error_on_requires_action",
    "excluded_payment_method_types",
    "off_session",
    "payment_details",
    "payment_method_configuration",
    "payment_method_options",
    "receipt_email",
    "return_url",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
    "use_stripe_sdk",
];

/// Stripe's names for its test cards, after `pm_card_` or `pm_card_visa_`.
const TEST_METHODS: [(&str, &str); 18] = [
    ("visa", "4242424242424242"),
    ("visa_debit", "4000056655665556"),
    ("mastercard", "5555555555554444"),
    ("amex", "378282246310005"),
    ("authenticationRequired", "4000002760003184"),
    ("chargeDeclined", "4000000000000002"),
    ("chargeDeclinedInsufficientFunds", "4000000000009995"),
    ("chargeDeclinedLostCard", "4000000000009987"),
    ("chargeDeclinedStolenCard", "4000000000009979"),
    ("chargeDeclinedExpiredCard", "4000000000000069"),
    ("chargeDeclinedIncorrectCvc", "4000000000000127"),
    ("chargeDeclinedProcessingError", "4000000000000119"),
    ("createDispute", "4000000000000259"),
    ("createDisputeInquiry", "4000000000001976"),
    ("createDisputeProductNotReceived", "4000000000002685"),
    ("createIssuerFraudRecord", "4000000000005423"),
    ("pendingRefund", "4000000000007726"),
    ("refundFail", "4000000000005126"),
];

/// The test card with this payment method's name.
fn instrument(params: &mut Params) -> Result<Option<Instrument>, StripeError> {
    let Some(id) = params.text("payment_method")? else { return Ok(None) };
    let number_of =
        |name: &str| TEST_METHODS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
    let name = id.strip_prefix("pm_card_");
    let number = name.and_then(|name| number_of(name).or_else(|| number_of(name.strip_prefix("visa_")?)));
    let instrument = number.and_then(Instrument::of_number);
    instrument.map(Some).ok_or_else(|| StripeError::no_such("PaymentMethod", &id, "payment_method"))
}

pub(in crate::api) fn create(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    params.refuse(&NOT_EMULATED)?;
    params.ignore(&IGNORED);
    automatic_only(params)?;
    let amount = params.integer_from("amount", 1)?.ok_or_else(|| params.missing("amount"))?;
    let currency = currency::read(params)?;
    let (customer, description) = (params.text("customer")?, params.text("description")?);
    let metadata = params.metadata()?.for_new()?;
    let confirm = params.boolean("confirm")?.unwrap_or(false);
    let instrument = instrument(params)?;
    params.finish()?;
    currency::chargeable(amount, &currency, "amount")?;
    if let Some(id) = customer.as_ref().filter(|id| call.world.customers.get(id).is_none()) {
        return Err(StripeError::no_such("customer", id, "customer"));
    }
    if confirm && instrument.is_none() {
        return Err(no_method());
    }
    let (id, secret) = (call.world.id("pi"), call.world.id("secret"));
    let intent = PaymentIntent {
        client_secret: format!("{id}_{secret}"),
        customer,
        description,
        metadata,
        ..payment::intent(id.clone(), call.world.now(), currency, amount)
    };
    call.world.create(intent, "payment_intent.created");
    call.id = id;
    match instrument.filter(|_| confirm) {
        Some(instrument) => attempt(call, &instrument),
        None => show(call),
    }
}

pub(in crate::api) fn confirm(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    params.refuse(&NOT_EMULATED)?;
    params.ignore(&IGNORED);
    automatic_only(params)?;
    let instrument = instrument(params)?;
    params.finish()?;
    let intent = call.named(&call.world.payment_intents, NOUN)?;
    if call.world.session_of.contains_key(&call.id) {
        return Err(StripeError::invalid(
            "You cannot confirm this PaymentIntent because it belongs to Checkout; its page does that.",
        )
        .code("payment_intent_unexpected_state"));
    }
    if !matches!(intent.status, IntentStatus::RequiresPaymentMethod | IntentStatus::RequiresConfirmation) {
        return Err(StripeError::invalid(format!(
            "This PaymentIntent's status is {}, and only one of requires_payment_method or \
             requires_confirmation can be confirmed.",
            intent.status.name()
        ))
        .code("payment_intent_unexpected_state")
        .payment_intent(intent.render(call.version)));
    }
    attempt(call, &instrument.ok_or_else(no_method)?)
}

/// A decline is a 402 response, and the failed intent is kept.
fn attempt(call: &mut Call<'_>, instrument: &Instrument) -> Result<Value, StripeError> {
    match payment::attempt(call.world, &call.id, instrument, &BillingDetails::default()) {
        AttemptResult::Succeeded | AttemptResult::Processing | AttemptResult::Challenged => show(call),
        AttemptResult::Declined(failure) => {
            let intent = call.named(&call.world.payment_intents, NOUN)?;
            let error = StripeError::card(failure.code, failure.decline_code, failure.message)
                .payment_intent(intent.render(call.version));
            Err(match &intent.latest_charge {
                Some(charge) => error.charge(charge),
                None => error,
            })
        }
    }
}

fn automatic_only(params: &mut Params) -> Result<(), StripeError> {
    match params.text("capture_method")?.as_deref() {
        None | Some("automatic" | "automatic_async") => {}
        Some(_) => return Err(StripeError::not_emulated("capture_method")),
    }
    match params.text("confirmation_method")?.as_deref() {
        None | Some("automatic" | "manual") => Ok(()),
        Some(_) => Err(StripeError::not_one_of("confirmation_method", &["automatic", "manual"])),
    }
}

fn no_method() -> StripeError {
    let message = "You cannot confirm this PaymentIntent because it's missing a payment method. Provide \
                   payment_method, for example pm_card_visa.";
    StripeError::invalid(message).code("payment_intent_unexpected_state").without_execution()
}
