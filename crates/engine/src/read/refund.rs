//! What a refund tells us (docs.stripe.com/api/refunds/object).

use ledger::knowledge::{Knowledge, RefundFacts, RefundRank};
use ledger::{Minor, ObjectId};
use stripe::{EventType, RefundStatus};

use super::linked;

pub(super) fn knowledge(kind: &EventType, refund: &stripe::RefundSnapshot) -> Knowledge {
    let mut known = linked(refund.payment_intent.as_ref(), refund.charge.as_ref());
    known.currency = refund.currency.clone();
    let mut fact = fact(refund);
    if *kind == EventType::RefundFailed {
        fact.rank = fact.rank.max(RefundRank::Failed);
    }
    known.refunds.insert(ObjectId::from(refund.id.as_str()), fact);
    known
}

/// How far a refund has come (docs.stripe.com/refunds). A status that we do not know, or that is not there,
/// freezes: the money may be on its way.
pub(super) fn fact(refund: &stripe::RefundSnapshot) -> RefundFacts {
    let rank = match &refund.status {
        None | Some(RefundStatus::Pending | RefundStatus::RequiresAction | RefundStatus::Other(_)) => {
            RefundRank::Pending
        }
        Some(RefundStatus::Succeeded) => RefundRank::Succeeded,
        Some(RefundStatus::Failed) => RefundRank::Failed,
        Some(RefundStatus::Canceled) => RefundRank::Canceled,
    };
    RefundFacts { amount: Minor(refund.amount), rank }
}
