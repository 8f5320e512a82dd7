//! `/api/admin/tenants`: tenants and their settings. A tenant is created by its first purchase or its first
//! key.

use ledger::{Credits, TenantId};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use store::{TenantChange, TenantDetail, TenantFilter, TenantRow};
use utoipa::ToSchema;

use crate::answer::{Data, PageOf, Problem, rfc3339};
use crate::api::command::{MAX_CREDITS, whole};
use crate::api::credits::BalanceView;
use crate::api::plain_text::is_plain;
use crate::api::{Operator, PathId, ReceivedBody, body, page};
use crate::schema::PageParameters;

/// Characters that a name may have.
const MAX_NAME: usize = 200;

/// List tenants
#[utoipa::path(get, path = "/api/admin/tenants", operation_id = "list_tenants", tag = "Tenants",
    params(PageParameters,
        ("debt" = Option<bool>, Query, description = "Only tenants in debt."),
        ("low" = Option<bool>, Query, description = "Only tenants below their `low_balance`.")),
    responses((status = 200, body = PageOf<TenantView>)))]
pub(crate) async fn list(Operator { request, .. }: Operator) -> Result<PageOf<TenantView>, Problem> {
    let query = &request.query;
    query.only(&["debt", "low", "page", "per_page", "sort"])?;
    let filter = TenantFilter { debt: query.flag("debt")?, low: query.flag("low")? };
    let page = page(query)?;
    let found = request.store().tenants(filter, page).await?;
    Ok(PageOf::of(&found, page, TenantView::of))
}

/// Retrieve a tenant
#[utoipa::path(get, path = "/api/admin/tenants/{id}", operation_id = "show_tenant", tag = "Tenants",
    params(("id" = Uuid, Path, description = "The tenant's id.")),
    responses((status = 200, body = Data<TenantDetailView>)))]
pub(crate) async fn show(
    Operator { request, .. }: Operator,
    PathId(id): PathId,
) -> Result<Data<TenantDetailView>, Problem> {
    request.query.only(&[])?;
    let found = request.store().tenant_detail(parsed(&id)?, request.app.clock.reading()).await?;
    let TenantDetail { row, open_holds, lots, quarantined } = found.ok_or_else(missing)?;
    let tenant = TenantView::of(&row);
    Ok(Data::of(TenantDetailView { tenant, open_holds, lots, payments_in_quarantine: quarantined }))
}

/// Update a tenant
#[utoipa::path(post, path = "/api/admin/tenants/{id}", operation_id = "set_tenant", tag = "Tenants",
    params(("id" = Uuid, Path, description = "The tenant's id.")), request_body = TenantSettings,
    responses((status = 200, body = Data<TenantView>)))]
pub(crate) async fn set(
    Operator { request, caller }: Operator,
    PathId(id): PathId,
    received: ReceivedBody,
) -> Result<Data<TenantView>, Problem> {
    request.query.only(&[])?;
    let id = parsed(&id)?;
    let asked: TenantSettings = body(&request, received)?;
    let name = asked.name.map(|name| name.map(named).transpose()).transpose()?;
    let low = |value: Value| whole("low_balance", &value, 1, MAX_CREDITS).map(Credits);
    let low_balance = asked.low_balance.map(|value| value.map(low).transpose()).transpose()?;
    let found = request.store().set_tenant(id, TenantChange { name, low_balance }).await?;
    let row = found.ok_or_else(missing)?;
    tracing::info!(tenant = %id, key = caller.key.id, "an operator changed the settings of a tenant");
    Ok(Data::of(TenantView::of(&row)))
}

fn parsed(id: &str) -> Result<TenantId, Problem> {
    TenantId::parse(id).ok_or_else(missing)
}

fn missing() -> Problem {
    Problem::not_found("tenant")
}

fn named(name: String) -> Result<String, Problem> {
    let fits = (1..=MAX_NAME).contains(&name.chars().count()) && is_plain(&name);
    if fits && !name.trim().is_empty() {
        return Ok(name);
    }
    let expected = format!("1 to {MAX_NAME} characters, none of them a control character; or null");
    Err(Problem::value("name", &expected))
}

/// Settings of a tenant. Fields that are left out stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Acme Homes", "low_balance": 5 }))]
struct TenantSettings {
    /// A name for operators; null to remove it.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    /// A `balance.low` notice is sent when fewer credits than this are available; null for never.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000_000)]
    low_balance: Option<Option<Value>>,
}

/// Distinguishes null from a missing field.
fn said<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A tenant and its balance.
#[derive(Serialize, ToSchema)]
#[schema(as = Tenant, example = json!({
    "tenant_id": "550e8400-e29b-41d4-a716-446655440000", "name": "Acme Homes", "available": 7, "held": 2,
    "frozen": 1, "debt": 0, "balance": 10, "low_balance": 5, "created_at": "2026-11-23T12:00:02Z" }))]
pub(crate) struct TenantView {
    #[schema(value_type = Uuid)]
    tenant_id: TenantId,
    name: Option<String>,
    #[serde(flatten)]
    balance: BalanceView,
    /// A `balance.low` notice is sent when fewer credits than this are available.
    low_balance: Option<i64>,
    /// When it became known.
    #[schema(format = DateTime)]
    created_at: String,
}

impl TenantView {
    fn of(row: &TenantRow) -> Self {
        Self {
            tenant_id: row.id,
            name: row.name.clone(),
            balance: row.balance.into(),
            low_balance: row.low_balance.map(|credits| credits.0),
            created_at: rfc3339(row.created_at),
        }
    }
}

/// A tenant, its balance, and some counts.
#[derive(Serialize, ToSchema)]
#[schema(as = TenantDetail)]
pub(crate) struct TenantDetailView {
    #[serde(flatten)]
    tenant: TenantView,
    /// Open holds.
    open_holds: i64,
    /// Lots, including empty ones.
    lots: i64,
    /// Its payments in quarantine.
    payments_in_quarantine: i64,
}
