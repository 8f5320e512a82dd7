//! The parts that stories are made of: what Stripe sends about one turn of a payment's life.
//!
//! Deliberately not here: the shapes of the objects (`write`).

use crate::EventType::{self, *};
use crate::write::MethodType::{Card, SepaDebit};
use crate::write::of_purchase::{
    self, ChargeState, DisputeState, IntentState, RefundState, SessionState, charge, payment_intent, session,
};
use crate::write::{Purchase, Subject, WrittenEvent, written};
use serde_json::json;

/// One chapter; its name is a part of its events' ids, so it always tells the same events about one purchase.
#[derive(Clone, Copy)]
pub(super) enum Chapter {
    /// A card is charged, and Checkout is complete.
    Paid,
    /// Half of the money goes back.
    HalfRefunded,
    /// All of the money goes back, and returns because the card no longer exists.
    RefundedInVain,
    /// The customer's bank takes all of the money back, and the seller answers.
    Disputed,
    /// The bank sides with the seller, and the money returns.
    DisputeWon,
    /// The bank sides with the customer.
    DisputeLost,
    /// Checkout is complete, and the debit clears days later.
    PaidLater,
    /// The bank refuses the card, and the customer never tries another.
    Declined,
}

impl Chapter {
    /// The events, in the order in which Stripe would create them.
    pub(super) fn events(self, purchase: &Purchase) -> Vec<WrittenEvent> {
        let (name, turns) = match self {
            Self::Paid => ("paid", paid(purchase)),
            Self::HalfRefunded => ("half_refunded", half_refunded(purchase)),
            Self::RefundedInVain => ("refunded_in_vain", refunded_in_vain(purchase)),
            Self::Disputed => ("disputed", disputed(purchase)),
            Self::DisputeWon => ("dispute_won", dispute_won(purchase)),
            Self::DisputeLost => ("dispute_lost", dispute_lost(purchase)),
            Self::PaidLater => ("paid_later", paid_later(purchase)),
            Self::Declined => ("declined", declined(purchase)),
        };
        let tell = |(after, kind, subject): &Turn| {
            written(kind, purchase, name, purchase.created.saturating_add(*after), subject)
        };
        turns.iter().map(tell).collect()
    }
}

/// What a partial refund gives back, in minor units: half, rounded down.
pub(super) fn half(purchase: &Purchase) -> i64 {
    purchase.amount_total / 2
}

/// Seconds after the purchase, and what happens then.
type Turn = (i64, EventType, Subject);

const DAY: i64 = 24 * 60 * 60;
const REFUND: i64 = DAY;
const DISPUTE: i64 = 5 * DAY;
const VERDICT: i64 = DISPUTE + 15 * DAY;

fn paid(p: &Purchase) -> Vec<Turn> {
    let settled = Subject::from(charge(p, Card, ChargeState::Settled));
    vec![
        (0, PaymentIntentCreated, payment_intent(p, Card, IntentState::Created).into()),
        (1, ChargeSucceeded, charge(p, Card, ChargeState::Succeeded).into()),
        (1, PaymentIntentSucceeded, payment_intent(p, Card, IntentState::Succeeded).into()),
        (1, CheckoutSessionCompleted, session(p, p.amount_total, Card, SessionState::Paid).into()),
        (90, ChargeUpdated, settled.previously(json!({ "balance_transaction": null }))),
    ]
}

fn half_refunded(p: &Purchase) -> Vec<Turn> {
    let refund = |state| refund(p, half(p), state);
    if !p.api_version.has_refund_events() {
        return vec![(REFUND, ChargeRefunded, refunded(p, half(p)))];
    }
    let referenced = refund(RefundState::Referenced).previously(of_purchase::unreferenced());
    vec![
        (REFUND, RefundCreated, refund(RefundState::Succeeded)),
        (REFUND, ChargeRefunded, refunded(p, half(p))),
        (REFUND + 3 * 60 * 60, RefundUpdated, referenced),
    ]
}

