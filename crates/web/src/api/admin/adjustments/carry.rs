//! Doing what was decided, once: the command's pinned name is the adjustment's, so that whoever tries it
//! again, after whatever crash, gets the answer of the first time.
//! Not here: who may decide.

use ledger::{Action, Cause, Command, Credits, Refusal};
use serde_json::{Value, json};
use store::{AdjustmentRow, AdjustmentState, Answered, Order, Page, Pin, Scope, StoreError};
use tokio::time::timeout;

use crate::answer::{Problem, ProblemKind};
use crate::api::{command, fingerprint};
use crate::app::App;

/// Has an approved adjustment done; a rejected or waiting one stays. A client that goes away stops nothing,
/// nor does one that waited long enough.
///
/// # Errors
/// Whatever went wrong, the adjustment is kept and will be done: it must not look as if it were nothing.
pub(super) async fn once(app: &App, row: AdjustmentRow) -> Result<(AdjustmentRow, Option<Refusal>), Problem> {
    let (app, limit, id) = (app.clone(), app.limits.command, row.id.clone());
    let work = tokio::spawn(async move { carry(&app, row).await });
    let unknown = |why: &str| StoreError::Unknown(why.to_owned());
    let done = match timeout(limit, work).await {
        Ok(ended) => ended.map_err(|_| unknown("it panicked")).flatten(),
        Err(_) => Err(unknown("it took too long")),
    };
    done.map_err(|error| {
        tracing::error!(adjustment = id, %error, "an approved adjustment is kept, not finished");
        Problem::new(
            ProblemKind::OutcomeUnknown,
            "This is kept, and may or may not have been done yet. Ask again in the same way, with the same \
             Idempotency-Key if it has one: it is done once, at the latest when the service starts again.",
        )
    })
}

async fn carry(app: &App, row: AdjustmentRow) -> Result<(AdjustmentRow, Option<Refusal>), StoreError> {
    match row.state {
        AdjustmentState::Waiting | AdjustmentState::Rejected => return Ok((row, None)),
        // Also when it is done: the answer of the first time is kept, and it says how.
        AdjustmentState::Approved | AdjustmentState::Done | AdjustmentState::Refused => {}
    }
    let answer = match app.desk.carry_out(order(&row)).await? {
        Answered::Carried { answer, .. } => answer,
        Answered::KeyReused => {
            return Err(StoreError::Corrupt(format!("something else was done under {}", row.id)));
        }
    };
    let done = answer.as_ref().map(|receipt| receipt.transaction).map_err(ToString::to_string);
    let row = app.store.finish_adjustment(row.id.clone(), done).await?.unwrap_or(row);
    Ok((row, answer.err()))
}

fn order(row: &AdjustmentRow) -> Order {
    let asked_by = &row.created_by.name;
    let by = match &row.decided_by {
        Some(second) => format!("{asked_by}, approved by {}", second.name),
        None => asked_by.clone(),
    };
    let cause = Cause::Operator { by, reason: row.reason.clone() };
    let command = Command { tenant: row.tenant, cause, reference: None, action: row.action };
    // No client's key has a blank in it, so that none can stand here.
    let key = format!("adjustment {}", row.id);
    let fingerprint = fingerprint("decided_adjustment", row.tenant, &row.id);
    Order { command, pin: Some(Pin { scope: Scope::Operator, key, fingerprint }) }
}

/// Finishes what was approved when the service ended; answers how many there were.
pub(crate) async fn complete_all(app: &App) -> Result<usize, StoreError> {
    // One page of all of them: the few that a crash left over.
    let page = Page { number: 1, size: u32::MAX, ascending: true };
    let mut finished = 0;
    for row in app.store.adjustments(None, Some(AdjustmentState::Approved), page).await?.rows {
        let id = row.id.clone();
        match carry(app, row).await {
            Ok(_) => finished += 1,
            Err(error) => {
                tracing::error!(adjustment = id, %error, "an approved adjustment is kept, not finished");
            }
        }
    }
    Ok(finished)
}

/// The ledger said no, for ever.
pub(super) fn refused(row: &AdjustmentRow, refusal: Refusal) -> Problem {
    let about = |mut details: Value| {
        details["adjustment"] = json!(row.id);
        details["state"] = json!(row.state.as_str());
        details
    };
    // A write-off of all that was owed, when nothing was.
    let nothing = matches!(row.action, Action::WriteOff { .. }) && refusal == Refusal::NotPositive;
    match if nothing { Refusal::DebtTooSmall { debt: Credits::ZERO } } else { refusal } {
        Refusal::Insufficient { requested, available, debt } => Problem::new(
            ProblemKind::InsufficientCredits,
            format!(
                "{requested} credits were to be taken, and {available} are available: held, frozen and spent \
                 ones cannot be. Nothing was changed; a smaller adjustment is a new one."
            ),
        )
        .with_details(about(json!({ "requested": requested, "available": available, "debt": debt }))),
        Refusal::DebtTooSmall { debt } => {
            let message = match debt {
                Credits::ZERO => "This tenant owes nothing. Nothing was changed.".to_owned(),
                _ => {
                    format!("{debt} credits are owed. Nothing was changed; a smaller write-off is a new one.")
                }
            };
            Problem::new(ProblemKind::NoDebt, message).with_details(about(json!({ "debt": debt })))
        }
        other => command::refused(other),
    }
}
