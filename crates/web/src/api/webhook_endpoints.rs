//! `/api/webhook-endpoints`: the endpoints that receive notices. A tenant key manages its tenant's endpoints;
//! an operator key those of all tenants, or with `?tenant_id=` those of one tenant. `engine::notify` sends
//! the notices, and `destination` decides which addresses are allowed.

mod view;

use engine::{entropy, notice};
use ledger::NoticeKind;
use serde::Deserialize;
use store::{DeliveryState, EndpointRow};
use utoipa::ToSchema;

use super::{
    CreditsReader, EndpointManager, PathId, PathIds, ReceivedBody, Request, body, grace_period, or_nothing,
    page,
};
use crate::answer::{CreatedData, Data, PageOf, Problem, ProblemKind, rfc3339};
use crate::api::plain_text::is_plain;
use crate::auth::Caller;
use crate::schema::{DeliveryStateName, NoticeType, OfEndpoint, OfOneTenant, PageParameters};
use view::{DeletedEndpoint, DeliveryView, EndpointView, EndpointWithSecret, ResentNotice};

/// Endpoints that one tenant may have, and as many for all tenants together.
const MAX_ENDPOINTS: u32 = 50;
/// Characters of a description.
const MAX_DESCRIPTION_CHARS: usize = 200;
/// Stands for every type, including those of later releases.
const EVERY_TYPE: &str = "*";

/// List webhook endpoints
///
/// With an operator key and without `tenant_id`, lists the endpoints of all tenants.
#[utoipa::path(get, path = "/api/webhook-endpoints",
    operation_id = "list_webhook_endpoints", tag = "Notices",
    params(PageParameters, OfOneTenant),
    responses((status = 200, body = PageOf<EndpointView>)))]
pub(crate) async fn list(
    CreditsReader { request, caller }: CreditsReader,
) -> Result<PageOf<EndpointView>, Problem> {
    request.query.only(&["tenant_id", "page", "per_page", "sort"])?;
    let (tenant, page) = (caller.whose(request.query.get("tenant_id"))?, page(&request.query)?);
    let found = request.store().endpoints(tenant, page).await?;
    Ok(PageOf::of(&found, page, EndpointView::of))
}

/// A webhook endpoint to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "url": "https://example.com/notices", "types": ["credits.granted", "balance.low"],
    "description": "the shop" }))]
struct WebhookEndpointRequest {
    /// Where notices are sent: `https://…` on the public internet.
    #[schema(format = "uri", max_length = 2048)]
    url: String,
    /// The types of notices to send; `*`, the default, for every type.
    #[schema(value_type = Option<Vec<NoticeType>>, min_items = 1)]
    types: Option<Vec<String>>,
    /// A description of your own.
    #[schema(max_length = 200)]
    description: Option<String>,
}

/// Create a webhook endpoint
///
/// Notices are signed as Standard Webhooks specifies. The secret is shown only in this response and when it
/// is rotated.
#[utoipa::path(post, path = "/api/webhook-endpoints",
    operation_id = "create_webhook_endpoint", tag = "Notices",
    params(OfOneTenant),
    request_body = WebhookEndpointRequest,
    responses((status = 201, body = Data<EndpointWithSecret>), (status = 429, description = "TOO_MANY")))]
pub(crate) async fn create(
    EndpointManager { request, caller }: EndpointManager,
    received: ReceivedBody,
) -> Result<CreatedData<EndpointWithSecret>, Problem> {
    request.query.only(&["tenant_id"])?;
    let tenant = caller.whose(request.query.get("tenant_id"))?;
    let new: WebhookEndpointRequest = body(&request, received)?;
    request.app.destinations.check(&new.url).map_err(|why| Problem::value("url", why))?;
    let description = new.description.unwrap_or_default();
    let plain = description.is_empty() || is_plain(&description);
    if description.chars().count() > MAX_DESCRIPTION_CHARS || !plain {
        let expected = "at most 200 characters, none of them a control character";
        return Err(Problem::value("description", expected));
    }
    let id = format!("ep_{}", entropy::unique_id(request.now).simple());
    let row = EndpointRow::new(id, tenant, new.url, types(new.types)?, request.now);
    let row = EndpointRow { description, ..row };
    let secret = notice::new_secret(entropy::bytes());
    if !request.store().create_endpoint(row.clone(), secret.clone(), MAX_ENDPOINTS).await? {
        let message =
            format!("There are {MAX_ENDPOINTS} endpoints already. Nothing was changed; delete one first.");
        return Err(Problem::new(ProblemKind::TooMany, message));
    }
    Ok(CreatedData(EndpointWithSecret { endpoint: EndpointView::of(&row), secret: secret.0 }))
}

