//! What a dispute tells us (docs.stripe.com/api/disputes/object). Opening one is not losing it, an inquiry
//! (`warning_*`) moves no money, a lost one can still return a part, and a late win after a loss is legal.

use ledger::knowledge::{DisputeFacts, DisputeOutcome, Knowledge};
use ledger::{Minor, ObjectId};
use stripe::{DisputeStatus, EventType};

use super::linked;

pub(super) fn knowledge(kind: &EventType, dispute: &stripe::DisputeSnapshot) -> Knowledge {
    let mut known = linked(dispute.payment_intent.as_ref(), dispute.charge.as_ref());
    known.currency = dispute.currency.clone();
    let outcome = match &dispute.status {
        DisputeStatus::Lost => DisputeOutcome::Lost,
        DisputeStatus::Won
        | DisputeStatus::WarningClosed
        | DisputeStatus::Prevented
        | DisputeStatus::ChargeRefunded => DisputeOutcome::Won,
        DisputeStatus::WarningNeedsResponse
        | DisputeStatus::WarningUnderReview
        | DisputeStatus::NeedsResponse
        | DisputeStatus::UnderReview
        | DisputeStatus::Other(_) => DisputeOutcome::Open,
    };
    let is_real = matches!(
        dispute.status,
        DisputeStatus::NeedsResponse | DisputeStatus::UnderReview | DisputeStatus::Lost
    );
    let withdrawn = is_real
        || *kind == EventType::DisputeFundsWithdrawn
        || dispute.balance_transactions.iter().any(|moved| moved.amount < 0);
    let fact = DisputeFacts {
        amount: Minor(dispute.amount),
        outcome,
        withdrawn,
        reinstated: reinstated(kind, dispute),
    };
    known.disputes.insert(ObjectId::from(dispute.id.as_str()), fact);
    known
}

/// What came back, in the dispute's own currency. Balance transactions are in the account's settlement
/// currency, so it is their proportion that counts, not their figures. Older API versions list none; then
/// `funds_reinstated` means all of it.
fn reinstated(kind: &EventType, dispute: &stripe::DisputeSnapshot) -> Minor {
    let sum = |sign: i64| -> i64 {
        dispute.balance_transactions.iter().map(|moved| (moved.amount * sign).max(0)).sum()
    };
    let (taken, returned) = (sum(-1), sum(1));
    match (taken, returned) {
        (_, 0) if *kind == EventType::DisputeFundsReinstated => Minor(dispute.amount),
        (_, 0) => Minor::ZERO,
        (0, returned) => Minor(returned.min(dispute.amount)),
        (taken, returned) if returned >= taken => Minor(dispute.amount),
        (taken, returned) => {
            let share = i128::from(dispute.amount) * i128::from(returned) / i128::from(taken);
            // returned < taken, so the share is below the amount and fits.
            Minor(i64::try_from(share).unwrap_or(dispute.amount))
        }
    }
}
