//! The views of webhook endpoints and deliveries, without secrets.

use ledger::TenantId;
use serde::Serialize;
use store::{DeliveryRow, EndpointRow};
use utoipa::ToSchema;

use crate::answer::rfc3339;
use crate::schema::{DeliveryStateName, EndpointState, NoticeType};

/// A webhook endpoint.
#[derive(Serialize, ToSchema)]
pub(crate) struct EndpointView {
    id: String,
    /// Null for an endpoint of all tenants.
    #[schema(value_type = Option<Uuid>)]
    tenant_id: Option<TenantId>,
    #[schema(format = "uri")]
    url: String,
    /// The types of notices that it receives; `*` for every type.
    #[schema(value_type = Vec<NoticeType>)]
    types: Vec<String>,
    description: String,
    #[schema(value_type = EndpointState)]
    state: &'static str,
    #[schema(format = DateTime)]
    created_at: String,
    /// When notices stop being signed with the old secret.
    #[schema(format = DateTime)]
    old_secret_expires_at: Option<String>,
    #[schema(format = DateTime)]
    failing_since: Option<String>,
    #[schema(format = DateTime)]
    disabled_at: Option<String>,
    disabled_reason: Option<String>,
}

impl EndpointView {
    pub(super) fn of(row: &EndpointRow) -> Self {
        Self {
            id: row.id.clone(),
            tenant_id: row.tenant,
            url: row.url.clone(),
            types: row.types.clone(),
            description: row.description.clone(),
            state: match (row.disabled_at, row.failing_since) {
                (Some(_), _) => "disabled",
                (None, Some(_)) => "failing",
                (None, None) => "enabled",
            },
            created_at: rfc3339(row.created_at),
            old_secret_expires_at: row.old_secret_until.map(rfc3339),
            failing_since: row.failing_since.map(rfc3339),
            disabled_at: row.disabled_at.map(rfc3339),
            disabled_reason: row.disabled_reason.clone(),
        }
    }
}

/// A webhook endpoint and its new secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct EndpointWithSecret {
    pub(super) endpoint: EndpointView,
    /// The signing secret, in the format that Standard Webhooks libraries accept.
    #[schema(example = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    pub(super) secret: String,
}

/// The endpoint was deleted.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeletedEndpoint {
    pub(super) id: String,
    pub(super) deleted: bool,
}

/// The notice is sent again.
#[derive(Serialize, ToSchema)]
pub(crate) struct ResentNotice {
    pub(super) endpoint_id: String,
    pub(super) notice_id: String,
    #[schema(value_type = DeliveryStateName)]
    pub(super) state: &'static str,
    #[schema(format = DateTime)]
    pub(super) due_at: String,
}

/// The delivery of one notice to one endpoint.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveryView {
    /// `msg_…`, as in `webhook-id`.
    notice_id: String,
    /// The notice's position in the order of all notices.
    sequence: i64,
    #[serde(rename = "type")]
    #[schema(value_type = NoticeType)]
    kind: String,
    #[schema(value_type = Uuid)]
    tenant_id: TenantId,
    #[schema(value_type = DeliveryStateName)]
    state: &'static str,
    attempts: i64,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    attempted_at: Option<String>,
    /// When the next attempt is due.
    #[schema(format = DateTime)]
    due_at: Option<String>,
    #[schema(format = DateTime)]
    delivered_at: Option<String>,
    /// The HTTP status of the last response.
    response_status: Option<i64>,
    /// Why the last attempt failed.
    error: Option<String>,
}

impl DeliveryView {
    pub(super) fn of(row: &DeliveryRow) -> Self {
        Self {
            notice_id: row.notice.clone(),
            sequence: row.seq,
            kind: row.kind.clone(),
            tenant_id: row.tenant,
            state: row.state.as_str(),
            attempts: row.attempts,
            created_at: rfc3339(row.created_at),
            attempted_at: row.attempted_at.map(rfc3339),
            due_at: row.due_at.map(rfc3339),
            delivered_at: row.delivered_at.map(rfc3339),
            response_status: row.status,
            error: row.error.clone(),
        }
    }
}
