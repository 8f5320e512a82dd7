//! `/api/webhook-endpoints`: who is told of what happens. A tenant's key has its tenant's endpoints; an
//! operator those of all tenants, or with `?tenant_id=` that tenant's.
//! Not here: sending (`engine::notify`), and where may be sent to (`destination`).

use axum::response::Response;
use engine::{entropy, notice};
use ledger::NoticeKind;
use serde::Deserialize;
use store::{DeliveryState, EndpointRow};
use utoipa::ToSchema;

mod view;

use super::{Id, Ids, Manager, Reader, Received, Request, body, or_nothing, overlap, page};
use crate::answer::{Data, PageOf, Problem, ProblemKind, rfc3339};
use crate::api::text::is_plain;
use crate::auth::Caller;
use crate::schema::{DeliveryStateName, NoticeType, OfEndpoint, OfOneTenant, Paging};
use view::{Deleted, DeliveryView, EndpointView, MadeEndpoint, Resent};

/// Endpoints that one tenant may have, and as many for all tenants together.
const MAX_ENDPOINTS: u32 = 50;
/// Characters of a description.
const MAX_DESCRIPTION_CHARS: usize = 200;
/// Stands for every type, also those of later releases.
const EVERY_TYPE: &str = "*";

/// Who is told
///
/// A tenant's endpoints; for an operator who names no tenant, those of all tenants.
#[utoipa::path(get, path = "/api/webhook-endpoints",
    operation_id = "list_webhook_endpoints", tag = "Notices",
    params(Paging, OfOneTenant),
    responses((status = 200, body = PageOf<EndpointView>)))]
pub(crate) async fn list(Reader { request, caller }: Reader) -> Response {
    request
        .answer(async |request| {
            request.query.only(&["tenant_id", "page", "per_page", "sort"])?;
            let (whose, page) = (caller.whose(request.query.get("tenant_id"))?, page(&request.query)?);
            let found = request.store().endpoints(whose, page).await?;
            let rows: Vec<_> = found.rows.iter().map(EndpointView::of).collect();
            Ok(request.meta.page(rows, page, found.total))
        })
        .await
}

/// An endpoint that is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "url": "https://example.com/notices", "types": ["credits.granted", "balance.low"],
    "description": "the shop" }))]
struct NewEndpoint {
    /// Where to: `https://…` on the public internet.
    #[schema(format = "uri", max_length = 2048)]
    url: String,
    /// Which types; `*`, every one, where it is not said.
    #[schema(value_type = Option<Vec<NoticeType>>, min_items = 1)]
    types: Option<Vec<String>>,
    /// In its owner's words.
    #[schema(max_length = 200)]
    description: Option<String>,
}

/// Tell an endpoint what happens
///
/// Signed after Standard Webhooks with the secret, which no other answer but that of rolling it shows.
#[utoipa::path(post, path = "/api/webhook-endpoints",
    operation_id = "create_webhook_endpoint", tag = "Notices",
    params(OfOneTenant),
    request_body = NewEndpoint,
    responses((status = 201, body = Data<MadeEndpoint>), (status = 429, description = "TOO_MANY")))]
pub(crate) async fn create(Manager { request, caller }: Manager, received: Received) -> Response {
    request
        .answer(async |request| {
            request.query.only(&["tenant_id"])?;
            let tenant = caller.whose(request.query.get("tenant_id"))?;
            let asked: NewEndpoint = body(&request, received)?;
            request.app.destinations.check(&asked.url).map_err(|why| Problem::value("url", why))?;
            let description = asked.description.unwrap_or_default();
            let plain = description.is_empty() || is_plain(&description);
            if description.chars().count() > MAX_DESCRIPTION_CHARS || !plain {
                let expected = "at most 200 characters, none of them a control character";
                return Err(Problem::value("description", expected));
            }
            let now = request.meta.at;
            let id = format!("ep_{}", entropy::unique_id(now).simple());
            let new = EndpointRow::new(id, tenant, asked.url, types(asked.types)?, now);
            let endpoint = EndpointRow { description, ..new };
            let secret = notice::new_secret(entropy::bytes());
            if !request.store().create_endpoint(endpoint.clone(), secret.clone(), MAX_ENDPOINTS).await? {
                return Err(Problem::new(
                    ProblemKind::TooMany,
                    format!(
                        "There are {MAX_ENDPOINTS} endpoints already. Nothing was changed; delete one first."
                    ),
                ));
            }
            let view = EndpointView::of(&endpoint);
            Ok(request.meta.created(MadeEndpoint { endpoint: view, secret: secret.0 }))
        })
        .await
}

/// One endpoint
#[utoipa::path(get, path = "/api/webhook-endpoints/{id}",
    operation_id = "show_webhook_endpoint", tag = "Notices",
    params(OfEndpoint, OfOneTenant),
    responses((status = 200, body = Data<EndpointView>)))]
pub(crate) async fn show(Reader { request, caller }: Reader, Id(id): Id) -> Response {
    request
        .answer(async |request| {
            let endpoint = find(&request, &caller, id, &[]).await?;
            Ok(request.meta.data(EndpointView::of(&endpoint)))
        })
        .await
}

/// Delete an endpoint
///
/// It is told nothing more, and its deliveries are forgotten.
#[utoipa::path(post, path = "/api/webhook-endpoints/{id}/delete",
    operation_id = "delete_webhook_endpoint", tag = "Notices",
    params(OfEndpoint, OfOneTenant),
    responses((status = 200, body = Data<Deleted>)))]
