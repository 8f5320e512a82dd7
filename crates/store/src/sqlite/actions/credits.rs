//! Credits given, taken and forgiven by hand: decided by the ledger like any command.
//! Not here: commands of tenants and services (`commands`).

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ledger::{Cause, Changes, Command, CommandAction, Credits, Now, TenantId, execute};
use rusqlite::Connection;

use super::plan::{Plan, Words, Work};
use crate::error::StoreError;
use crate::model::{ActionRequest, ActionResult, BalanceChange, Consequences};
use crate::sqlite::commands;
use crate::sqlite::record::Record;

/// What the ledger decided.
pub(super) struct Decided {
    record: Record,
    changes: Changes,
    transaction: Option<i64>,
}

impl Decided {
    /// Writes it. Answers the transaction that did it.
    pub(super) fn write(mut self, c: &Connection) -> Result<Option<i64>, StoreError> {
        self.record.add(c, &self.changes)?;
        self.record.finish(c)?;
        Ok(self.transaction)
    }
}

/// Decides an adjustment or a write-off.
pub(super) fn plan(
    c: &Connection,
    request: &ActionRequest,
    words: &Words,
    now: Now,
) -> Result<(ActionRequest, Plan), StoreError> {
    let (tenant, action) = match *request {
        ActionRequest::Adjustment { tenant, credits, priority, expires_at } => {
            (tenant, CommandAction::Adjust { credits, priority, expires_at })
        }
        ActionRequest::WriteOff { tenant, credits } => (tenant, CommandAction::WriteOff { credits }),
        _ => return Err(StoreError::Refused("that moves no credits by hand".to_owned())),
    };
    let cause = Cause::Operator { by: words.by.clone(), reason: words.reason.clone() };
    let command = Command { tenant, cause, reference: None, action };
    let (record, overdue) = commands::load(c, std::iter::once(&command), now)?;
    if !overdue.is_empty() {
        return Err(StoreError::Busy);
    }
    let book = &record.book;
    let balance = || book.tenants.get(&tenant).map(|tenant| tenant.balance).unwrap_or_default();
    let before = balance();
    let execution = catch_unwind(AssertUnwindSafe(|| execute(book, &command, now)))
        .map_err(|_| StoreError::Refused("the ledger's rules panicked on this action".to_owned()))?;
    let (moved, after, transaction) = match &execution.answer {
        Ok(receipt) => (receipt.credits, receipt.balance_after, Some(receipt.transaction)),
        Err(_) => (Credits::ZERO, before, None),
    };
    let given = matches!(action, CommandAction::Adjust { credits, .. } if credits > 0);
    let taken = matches!(action, CommandAction::Adjust { credits, .. } if credits < 0);
    let absolute = Credits(moved.0.saturating_abs());
    let when = |it: bool| if it { absolute } else { Credits::ZERO };
    let consequences = Consequences {
        granted: when(given),
        taken_back: when(taken),
        balances: vec![BalanceChange { tenant, before, after }],
        ..Consequences::default()
    };
    let refusal = execution.answer.as_ref().err().copied();
    let result = ActionResult { consequences, refusal, ..ActionResult::default() };
    let plan = Plan {
        result,
        credits: counted(tenant, absolute),
        tenant: Some(tenant),
        second_person: false,
        work: Work::Command(Box::new(Decided { record, changes: execution.changes, transaction })),
    };
    // Two people agree on a figure, whatever is owed by the time that the second one decides.
    let named = match (request, refusal) {
        (ActionRequest::WriteOff { tenant, credits: None }, None) => {
            ActionRequest::WriteOff { tenant: *tenant, credits: Some(moved) }
        }
        (request, None | Some(_)) => request.clone(),
    };
    Ok((named, plan))
}

fn counted(tenant: TenantId, credits: Credits) -> BTreeMap<TenantId, Credits> {
    if credits > Credits::ZERO { BTreeMap::from([(tenant, credits)]) } else { BTreeMap::new() }
}
