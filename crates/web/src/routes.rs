//! Every route, on one screen, by noun. Method, path, summary and permission are declared at each handler,
//! and listed in docs/routes.md.

use std::sync::{Arc, LazyLock};

use axum::extract::DefaultBodyLimit;
use axum::{Extension, Router};
use engine::entropy;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::admin::{
    actions, adjustments, audit, clock, events, keys, people, quarantine, reports, restore, status, tenants,
};
use crate::api::{credits, docs, health, not_found, payments, stream, webhook_endpoints};
use crate::app::{App, Shared};
use crate::openapi::{self, Document};
use crate::server::allowance::rate_limit_headers;
use crate::server::concurrency::limit_concurrency;
use crate::server::envelope::envelope;
use crate::server::headers::stamp;
use crate::server::log;
use crate::server::refused::refuse;
use crate::webhook;

/// The whole service.
pub fn router(app: App) -> Router {
    let (limits, clock) = (app.limits, app.clock.clone());
    let app = Arc::new(app);
    let webhook = Router::from(webhook_routes()).layer(DefaultBodyLimit::max(limits.webhook_body_bytes));
    let api = Router::from(tenant_routes().merge(operator_routes()));
    let service = limit_concurrency(api, limits.api_requests)
        .layer(DefaultBodyLimit::max(limits.api_body_bytes))
        .merge(webhook)
        .merge(Router::from(open_routes()).layer(Extension(&DOCUMENT)))
        .fallback(not_found::route)
        .method_not_allowed_fallback(not_found::method);
    let service = rate_limit_headers(refuse(service, &limits), &app);
    let service = envelope(service, clock.clone()).with_state(app);
    stamp(log::requests(service), move || entropy::unique_id(clock.now()))
}

/// The description of every route.
static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    let routes = OpenApiRouter::with_openapi(openapi::common());
    let routes = routes.merge(open_routes()).merge(tenant_routes()).merge(operator_routes());
    Document::of(routes.merge(webhook_routes()).into_openapi())
});

/// The description of every route, created on first use.
pub fn document() -> &'static Document {
    &DOCUMENT
}

/// For everyone, without a key.
fn open_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(health::show))
        .routes(routes!(docs::openapi))
        .routes(routes!(docs::page))
}

/// For Stripe.
fn webhook_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(webhook::receive))
}

/// For tenants with a tenant key, for services that name a tenant with `?tenant_id=`, and for operators who
/// read.
fn tenant_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(credits::balance))
        .routes(routes!(credits::transactions))
        .routes(routes!(credits::lots))
        .routes(routes!(credits::statement::show))
        .routes(routes!(credits::packages::list))
        .routes(routes!(credits::purchase::create))
        .routes(routes!(credits::spend::create))
        .routes(routes!(credits::holds::list, credits::holds::create))
        .routes(routes!(credits::holds::show))
        .routes(routes!(credits::holds::capture))
        .routes(routes!(credits::holds::release))
        .routes(routes!(payments::list))
        .routes(routes!(payments::show))
        .routes(routes!(webhook_endpoints::list, webhook_endpoints::create))
        .routes(routes!(webhook_endpoints::show, webhook_endpoints::delete))
        .routes(routes!(webhook_endpoints::rotate))
        .routes(routes!(webhook_endpoints::enable))
        .routes(routes!(webhook_endpoints::deliveries))
        .routes(routes!(webhook_endpoints::resend))
        .routes(routes!(stream::follow))
}

/// For operators only: with other keys these routes do not exist.
fn operator_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(status::show))
        .routes(routes!(audit::show))
        .routes(routes!(clock::show))
        .routes(routes!(clock::confirm))
        .routes(routes!(restore::show))
        .routes(routes!(restore::confirm))
        .routes(routes!(events::list))
        .routes(routes!(events::show))
        .routes(routes!(events::replay))
        .routes(routes!(quarantine::list))
        .routes(routes!(quarantine::show))
        .routes(routes!(quarantine::decide::resolve))
        .routes(routes!(quarantine::decide::dismiss))
        .routes(routes!(quarantine::decide::resolve_all))
        .routes(routes!(quarantine::decide::dismiss_all))
        .routes(routes!(tenants::list))
        .routes(routes!(tenants::show, tenants::set))
        .routes(routes!(actions::list))
        .routes(routes!(actions::show))
        .routes(routes!(actions::approve))
        .routes(routes!(actions::reject))
        .routes(routes!(adjustments::create))
        .routes(routes!(adjustments::write_off))
        .routes(routes!(reports::liability))
        .routes(routes!(reports::unrelated::unrelated))
        .routes(routes!(reports::actions::actions))
        .routes(routes!(people::list, people::add))
        .routes(routes!(people::remove))
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::revoke))
        .routes(routes!(keys::rotate))
}
