//! Where a payment stands, in a word that a support person understands. A pure reading of what is known;
//! nothing is decided by it.

use crate::entitlement::{cost_of_lost_disputes, entitlement};
use crate::knowledge::{DisputeOutcome, Knowledge, Verdict};
use crate::money::Minor;
use crate::named::named;
use crate::outcome::Reason;
use crate::review::review_reason;

named! {
    /// Where a payment stands.
    PaymentStatus {
        /// A person must look before credits are granted.
        Quarantined = "quarantined",
        /// Its metadata is ours, and it waits for its checkout session.
        AwaitingPurchase = "awaiting_purchase",
        /// The purchase is complete; a delayed payment is under way.
        Pending = "pending",
        /// An attempt failed and none succeeded; the customer may still try again. Most never do, and nothing
        /// more is heard of them: the session that expires no longer names its payment intent.
        Failed = "failed",
        /// Ended without payment.
        Expired = "expired",
        /// Paid; the charge has not been seen yet.
        Paid = "paid",
        /// Paid, and the charge succeeded.
        Final = "final",
        /// A dispute is open and its funds are withdrawn.
        Disputed = "disputed",
        /// A refund is under way.
        RefundPending = "refund_pending",
        /// A dispute was lost, and money with it.
        DisputeLost = "dispute_lost",
        /// Part of the money went back.
        PartlyRefunded = "partly_refunded",
        /// All of the money went back.
        Refunded = "refunded",
        /// A person decided that it is worth no credits.
        Dismissed = "dismissed",
        /// None of its objects carries our metadata: a sale of something else, as far as is known. It is
        /// counted, and becomes ours when an event links it to a purchase.
        Unrelated = "unrelated",
    }
}

impl PaymentStatus {
    /// Reads it off what is known.
    pub fn of(known: &Knowledge) -> Self {
        // With these two, something counts until a person decides.
        let provisional = [Reason::ClaimsConflict, Reason::DecisionOutdated];
        if review_reason(known).is_some_and(|reason| !provisional.contains(&reason)) {
            return Self::Quarantined;
        }
        match known.ruling.as_ref().map(|ruling| &ruling.verdict) {
            Some(Verdict::Dismiss) => return Self::Dismissed,
            Some(Verdict::Grant(_)) => return Self::of_paid(known),
            None => {}
        }
        let declined = known.charges.values().any(|charge| charge.failed) && !is_final(known);
        match () {
            () if !known.purchase_known() && declined => Self::Failed,
            () if !known.is_ours() => Self::Unrelated,
            () if !known.purchase_known() => Self::AwaitingPurchase,
            () if known.is_paid() => Self::of_paid(known),
            () if known.expired || known.async_failed => Self::Expired,
            () => Self::Pending,
        }
    }

    fn of_paid(known: &Knowledge) -> Self {
        let due = entitlement(known);
        let lost = due.lost;
        let disputed = known.disputes.values().any(|d| d.withdrawn && d.outcome == DisputeOutcome::Open);
        match () {
            () if disputed => Self::Disputed,
            () if due.pending > Minor::ZERO => Self::RefundPending,
            () if cost_of_lost_disputes(known) > Minor::ZERO => Self::DisputeLost,
            () if lost > Minor::ZERO && lost >= known.amount_paid() => Self::Refunded,
            () if lost > Minor::ZERO => Self::PartlyRefunded,
            () if is_final(known) => Self::Final,
            () => Self::Paid,
        }
    }
}

/// Whether the charge of this payment succeeded: `charge.succeeded` finalises it.
pub fn is_final(known: &Knowledge) -> bool {
    known.charges.values().any(|charge| charge.succeeded)
}
