//! The parameters that several operations share. `api::request` reads them; a test compares the two.

use utoipa::IntoParams;
use uuid::Uuid;

/// The tenant of the request.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documentation only; `Caller::tenant` reads it")]
pub(crate) struct OfTenant {
    /// The tenant. Required with a service key or an operator key; a tenant key may only name its own tenant.
    tenant_id: Option<Uuid>,
}

/// One tenant, or all.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documentation only; `Caller::whose` reads it")]
pub(crate) struct OfOneTenant {
    /// For service keys and operator keys: only this tenant. All tenants by default.
    tenant_id: Option<Uuid>,
}

/// The endpoint in the path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "documentation only; `webhook_endpoints` reads it")]
pub(crate) struct OfEndpoint {
    /// The endpoint's id.
    #[param(example = "ep_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b")]
    id: String,
}

/// The page of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "documentation only; `api::page` reads it")]
pub(crate) struct PageParameters {
    /// The page number, from 1.
    #[param(minimum = 1, maximum = 1_000_000, default = 1)]
    page: Option<u32>,
    /// Rows per page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<u32>,
    /// `-created_at` for newest first, `created_at` for oldest first.
    #[param(default = "-created_at", pattern = "^-?created_at$")]
    sort: Option<String>,
}
