//! `/api/admin/actions`: what operators did, and what waits for a second person. Whatever moves credits by
//! hand or gives somebody power is an action; the routes of its noun create it.
//! Not here: creating one (`ask`), how it is shown (`view`), and the procedure (`engine::actions`).

mod ask;
mod view;

use axum::response::Response;
use engine::actions::DecisionError;
use serde::Deserialize;
use store::{ActionFilter, ActionKind, ActionRow, ActionState, ActionVerdict};
use utoipa::ToSchema;

use crate::answer::{Data, PageOf, Problem, ProblemKind};
use crate::api::text::is_plain;
use crate::api::{Id, Operator, Received, Request, body, page};
use crate::auth::nobody_acts;
use crate::schema::{ActionKindName, ActionStateName, Paging};
pub(super) use ask::{Ask, ask, no_end, perform, respond};
pub(super) use view::{ActionView, Answered};

/// Characters that a reason may have.
const MAX_REASON_CHARS: usize = 500;

/// List actions
///
/// In the order in which they were asked for.
#[utoipa::path(get, path = "/api/admin/actions", operation_id = "list_actions", tag = "Actions",
    params(Paging,
        ("state" = Option<ActionStateName>, Query, description = "Only those in this state."),
        ("kind" = Option<ActionKindName>, Query, description = "Only those of this kind."),
        ("person" = Option<String>, Query, description = "Only those that this person asked for, by id."),
        ("tenant_id" = Option<Uuid>, Query, description = "Only those about this tenant.")),
    responses((status = 200, body = PageOf<ActionView>)))]
pub(crate) async fn list(Operator { request, .. }: Operator) -> Response {
    request
        .answer(async |request| {
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
            let rows: Vec<_> = found.rows.iter().map(ActionView::of).collect();
            Ok(request.meta.page(rows, page, found.total))
        })
        .await
}

/// Show an action
#[utoipa::path(get, path = "/api/admin/actions/{id}", operation_id = "show_action", tag = "Actions",
    params(("id" = String, Path, description = "The action's id.", example = "act_019c0a1b2c3d7e4f")),
    responses((status = 200, body = Data<ActionView>)))]
pub(crate) async fn show(Operator { request, .. }: Operator, Id(id): Id) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            Ok(request.meta.data(ActionView::of(&find(&request, id).await?)))
        })
        .await
}

/// Approve an action that waits
///
/// It is done in the same commit. The approving person must be another one than the asking person, and they
/// and their key must have been registered before it was asked for. Sent again by the same person, the answer
/// is the same.
#[utoipa::path(post, path = "/api/admin/actions/{id}/approve", operation_id = "approve_action",
    tag = "Actions",
    params(("id" = String, Path, description = "The action's id.", example = "act_019c0a1b2c3d7e4f")),
    responses((status = 200, body = Data<ActionView>),
        (status = 403, description = "FORBIDDEN, SECOND_PERSON_REQUIRED"),
        (status = 409, description = "ALREADY_DECIDED"),
        (status = 422, description = "INSUFFICIENT_CREDITS, NO_DEBT"),
        (status = 503, description = "RESTORE_UNCONFIRMED")))]
pub(crate) async fn approve(Operator { request, caller }: Operator, Id(id): Id) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let row = request.app.actions.decide(id, ActionVerdict::Approve, caller.key.id).await?;
            match ask::refused(&row) {
                Some(problem) => Err(problem),
                None => Ok(request.meta.data(ActionView::of(&row))),
            }
        })
        .await
}

/// Reject an action that waits
///
/// Nothing happens.
#[utoipa::path(post, path = "/api/admin/actions/{id}/reject", operation_id = "reject_action",
    tag = "Actions", request_body = Rejection,
    params(("id" = String, Path, description = "The action's id.", example = "act_019c0a1b2c3d7e4f")),
    responses((status = 200, body = Data<ActionView>),
        (status = 403, description = "FORBIDDEN, SECOND_PERSON_REQUIRED"),
        (status = 409, description = "ALREADY_DECIDED")))]
pub(crate) async fn reject(
    Operator { request, caller }: Operator,
    Id(id): Id,
    received: Received,
) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let asked: Rejection = body(&request, received)?;
            let verdict = ActionVerdict::Reject { reason: reason(asked.reason)? };
            let row = request.app.actions.decide(id, verdict, caller.key.id).await?;
            Ok(request.meta.data(ActionView::of(&row)))
        })
        .await
}

/// Why an action is rejected.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "they were refunded in Stripe" }))]
struct Rejection {
    /// Why; kept for ever.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

impl From<DecisionError> for Problem {
    fn from(error: DecisionError) -> Self {
        let second = |why| Self::new(ProblemKind::SecondPersonRequired, why);
        match error {
            DecisionError::UnknownAction => missing(),
            DecisionError::SamePerson => second(
                "You asked for this yourself, so another registered person must decide it, with their own \
                 operator key. Nothing was changed.",
            ),
            DecisionError::TooNew => second(
                "You, or this key, were registered after it was asked for, so whoever asked may have done \
                 that. Somebody must decide it who was registered before, with a key from before. Nothing \
                 was changed.",
            ),
            DecisionError::NobodyActs => nobody_acts(),
            DecisionError::Ended => Self::new(
                ProblemKind::Validation,
                "The credits that this would give have ended meanwhile. Nothing was changed; reject it, and \
                 ask for it anew.",
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

/// Checks why something is done.
pub(super) fn reason(text: String) -> Result<String, Problem> {
    if text.chars().count() <= MAX_REASON_CHARS && is_plain(&text) {
        return Ok(text);
    }
    let expected = format!("1 to {MAX_REASON_CHARS} characters that still explain this in a year");
    Err(Problem::value("reason", &expected))
}
