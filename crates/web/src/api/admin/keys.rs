//! `/api/admin/keys`: API keys are created, listed without their secrets, replaced while both work, and
//! revoked at once. Keys with power over the credits of many tenants need two people. The permissions of keys
//! are in `auth`.

mod view;

use axum::response::{IntoResponse as _, Response};
use ledger::TenantId;
use serde::{Deserialize, Serialize};
use store::{Access, ActionRequest, ActionState, KeyHolder, KeyKind, KeyRow};
use utoipa::ToSchema;

use super::actions::{ActionResponse, ActionSubmission, ActionView, execute, reason, submit};
use crate::answer::{AcceptedData, CreatedData, Data, Problem};
use crate::api::plain_text::is_plain;
use crate::api::{Operator, PathId, ReceivedBody, Request, body, grace_period, or_nothing};
use crate::auth::{
    CREDITS_READ, CREDITS_WRITE, Caller, Permission, new_id, new_key, new_secret, nobody_acts,
};
use crate::schema::KeyKindName;
pub(super) use view::KeyView;

/// Seconds in a day.
const DAY: i64 = 86_400;

/// List API keys
///
/// Oldest first, without secrets, including revoked keys.
#[utoipa::path(get, path = "/api/admin/keys", operation_id = "list_keys", tag = "Keys",
    responses((status = 200, body = Data<Vec<KeyView>>)))]
pub(crate) async fn list(Operator { request, .. }: Operator) -> Result<Data<Vec<KeyView>>, Problem> {
    request.query.only(&[])?;
    let keys = request.store().keys().await?;
    let rows: Vec<_> = keys.iter().map(KeyView::of).collect();
    Ok(Data::of(rows))
}

/// An API key to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "shop", "tenant_id": "550e8400-e29b-41d4-a716-446655440000",
    "permissions": ["credits:read", "credits:write"], "expires_in_days": 365 }))]
struct NewKey {
    /// What the key is for. No two working service keys, and no two working operator keys, may share a name.
    name: String,
    /// `tenant` by default.
    #[schema(value_type = Option<KeyKindName>)]
    kind: Option<String>,
    /// For a tenant key: the tenant.
    #[schema(value_type = Option<Uuid>)]
    tenant_id: Option<String>,
    /// For a tenant key: the permissions; `credits:read` by default.
    #[schema(value_type = Option<Vec<Permission>>)]
    permissions: Option<Vec<String>>,
    /// For an operator key: the person, by id or name; you by default.
    person: Option<String>,
    /// Days until it expires; never by default.
    #[schema(minimum = 1, maximum = 3650)]
    expires_in_days: Option<i64>,
    /// The reason; stored permanently. Optional for a tenant key.
    #[schema(min_length = 1, max_length = 500)]
    reason: Option<String>,
    /// Skip the second person while only one person is registered. Reports mark the action.
    #[serde(default)]
    alone: bool,
}

/// Create an API key
///
/// Only this response shows the secret. A service key or an operator key needs the approval of a second
/// person: the response is 202, and the key works after the approval.
#[utoipa::path(post, path = "/api/admin/keys", operation_id = "create_key", tag = "Keys",
    request_body = NewKey,
    responses((status = 201, body = Data<CreatedKey>),
        (status = 202, body = Data<CreatedKey>),
        (status = 403, description = "FORBIDDEN, SECOND_PERSON_REQUIRED")))]
pub(crate) async fn create(
    Operator { request, caller }: Operator,
    received: ReceivedBody,
) -> Result<Response, Problem> {
    request.query.only(&[])?;
    let asked: NewKey = body(&request, received)?;
    if !is_plain(&asked.name) {
        return Err(Problem::value("name", "what the key is for, without control characters"));
    }
    let now = request.now;
    let holder = holder(&request, &caller, &asked).await?;
    let expires_at = match asked.expires_in_days {
        None => None,
        Some(days @ 1..=3650) => Some(now.plus_seconds(days * DAY)),
        Some(_) => return Err(Problem::value("expires_in_days", "from 1 to 3650")),
    };
    let is_tenants = matches!(holder, KeyHolder::Tenant { .. });
    let reason = said(asked.reason, is_tenants)?;
    let (key, (secret, hash)) = (new_key(asked.name, holder, expires_at, now), new_secret());
    let creation = ActionRequest::KeyCreate { key: key.clone(), hash };
    let (alone, dry_run, idempotency_key) = (asked.alone, false, None);
    let submission = ActionSubmission { request: creation, reason, alone, dry_run, idempotency_key };
    let action = execute(&request, &caller, submission).await?;
    let waits = action.state == ActionState::Waiting;
    let view = CreatedKey { key: KeyView::of(&key), secret, action: ActionView::of(&action) };
    Ok(if waits { AcceptedData(view).into_response() } else { CreatedData(view).into_response() })
}

