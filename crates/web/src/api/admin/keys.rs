//! `/api/admin/keys`: API keys are made, listed without their secrets, and revoked at once.

use axum::response::Response;
use ledger::TenantId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::KeyRow;

use crate::answer::{Problem, rfc3339};
use crate::api::{Id, Operator, Received, body};
use crate::auth::{CREDITS_READ, CREDITS_WRITE, OPERATOR, create_key};

/// Seconds in a day.
const DAY: i64 = 86_400;

/// `GET /api/admin/keys`.
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// What it is for.
    name: String,
    /// Whose; none for an operator's key.
    tenant_id: Option<String>,
    /// Reading only, unless asked for more.
    permissions: Option<Vec<String>>,
    /// Days until it ends by itself; never, where it is not said.
    expires_in_days: Option<i64>,
}

/// `POST /api/admin/keys`: the only answer that ever shows the secret.
pub(crate) async fn create(Operator { request, .. }: Operator, received: Received) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let asked: NewKey = body(&request, received)?;
            if asked.name.trim().is_empty() {
                return Err(Problem::value("name", "what the key is for"));
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
            Ok(request.meta.created(json!({ "key": KeyView::of(&key), "secret": secret })))
        })
        .await
}

/// `POST /api/admin/keys/{id}/revoke`: from the next request on it does not work.
pub(crate) async fn revoke(Operator { request, .. }: Operator, Id(id): Id) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            if !request.store().revoke_key(id.clone(), request.meta.at).await? {
                return Err(Problem::not_found("key that still works"));
            }
            Ok(request.meta.data(json!({ "id": id, "revoked": true })))
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

#[derive(Serialize)]
struct KeyView {
    id: String,
    name: String,
    tenant_id: Option<TenantId>,
    permissions: Vec<String>,
    created_at: String,
    expires_at: Option<String>,
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
