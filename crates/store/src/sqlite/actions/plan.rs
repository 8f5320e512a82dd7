//! An action that was decided and is not written yet: its result, and what remains to be written.

use std::collections::BTreeMap;

use ledger::{Changes, Credits, Decision, EventId, PaymentId, TenantId};

use crate::model::{ActionRequest, ActionResult};
use crate::sqlite::write_set::WriteSet;

/// Who is responsible for an action and why, as the journal records it.
pub(super) struct Attribution {
    pub(super) by: String,
    pub(super) reason: String,
}

/// A decided action.
pub(super) struct ActionPlan {
    pub(super) result: ActionResult,
    /// Credits that the action moves of each tenant, as absolute amounts. None of them is zero.
    pub(super) credits: BTreeMap<TenantId, Credits>,
    /// The tenant, if the action concerns exactly one.
    pub(super) tenant: Option<TenantId>,
    /// The action needs a second person, however few credits it moves.
    pub(super) second_person: bool,
    pub(super) work: Work,
}

/// What remains to be written.
pub(super) enum Work {
    Nothing,
    Command(Box<DecidedCommand>),
    Review(Box<DecidedReview>),
    Access(Box<ActionRequest>),
    ConfirmRestore,
}

/// An adjustment or a write-off, as the ledger decided it.
pub(super) struct DecidedCommand {
    pub(super) write_set: WriteSet,
    pub(super) changes: Changes,
    pub(super) transaction: Option<i64>,
}

/// A decision about quarantine items.
pub(super) struct DecidedReview {
    pub(super) resolution: &'static str,
    pub(super) attribution: (String, String),
    pub(super) events: Vec<EventId>,
    pub(super) write_set: WriteSet,
    pub(super) rulings: Vec<(PaymentId, Decision)>,
}

impl ActionPlan {
    /// A plan that writes nothing.
    pub(super) fn nothing(result: ActionResult) -> Self {
        Self { result, credits: BTreeMap::new(), tenant: None, second_person: false, work: Work::Nothing }
    }

    /// Credits that count against the limits.
    pub(super) fn total(&self) -> Credits {
        Credits(self.credits.values().fold(0, |sum, credits| sum.saturating_add(credits.0)))
    }
}
