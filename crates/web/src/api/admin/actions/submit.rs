//! Requesting an action: it is executed, refused, or waits. Each response says what happened to the credits
//! and what to do next. The procedure is in `engine::actions`.

use axum::response::{IntoResponse as _, Response};
use engine::actions::{ActionError, ActionInput, RecordedAction};
use ledger::{Credits, Refusal};
use serde_json::{Value, json};
use store::{ActionRefusal, ActionRequest, ActionRow, ActionState, MAX_BULK_ITEMS};

use super::view::{ActionResponse, ActionView, PreviewView};
use crate::answer::{AcceptedData, Data, Problem, ProblemKind, Replayable};
use crate::api::plain_text::counted;
use crate::api::{Request, command};
use crate::auth::{Caller, nobody_acts};

/// An action whose request was read and is valid.
pub(in crate::api::admin) struct ActionSubmission {
    pub(in crate::api::admin) request: ActionRequest,
    pub(in crate::api::admin) reason: String,
    /// The only registered person acts alone.
    pub(in crate::api::admin) alone: bool,
    /// Show the effect without changing anything.
    pub(in crate::api::admin) dry_run: bool,
    /// The `Idempotency-Key` and the fingerprint, where the route takes one.
    pub(in crate::api::admin) idempotency_key: Option<(String, [u8; 32])>,
}

impl ActionSubmission {
    fn input(self, caller: &Caller) -> ActionInput {
        let Self { request, reason, alone, idempotency_key, .. } = self;
        ActionInput { request, reason, key: caller.key.id.clone(), alone, idempotency_key }
    }
}

/// Executes the action or lets it wait; for a dry run, previews it.
pub(in crate::api::admin) async fn submit(
    request: &Request,
    caller: &Caller,
    submission: ActionSubmission,
) -> Result<Response, Problem> {
    if submission.dry_run {
        let kind = submission.request.kind();
        let preview = request.app.actions.preview(submission.input(caller)).await?;
        return Ok(Data::of(ActionResponse::Preview(PreviewView::of(kind, &preview))).into_response());
    }
    let recorded = request.app.actions.request(submission.input(caller)).await?;
    Ok(respond(&recorded))
}

/// The response to the person who requested the action.
pub(in crate::api::admin) fn respond(recorded: &RecordedAction) -> Response {
    let row = &recorded.action;
    let response = match refused(row) {
        // An action that waited always gets the same response.
        _ if recorded.waited() => {
            AcceptedData(ActionResponse::Action(Box::new(ActionView::as_asked_for(row)))).into_response()
        }
        Some(problem) => problem.into_response(),
        None => Data::of(ActionResponse::Action(Box::new(ActionView::of(row)))).into_response(),
    };
    Replayable { response, replayed: recorded.replayed }.into_response()
}

/// Executes the action or lets it wait. Returns its state.
pub(in crate::api::admin) async fn execute(
    request: &Request,
    caller: &Caller,
    submission: ActionSubmission,
) -> Result<ActionRow, Problem> {
    Ok(request.app.actions.request(submission.input(caller)).await?.action)
}

impl From<ActionError> for Problem {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::UnknownTenant => Self::new(
                ProblemKind::NotFound,
                "There is no such tenant. It becomes known by its first purchase or key. Nothing was \
                 changed.",
            ),
            ActionError::KeysChanged { expected, found } => keys_changed(expected, found),
            ActionError::Ledger(refusal) => of_ledger(refusal, None),
            ActionError::Refused(refusal) => problem(refusal),
            ActionError::Store(error) => error.into(),
        }
    }
}

/// Why a stored action was not executed.
pub(super) fn refused(row: &ActionRow) -> Option<Problem> {
    if row.state != ActionState::Refused {
        return None;
    }
    Some(match row.result.refusal {
        Some(refusal) => of_ledger(refusal, Some(row)),
        None => {
            let note = row.note.as_deref().unwrap_or_default();
            let message =
                format!("This is no longer possible: {note}. Nothing was changed; request it again.");
            Problem::new(ProblemKind::Validation, message)
                .with_details(json!({ "action": row.id, "state": row.state.as_str() }))
        }
    })
}

/// A refusal by the ledger, which is final.
fn of_ledger(refusal: Refusal, row: Option<&ActionRow>) -> Problem {
    let about = |mut details: Value| {
        if let Some(row) = row {
            details["action"] = json!(row.id);
            details["state"] = json!(row.state.as_str());
        }
        details
    };
    match refusal {
        Refusal::Insufficient { requested, available, debt } => Problem::new(
            ProblemKind::InsufficientCredits,
            format!(
                "{requested} credits were to be taken, and {available} are available: held, frozen and \
                 spent ones cannot be taken. Nothing was changed; ask for a smaller adjustment."
            ),
        )
        .with_details(about(json!({ "requested": requested, "available": available, "debt": debt }))),
        Refusal::DebtTooSmall { debt } => {
            let message = match debt {
                Credits::ZERO => "This tenant has no debt. Nothing was changed.".to_owned(),
                _ => format!("This tenant owes {}. Nothing was changed.", counted(debt)),
            };
            Problem::new(ProblemKind::NoDebt, message).with_details(about(json!({ "debt": debt })))
        }
        other => command::refused(other),
    }
}