/// Retrieve a webhook endpoint
#[utoipa::path(get, path = "/api/webhook-endpoints/{id}",
    operation_id = "show_webhook_endpoint", tag = "Notices",
    params(OfEndpoint, OfOneTenant),
    responses((status = 200, body = Data<EndpointView>)))]
pub(crate) async fn show(
    CreditsReader { request, caller }: CreditsReader,
    PathId(id): PathId,
) -> Result<Data<EndpointView>, Problem> {
    let endpoint = find(&request, &caller, id, &[]).await?;
    Ok(Data::of(EndpointView::of(&endpoint)))
}

/// Delete a webhook endpoint
///
/// The endpoint receives no more notices. Its deliveries are also deleted.
#[utoipa::path(delete, path = "/api/webhook-endpoints/{id}",
    operation_id = "delete_webhook_endpoint", tag = "Notices",
    params(OfEndpoint, OfOneTenant),
    responses((status = 200, body = Data<DeletedEndpoint>)))]
pub(crate) async fn delete(
    EndpointManager { request, caller }: EndpointManager,
    PathId(id): PathId,
) -> Result<Data<DeletedEndpoint>, Problem> {
    let endpoint = find(&request, &caller, id, &[]).await?;
    if !request.store().delete_endpoint(endpoint.id.clone()).await? {
        return Err(not_found());
    }
    Ok(Data::of(DeletedEndpoint { id: endpoint.id, deleted: true }))
}

/// The rotation of a secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "grace_period_hours": 24 }))]
struct SecretRotation {
    /// Hours during which notices are also signed with the old secret.
    #[schema(minimum = 0, maximum = 168, default = 24)]
    grace_period_hours: Option<i64>,
}

/// Rotate the secret of a webhook endpoint
///
/// During the grace period notices are also signed with the old secret. A secret that was replaced earlier
/// stops being used at once.
#[utoipa::path(post, path = "/api/webhook-endpoints/{id}/rotate",
    operation_id = "rotate_webhook_endpoint_secret", tag = "Notices",
    params(OfEndpoint, OfOneTenant),
    request_body = Option<SecretRotation>,
    responses((status = 200, body = Data<EndpointWithSecret>)))]
pub(crate) async fn rotate(
    EndpointManager { request, caller }: EndpointManager,
    PathId(id): PathId,
    received: ReceivedBody,
) -> Result<Data<EndpointWithSecret>, Problem> {
    let endpoint = find(&request, &caller, id, &[]).await?;
    let rotation: SecretRotation = body(&request, or_nothing(received))?;
    let until = request.now.plus_seconds(grace_period::seconds(rotation.grace_period_hours)?);
    let secret = notice::new_secret(entropy::bytes());
    if !request.store().rotate_endpoint_secret(endpoint.id.clone(), secret.clone(), until).await? {
        return Err(not_found());
    }
    let rotated = EndpointRow { old_secret_until: Some(until), ..endpoint };
    Ok(Data::of(EndpointWithSecret { endpoint: EndpointView::of(&rotated), secret: secret.0 }))
}

/// Enable a disabled webhook endpoint
///
/// The endpoint receives notices again, and its pending deliveries are sent.
#[utoipa::path(post, path = "/api/webhook-endpoints/{id}/enable",
    operation_id = "enable_webhook_endpoint", tag = "Notices",
    params(OfEndpoint, OfOneTenant),
    responses((status = 200, body = Data<EndpointView>)))]
