//! The payment intent: one customer's way to one payment, attempts included. Its metadata is empty: the
//! session's stays with the session.

use super::body::with_nulls;
use super::{ChargeState, PaymentMethod, Purchase, charge};
use serde_json::{Value, json};

/// How far the payment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntentState {
    Created,
    /// The customer has to confirm the payment with the bank.
    RequiresAction,
    /// A delayed method is under way.
    Processing,
    /// The money is reserved, not taken.
    RequiresCapture,
    /// A bank transfer brought half of the money.
    PartiallyFunded,
    Succeeded,
    /// One attempt failed; the next may succeed.
    Failed,
    Canceled,
}

/// `data.object` of `payment_intent.*`.
pub(crate) fn payment_intent(purchase: &Purchase, method: PaymentMethod, state: IntentState) -> Value {
    let amount = purchase.amount_total;
    let succeeded = state == IntentState::Succeeded;
    let canceled = state == IntentState::Canceled;
    let object = json!({
        "id": purchase.id("pi"),
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": if state == IntentState::RequiresCapture { amount } else { 0 },
        "amount_details": { "tip": {} },
        "amount_received": if succeeded { amount } else { 0 },
        "canceled_at": canceled.then_some(purchase.created),
        "cancellation_reason": canceled.then_some("abandoned"),
        "capture_method": if state == IntentState::RequiresCapture { "manual" } else { "automatic_async" },
        "client_secret": format!("{}_secret_rehearsal", purchase.id("pi")),
        "confirmation_method": "automatic",
        "created": purchase.created,
        "currency": purchase.currency,
        "last_payment_error": (state == IntentState::Failed).then(|| declined(purchase)),
        "latest_charge": has_charge(state).then(|| purchase.id("ch")),
        "livemode": purchase.livemode,
        "metadata": {},
        "next_action": next_action(purchase, state),
        "payment_method": has_payment_method(state).then(|| purchase.id("pm")),
        "payment_method_configuration_details": { "id": purchase.id("pmc"), "parent": null },
        "payment_method_options": payment_method_options(method),
        "payment_method_types": [method.type_name()],
        "status": status(state),
    });
    let object = with_nulls(object, &NULLS);
    if purchase.api_version.has_invoice() { with_nulls(object, &["invoice"]) } else { object }
}

const NULLS: [&str; 18] = [
    "application",
    "application_fee_amount",
    "automatic_payment_methods",
    "customer",
    "customer_account",
    "description",
    "excluded_payment_method_types",
    "on_behalf_of",
    "processing",
    "receipt_email",
    "review",
    "setup_future_usage",
    "shipping",
    "source",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
];

fn status(state: IntentState) -> &'static str {
    match state {
        IntentState::Created | IntentState::Failed => "requires_payment_method",
        IntentState::RequiresAction | IntentState::PartiallyFunded => "requires_action",
        IntentState::Processing => "processing",
        IntentState::RequiresCapture => "requires_capture",
        IntentState::Succeeded => "succeeded",
        IntentState::Canceled => "canceled",
    }
}

fn has_charge(state: IntentState) -> bool {
    match state {
        IntentState::Processing
        | IntentState::RequiresCapture
        | IntentState::Succeeded
        | IntentState::Failed => true,
        IntentState::Created
        | IntentState::RequiresAction
        | IntentState::PartiallyFunded
        | IntentState::Canceled => false,
    }
}

/// A failed attempt takes its payment method with it.
fn has_payment_method(state: IntentState) -> bool {
    match state {
        IntentState::RequiresAction
        | IntentState::Processing
        | IntentState::RequiresCapture
        | IntentState::PartiallyFunded
        | IntentState::Succeeded => true,
        IntentState::Created | IntentState::Failed | IntentState::Canceled => false,
    }
}

fn payment_method_options(method: PaymentMethod) -> Value {
    match method {
        PaymentMethod::Card => json!({
            "card": {
                "installments": null,
                "mandate_options": null,
                "network": null,
                "request_three_d_secure": "automatic",
            },
        }),
        PaymentMethod::SepaDebit => json!({ "sepa_debit": {} }),
        PaymentMethod::BankTransfer => json!({
            "customer_balance": {
                "bank_transfer": { "type": "eu_bank_transfer" },
                "funding_type": "bank_transfer",
            },
        }),
    }
}

fn next_action(purchase: &Purchase, state: IntentState) -> Value {
    match state {
        IntentState::RequiresAction => json!({
            "redirect_to_url": {
                "return_url": "https://shop.example.com/credits/done",
                "url": format!("https://hooks.stripe.com/redirect/authenticate/{}", purchase.id("src")),
            },
            "type": "redirect_to_url",
        }),
        IntentState::PartiallyFunded => json!({
            "display_bank_transfer_instructions": {
                "amount_remaining": purchase.amount_total - purchase.amount_total / 2,
                "currency": purchase.currency,
                "reference": purchase.reference,
                "type": "eu_bank_transfer",
            },
            "type": "display_bank_transfer_instructions",
        }),
        IntentState::Created
        | IntentState::Processing
        | IntentState::RequiresCapture
        | IntentState::Succeeded
        | IntentState::Failed
        | IntentState::Canceled => Value::Null,
    }
}

fn declined(purchase: &Purchase) -> Value {
    let attempt = charge(purchase, PaymentMethod::Card, ChargeState::Failed);
    json!({
        "advice_code": "try_again_later",
        "charge": attempt["id"],
        "code": attempt["failure_code"],
        "decline_code": "generic_decline",
        "doc_url": "https://stripe.com/docs/error-codes/card-declined",
        "message": attempt["failure_message"],
        "payment_method": {
            "id": attempt["payment_method"],
            "object": "payment_method",
            "billing_details": attempt["billing_details"],
            "created": purchase.created,
            "customer": null,
            "livemode": purchase.livemode,
            "metadata": {},
            "type": "card",
        },
        "type": "card_error",
    })
}
