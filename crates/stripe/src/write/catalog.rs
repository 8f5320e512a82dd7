//! What an event of each type is about when nothing is said but the purchase and a sum.

use super::MethodType::{BankTransfer, Card, SepaDebit};
use super::of_purchase::{
    ChargeState, DisputeState, IntentState, RefundState, SessionState, charge, dispute, early_fraud_warning,
    payment_intent, refund, session, unreferenced,
};
use super::{Purchase, Subject};
use crate::EventType::{self, *};
use serde_json::json;

/// The subject of an event of that type; None for a type that says nothing about credits. `sum`, in minor
/// units, is what the event is about: refunded so far, the refund's, the dispute's, captured, or else the
/// payment's.
pub(super) fn subject(kind: &EventType, purchase: &Purchase, sum: i64) -> Option<Subject> {
    let payment = Purchase { amount_total: sum, ..purchase.clone() };
    let of_session = |method, state| Subject::from(session(purchase, sum, method, state));
    let of_intent = |method, state| Subject::from(payment_intent(&payment, method, state));
    let of_charge = |method, state| Subject::from(charge(&payment, method, state));
    let created = purchase.created;
    let of_refund = |state| Subject::from(refund(purchase, sum, created, state));
    let of_dispute = |state| Subject::from(dispute(purchase, sum, created, state));
    let of_warning = |actionable| Subject::from(early_fraud_warning(purchase, actionable));
    Some(match kind {
        CheckoutSessionCompleted => of_session(Card, SessionState::Paid),
        CheckoutSessionAsyncPaymentSucceeded => of_session(SepaDebit, SessionState::Paid),
        CheckoutSessionAsyncPaymentFailed => of_session(SepaDebit, SessionState::Unpaid),
        CheckoutSessionExpired => of_session(Card, SessionState::Expired),
        PaymentIntentCreated => of_intent(Card, IntentState::Created),
        PaymentIntentProcessing => of_intent(SepaDebit, IntentState::Processing),
        PaymentIntentRequiresAction => of_intent(Card, IntentState::RequiresAction),
        PaymentIntentSucceeded => of_intent(Card, IntentState::Succeeded),
        PaymentIntentPaymentFailed => of_intent(Card, IntentState::Failed),
        PaymentIntentCanceled => of_intent(Card, IntentState::Canceled),
        PaymentIntentAmountCapturableUpdated => of_intent(Card, IntentState::RequiresCapture),
        PaymentIntentPartiallyFunded => of_intent(BankTransfer, IntentState::PartiallyFunded),
        ChargeSucceeded => of_charge(Card, ChargeState::Succeeded),
        ChargePending => of_charge(SepaDebit, ChargeState::Pending),
        ChargeFailed => of_charge(Card, ChargeState::Failed),
        ChargeExpired => of_charge(Card, ChargeState::Expired),
        ChargeUpdated => {
            of_charge(Card, ChargeState::Settled).previously(json!({ "balance_transaction": null }))
        }
        ChargeCaptured => charge(purchase, Card, ChargeState::Captured(sum)).into(),
        ChargeRefunded => charge(purchase, Card, ChargeState::Refunded(sum)).into(),
        RefundCreated => of_refund(RefundState::Succeeded),
        RefundUpdated | ChargeRefundUpdated => of_refund(RefundState::Referenced).previously(unreferenced()),
        RefundFailed => of_refund(RefundState::Failed).previously(json!({ "status": "succeeded" })),
        DisputeCreated | DisputeFundsWithdrawn => of_dispute(DisputeState::NeedsResponse),
        DisputeUpdated => {
            of_dispute(DisputeState::UnderReview).previously(json!({ "status": "needs_response" }))
        }
        DisputeClosed => of_dispute(DisputeState::Lost).previously(json!({ "status": "under_review" })),
        DisputeFundsReinstated => of_dispute(DisputeState::Reinstated),
        EarlyFraudWarningCreated => of_warning(true),
        EarlyFraudWarningUpdated => of_warning(false).previously(json!({ "actionable": true })),
        // One-off purchases have no invoice.
        InvoicePaid | InvoicePaymentSucceeded | InvoicePaymentPaid | Other(_) => return None,
    })
}
