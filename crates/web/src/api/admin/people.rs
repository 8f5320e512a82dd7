//! `/api/admin/people`: the registered people who operate this deployment. Their other keys are created in
//! `keys`.

use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use store::{ActionRequest, ActionState, KeyHolder, PersonRow};
use utoipa::ToSchema;

use super::actions::{ActionResponse, ActionSubmission, ActionView, execute, reason, submit};
use super::keys::KeyView;
use crate::answer::{AcceptedData, CreatedData, Data, Problem, rfc3339};
use crate::api::plain_text::is_plain;
use crate::api::{Operator, PathId, ReceivedBody, body};
use crate::auth::{new_key, new_person, new_secret};

/// Characters that a name may have.
const MAX_NAME_CHARS: usize = 100;

/// List people
///
/// Oldest first, including removed people.
#[utoipa::path(get, path = "/api/admin/people", operation_id = "list_people", tag = "People",
    responses((status = 200, body = Data<Vec<PersonView>>)))]
pub(crate) async fn list(Operator { request, .. }: Operator) -> Result<Data<Vec<PersonView>>, Problem> {
    request.query.only(&[])?;
    let people = request.store().people().await?;
    let rows: Vec<_> = people.iter().map(PersonView::of).collect();
    Ok(Data::of(rows))
}

/// Register a person
///
/// Also creates the person's first operator key; only this response shows its secret. A second person must
/// approve: the response is 202, and the key works after the approval. The new person should rotate the key,
/// so that nobody else knows it.
#[utoipa::path(post, path = "/api/admin/people", operation_id = "add_person", tag = "People",
    request_body = NewPerson,
    responses((status = 201, body = Data<AddedPerson>),
        (status = 202, body = Data<AddedPerson>),
        (status = 403, description = "FORBIDDEN, SECOND_PERSON_REQUIRED")))]
pub(crate) async fn add(
    Operator { request, caller }: Operator,
    received: ReceivedBody,
) -> Result<Response, Problem> {
    request.query.only(&[])?;
    let asked: NewPerson = body(&request, received)?;
    if !is_plain(&asked.name) || asked.name.chars().count() > MAX_NAME_CHARS {
        let expected = format!("1 to {MAX_NAME_CHARS} characters, none of them invisible");
        return Err(Problem::value("name", &expected));
    }
    let now = request.now;
    let person = new_person(asked.name.trim().to_owned(), now);
    let (name, holder) = (format!("{}'s first key", person.name), KeyHolder::Person(person.id.clone()));
    let (key, (secret, hash)) = (new_key(name, holder, None, now), new_secret());
    let submission = ActionSubmission {
        request: ActionRequest::PersonAdd { person: person.clone(), key: key.clone(), hash },
        reason: reason(asked.reason)?,
        alone: asked.alone,
        dry_run: false,
        idempotency_key: None,
    };
    let action = execute(&request, &caller, submission).await?;
    let view = AddedPerson {
        person: PersonView::of(&person),
        key: KeyView::of(&key),
        secret,
        action: ActionView::of(&action),
    };
    Ok(match action.state {
        ActionState::Waiting => AcceptedData(view).into_response(),
        _ => CreatedData(view).into_response(),
    })
}

/// Remove a person
///
/// Their keys stop working, and their waiting actions are rejected. A second person must approve: the
/// response is 202.
#[utoipa::path(post, path = "/api/admin/people/{id}/remove", operation_id = "remove_person", tag = "People",
    params(("id" = String, Path, description = "The person's id.", example = "person_019c0a1b2c3d7e4f")),
    request_body = Removal,
    responses((status = 200, body = Data<ActionResponse>),
        (status = 202, body = Data<ActionResponse>),
        (status = 403, description = "FORBIDDEN, SECOND_PERSON_REQUIRED")))]
pub(crate) async fn remove(
    Operator { request, caller }: Operator,
    PathId(id): PathId,
    received: ReceivedBody,
) -> Result<Response, Problem> {
    request.query.only(&[])?;
    let asked: Removal = body(&request, received)?;
    let reason = reason(asked.reason)?;
    let removal = ActionRequest::PersonRemove { id };
    let submission =
        ActionSubmission { request: removal, reason, alone: false, dry_run: false, idempotency_key: None };
    submit(&request, &caller, submission).await
}

/// A person to register.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Grace", "reason": "joined the support team" }))]
struct NewPerson {
    /// The name. No other registered person may have it.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// The reason; stored permanently.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// Skip the second person while only one person is registered. Reports mark the action.
    #[serde(default)]
    alone: bool,
}

/// The removal of a person.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "left the company" }))]
struct Removal {
    /// The reason; stored permanently.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// A person and their first key. Neither exists while the action waits.
#[derive(Serialize, ToSchema)]
struct AddedPerson {
    person: PersonView,
    key: KeyView,
    /// Send it as `Authorization: Bearer fp_…`. It is not stored.
    #[schema(example = "fp_0000000000000000000000000000000000000000000000000000000000000000")]
    secret: String,
    action: ActionView,
}

/// A person who operates or operated this deployment.
#[derive(Serialize, ToSchema)]
#[schema(as = Person, example = json!({ "id": "person_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b", "name": "Grace",
    "created_at": "2026-11-23T12:00:00Z", "created_by": "person_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5c",
    "removed_at": null }))]
pub(crate) struct PersonView {
    id: String,
    name: String,
    #[schema(format = DateTime)]
    created_at: String,
    /// The id of the person who registered them; null for the first person, and after a recovery.
    created_by: Option<String>,
    /// When they were removed.
    #[schema(format = DateTime)]
    removed_at: Option<String>,
}

impl PersonView {
    fn of(person: &PersonRow) -> Self {
        Self {
            id: person.id.clone(),
            name: person.name.clone(),
            created_at: rfc3339(person.created_at),
            created_by: person.created_by.clone(),
            removed_at: person.removed_at.map(rfc3339),
        }
    }
}
