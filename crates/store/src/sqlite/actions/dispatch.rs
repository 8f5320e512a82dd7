//! Decides and writes actions, each kind by its own module.

use ledger::{Now, Policy};
use rusqlite::Connection;

use super::plan::{ActionPlan, Attribution, Work};
use super::{access, credits, review};
use crate::error::StoreError;
use crate::model::{ActionRefusal, ActionRequest, ActionResult};
use crate::sqlite::unconfirmed;

/// Decides a request of the person `requester`. The returned request states every figure.
pub(super) fn plan(
    c: &Connection,
    request: &ActionRequest,
    requester: &str,
    attribution: &Attribution,
    policy: &Policy,
    now: Now,
) -> Result<Result<(ActionRequest, ActionPlan), ActionRefusal>, StoreError> {
    let planned = match request {
        ActionRequest::Adjustment { .. } | ActionRequest::WriteOff { .. } => {
            credits::plan(c, request, attribution, now).map(Ok)
        }
        ActionRequest::QuarantineResolve { .. } | ActionRequest::QuarantineDismiss { .. } => {
            review::plan(c, request, attribution, policy, now)
        }
        ActionRequest::KeyCreate { .. }
        | ActionRequest::KeyRotate { .. }
        | ActionRequest::KeyRevoke { .. }
        | ActionRequest::PersonAdd { .. }
        | ActionRequest::PersonRemove { .. }
        | ActionRequest::Recovery { .. } => access::plan(c, request, requester, now.at),
        ActionRequest::RestoreConfirm { .. } => confirm_restore(c, request),
    }?;
    Ok(planned.map(|(request, mut plan)| {
        plan.result.consequences.moved = plan.credits.clone();
        (request, plan)
    }))
}

/// One person is enough to confirm a restore, because the service is frozen until somebody does.
fn confirm_restore(
    c: &Connection,
    request: &ActionRequest,
) -> Result<Result<(ActionRequest, ActionPlan), ActionRefusal>, StoreError> {
    if !unconfirmed::exists(c)? {
        return Ok(Err(ActionRefusal::NoRestore));
    }
    let plan = ActionPlan { work: Work::ConfirmRestore, ..ActionPlan::nothing(ActionResult::default()) };
    Ok(Ok((request.clone(), plan)))
}

/// Writes a plan. The returned plan has its result completed and nothing left to write.
pub(super) fn write(
    c: &Connection,
    plan: ActionPlan,
    requester: &str,
    policy: &Policy,
    now: Now,
) -> Result<ActionPlan, StoreError> {
    let ActionPlan { mut result, credits, tenant, second_person, work } = plan;
    match work {
        Work::Nothing => {}
        Work::Command(decided) => result.transaction = decided.write(c)?,
        Work::Review(decided) => result.transaction = decided.write(c, policy, now)?,
        Work::Access(request) => access::write(c, &request, requester, now.at)?,
        Work::ConfirmRestore => unconfirmed::confirm(c, now.at)?,
    }
    Ok(ActionPlan { result, credits, tenant, second_person, work: Work::Nothing })
}
