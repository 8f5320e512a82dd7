//! The query parameters that many operations share.
//! Not here: reading them. That is `api::request`; a test compares the two.

use utoipa::IntoParams;
use uuid::Uuid;

/// Which tenant it is about.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes; `Caller::tenant` reads")]
pub(crate) struct OfTenant {
    /// The tenant. A service or an operator key must say it; a tenant's key may only name its own.
    tenant_id: Option<Uuid>,
}

/// Which tenant it is about, or all of them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes; `Caller::whose` reads")]
pub(crate) struct OfOneTenant {
    /// For services and operators: of this tenant, and not of all.
    tenant_id: Option<Uuid>,
}

/// Which endpoint it is about.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "it describes; `webhook_endpoints` reads")]
pub(crate) struct OfEndpoint {
    /// The endpoint's.
    #[param(example = "ep_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b")]
    id: String,
}

/// Which page of a list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes; `api::page` reads")]
pub(crate) struct Paging {
    /// From 1 on.
    #[param(minimum = 1, maximum = 1_000_000, default = 1)]
    page: Option<u32>,
    /// Rows on a page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    per_page: Option<u32>,
    /// `created_at` for the oldest first.
    #[param(default = "-created_at", pattern = "^-?created_at$")]
    sort: Option<String>,
}
