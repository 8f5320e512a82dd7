//! `/api/admin/keys`: API keys are made, listed without their secrets, replaced while both work, and
//! revoked at once.

use axum::response::Response;
use ledger::TenantId;
use serde::{Deserialize, Serialize};
use store::KeyRow;
use utoipa::ToSchema;

use crate::answer::{Data, Problem, rfc3339};
use crate::api::text::is_plain;
use crate::api::{Id, Operator, Received, body, or_nothing, overlap};
use crate::auth::{CREDITS_READ, CREDITS_WRITE, OPERATOR, create_key, new_id, new_secret};
use crate::schema::Permission;

/// Seconds in a day.
const DAY: i64 = 86_400;

/// API keys, without their secrets
#[utoipa::path(get, path = "/api/admin/keys", operation_id = "list_keys", tag = "Keys",
    responses((status = 200, body = Data<Vec<KeyView>>)))]
pub(crate) async fn list(Operator { request, .. }: Operator) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let keys = request.store().keys().await?;
            let rows: Vec<_> = keys.iter().map(KeyView::of).collect();
            Ok(request.meta.data(rows))
        })
        .await
}

/// A key that is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "shop", "tenant_id": "550e8400-e29b-41d4-a716-446655440000",
    "permissions": ["credits:read", "credits:write"], "expires_in_days": 365 }))]
struct NewKey {
    /// What it is for.
    name: String,
    /// Whose; none for an operator's key.
    #[schema(value_type = Option<Uuid>)]
    tenant_id: Option<String>,
    /// Reading only, unless asked for more.
    #[schema(value_type = Option<Vec<Permission>>)]
    permissions: Option<Vec<String>>,
    /// Days until it ends by itself; never, where it is not said.
    #[schema(minimum = 1, maximum = 3650)]
    expires_in_days: Option<i64>,
}

/// Make a key
///
/// This is the only answer that ever shows the secret.
#[utoipa::path(post, path = "/api/admin/keys", operation_id = "create_key", tag = "Keys",
    request_body = NewKey,
    responses((status = 201, body = Data<MadeKey>)))]
pub(crate) async fn create(Operator { request, .. }: Operator, received: Received) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let asked: NewKey = body(&request, received)?;
            if !is_plain(&asked.name) {
                return Err(Problem::value("name", "what the key is for, without control characters"));
            }
            let now = request.meta.at;
            let tenant = match &asked.tenant_id {
                Some(text) => {
                    Some(TenantId::parse(text).ok_or_else(|| Problem::value("tenant_id", "a UUID"))?)
                }
                None => None,
            };
            let permissions = permissions(asked.permissions, tenant)?;
            let expires_at = match asked.expires_in_days {
                None => None,
                Some(days @ 1..=3650) => Some(now.plus_seconds(days * DAY)),
                Some(_) => return Err(Problem::value("expires_in_days", "from 1 to 3650")),
            };
            let (key, secret) =
                create_key(request.store(), asked.name, tenant, permissions, expires_at, now).await?;
            Ok(request.meta.created(MadeKey { key: KeyView::of(&key), secret }))
        })
        .await
}

/// Revoke a key: from the next request on it does not work
#[utoipa::path(post, path = "/api/admin/keys/{id}/revoke", operation_id = "revoke_key", tag = "Keys",
    params(("id" = String, Path, description = "Its id, as the list shows it.",
        example = "key_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b")),
    responses((status = 200, body = Data<Revoked>)))]
pub(crate) async fn revoke(Operator { request, .. }: Operator, Id(id): Id) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            if !request.store().revoke_key(id.clone(), request.meta.at).await? {
                return Err(Problem::not_found("key that still works"));
            }
            Ok(request.meta.data(Revoked { id, revoked: true }))
        })
        .await
}

/// How a key is replaced.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "overlap_hours": 24 }))]
struct Rotate {
    /// Hours for which the old key still works; with 0 it does not from now on.
    #[schema(minimum = 0, maximum = 168, default = 24)]
    overlap_hours: Option<i64>,
}