pub(crate) async fn enable(
    EndpointManager { request, caller }: EndpointManager,
    PathId(id): PathId,
) -> Result<Data<EndpointView>, Problem> {
    let endpoint = find(&request, &caller, id, &[]).await?;
    if !request.store().enable_endpoint(endpoint.id.clone()).await? {
        return Err(not_found());
    }
    let enabled = EndpointRow { failing_since: None, disabled_at: None, disabled_reason: None, ..endpoint };
    Ok(Data::of(EndpointView::of(&enabled)))
}

/// List the deliveries of a webhook endpoint
///
/// Deliveries are kept as long as their notices.
#[utoipa::path(get, path = "/api/webhook-endpoints/{id}/deliveries",
    operation_id = "list_deliveries", tag = "Notices",
    params(OfEndpoint, PageParameters, OfOneTenant,
        ("state" = Option<DeliveryStateName>, Query, description = "Only deliveries in this state.")),
    responses((status = 200, body = PageOf<DeliveryView>)))]
pub(crate) async fn deliveries(
    CreditsReader { request, caller }: CreditsReader,
    PathId(id): PathId,
) -> Result<PageOf<DeliveryView>, Problem> {
    let endpoint = find(&request, &caller, id, &["state", "page", "per_page", "sort"]).await?;
    let state = request.query.one_of("state", DeliveryState::ALL, DeliveryState::as_str)?;
    let page = page(&request.query)?;
    let found = request.store().deliveries(endpoint.id, state, page).await?;
    Ok(PageOf::of(&found, page, DeliveryView::of))
}

/// Resend a notice to a webhook endpoint
///
/// Sends the notice with the same id, whatever the result of earlier attempts. It may be a notice that this
/// endpoint never received.
#[utoipa::path(post, path = "/api/webhook-endpoints/{id}/deliveries/{notice_id}/resend",
    operation_id = "resend_notice", tag = "Notices",
    params(OfEndpoint,
        ("notice_id" = String, Path, description = "The notice's id, as in `webhook-id`.",
            example = "msg_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b"),
        OfOneTenant),
    responses((status = 200, body = Data<ResentNotice>)))]
pub(crate) async fn resend(
    EndpointManager { request, caller }: EndpointManager,
    PathIds([id, notice]): PathIds<2>,
) -> Result<Data<ResentNotice>, Problem> {
    let endpoint = find(&request, &caller, id, &[]).await?;
    if endpoint.disabled_at.is_some() {
        let message = "This endpoint is disabled, so nothing is sent to it. Nothing was changed; enable it \
                       first.";
        return Err(Problem::new(ProblemKind::Validation, message));
    }
    if !request.store().resend(endpoint.id.clone(), notice.clone(), request.now).await? {
        return Err(Problem::not_found("notice"));
    }
    Ok(Data::of(ResentNotice {
        endpoint_id: endpoint.id,
        notice_id: notice,
        state: DeliveryState::Pending.as_str(),
        due_at: rfc3339(request.now),
    }))
}

/// The endpoint in the path, if the caller may see it. `known` are the route's other query parameters.
async fn find(
    request: &Request,
    caller: &Caller,
    id: String,
    known: &[&str],
) -> Result<EndpointRow, Problem> {
    request.query.only(&[&["tenant_id"], known].concat())?;
    let tenant = caller.whose(request.query.get("tenant_id"))?;
    let found = request.store().endpoint(id).await?;
    // Without `tenant_id` an operator may name any endpoint; with it, only one of that tenant.
    found.filter(|row| tenant.is_none() || row.tenant == tenant).ok_or_else(not_found)
}

fn not_found() -> Problem {
    Problem::not_found("webhook endpoint")
}

fn types(asked: Option<Vec<String>>) -> Result<Vec<String>, Problem> {
    let Some(mut types) = asked else { return Ok(vec![EVERY_TYPE.to_owned()]) };
    types.sort();
    types.dedup();
    let every = types == [EVERY_TYPE];
    if !every && (types.is_empty() || types.iter().any(|name| NoticeKind::from_name(name).is_none())) {
        let names: Vec<_> = NoticeKind::ALL.iter().map(|kind| kind.as_str()).collect();
        return Err(Problem::value("types", &format!("[\"*\"] or some of {}", names.join(", "))));
    }
    Ok(types)
}