/// The holder of a new key.
async fn holder(request: &Request, caller: &Caller, asked: &NewKey) -> Result<KeyHolder, Problem> {
    let kind = asked.kind.as_deref().unwrap_or(KeyKind::Tenant.as_str());
    let kind =
        KeyKind::from_name(kind).ok_or_else(|| Problem::value("kind", "one of tenant, service, operator"))?;
    let only = |field: &str, named: bool, of: KeyKind| match named && kind != of {
        true => Err(Problem::value(field, &format!("left out: it is for a key of kind {of}"))),
        false => Ok(()),
    };
    only("tenant_id", asked.tenant_id.is_some(), KeyKind::Tenant)?;
    only("permissions", asked.permissions.is_some(), KeyKind::Tenant)?;
    only("person", asked.person.is_some(), KeyKind::Operator)?;
    Ok(match kind {
        KeyKind::Tenant => {
            let tenant = asked.tenant_id.as_deref().and_then(TenantId::parse);
            let tenant = tenant.ok_or_else(|| Problem::value("tenant_id", "a UUID"))?;
            KeyHolder::Tenant { tenant, access: access(asked.permissions.as_deref())? }
        }
        KeyKind::Service => KeyHolder::Service,
        KeyKind::Operator => KeyHolder::Person(person(request, caller, asked.person.as_deref()).await?),
    })
}

/// The id of the named person, by default of the caller.
async fn person(request: &Request, caller: &Caller, named: Option<&str>) -> Result<String, Problem> {
    if let (None, KeyHolder::Person(own)) = (named, &caller.key.holder) {
        return Ok(own.clone());
    }
    let mut people = request.store().people().await?;
    people.retain(|person| person.removed_at.is_none());
    match named {
        Some(named) => {
            let is_named = |name: &str| name.to_lowercase() == named.to_lowercase();
            let found = people.into_iter().find(|person| person.id == named || is_named(&person.name));
            Ok(found.ok_or_else(|| Problem::not_found("registered person"))?.id)
        }
        None if people.len() == 1 => Ok(people.remove(0).id),
        None => Err(nobody_acts()),
    }
}

fn access(asked: Option<&[String]>) -> Result<Access, Problem> {
    let Some(asked) = asked else { return Ok(Access::Read) };
    let has = |permission: &str| asked.iter().any(|one| one == permission);
    let known = asked.iter().all(|one| [CREDITS_READ, CREDITS_WRITE].contains(&one.as_str()));
    match (has(CREDITS_READ), has(CREDITS_WRITE)) {
        (true, true) if known => Ok(Access::Full),
        (true, false) if known => Ok(Access::Read),
        (false, true) if known => Ok(Access::Write),
        _ => Err(Problem::value("permissions", &format!("some of {CREDITS_READ}, {CREDITS_WRITE}"))),
    }
}

/// The reason, which may be missing if `optional`.
fn said(text: Option<String>, optional: bool) -> Result<String, Problem> {
    match text {
        None if optional => Ok(String::new()),
        text => reason(text.unwrap_or_default()),
    }
}

/// The revocation of a key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "the laptop was stolen" }))]
struct Revoke {
    /// The reason; stored permanently.
    #[schema(min_length = 1, max_length = 500)]
    reason: Option<String>,
}

/// Revoke an API key
///
/// The key stops working at once. One person may revoke any key.
#[utoipa::path(post, path = "/api/admin/keys/{id}/revoke", operation_id = "revoke_key", tag = "Keys",
    params(("id" = String, Path, description = "The key's id.",
        example = "key_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b")),
    request_body = Option<Revoke>,
    responses((status = 200, body = Data<ActionResponse>), (status = 403, description = "FORBIDDEN")))]
