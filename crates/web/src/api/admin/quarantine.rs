//! `/api/admin/quarantine`: payments and events that need a decision. Decisions are in `decide`.

mod claims;
pub(crate) mod decide;

use ledger::{Reason, TenantId};
use serde::Serialize;
use store::{PaymentRow, QuarantineFilter, QuarantineRow};
use utoipa::ToSchema;

use crate::answer::{Data, PageOf, Problem, rfc3339};
use crate::api::credits::moment;
use crate::api::{Operator, PathId, Request, page};
use crate::schema::{PageParameters, ReasonName};

/// List quarantine items
#[utoipa::path(get, path = "/api/admin/quarantine", operation_id = "list_quarantine", tag = "Quarantine",
    params(PageParameters,
        ("all" = Option<bool>, Query, description = "Include closed items."),
        ("reason" = Option<ReasonName>, Query, description = "Only items with this reason."),
        ("tenant_id" = Option<Uuid>, Query, description = "Only items about payments of this tenant."),
        ("opened_before" = Option<String>, Query, format = DateTime,
            description = "Only items opened before this time.")),
    responses((status = 200, body = PageOf<ItemView>)))]
pub(crate) async fn list(Operator { request, .. }: Operator) -> Result<PageOf<ItemView>, Problem> {
    let query = &request.query;
    query.only(&["all", "reason", "tenant_id", "opened_before", "page", "per_page", "sort"])?;
    let page = page(query)?;
    let filter = QuarantineFilter {
        all: query.flag("all")?,
        reason: query.one_of("reason", Reason::ALL, Reason::as_str)?,
        tenant: query.get("tenant_id").map(super::tenant).transpose()?,
        opened_before: moment(query, "opened_before")?,
    };
    let found = request.store().quarantine(filter, page).await?;
    Ok(PageOf::of(&found, page, ItemView::of))
}

/// Retrieve a quarantine item
///
/// Includes the claims that events make about the purchase.
#[utoipa::path(get, path = "/api/admin/quarantine/{id}", operation_id = "show_quarantine_item",
    tag = "Quarantine",
    params(("id" = i64, Path, description = "The item's number.", example = 1)),
    responses((status = 200, body = Data<ItemDetail>)))]
pub(crate) async fn show(
    Operator { request, .. }: Operator,
    PathId(id): PathId,
) -> Result<Data<ItemDetail>, Problem> {
    request.query.only(&[])?;
    let item = find(&request, &id).await?;
    let claims = match &item.payment {
        Some(_) => claims::of(&payment(&request, &item).await?.knowledge),
        None => Vec::new(),
    };
    Ok(Data::of(ItemDetail { item: ItemView::of(&item), claims }))
}

async fn find(request: &Request, id: &str) -> Result<QuarantineRow, Problem> {
    let missing = || Problem::not_found("quarantine item");
    let id = id.parse().map_err(|_| missing())?;
    request.store().quarantine_item(id).await?.ok_or_else(missing)
}

async fn payment(request: &Request, item: &QuarantineRow) -> Result<PaymentRow, Problem> {
    let key = item.payment.clone().ok_or_else(|| Problem::not_found("payment"))?;
    request.store().payment(key).await?.ok_or_else(|| Problem::not_found("payment"))
}

/// A quarantine item, and the claims about its payment.
#[derive(Serialize, ToSchema)]
pub(crate) struct ItemDetail {
    #[serde(flatten)]
    item: ItemView,
    /// The claims of events about the purchase; empty unless the item is about a payment.
    claims: Vec<claims::ClaimView>,
}

/// A quarantine item.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "id": 1, "event": null, "payment": "cs_live_a1b2c3d4e5f6g7h8",
    "reason": "tenant_missing", "detail": "The metadata names no tenant. Nothing was granted.",
    "tenant_id": null, "credits": 10, "package": "10_credits", "amount": 25000, "currency": "eur",
    "opened_at": "2026-11-23T12:00:00Z", "closed_at": null, "resolution": null, "closed_by": null,
    "note": null }))]
pub(crate) struct ItemView {
    id: i64,
    /// The event that it is about; null for an item about a payment.
    event: Option<String>,
    /// The payment that it is about; null for an item about an event.
    payment: Option<String>,
    #[schema(value_type = ReasonName)]
    reason: &'static str,
    /// The reason in words.
    detail: String,
    /// The tenant according to the metadata.
    #[schema(value_type = Option<Uuid>)]
    tenant_id: Option<TenantId>,
    /// The credits bought, according to the metadata.
    credits: Option<i64>,
    package: Option<String>,
    /// The amount paid or due, in minor units.
    amount: Option<i64>,
    /// Three letters, in lower case.
    currency: Option<String>,
    #[schema(format = DateTime)]
    opened_at: String,
    #[schema(format = DateTime)]
    closed_at: Option<String>,
    /// How it was closed.
    resolution: Option<String>,
    closed_by: Option<String>,
    /// The reason given by the person who closed it.
    note: Option<String>,
}

impl ItemView {
    fn of(item: &QuarantineRow) -> Self {
        Self {
            id: item.id,
            event: item.event.as_ref().map(ToString::to_string),
            payment: item.payment.clone(),
            reason: item.reason.as_str(),
            detail: item.detail.clone(),
            tenant_id: item.purchase.tenant,
            credits: item.purchase.credits.map(|credits| credits.0),
            package: item.purchase.package.clone(),
            amount: item.purchase.amount.map(|amount| amount.0),
            currency: item.purchase.currency.clone(),
            opened_at: rfc3339(item.opened_at),
            closed_at: item.closed_at.map(rfc3339),
            resolution: item.resolution.clone(),
            closed_by: item.closed_by.clone(),
            note: item.note.clone(),
        }
    }
}
