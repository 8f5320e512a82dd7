//! The view of a key, without its secret.

use ledger::TenantId;
use serde::Serialize;
use store::{KeyHolder, KeyRow};
use utoipa::ToSchema;

use crate::answer::rfc3339;
use crate::auth::{CREDITS_READ, CREDITS_WRITE, OPERATOR, Permission};
use crate::schema::KeyKindName;

/// A key, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Key, example = json!({ "id": "key_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b", "name": "shop",
    "kind": "tenant", "tenant_id": "550e8400-e29b-41d4-a716-446655440000", "person_id": null,
    "permissions": ["credits:read", "credits:write"], "created_at": "2026-11-23T12:00:00Z",
    "expires_at": "2027-11-23T12:00:00Z", "revoked_at": null }))]
pub(crate) struct KeyView {
    id: String,
    /// What the key is for.
    name: String,
    #[schema(value_type = KeyKindName)]
    kind: &'static str,
    /// For a tenant key: the tenant.
    #[schema(value_type = Option<Uuid>)]
    tenant_id: Option<TenantId>,
    /// For an operator key: the person; null for the key of the machine, which acts for the only registered
    /// person.
    person_id: Option<String>,
    #[schema(value_type = Vec<Permission>)]
    permissions: Vec<&'static str>,
    #[schema(format = DateTime)]
    created_at: String,
    /// When it expires.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
}

impl KeyView {
    pub(in crate::api::admin) fn of(key: &KeyRow) -> Self {
        let (permissions, person_id) = match &key.holder {
            KeyHolder::Tenant { access, .. } => (access.as_str().split(' ').collect(), None),
            KeyHolder::Service => (vec![CREDITS_READ, CREDITS_WRITE], None),
            KeyHolder::Person(person) => (vec![OPERATOR], Some(person.clone())),
            KeyHolder::Machine => (vec![OPERATOR], None),
        };
        Self {
            id: key.id.clone(),
            name: key.name.clone(),
            kind: key.kind().as_str(),
            tenant_id: key.tenant(),
            person_id,
            permissions,
            created_at: rfc3339(key.created_at),
            expires_at: key.expires_at.map(rfc3339),
            revoked_at: key.revoked_at.map(rfc3339),
        }
    }
}
