//! Adjustments and write-offs by operators, decided by the ledger like any command.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ledger::{Cause, Command, CommandAction, Credits, Now, TenantId, execute};
use rusqlite::Connection;

use super::plan::{ActionPlan, Attribution, DecidedCommand, Work};
use crate::error::StoreError;
use crate::model::{ActionRequest, ActionResult, BalanceChange, Consequences};
use crate::sqlite::commands;

impl DecidedCommand {
    /// Writes the decision and returns its transaction.
    pub(super) fn write(mut self, c: &Connection) -> Result<Option<i64>, StoreError> {
        self.write_set.add(c, &self.changes)?;
        self.write_set.finish(c)?;
        Ok(self.transaction)
    }
}

/// Decides an adjustment or a write-off.
pub(super) fn plan(
    c: &Connection,
    request: &ActionRequest,
    attribution: &Attribution,
    now: Now,
) -> Result<(ActionRequest, ActionPlan), StoreError> {
    let (tenant, action) = match *request {
        ActionRequest::Adjustment { tenant, credits, priority, expires_at } => {
            (tenant, CommandAction::Adjust { credits, priority, expires_at })
        }
        ActionRequest::WriteOff { tenant, credits } => (tenant, CommandAction::WriteOff { credits }),
        _ => return Err(StoreError::Refused("the request is no adjustment or write-off".to_owned())),
    };
    let cause = Cause::Operator { by: attribution.by.clone(), reason: attribution.reason.clone() };
    let command = Command { tenant, cause, reference: None, action };
    let (write_set, overdue) = commands::load(c, std::iter::once(&command), now)?;
    if !overdue.is_empty() {
        return Err(StoreError::Busy);
    }
    let book = &write_set.book;
    let balance = || book.tenants.get(&tenant).map(|tenant| tenant.balance).unwrap_or_default();
    let before = balance();
    let execution = catch_unwind(AssertUnwindSafe(|| execute(book, &command, now)))
        .map_err(|_| StoreError::Refused("the ledger's rules panicked on this action".to_owned()))?;
    let (moved, after, transaction) = match &execution.answer {
        Ok(receipt) => (receipt.credits, receipt.balance_after, Some(receipt.transaction)),
        Err(_) => (Credits::ZERO, before, None),
    };
    let adds_credits = matches!(action, CommandAction::Adjust { credits, .. } if credits > 0);
    let removes_credits = matches!(action, CommandAction::Adjust { credits, .. } if credits < 0);
    let absolute = Credits(moved.0.saturating_abs());
    let absolute_if = |applies: bool| if applies { absolute } else { Credits::ZERO };
    let consequences = Consequences {
        granted: absolute_if(adds_credits),
        taken_back: absolute_if(removes_credits),
        balances: vec![BalanceChange { tenant, before, after }],
        ..Consequences::default()
    };
    let refusal = execution.answer.as_ref().err().copied();
    let result = ActionResult { consequences, refusal, ..ActionResult::default() };
    let plan = ActionPlan {
        result,
        credits: counted_credits(tenant, absolute),
        tenant: Some(tenant),
        second_person: false,
        work: Work::Command(Box::new(DecidedCommand { write_set, changes: execution.changes, transaction })),
    };
    // The stored request states the figure that both people agree on, whatever the debt is when the second
    // one decides.
    let stored_request = match (request, refusal) {
        (ActionRequest::WriteOff { tenant, credits: None }, None) => {
            ActionRequest::WriteOff { tenant: *tenant, credits: Some(moved) }
        }
        (request, None | Some(_)) => request.clone(),
    };
    Ok((stored_request, plan))
}

fn counted_credits(tenant: TenantId, credits: Credits) -> BTreeMap<TenantId, Credits> {
    if credits > Credits::ZERO { BTreeMap::from([(tenant, credits)]) } else { BTreeMap::new() }
}
