//! An action, decided and not yet written: what it comes to, and the work that is left. A preview ends here.

use std::collections::BTreeMap;

use ledger::{Credits, Now, Policy, TenantId};
use rusqlite::Connection;

use super::{access, credits, review};
use crate::error::StoreError;
use crate::model::{ActionRefusal, ActionRequest, ActionResult};
use crate::sqlite::unconfirmed;

/// Who answers for it and why, as the journal says it.
pub(super) struct Words {
    pub(super) by: String,
    pub(super) reason: String,
}

/// What an action comes to.
pub(super) struct Plan {
    pub(super) result: ActionResult,
    /// Credits that it moves of each tenant, as absolute amounts. None of them is zero.
    pub(super) credits: BTreeMap<TenantId, Credits>,
    /// The tenant that it is about, where it is about one.
    pub(super) tenant: Option<TenantId>,
    /// It needs a second person, however few credits it moves.
    pub(super) second_person: bool,
    pub(super) work: Work,
}

/// What is left to write.
pub(super) enum Work {
    Nothing,
    Command(Box<credits::Decided>),
    Review(Box<review::Decided>),
    Access(Box<ActionRequest>),
    ConfirmRestore,
}

impl Plan {
    /// Of what is not done.
    pub(super) fn nothing(result: ActionResult) -> Self {
        Self { result, credits: BTreeMap::new(), tenant: None, second_person: false, work: Work::Nothing }
    }

    /// Credits that count against the limits.
    pub(super) fn total(&self) -> Credits {
        Credits(self.credits.values().fold(0, |sum, credits| sum.saturating_add(credits.0)))
    }

    /// Writes it.
    pub(super) fn write(
        self,
        c: &Connection,
        asker: &str,
        policy: &Policy,
        now: Now,
    ) -> Result<Self, StoreError> {
        let Self { mut result, credits, tenant, second_person, work } = self;
        match work {
            Work::Nothing => {}
            Work::Command(decided) => result.transaction = decided.write(c)?,
            Work::Review(decided) => result.transaction = decided.write(c, policy, now)?,
            Work::Access(request) => access::write(c, &request, asker, now.at)?,
            Work::ConfirmRestore => unconfirmed::confirm(c, now.at)?,
        }
        Ok(Self { result, credits, tenant, second_person, work: Work::Nothing })
    }
}

/// Decides a request of the person `asker`, and names every figure in it.
pub(super) fn of(
    c: &Connection,
    request: &ActionRequest,
    asker: &str,
    words: &Words,
    policy: &Policy,
    now: Now,
) -> Result<Result<(ActionRequest, Plan), ActionRefusal>, StoreError> {
    let planned = match request {
        ActionRequest::Adjustment { .. } | ActionRequest::WriteOff { .. } => {
            credits::plan(c, request, words, now).map(Ok)
        }
        ActionRequest::QuarantineResolve { .. } | ActionRequest::QuarantineDismiss { .. } => {
            review::plan(c, request, words, policy, now)
        }
        ActionRequest::KeyCreate { .. }
        | ActionRequest::KeyRotate { .. }
        | ActionRequest::KeyRevoke { .. }
        | ActionRequest::PersonAdd { .. }
        | ActionRequest::PersonRemove { .. }
        | ActionRequest::Recovery { .. } => access::plan(c, request, asker, now.at),
        ActionRequest::RestoreConfirm { .. } => confirm_restore(c, request),
    }?;
    Ok(planned.map(|(request, mut plan)| {
        plan.result.consequences.moved = plan.credits.clone();
        (request, plan)
    }))
}

/// One person's word is enough: everything stands still until it is given.
fn confirm_restore(
    c: &Connection,
    request: &ActionRequest,
) -> Result<Result<(ActionRequest, Plan), ActionRefusal>, StoreError> {
    if !unconfirmed::is(c)? {
        return Ok(Err(ActionRefusal::NoRestore));
    }
    let plan = Plan { work: Work::ConfirmRestore, ..Plan::nothing(ActionResult::default()) };
    Ok(Ok((request.clone(), plan)))
}
