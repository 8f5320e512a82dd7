//! Which event types can be written one by one, and what each is about when nothing more is said.

use super::early_fraud_warning::early_fraud_warning;
use super::{
    ChargeState, Dispute, DisputeState, IntentState, PaymentMethod, Purchase, Refund, RefundState,
    SessionState, Subject, charge, payment_intent, session,
};
use PaymentMethod::{Card, SepaDebit};
use serde_json::json;

/// A type's name, and its subject given the purchase and the sum that the event is about (minor units).
type Entry = (&'static str, fn(&Purchase, i64) -> Subject);

/// Every event type.
pub(super) const ENTRIES: [Entry; 30] = [
    ("checkout.session.completed", |p, sum| about_session(p, sum, Card, SessionState::Paid)),
    ("checkout.session.async_payment_succeeded", |p, sum| {
        about_session(p, sum, SepaDebit, SessionState::Paid)
    }),
    ("checkout.session.async_payment_failed", |p, sum| {
        about_session(p, sum, SepaDebit, SessionState::Unpaid)
    }),
    ("checkout.session.expired", |p, sum| about_session(p, sum, Card, SessionState::Expired)),
    ("payment_intent.created", |p, sum| about_intent(p, sum, Card, IntentState::Created)),
    ("payment_intent.requires_action", |p, sum| about_intent(p, sum, Card, IntentState::RequiresAction)),
    ("payment_intent.processing", |p, sum| about_intent(p, sum, SepaDebit, IntentState::Processing)),
    ("payment_intent.partially_funded", |p, sum| {
        about_intent(p, sum, PaymentMethod::BankTransfer, IntentState::PartiallyFunded)
    }),
    ("payment_intent.amount_capturable_updated", |p, sum| {
        about_intent(p, sum, Card, IntentState::RequiresCapture)
    }),
    ("payment_intent.succeeded", |p, sum| about_intent(p, sum, Card, IntentState::Succeeded)),
    ("payment_intent.payment_failed", |p, sum| about_intent(p, sum, Card, IntentState::Failed)),
    ("payment_intent.canceled", |p, sum| about_intent(p, sum, Card, IntentState::Canceled)),
    ("charge.pending", |p, sum| about_charge(p, sum, SepaDebit, ChargeState::Pending)),
    ("charge.succeeded", |p, sum| about_charge(p, sum, Card, ChargeState::Succeeded)),
    ("charge.updated", |p, sum| {
        about_charge(p, sum, Card, ChargeState::Settled).previously(json!({ "balance_transaction": null }))
    }),
    ("charge.failed", |p, sum| about_charge(p, sum, Card, ChargeState::Failed)),
    ("charge.captured", |p, sum| charge(p, Card, ChargeState::Captured(sum)).into()),
    ("charge.expired", |p, sum| about_charge(p, sum, Card, ChargeState::Expired)),
    ("charge.refunded", |p, sum| charge(p, Card, ChargeState::Refunded(sum)).into()),
    ("charge.refund.updated", referenced_refund),
    ("refund.created", |p, sum| about_refund(p, sum, RefundState::Succeeded)),
    ("refund.updated", referenced_refund),
    ("refund.failed", |p, sum| {
        about_refund(p, sum, RefundState::Failed).previously(json!({ "status": "succeeded" }))
    }),
    ("charge.dispute.created", |p, sum| about_dispute(p, sum, DisputeState::NeedsResponse)),
    ("charge.dispute.funds_withdrawn", |p, sum| about_dispute(p, sum, DisputeState::NeedsResponse)),
    ("charge.dispute.updated", |p, sum| {
        about_dispute(p, sum, DisputeState::UnderReview).previously(json!({ "status": "needs_response" }))
    }),
    ("charge.dispute.funds_reinstated", |p, sum| about_dispute(p, sum, DisputeState::Reinstated)),
    ("charge.dispute.closed", |p, sum| {
        about_dispute(p, sum, DisputeState::Lost).previously(json!({ "status": "under_review" }))
    }),
    ("radar.early_fraud_warning.created", |p, _| early_fraud_warning(p, true).into()),
    ("radar.early_fraud_warning.updated", |p, _| {
        Subject::from(early_fraud_warning(p, false)).previously(json!({ "actionable": true }))
    }),
];

/// The names alone.
pub(super) static NAMES: [&str; ENTRIES.len()] = {
    let mut names = [""; ENTRIES.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = ENTRIES[i].0;
        i += 1;
    }
    names
};

fn about_session(purchase: &Purchase, sum: i64, method: PaymentMethod, state: SessionState) -> Subject {
    session(&worth(purchase, sum), method, state).into()
}

fn about_intent(purchase: &Purchase, sum: i64, method: PaymentMethod, state: IntentState) -> Subject {
    payment_intent(&worth(purchase, sum), method, state).into()
}

fn about_charge(purchase: &Purchase, sum: i64, method: PaymentMethod, state: ChargeState) -> Subject {
    charge(&worth(purchase, sum), method, state).into()
}

fn worth(purchase: &Purchase, amount_total: i64) -> Purchase {
    Purchase { amount_total, ..purchase.clone() }
}

fn about_refund(purchase: &Purchase, amount: i64, state: RefundState) -> Subject {
    Refund { amount, created: purchase.created, state }.object(purchase).into()
}

/// What a refund's update tells when nothing goes wrong: the bank's reference number.
fn referenced_refund(purchase: &Purchase, amount: i64) -> Subject {
    about_refund(purchase, amount, RefundState::Referenced).previously(Refund::unreferenced())
}

fn about_dispute(purchase: &Purchase, amount: i64, state: DisputeState) -> Subject {
    Dispute { amount, created: purchase.created, state }.object(purchase).into()
}
