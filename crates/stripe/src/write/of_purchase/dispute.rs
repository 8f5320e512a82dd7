//! The purchase's dispute, `dp_REFERENCE_1`, as its events find it.
//!
//! Deliberately not here: inquiries (`warning_*`), which move no money.

use crate::write::{Dispute, DisputeStatus, Leg, Metadata, MethodType, Purchase};
use serde_json::Value;
use std::collections::BTreeMap;

/// How far the dispute has come. In every state the money has been withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DisputeState {
    NeedsResponse,
    UnderReview,
    Won,
    /// Won, and the money is back.
    Reinstated,
    Lost,
}

/// A dispute of `amount`, in minor units, opened at `created`, in Unix seconds.
pub(crate) fn dispute(purchase: &Purchase, amount: i64, created: i64, state: DisputeState) -> Value {
    let answered = state != DisputeState::NeedsResponse;
    let text = ("uncategorized_text".to_owned(), "The credits were delivered and used.".to_owned());
    let dispute = Dispute {
        id: format!("{}_1", purchase.id("dp")),
        created,
        livemode: purchase.livemode,
        currency: purchase.currency.clone(),
        amount,
        charge: purchase.id("ch"),
        payment_intent: Some(purchase.id("pi")),
        status: status(state),
        reason: "fraudulent".to_owned(),
        evidence: if answered { BTreeMap::from([text]) } else { BTreeMap::new() },
        submission_count: u32::from(answered),
        due_by: created.saturating_add(9 * 24 * 60 * 60),
        is_charge_refundable: false,
        method: MethodType::Card,
        legs: legs(purchase, amount, created, state),
        metadata: Metadata::new(),
    };
    dispute.render(purchase.api_version)
}

fn status(state: DisputeState) -> DisputeStatus {
    match state {
        DisputeState::NeedsResponse => DisputeStatus::NeedsResponse,
        DisputeState::UnderReview => DisputeStatus::UnderReview,
        DisputeState::Won | DisputeState::Reinstated => DisputeStatus::Won,
        DisputeState::Lost => DisputeStatus::Lost,
    }
}

fn legs(purchase: &Purchase, amount: i64, created: i64, state: DisputeState) -> Vec<Leg> {
    let leg = |name: &str, amount, fee| Leg {
        id: format!("{}_1_{name}", purchase.id("txn")),
        created,
        amount,
        fee,
    };
    let withdrawal = leg("withdrawal", 0_i64.saturating_sub(amount), 1500);
    match state {
        DisputeState::Reinstated => vec![withdrawal, leg("reversal", amount, 0)],
        DisputeState::NeedsResponse | DisputeState::UnderReview | DisputeState::Won | DisputeState::Lost => {
            vec![withdrawal]
        }
    }
}
