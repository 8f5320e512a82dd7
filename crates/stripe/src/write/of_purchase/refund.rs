//! The purchase's refund, `re_REFERENCE_1`, as its events find it.

use crate::write::{Metadata, MethodType, Purchase, Refund, RefundStatus};
use serde_json::{Value, json};

/// How far the refund has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RefundState {
    Pending,
    Succeeded,
    /// Succeeded, and the bank's reference number has become known.
    Referenced,
    /// The bank could not pay it out: the money came back to the seller.
    Failed,
}

/// A refund of `amount`, in minor units, made at `created`, in Unix seconds.
pub(crate) fn refund(purchase: &Purchase, amount: i64, created: i64, state: RefundState) -> Value {
    let transaction = format!("{}_refund_1", purchase.id("txn"));
    let failed = state == RefundState::Failed;
    let refund = Refund {
        id: format!("{}_1", purchase.id("re")),
        created,
        currency: purchase.currency.clone(),
        amount,
        charge: Some(purchase.id("ch")),
        payment_intent: Some(purchase.id("pi")),
        status: match state {
            RefundState::Pending => RefundStatus::Pending,
            RefundState::Succeeded | RefundState::Referenced => RefundStatus::Succeeded,
            RefundState::Failed => RefundStatus::Failed,
        },
        reason: Some("requested_by_customer".to_owned()),
        failure_reason: failed.then(|| "expired_or_canceled_card".to_owned()),
        reference: (state == RefundState::Referenced).then(|| "74352266301000000000001".to_owned()),
        failure_balance_transaction: failed.then(|| format!("{transaction}_failed")),
        balance_transaction: Some(transaction),
        method: MethodType::Card,
        payment_method: Some(purchase.id("pm")),
        customer: None,
        metadata: Metadata::new(),
    };
    refund.render(purchase.api_version)
}

/// The attributes that change when the bank's reference number becomes known, as they were before.
pub(crate) fn unreferenced() -> Value {
    json!({ "destination_details": { "card": { "reference": null, "reference_status": "pending" } } })
}