fn not_grantable(items: &[i64]) -> Problem {
    let numbers = items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let message = format!(
        "The payment of item {numbers} does not say who gets how many credits, from 1 to 1000000000. Nothing \
         was changed. Decide it by itself, with tenant_id and credits."
    );
    Problem::new(ProblemKind::Validation, message).with_details(json!({ "items": items }))
}

/// Why an action was not stored.
fn problem(refusal: ActionRefusal) -> Problem {
    let second = |why: &str| Problem::new(ProblemKind::SecondPersonRequired, why);
    let invalid = |why: String| Problem::new(ProblemKind::Validation, why);
    let forbidden = |why: &str| Problem::new(ProblemKind::Forbidden, why);
    match refusal {
        ActionRefusal::IdempotencyKeyReused => command::key_reused(),
        ActionRefusal::NoRegisteredPerson => nobody_acts(),
        ActionRefusal::SecondPersonMissing => second(
            "This needs a second person, and nobody else is registered. Nothing was changed. Register \
             somebody (`faireplace people add NAME --alone --reason WHY`), or repeat this with `--alone` \
             and a reason (`\"alone\": true` in the API): then it is done at once, and reports mark it.",
        ),
        ActionRefusal::NotAlone => second(
            "Somebody else is registered, so nothing is done alone. Nothing was changed. Repeat this \
             without `alone`: what needs a second person waits for one.",
        ),
        ActionRefusal::GrantExpired => no_end(),
        ActionRefusal::NoSuchItem => Problem::not_found("quarantine item"),
        ActionRefusal::ItemClosed(resolution) => {
            invalid(format!("This item is closed already: {resolution}. Nothing was changed."))
        }
        ActionRefusal::NotGrantable(items) => not_grantable(&items),
        ActionRefusal::Ruling(refused) => invalid(format!("Nothing was changed: {refused}.")),
        ActionRefusal::ItemIsEvent => {
            invalid("This item is about an event: resolving it reads the event again, as it is.".to_owned())
        }
        ActionRefusal::CountDiffers { expected, found } => Problem::new(
            ProblemKind::CountChanged,
            format!(
                "{expected} items were expected, and {found} are open and match. Nothing was changed. Look \
                 at them, and repeat this with the new count."
            ),
        )
        .with_details(json!({ "expected": expected, "found": found })),
        ActionRefusal::TooManyItems(found) => invalid(format!(
            "{found} items match, and one decision takes at most {MAX_BULK_ITEMS}. Nothing was changed. \
             Narrow the filter: by reason, tenant or opened_before."
        ))
        .with_details(json!({ "found": found, "most": MAX_BULK_ITEMS })),
        ActionRefusal::NoSuchKey => Problem::not_found("key that still works"),
        ActionRefusal::KeyReplaced => forbidden(
            "This key was already rotated, and the person who rotated it has the new one. Nothing was \
             changed. If it was not you, have the new key revoked, and another one created for you.",
        ),
        ActionRefusal::NotYourKey => forbidden(
            "This key is another person's, and only they may rotate it. Nothing was changed. Revoke it, \
             and create another one for them.",
        ),
        ActionRefusal::NameTaken => Problem::value("name", "one that no other person or working key has"),
        ActionRefusal::NoRestore => nothing_to_confirm(),
        ActionRefusal::NoSuchPerson => Problem::not_found("registered person"),
        ActionRefusal::LastPerson => invalid(
            "Nobody else is registered, so this person cannot be removed. Nothing was changed. `faireplace \
             keys recover`, with the service stopped, replaces a person who is lost."
                .to_owned(),
        ),
        ActionRefusal::OwnKeyRequired => invalid(
            "You act with this machine's key, which acts for nobody once a second person is registered. \
             Nothing was changed. First create a key of your own: `faireplace keys create NAME --operator \
             --alone --reason WHY`, and keep its secret."
                .to_owned(),
        ),
    }
}

/// 422: the expiry is not in the future.
pub(in crate::api::admin) fn no_end() -> Problem {
    Problem::value("expires_at", "a future RFC 3339 timestamp with an offset, such as 2027-01-01T00:00:00Z")
}

/// No restore awaits confirmation.
fn nothing_to_confirm() -> Problem {
    let message = "There is no restore to confirm: the database was not restored from a backup, or the \
                   restore is already confirmed.";
    Problem::new(ProblemKind::NoRestoreToConfirm, message)
}

/// The number of keys that work again differs from the number in the confirmation.
fn keys_changed(expected: u64, found: u64) -> Problem {
    let message = format!(
        "{found} of the backup's keys work again that were revoked or had expired, or may have been, and \
         {expected} were expected. Nothing was confirmed. Look at them with `faireplace restore`, revoke \
         those that must not work, and repeat this with the number that is left."
    );
    let details = json!({ "expected": expected, "found": found });
    Problem::new(ProblemKind::CountChanged, message).with_details(details)
}
