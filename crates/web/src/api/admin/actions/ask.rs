//! Asking for an action: it is done, refused, or kept waiting, and each answer says what happened to the
//! credits and what to do next.
//! Not here: how an action is shown (`view`).

use axum::response::Response;
use engine::entropy;
use ledger::{Credits, Refusal};
use serde_json::{Value, json};
use store::{
    ActionRefusal, ActionRequest, ActionRow, ActionState, Asked, MAX_BULK_ITEMS, NewAction, Preview,
};

use super::view::{ActionView, Answered, PreviewView};
use crate::answer::{Problem, ProblemKind};
use crate::api::text::counted;
use crate::api::{Request, command, marked};
use crate::auth::{Caller, nobody_acts};

/// An action whose request was read and found in order.
pub(in crate::api::admin) struct Ask {
    pub(in crate::api::admin) request: ActionRequest,
    pub(in crate::api::admin) reason: String,
    /// The only registered person takes it on themselves.
    pub(in crate::api::admin) alone: bool,
    /// Only say what would happen.
    pub(in crate::api::admin) dry_run: bool,
    /// The `Idempotency-Key` and the fingerprint, where the route takes one.
    pub(in crate::api::admin) name: Option<(String, [u8; 32])>,
}

impl Ask {
    fn new_action(self, request: &Request, caller: &Caller) -> NewAction {
        NewAction {
            id: format!("act_{}", entropy::unique_id(request.meta.at).simple()),
            request: self.request,
            reason: self.reason,
            key: caller.key.id.clone(),
            alone: self.alone,
            name: self.name,
        }
    }
}

/// Has it done, or for a dry run says what would happen.
pub(in crate::api::admin) async fn ask(
    request: &Request,
    caller: &Caller,
    asked: Ask,
) -> Result<Response, Problem> {
    if asked.dry_run {
        let kind = asked.request.kind();
        let preview = preview(request, caller, asked).await?;
        return Ok(request.meta.data(Answered::Preview(PreviewView::of(kind, &preview))));
    }
    let (row, replayed) = perform(request, caller, asked).await?;
    let response = match refused(&row) {
        // It was asked for, and waited: the same answer for ever.
        _ if waited(&row) => {
            request.meta.accepted(Answered::CommandAction(Box::new(ActionView::as_asked_for(&row))))
        }
        Some(problem) => request.meta.error(&problem),
        None => request.meta.data(Answered::CommandAction(Box::new(ActionView::of(&row)))),
    };
    Ok(marked(response, replayed))
}

/// Whether it waits for a second person, or did.
pub(in crate::api::admin) fn waited(row: &ActionRow) -> bool {
    row.state == ActionState::Waiting || row.state == ActionState::Rejected || row.decided_by.is_some()
}

/// Has it done or kept; answers it, and whether it was asked for before.
pub(in crate::api::admin) async fn perform(
    request: &Request,
    caller: &Caller,
    asked: Ask,
) -> Result<(ActionRow, bool), Problem> {
    let (limits, policy) = (request.app.operator_limits, request.app.policy.clone());
    let now = request.app.clock.reading();
    let new = asked.new_action(request, caller);
    match request.store().ask_action(new, limits, policy, now).await? {
        Asked::Refused(refusal) => Err(problem(refusal)),
        Asked::Kept { action, replayed } => {
            request.app.changes.signal();
            // An event may have to be read again.
            request.app.arrived.notify_one();
            tracing::info!(
                action = action.id,
                kind = action.request.kind().as_str(),
                state = action.state.as_str(),
                person = action.asked_by.name,
                key = caller.key.id,
                "an operator acted"
            );
            Ok((*action, replayed))
        }
    }
}

/// What would become of it.
async fn preview(request: &Request, caller: &Caller, asked: Ask) -> Result<Preview, Problem> {
    let (limits, policy) = (request.app.operator_limits, request.app.policy.clone());
    let now = request.app.clock.reading();
    let new = asked.new_action(request, caller);
    let preview = request.store().preview_action(new, limits, policy, now).await?.map_err(problem)?;
    match preview.result.refusal {
        Some(refusal) => Err(of_ledger(refusal, None)),
        None => Ok(preview),
    }
}

/// Why an action that is kept was not done.
pub(super) fn refused(row: &ActionRow) -> Option<Problem> {
    if row.state != ActionState::Refused {
        return None;
    }
    Some(match row.result.refusal {
        Some(refusal) => of_ledger(refusal, Some(row)),
        None => {
            let note = row.note.as_deref().unwrap_or_default();
            let message =
                format!("This cannot be done any more: {note}. Nothing was changed; ask for it anew.");
            Problem::new(ProblemKind::Validation, message)
                .with_details(json!({ "action": row.id, "state": row.state.as_str() }))
        }
    })
}

/// The ledger refused, for ever.
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

/// Why an action is not kept, in words.
fn problem(refusal: ActionRefusal) -> Problem {
    let second = |why: &str| Problem::new(ProblemKind::SecondPersonRequired, why);
    let invalid = |why: String| Problem::new(ProblemKind::Validation, why);
    let forbidden = |why: &str| Problem::new(ProblemKind::Forbidden, why);
    match refusal {
        ActionRefusal::NameReused => command::key_reused(),
        ActionRefusal::NobodyActs => nobody_acts(),
        ActionRefusal::SecondPersonMissing => second(
            "This needs a second person, and nobody else is registered. Nothing was changed. Register \
             somebody (`faireplace people add NAME --alone --reason WHY`), or repeat this with `--alone` \
             and a reason (`\"alone\": true` in the API): then it is done at once, and reports mark it.",
        ),
        ActionRefusal::NotAlone => second(
            "Somebody else is registered, so nothing is done alone. Nothing was changed. Repeat this \
             without `alone`: what needs a second person waits for one.",
        ),
        ActionRefusal::Ended => super::super::adjustments::no_end(),
        ActionRefusal::NoSuchItem => Problem::not_found("quarantine item"),
        ActionRefusal::ItemClosed(resolution) => {
            invalid(format!("This item is closed already: {resolution}. Nothing was changed."))
        }
        ActionRefusal::NotGrantable(items) => not_grantable(&items),
        ActionRefusal::Ruling(refused) => invalid(format!("Nothing was changed: {refused}.")),
        ActionRefusal::AboutAnEvent => {
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
            "This key was rotated already, and whoever did that has the new one. Nothing was changed. If it \
             was not you, have the new key revoked, and another one created for you.",
        ),
        ActionRefusal::NotYourKey => forbidden(
            "This key is another person's, and only they may rotate it. Nothing was changed. Revoke it, \
             and create another one for them.",
        ),
        ActionRefusal::NameTaken => Problem::value("name", "one that no other person or working key has"),
        ActionRefusal::NoRestore => super::super::restore::nothing_to_confirm(),
        ActionRefusal::NoSuchPerson => Problem::not_found("registered person"),
        ActionRefusal::LastPerson => invalid(
            "Nobody else is registered, so this person cannot be removed. Nothing was changed. `faireplace \
             keys recover`, with the service stopped, replaces a person who is lost."
                .to_owned(),
        ),
        ActionRefusal::NoKeyOfYourOwn => invalid(
            "You act with this machine's key, which acts for nobody once a second person is registered. \
             Nothing was changed. First create a key of your own: `faireplace keys create NAME --operator \
             --alone --reason WHY`, and keep its secret."
                .to_owned(),
        ),
    }
}
