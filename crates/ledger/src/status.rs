//! Where a payment stands, in a word that a support person understands. A pure reading of what is known;
//! nothing is decided by it.

use crate::entitlement::{cost_of_lost_disputes, entitlement};
use crate::knowledge::{DisputeOutcome, Knowledge, RefusedClaim, Verdict};
use crate::money::{Minor, Rounding};
use crate::named::named;
use crate::outcome::Reason;

named! {
    /// Where a payment stands.
    PaymentStatus {
        /// A person must look before credits are granted.
        Quarantined = "quarantined",
        /// A refund or a charge is known, the purchase is not yet.
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
        /// A sale of something else.
        Unrelated = "unrelated",
    }
}

impl PaymentStatus {
    /// Reads it off what is known.
    pub fn of(known: &Knowledge) -> Self {
        if question(known).is_some_and(|reason| reason != Reason::ClaimsConflict) {
            return Self::Quarantined;
        }
        match known.ruling.as_ref().map(|ruling| ruling.verdict) {
            Some(Verdict::Dismiss) => return Self::Dismissed,
            Some(Verdict::Grant { .. }) => return Self::of_paid(known),
            None => {}
        }
        let declined = known.charges.values().any(|charge| charge.failed) && !is_final(known);
        match () {
            () if !known.purchase_known() && known.unrelated => Self::Unrelated,
            () if !known.purchase_known() && declined => Self::Failed,
            () if !known.purchase_known() => Self::AwaitingPurchase,
            () if known.paid => Self::of_paid(known),
            () if known.expired || known.async_failed => Self::Expired,
            () => Self::Pending,
        }
    }

    fn of_paid(known: &Knowledge) -> Self {
        let due = entitlement(known, Rounding::Floor);
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

/// Why this payment needs a person, if it does: a claim that nothing believed stands in for, or two that
/// contradict each other. A ruling answers either. Nobody is asked about a purchase that was never paid.
pub fn question(known: &Knowledge) -> Option<Reason> {
    if known.ruling.is_some() {
        return None;
    }
    if known.claims.is_empty() {
        let doubtful = |reason: &Reason| known.paid || *reason == Reason::PaymentStatusUnknown;
        return known.refused.iter().map(|refused| refused.reason).find(doubtful);
    }
    let contradiction =
        known.claims.len() > 1 || known.refused.iter().any(|refused| contradicts(known, refused));
    (known.paid && contradiction).then_some(Reason::ClaimsConflict)
}

/// A refused claim contradicts a believed one unless both were told by the same event: then the first
/// reading was mended, by a corrected catalogue and a replay.
fn contradicts(known: &Knowledge, refused: &RefusedClaim) -> bool {
    refused.reason != Reason::PaymentStatusUnknown
        && known.claims.iter().all(|claim| {
            claim.told.event != refused.told.event
                && refused.terms.as_ref().is_none_or(|terms| *terms != claim.terms)
        })
}
