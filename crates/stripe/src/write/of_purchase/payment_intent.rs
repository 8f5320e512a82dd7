//! The purchase's payment intent, `pi_REFERENCE`, as its events find it.

use super::charge::method_of;
use super::{buyer, generic_decline};
use crate::write::{
    CaptureMethod, Declined, IntentStatus, Metadata, MethodType, NextAction, PaymentIntent, Purchase,
};
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
pub(crate) fn payment_intent(purchase: &Purchase, method: MethodType, state: IntentState) -> Value {
    let mut object = intent(purchase, method, state).render(purchase.api_version);
    match state {
        IntentState::PartiallyFunded => object["next_action"] = transfer_instructions(purchase),
        IntentState::Failed => {
            object["last_payment_error"]["payment_method"]["billing_details"] = buyer().render();
        }
        IntentState::Created
        | IntentState::RequiresAction
        | IntentState::Processing
        | IntentState::RequiresCapture
        | IntentState::Succeeded
        | IntentState::Canceled => {}
    }
    object
}

fn intent(purchase: &Purchase, method: MethodType, state: IntentState) -> PaymentIntent {
    let amount = purchase.amount_total;
    let reserved = state == IntentState::RequiresCapture;
    let canceled = state == IntentState::Canceled;
    PaymentIntent {
        id: purchase.id("pi"),
        created: purchase.created,
        livemode: purchase.livemode,
        currency: purchase.currency.clone(),
        amount,
        amount_capturable: if reserved { amount } else { 0 },
        amount_received: if state == IntentState::Succeeded { amount } else { 0 },
        status: status(state),
        capture_method: if reserved { CaptureMethod::Manual } else { CaptureMethod::AutomaticAsync },
        description: None,
        metadata: Metadata::new(),
        customer: None,
        latest_charge: has_charge(state).then(|| purchase.id("ch")),
        payment_method: has_payment_method(state).then(|| purchase.id("pm")),
        payment_method_types: vec![method],
        next_action: (state == IntentState::RequiresAction).then(|| confirm_with_the_bank(purchase)),
        last_payment_error: (state == IntentState::Failed).then(|| declined(purchase, method)),
        canceled_at: canceled.then_some(purchase.created),
        cancellation_reason: canceled.then(|| "abandoned".to_owned()),
        client_secret: format!("{}_secret_rehearsal", purchase.id("pi")),
    }
}

fn status(state: IntentState) -> IntentStatus {
    match state {
        IntentState::Created | IntentState::Failed => IntentStatus::RequiresPaymentMethod,
        IntentState::RequiresAction | IntentState::PartiallyFunded => IntentStatus::RequiresAction,
        IntentState::Processing => IntentStatus::Processing,
        IntentState::RequiresCapture => IntentStatus::RequiresCapture,
        IntentState::Succeeded => IntentStatus::Succeeded,
        IntentState::Canceled => IntentStatus::Canceled,
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

fn confirm_with_the_bank(purchase: &Purchase) -> NextAction {
    NextAction {
        return_url: Some("https://shop.example.com/credits/done".to_owned()),
        url: format!("https://hooks.stripe.com/redirect/authenticate/{}", purchase.id("src")),
    }
}

fn declined(purchase: &Purchase, method: MethodType) -> Declined {
    Declined {
        failure: generic_decline(),
        charge: Some(purchase.id("ch")),
        payment_method: Some(purchase.id("pm")),
        method: method_of(purchase, method, true),
    }
}

/// How to send the other half.
fn transfer_instructions(purchase: &Purchase) -> Value {
    json!({
        "display_bank_transfer_instructions": {
            "amount_remaining": purchase.amount_total - purchase.amount_total / 2,
            "currency": purchase.currency,
            "reference": purchase.reference,
            "type": "eu_bank_transfer",
        },
        "type": "display_bank_transfer_instructions",
    })
}