pub(crate) async fn revoke(
    Operator { request, caller }: Operator,
    PathId(id): PathId,
    received: ReceivedBody,
) -> Result<Response, Problem> {
    request.query.only(&[])?;
    let asked: Revoke = body(&request, or_nothing(received))?;
    let reason = said(asked.reason, true)?;
    let revocation = ActionRequest::KeyRevoke { id };
    let submission =
        ActionSubmission { request: revocation, reason, alone: false, dry_run: false, idempotency_key: None };
    submit(&request, &caller, submission).await
}

/// The rotation of a key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "grace_period_hours": 24 }))]
struct Rotate {
    /// Hours during which the old key stays valid; with 0 it stops working at once.
    #[schema(minimum = 0, maximum = 168, default = 24)]
    grace_period_hours: Option<i64>,
    /// The reason; stored permanently.
    #[schema(min_length = 1, max_length = 500)]
    reason: Option<String>,
    /// Skip the second person while only one person is registered. Reports mark the action.
    #[serde(default)]
    alone: bool,
}

/// Rotate an API key
///
/// The new key has the holder, name and expiry of the old key. The old key stays valid during the grace
/// period, but not beyond its own expiry. Only this response shows the new secret. Rotating a service key
/// needs the approval of a second person: the response is 202. An operator key can be rotated only by its
/// person.
#[utoipa::path(post, path = "/api/admin/keys/{id}/rotate", operation_id = "rotate_key", tag = "Keys",
    params(("id" = String, Path, description = "The key's id.",
        example = "key_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b")),
    request_body = Option<Rotate>,
    responses((status = 201, body = Data<Rotated>),
        (status = 202, body = Data<Rotated>),
        (status = 403, description = "FORBIDDEN, SECOND_PERSON_REQUIRED")))]
pub(crate) async fn rotate(
    Operator { request, caller }: Operator,
    PathId(id): PathId,
    received: ReceivedBody,
) -> Result<Response, Problem> {
    request.query.only(&[])?;
    let asked: Rotate = body(&request, or_nothing(received))?;
    let (grace_seconds, now) = (grace_period::seconds(asked.grace_period_hours)?, request.now);
    let old = find(&request, &id).await?;
    let reason = said(asked.reason, old.as_ref().is_none_or(|key| key.holder != KeyHolder::Service))?;
    let ((secret, hash), new_id) = (new_secret(), new_id(now));
    let rotation = ActionRequest::KeyRotate { id: id.clone(), new_id: new_id.clone(), hash, grace_seconds };
    let (alone, dry_run, idempotency_key) = (asked.alone, false, None);
    let submission = ActionSubmission { request: rotation, reason, alone, dry_run, idempotency_key };
    let action = execute(&request, &caller, submission).await?;
    let waits = action.state == ActionState::Waiting;
    let missing = || Problem::not_found("key that still works");
    let replaced = find(&request, &id).await?.ok_or_else(missing)?;
    let key = KeyRow { id: new_id, created_at: now, ..old.ok_or_else(missing)? };
    let (key, replaced) = (KeyView::of(&key), KeyView::of(&replaced));
    let view = Rotated { key, secret, replaced, action: ActionView::of(&action) };
    Ok(if waits { AcceptedData(view).into_response() } else { CreatedData(view).into_response() })
}

async fn find(request: &Request, id: &str) -> Result<Option<KeyRow>, Problem> {
    Ok(request.store().keys().await?.into_iter().find(|key| key.id == id))
}

/// A new key and its secret. The key does not work while the action waits.
#[derive(Serialize, ToSchema)]
struct CreatedKey {
    key: KeyView,
    /// Send it as `Authorization: Bearer fp_…`. It is not stored.
    #[schema(example = "fp_0000000000000000000000000000000000000000000000000000000000000000")]
    secret: String,
    action: ActionView,
}

/// A new key, its secret, and the key that it replaces. While the action waits, only the old key works.
#[derive(Serialize, ToSchema)]
struct Rotated {
    key: KeyView,
    /// Send it as `Authorization: Bearer fp_…`. It is not stored.
    #[schema(example = "fp_0000000000000000000000000000000000000000000000000000000000000000")]
    secret: String,
    /// The old key. It works until its `expires_at`.
    replaced: KeyView,
    action: ActionView,
}