/// Replace a key by a new one
///
/// The new key has the tenant, the name, the permissions and the end of the old one, which still works for
/// the overlap, but never longer than it would have. This is the only answer that ever shows the new secret.
#[utoipa::path(post, path = "/api/admin/keys/{id}/rotate", operation_id = "rotate_key", tag = "Keys",
    params(("id" = String, Path, description = "Its id, as the list shows it.",
        example = "key_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b")),
    request_body = Option<Rotate>, responses((status = 201, body = Data<Rotated>)))]
pub(crate) async fn rotate(Operator { request, .. }: Operator, Id(id): Id, received: Received) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let asked: Rotate = body(&request, or_nothing(received))?;
            let now = request.meta.at;
            let until = now.plus_seconds(overlap::seconds(asked.overlap_hours)?);
            let (secret, hash) = new_secret();
            let rotated = request.store().rotate_key(id, new_id(now), hash, now, until).await?;
            let rotated = rotated.ok_or_else(|| Problem::not_found("key that still works"))?;
            let (key, replaced) = (KeyView::of(&rotated.key), KeyView::of(&rotated.replaced));
            Ok(request.meta.created(Rotated { key, secret, replaced }))
        })
        .await
}

fn permissions(asked: Option<Vec<String>>, tenant: Option<TenantId>) -> Result<Vec<String>, Problem> {
    let (allowed, default): (&[&str], &str) = match tenant {
        Some(_) => (&[CREDITS_READ, CREDITS_WRITE], CREDITS_READ),
        None => (&[OPERATOR], OPERATOR),
    };
    let asked = asked.unwrap_or_else(|| vec![default.to_owned()]);
    if asked.is_empty() || !asked.iter().all(|one| allowed.contains(&one.as_str())) {
        return Err(Problem::value("permissions", &format!("some of {}", allowed.join(", "))));
    }
    Ok(asked)
}

/// A new key and its secret.
#[derive(Serialize, ToSchema)]
struct MadeKey {
    key: KeyView,
    /// What a client sends: `Authorization: Bearer fp_…`. It is stored nowhere.
    #[schema(example = "fp_0000000000000000000000000000000000000000000000000000000000000000")]
    secret: String,
}

/// A new key, its secret, and the key that it replaces.
#[derive(Serialize, ToSchema)]
struct Rotated {
    key: KeyView,
    /// What a client sends from now on: `Authorization: Bearer fp_…`. It is stored nowhere.
    #[schema(example = "fp_0000000000000000000000000000000000000000000000000000000000000000")]
    secret: String,
    /// The old key: it works until its `expires_at`.
    replaced: KeyView,
}

/// It does not work any more.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "id": "key_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b", "revoked": true }))]
struct Revoked {
    id: String,
    /// `true`.
    revoked: bool,
}

/// A key, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "id": "key_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b", "name": "shop",
    "tenant_id": "550e8400-e29b-41d4-a716-446655440000", "permissions": ["credits:read", "credits:write"],
    "created_at": "2026-11-23T12:00:00Z", "expires_at": "2027-11-23T12:00:00Z", "revoked_at": null }))]
struct KeyView {
    id: String,
    /// What it is for.
    name: String,
    /// Whose; none for an operator's key.
    #[schema(value_type = Option<Uuid>)]
    tenant_id: Option<TenantId>,
    #[schema(value_type = Vec<Permission>)]
    permissions: Vec<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// When it ends by itself.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
}

impl KeyView {
    fn of(key: &KeyRow) -> Self {
        Self {
            id: key.id.clone(),
            name: key.name.clone(),
            tenant_id: key.tenant,
            permissions: key.permissions.clone(),
            created_at: rfc3339(key.created_at),
            expires_at: key.expires_at.map(rfc3339),
            revoked_at: key.revoked_at.map(rfc3339),
        }
    }
}
