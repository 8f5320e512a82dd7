//! The parts that stories are made of. Each tells what Stripe sends about one turn of the payment's life.
//!
//! Deliberately not here: the shapes of the objects (`write`).

use crate::EventType::{self, *};
use crate::write::{
    ChargeState, Dispute, DisputeState, IntentState, PaymentMethod, Purchase, Refund, RefundState,
    SessionState, Subject, WrittenEvent, charge, payment_intent, session, written,
};
use PaymentMethod::{Card, SepaDebit};
use serde_json::{Value, json};

const DAY: i64 = 24 * 60 * 60;
const REFUND: i64 = DAY;
const DISPUTE: i64 = 5 * DAY;

/// A story so far.
pub(super) struct Chapters<'a> {
    purchase: &'a Purchase,
    told: Vec<WrittenEvent>,
}

impl<'a> Chapters<'a> {
    pub(super) fn of(purchase: &'a Purchase) -> Self {
        Self { purchase, told: Vec::new() }
    }

    pub(super) fn told(self) -> Vec<WrittenEvent> {
        self.told
    }

    /// A card is charged, and Checkout is complete.
    pub(super) fn paid(&mut self) {
        let p = self.purchase;
        self.tell("paid", 0, &PaymentIntentCreated, payment_intent(p, Card, IntentState::Created));
        self.tell("paid", 1, &ChargeSucceeded, charge(p, Card, ChargeState::Succeeded));
        self.tell("paid", 1, &PaymentIntentSucceeded, payment_intent(p, Card, IntentState::Succeeded));
        self.tell("paid", 1, &CheckoutSessionCompleted, session(p, Card, SessionState::Paid));
        let settled = Subject::from(charge(p, Card, ChargeState::Settled));
        self.tell("paid", 90, &ChargeUpdated, settled.previously(json!({ "balance_transaction": null })));
    }

    /// Half of the money goes back.
    pub(super) fn half_refunded(&mut self) {
        let p = self.purchase;
        let amount = half(p);
        if p.api_version.has_refund_events() {
            let created = self.refund(amount, RefundState::Succeeded);
            self.tell("half_refunded", REFUND, &RefundCreated, created);
        }
        self.tell("half_refunded", REFUND, &ChargeRefunded, self.refunded(amount));
        if p.api_version.has_refund_events() {
            let referenced = Subject::from(self.refund(amount, RefundState::Referenced));
            let referenced = referenced.previously(Refund::unreferenced());
            self.tell("half_refunded", REFUND + 3 * 60 * 60, &RefundUpdated, referenced);
        }
    }

    /// All of the money goes back, and returns because the card no longer exists.
    pub(super) fn refunded_in_vain(&mut self) {
        let p = self.purchase;
        let amount = p.amount_total;
        let failed = Subject::from(self.refund(amount, RefundState::Failed));
        let failed = failed.previously(json!({ "status": "succeeded" }));
        if !p.api_version.has_refund_events() {
            self.tell("refunded_in_vain", REFUND, &ChargeRefunded, self.refunded(amount));
            self.tell("refunded_in_vain", REFUND + 7 * DAY, &ChargeRefundUpdated, failed);
            return;
        }
        let pending = self.refund(amount, RefundState::Pending);
        self.tell("refunded_in_vain", REFUND, &RefundCreated, pending);
        let succeeded = Subject::from(self.refund(amount, RefundState::Succeeded));
        let succeeded = succeeded.previously(json!({ "status": "pending" }));
        self.tell("refunded_in_vain", REFUND + 60, &RefundUpdated, succeeded);
        self.tell("refunded_in_vain", REFUND + 60, &ChargeRefunded, self.refunded(amount));
        self.tell("refunded_in_vain", REFUND + 7 * DAY, &RefundFailed, failed);
    }