fn refunded_in_vain(p: &Purchase) -> Vec<Turn> {
    let refund = |state| refund(p, p.amount_total, state);
    let refunded = refunded(p, p.amount_total);
    let failed = refund(RefundState::Failed).previously(json!({ "status": "succeeded" }));
    if !p.api_version.has_refund_events() {
        return vec![(REFUND, ChargeRefunded, refunded), (REFUND + 7 * DAY, ChargeRefundUpdated, failed)];
    }
    let succeeded = refund(RefundState::Succeeded).previously(json!({ "status": "pending" }));
    vec![
        (REFUND, RefundCreated, refund(RefundState::Pending)),
        (REFUND + 60, RefundUpdated, succeeded),
        (REFUND + 60, ChargeRefunded, refunded),
        (REFUND + 7 * DAY, RefundFailed, failed),
    ]
}

fn disputed(p: &Purchase) -> Vec<Turn> {
    let answered = dispute(p, DisputeState::UnderReview).previously(json!({
        "evidence": { "uncategorized_text": null },
        "evidence_details": { "has_evidence": false, "submission_count": 0 },
        "status": "needs_response",
    }));
    vec![
        (DISPUTE, DisputeCreated, dispute(p, DisputeState::NeedsResponse)),
        (DISPUTE, DisputeFundsWithdrawn, dispute(p, DisputeState::NeedsResponse)),
        (DISPUTE + 2 * DAY, DisputeUpdated, answered),
    ]
}

fn dispute_won(p: &Purchase) -> Vec<Turn> {
    let won = dispute(p, DisputeState::Won).previously(json!({ "status": "under_review" }));
    let reinstated = dispute(p, DisputeState::Reinstated);
    vec![(VERDICT, DisputeClosed, won), (VERDICT, DisputeFundsReinstated, reinstated)]
}

fn dispute_lost(p: &Purchase) -> Vec<Turn> {
    let lost = dispute(p, DisputeState::Lost).previously(json!({ "status": "under_review" }));
    vec![(VERDICT, DisputeClosed, lost)]
}

fn paid_later(p: &Purchase) -> Vec<Turn> {
    const CLEARED: i64 = 4 * DAY;
    vec![
        (0, PaymentIntentCreated, payment_intent(p, SepaDebit, IntentState::Created).into()),
        (1, CheckoutSessionCompleted, session(p, p.amount_total, SepaDebit, SessionState::Unpaid).into()),
        (1, PaymentIntentProcessing, payment_intent(p, SepaDebit, IntentState::Processing).into()),
        (1, ChargePending, charge(p, SepaDebit, ChargeState::Pending).into()),
        (CLEARED, ChargeSucceeded, charge(p, SepaDebit, ChargeState::Succeeded).into()),
        (CLEARED, PaymentIntentSucceeded, payment_intent(p, SepaDebit, IntentState::Succeeded).into()),
        (
            CLEARED,
            CheckoutSessionAsyncPaymentSucceeded,
            session(p, p.amount_total, SepaDebit, SessionState::Paid).into(),
        ),
    ]
}

fn declined(p: &Purchase) -> Vec<Turn> {
    vec![
        (0, PaymentIntentCreated, payment_intent(p, Card, IntentState::Created).into()),
        (1, ChargeFailed, charge(p, Card, ChargeState::Failed).into()),
        (1, PaymentIntentPaymentFailed, payment_intent(p, Card, IntentState::Failed).into()),
        (DAY, CheckoutSessionExpired, session(p, p.amount_total, Card, SessionState::Expired).into()),
    ]
}

fn refunded(p: &Purchase, amount: i64) -> Subject {
    let refunded = Subject::from(charge(p, Card, ChargeState::Refunded(amount)));
    refunded.previously(json!({ "amount_refunded": 0 }))
}

fn refund(p: &Purchase, amount: i64, state: RefundState) -> Subject {
    of_purchase::refund(p, amount, p.created.saturating_add(REFUND), state).into()
}

fn dispute(p: &Purchase, state: DisputeState) -> Subject {
    of_purchase::dispute(p, p.amount_total, p.created.saturating_add(DISPUTE), state).into()
}
