//! The status of a payment, in terms that a support person understands. Derived from the knowledge about it;
//! no decision depends on it.

use crate::entitlement::{cost_of_lost_disputes, entitlement, open_disputes};
use crate::knowledge::{Knowledge, Verdict};
use crate::money::Minor;
use crate::named::named;
use crate::outcome::Reason;
use crate::review::review_reason;

named! {
    /// The status of a payment.
    PaymentStatus {
        /// A person must decide before credits are granted.
        Quarantined = "quarantined",
        /// It carries our metadata, and waits for its checkout session.
        AwaitingPurchase = "awaiting_purchase",
        /// The purchase is complete; a delayed payment is under way.
        Pending = "pending",
        /// An attempt failed and none succeeded. The customer may still try again; if not, the status stays,
        /// because a session that expires no longer names its payment intent.
        Failed = "failed",
        /// The purchase ended without payment.
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
        /// A person decided that it grants no credits.
        Dismissed = "dismissed",
        /// None of its objects carries our metadata, so it seems to be a sale of something else. It is
        /// counted, and becomes ours if an event links it to a purchase.
        Unrelated = "unrelated",
    }
}

impl PaymentStatus {
    /// The status of the payment about which this is known.
    pub fn of(known: &Knowledge) -> Self {
        // With these two reasons, a claim or an earlier decision counts until a person decides.
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
        match () {
            () if open_disputes(known).next().is_some() => Self::Disputed,
            () if due.pending > Minor::ZERO => Self::RefundPending,
            () if cost_of_lost_disputes(known) > Minor::ZERO => Self::DisputeLost,
            () if lost > Minor::ZERO && lost >= known.amount_paid() => Self::Refunded,
            () if lost > Minor::ZERO => Self::PartlyRefunded,
            () if is_final(known) => Self::Final,
            () => Self::Paid,
        }
    }
}

/// Whether a charge of this payment succeeded: `charge.succeeded` finalises it.
pub fn is_final(known: &Knowledge) -> bool {
    known.charges.values().any(|charge| charge.succeeded)
}

/// Whether the payment is both paid and final.
pub(crate) fn is_finalized(known: &Knowledge) -> bool {
    known.is_paid() && is_final(known)
}