    /// The customer's bank takes all of the money back, and the seller answers.
    pub(super) fn disputed(&mut self) {
        let opened = self.dispute(DisputeState::NeedsResponse);
        self.tell("disputed", DISPUTE, &DisputeCreated, opened.clone());
        self.tell("disputed", DISPUTE, &DisputeFundsWithdrawn, opened);
        let answered = Subject::from(self.dispute(DisputeState::UnderReview));
        let answered = answered.previously(json!({
            "evidence": { "uncategorized_text": null },
            "evidence_details": { "has_evidence": false, "submission_count": 0 },
            "status": "needs_response",
        }));
        self.tell("disputed", DISPUTE + 2 * DAY, &DisputeUpdated, answered);
    }

    /// The bank sides with the seller, and the money returns.
    pub(super) fn dispute_won(&mut self) {
        let won =
            Subject::from(self.dispute(DisputeState::Won)).previously(json!({ "status": "under_review" }));
        self.tell("dispute_won", DISPUTE + 15 * DAY, &DisputeClosed, won);
        let reinstated = self.dispute(DisputeState::Reinstated);
        self.tell("dispute_won", DISPUTE + 15 * DAY, &DisputeFundsReinstated, reinstated);
    }

    /// The bank sides with the customer.
    pub(super) fn dispute_lost(&mut self) {
        let lost =
            Subject::from(self.dispute(DisputeState::Lost)).previously(json!({ "status": "under_review" }));
        self.tell("dispute_lost", DISPUTE + 15 * DAY, &DisputeClosed, lost);
    }

    /// Checkout is complete, and the debit clears days later.
    pub(super) fn paid_later(&mut self) {
        let p = self.purchase;
        let cleared = 4 * DAY;
        let created = payment_intent(p, SepaDebit, IntentState::Created);
        self.tell("paid_later", 0, &PaymentIntentCreated, created);
        self.tell("paid_later", 1, &CheckoutSessionCompleted, session(p, SepaDebit, SessionState::Unpaid));
        let processing = payment_intent(p, SepaDebit, IntentState::Processing);
        self.tell("paid_later", 1, &PaymentIntentProcessing, processing);
        self.tell("paid_later", 1, &ChargePending, charge(p, SepaDebit, ChargeState::Pending));
        self.tell("paid_later", cleared, &ChargeSucceeded, charge(p, SepaDebit, ChargeState::Succeeded));
        let succeeded = payment_intent(p, SepaDebit, IntentState::Succeeded);
        self.tell("paid_later", cleared, &PaymentIntentSucceeded, succeeded);
        let paid = session(p, SepaDebit, SessionState::Paid);
        self.tell("paid_later", cleared, &CheckoutSessionAsyncPaymentSucceeded, paid);
    }

    /// The bank refuses the card, and the customer never tries another.
    pub(super) fn declined(&mut self) {
        let p = self.purchase;
        self.tell("declined", 0, &PaymentIntentCreated, payment_intent(p, Card, IntentState::Created));
        self.tell("declined", 1, &ChargeFailed, charge(p, Card, ChargeState::Failed));
        self.tell("declined", 1, &PaymentIntentPaymentFailed, payment_intent(p, Card, IntentState::Failed));
        self.tell("declined", DAY, &CheckoutSessionExpired, session(p, Card, SessionState::Expired));
    }

    fn tell(&mut self, chapter: &str, after: i64, kind: &EventType, subject: impl Into<Subject>) {
        let created = self.purchase.created.saturating_add(after);
        self.told.push(written(kind, self.purchase, chapter, created, &subject.into()));
    }

    fn refund(&self, amount: i64, state: RefundState) -> Value {
        let created = self.purchase.created.saturating_add(REFUND);
        Refund { amount, created, state }.object(self.purchase)
    }

    fn refunded(&self, amount: i64) -> Subject {
        let refunded = Subject::from(charge(self.purchase, Card, ChargeState::Refunded(amount)));
        refunded.previously(json!({ "amount_refunded": 0 }))
    }

    fn dispute(&self, state: DisputeState) -> Value {
        let created = self.purchase.created.saturating_add(DISPUTE);
        Dispute { amount: self.purchase.amount_total, created, state }.object(self.purchase)
    }
}

/// What a partial refund gives back, in minor units: half, rounded down.
pub(super) fn half(purchase: &Purchase) -> i64 {
    purchase.amount_total / 2
}