pub(crate) async fn delete(Manager { request, caller }: Manager, Id(id): Id) -> Response {
    request
        .answer(async |request| {
            let endpoint = find(&request, &caller, id, &[]).await?;
            if !request.store().delete_endpoint(endpoint.id.clone()).await? {
                return Err(missing());
            }
            Ok(request.meta.data(Deleted { id: endpoint.id, deleted: true }))
        })
        .await
}

/// How a secret is to be rolled.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "overlap_hours": 24 }))]
struct Roll {
    /// Hours for which the old secret signs too; a day, where it is not said.
    #[schema(minimum = 0, maximum = 168)]
    overlap_hours: Option<i64>,
}

/// Roll the secret
///
/// Notices carry a signature of the old one too, until the overlap ends. The secret before it ends at once.
#[utoipa::path(post, path = "/api/webhook-endpoints/{id}/roll",
    operation_id = "roll_webhook_endpoint", tag = "Notices",
    params(OfEndpoint, OfOneTenant),
    request_body = Option<Roll>,
    responses((status = 200, body = Data<MadeEndpoint>)))]
pub(crate) async fn roll(Manager { request, caller }: Manager, Id(id): Id, received: Received) -> Response {
    request
        .answer(async |request| {
            let endpoint = find(&request, &caller, id, &[]).await?;
            let asked: Roll = body(&request, or_nothing(received))?;
            let until = request.meta.at.plus_seconds(overlap::seconds(asked.overlap_hours)?);
            let secret = notice::new_secret(entropy::bytes());
            let store = request.store();
            if !store.rotate_endpoint_secret(endpoint.id.clone(), secret.clone(), until).await? {
                return Err(missing());
            }
            let rolled = EndpointRow { old_secret_until: Some(until), ..endpoint };
            let view = EndpointView::of(&rolled);
            Ok(request.meta.data(MadeEndpoint { endpoint: view, secret: secret.0 }))
        })
        .await
}

/// Enable an endpoint that was disabled
///
/// It is told again what happens, and what was still to be delivered goes out.
#[utoipa::path(post, path = "/api/webhook-endpoints/{id}/enable",
    operation_id = "enable_webhook_endpoint", tag = "Notices",
    params(OfEndpoint, OfOneTenant),
    responses((status = 200, body = Data<EndpointView>)))]
pub(crate) async fn enable(Manager { request, caller }: Manager, Id(id): Id) -> Response {
    request
        .answer(async |request| {
            let endpoint = find(&request, &caller, id, &[]).await?;
            if !request.store().enable_endpoint(endpoint.id.clone()).await? {
                return Err(missing());
            }
            let enabled =
                EndpointRow { failing_since: None, disabled_at: None, disabled_reason: None, ..endpoint };
            Ok(request.meta.data(EndpointView::of(&enabled)))
        })
        .await
}

/// What became of each notice there
///
/// Deliveries are forgotten with their notices.
#[utoipa::path(get, path = "/api/webhook-endpoints/{id}/deliveries",
    operation_id = "list_deliveries", tag = "Notices",
    params(OfEndpoint, Paging, OfOneTenant,
        ("state" = Option<DeliveryStateName>, Query, description = "Only those that stand like this.")),
    responses((status = 200, body = PageOf<DeliveryView>)))]
pub(crate) async fn deliveries(Reader { request, caller }: Reader, Id(id): Id) -> Response {
    request
        .answer(async |request| {
            let known = &["state", "page", "per_page", "sort"];
            let endpoint = find(&request, &caller, id, known).await?;
            let state = request.query.one_of("state", DeliveryState::ALL, DeliveryState::as_str)?;
            let page = page(&request.query)?;
            let found = request.store().deliveries(endpoint.id, state, page).await?;
            let rows: Vec<_> = found.rows.iter().map(DeliveryView::of).collect();
            Ok(request.meta.page(rows, page, found.total))
        })
        .await
}

/// Send a notice again
///
/// Whatever became of it before, under the same id. Also one that this endpoint was never told.
#[utoipa::path(post, path = "/api/webhook-endpoints/{id}/deliveries/{notice_id}/resend",
    operation_id = "resend_notice", tag = "Notices",
    params(OfEndpoint,
        ("notice_id" = String, Path, description = "The notice's, as in `webhook-id`.",
            example = "msg_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b"),
        OfOneTenant),
    responses((status = 200, body = Data<Resent>)))]
pub(crate) async fn resend(Manager { request, caller }: Manager, Ids([id, notice]): Ids<2>) -> Response {
    request
        .answer(async |request| {
            let endpoint = find(&request, &caller, id, &[]).await?;
            if endpoint.disabled_at.is_some() {
                let message = "This endpoint is disabled, so nothing is sent to it. Nothing was changed; \
                               enable it first.";
                return Err(Problem::new(ProblemKind::Validation, message));
            }
            if !request.store().resend(endpoint.id.clone(), notice.clone(), request.meta.at).await? {
                return Err(Problem::not_found("notice"));
            }
            Ok(request.meta.data(Resent {
                endpoint_id: endpoint.id,
                notice_id: notice,
                state: DeliveryState::Pending.as_str(),
                due_at: rfc3339(request.meta.at),
            }))
        })
        .await
}

/// The endpoint that the path names, if the caller may see it. `known` are the route's other parameters.
async fn find(
    request: &Request,
    caller: &Caller,
    id: String,
    known: &[&str],
) -> Result<EndpointRow, Problem> {
    request.query.only(&[&["tenant_id"], known].concat())?;
    let asked = caller.whose(request.query.get("tenant_id"))?;
    let found = request.store().endpoint(id).await?;
    // An operator who names no tenant may name any endpoint; who names one, only one of that tenant's.
    found.filter(|row| asked.is_none() || row.tenant == asked).ok_or_else(missing)
}

fn missing() -> Problem {
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
