//! `/api/admin/actions`: what operators did, and what waits for a second person. Every operation that moves
//! credits by hand or grants access creates an action. `submit` creates it, `view` renders it, and
//! `engine::actions` has the procedure.

mod submit;
mod view;

use engine::actions::DecisionError;
use serde::Deserialize;
use store::{ActionFilter, ActionKind, ActionRow, ActionState, ActionVerdict};
use utoipa::ToSchema;

use crate::answer::{Data, PageOf, Problem, ProblemKind};
use crate::api::plain_text::is_plain;
use crate::api::{Operator, PathId, ReceivedBody, Request, body, page};
use crate::auth::nobody_acts;
use crate::schema::{ActionKindName, ActionStateName, PageParameters};
pub(super) use submit::{ActionSubmission, execute, no_end, respond, submit};
pub(super) use view::{ActionResponse, ActionView};

/// Characters that a reason may have.
const MAX_REASON_CHARS: usize = 500;

/// List actions
///
/// Newest first by default.
#[utoipa::path(get, path = "/api/admin/actions", operation_id = "list_actions", tag = "Actions",
    params(PageParameters,
        ("state" = Option<ActionStateName>, Query, description = "Only actions in this state."),
        ("kind" = Option<ActionKindName>, Query, description = "Only actions of this kind."),
        ("person" = Option<String>, Query, description = "Only actions that this person requested, by id."),
        ("tenant_id" = Option<Uuid>, Query, description = "Only actions about this tenant.")),
    responses((status = 200, body = PageOf<ActionView>)))]
pub(crate) async fn list(Operator { request, .. }: Operator) -> Result<PageOf<ActionView>, Problem> {
    let query = &request.query;
    query.only(&["state", "kind", "person", "tenant_id", "page", "per_page", "sort"])?;
    let filter = ActionFilter {
        state: query.one_of("state", ActionState::ALL, ActionState::as_str)?,
        kind: query.one_of("kind", ActionKind::ALL, ActionKind::as_str)?,
        person: query.get("person").map(str::to_owned),
        tenant: query.get("tenant_id").map(super::tenant).transpose()?,
    };
    let page = page(query)?;
    let found = request.store().actions(filter, page).await?;
    Ok(PageOf::of(&found, page, ActionView::of))
}

/// Retrieve an action
#[utoipa::path(get, path = "/api/admin/actions/{id}", operation_id = "show_action", tag = "Actions",
    params(("id" = String, Path, description = "The action's id.", example = "act_019c0a1b2c3d7e4f")),
    responses((status = 200, body = Data<ActionView>)))]
pub(crate) async fn show(
    Operator { request, .. }: Operator,
    PathId(id): PathId,
) -> Result<Data<ActionView>, Problem> {
    request.query.only(&[])?;
    Ok(Data::of(ActionView::of(&find(&request, id).await?)))
}

/// Approve an action
///
/// Approves and executes the waiting action in one commit. The person who approves must not be the person who
/// requested the action, and both they and their key must have been registered before the request. Repeating
/// the approval returns the same response.
#[utoipa::path(post, path = "/api/admin/actions/{id}/approve", operation_id = "approve_action",
    tag = "Actions",
    params(("id" = String, Path, description = "The action's id.", example = "act_019c0a1b2c3d7e4f")),
    responses((status = 200, body = Data<ActionView>),
        (status = 403, description = "FORBIDDEN, SECOND_PERSON_REQUIRED"),
        (status = 409, description = "ALREADY_DECIDED"),
        (status = 422, description = "INSUFFICIENT_CREDITS, NO_DEBT"),
        (status = 503, description = "RESTORE_UNCONFIRMED")))]
pub(crate) async fn approve(
    Operator { request, caller }: Operator,
    PathId(id): PathId,
) -> Result<Data<ActionView>, Problem> {
    request.query.only(&[])?;
    let row = request.app.actions.decide(id, ActionVerdict::Approve, caller.key.id).await?;
    match submit::refused(&row) {
        Some(problem) => Err(problem),
        None => Ok(Data::of(ActionView::of(&row))),
    }
}

/// Reject an action
///
/// The waiting action is not executed.
#[utoipa::path(post, path = "/api/admin/actions/{id}/reject", operation_id = "reject_action",
    tag = "Actions", request_body = Rejection,
    params(("id" = String, Path, description = "The action's id.", example = "act_019c0a1b2c3d7e4f")),
    responses((status = 200, body = Data<ActionView>),
        (status = 403, description = "FORBIDDEN, SECOND_PERSON_REQUIRED"),
        (status = 409, description = "ALREADY_DECIDED")))]
pub(crate) async fn reject(
    Operator { request, caller }: Operator,
    PathId(id): PathId,
    received: ReceivedBody,
) -> Result<Data<ActionView>, Problem> {
    request.query.only(&[])?;
    let asked: Rejection = body(&request, received)?;
    let verdict = ActionVerdict::Reject { reason: reason(asked.reason)? };
    let row = request.app.actions.decide(id, verdict, caller.key.id).await?;
    Ok(Data::of(ActionView::of(&row)))
}

/// The rejection of an action.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "they were refunded in Stripe" }))]
struct Rejection {
    /// The reason; stored permanently.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

impl From<DecisionError> for Problem {
    fn from(error: DecisionError) -> Self {
        let second = |why| Self::new(ProblemKind::SecondPersonRequired, why);
        match error {
            DecisionError::UnknownAction => missing(),
            DecisionError::SamePerson => second(
                "You requested this yourself, so another registered person must decide it, with their own \
                 operator key. Nothing was changed.",
            ),
            DecisionError::TooNew => second(
                "You, or this key, were registered after the request, perhaps by the requesting person. \
                 Somebody who was registered before must decide, with a key from before. Nothing was \
                 changed.",
            ),
            DecisionError::NoRegisteredPerson => nobody_acts(),
            DecisionError::GrantExpired => Self::new(
                ProblemKind::Validation,
                "The credits of this adjustment have expired meanwhile. Nothing was changed; reject it and \
                 request a new one.",
            ),
            DecisionError::AlreadyDecided(row) => already(&row),
            DecisionError::Store(error) => error.into(),
        }
    }
}

fn already(row: &ActionRow) -> Problem {
    let state = row.state.as_str();
    let before = match &row.decided_by {
        Some(by) => format!("{} decided this before", by.name),
        None => "This does not wait for a second person".to_owned(),
    };
    let message = format!("{before}: it is {state}. Nothing was changed by this request.");
    Problem::new(ProblemKind::AlreadyDecided, message).with_details(serde_json::json!({ "state": state }))
}

async fn find(request: &Request, id: String) -> Result<ActionRow, Problem> {
    request.store().action(id).await?.ok_or_else(missing)
}

fn missing() -> Problem {
    Problem::not_found("action")
}

/// Checks the reason for an action.
pub(super) fn reason(text: String) -> Result<String, Problem> {
    if text.chars().count() <= MAX_REASON_CHARS && is_plain(&text) {
        return Ok(text);
    }
    let expected = format!("1 to {MAX_REASON_CHARS} characters that still explain this in a year");
    Err(Problem::value("reason", &expected))
}
