//! Every route, on one screen: who it is for, and which handler answers it.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use engine::entropy;

use crate::api::admin::{
    actions, adjustments, audit, clock, events, keys, people, quarantine, reports, restore, status, tenants,
};
use crate::api::{credits, description, health, missing, payments, stream, webhook_endpoints};
use crate::app::{App, Shared};
use crate::server::allowance::tell;
use crate::server::concurrency::limit;
use crate::server::headers::stamp;
use crate::server::log;
use crate::server::refused::refuse;
use crate::webhook;

/// The whole service.
pub fn router(app: App) -> Router {
    let (limits, time) = (app.limits, app.clock.clone());
    let app = Arc::new(app);

    let stripe = Router::new()
        .route("/webhooks/stripe", post(webhook::receive))
        .layer(DefaultBodyLimit::max(limits.webhook_body_bytes));

    // For tenants: whoever holds a key of one, a service that names one with `?tenant_id=`, or to look at
    // things an operator who does.
    let api = Router::new()
        .route("/api/credits/balance", get(credits::balance))
        .route("/api/credits/transactions", get(credits::transactions))
        .route("/api/credits/lots", get(credits::lots))
        .route("/api/credits/spend", post(credits::spend::create))
        .route("/api/credits/holds", get(credits::holds::list).post(credits::holds::create))
        .route("/api/credits/holds/{id}", get(credits::holds::show))
        .route("/api/credits/holds/{id}/capture", post(credits::holds::capture))
        .route("/api/credits/holds/{id}/release", post(credits::holds::release))
        .route("/api/credits/statement", get(credits::statement::show))
        .route("/api/credits/packages", get(credits::packages::list))
        .route("/api/credits/purchase", post(credits::purchase::create))
        .route("/api/payments", get(payments::list))
        .route("/api/payments/{id}", get(payments::show))
        .route("/api/webhook-endpoints", get(webhook_endpoints::list).post(webhook_endpoints::create))
        .route("/api/webhook-endpoints/{id}", get(webhook_endpoints::show))
        .route("/api/webhook-endpoints/{id}/delete", post(webhook_endpoints::delete))
        .route("/api/webhook-endpoints/{id}/roll", post(webhook_endpoints::roll))
        .route("/api/webhook-endpoints/{id}/enable", post(webhook_endpoints::enable))
        .route("/api/webhook-endpoints/{id}/deliveries", get(webhook_endpoints::deliveries))
        .route("/api/webhook-endpoints/{id}/deliveries/{notice_id}/resend", post(webhook_endpoints::resend))
        .route("/api/stream", get(stream::follow));

    let service = limit(api.merge(admin()), &app)
        .layer(DefaultBodyLimit::max(limits.api_body_bytes))
        .merge(stripe)
        .merge(about())
        .fallback(missing::route)
        .method_not_allowed_fallback(missing::method);
    let service = tell(refuse(service, &limits, time.clone()), &app).with_state(app);
    stamp(log::requests(service), move || entropy::unique_id(time.now()))
}

/// For operators only: to everyone else none of these routes exists.
fn admin() -> Router<Shared> {
    Router::new()
        .route("/api/admin/status", get(status::show))
        .route("/api/admin/audit", get(audit::show))
        .route("/api/admin/clock", get(clock::show))
        .route("/api/admin/clock/confirm", post(clock::confirm))
        .route("/api/admin/restore", get(restore::show))
        .route("/api/admin/restore/confirm", post(restore::confirm))
        .route("/api/admin/events", get(events::list))
        .route("/api/admin/events/{id}", get(events::show))
        .route("/api/admin/events/{id}/replay", post(events::replay))
        .route("/api/admin/quarantine", get(quarantine::list))
        .route("/api/admin/quarantine/{id}", get(quarantine::show))
        .route("/api/admin/quarantine/resolve", post(quarantine::decide::resolve_all))
        .route("/api/admin/quarantine/dismiss", post(quarantine::decide::dismiss_all))
        .route("/api/admin/quarantine/{id}/resolve", post(quarantine::decide::resolve))
        .route("/api/admin/quarantine/{id}/dismiss", post(quarantine::decide::dismiss))
        .route("/api/admin/tenants", get(tenants::list))
        .route("/api/admin/tenants/{id}", get(tenants::show).post(tenants::set))
        .route("/api/admin/actions", get(actions::list))
        .route("/api/admin/actions/{id}", get(actions::show))
        .route("/api/admin/actions/{id}/approve", post(actions::approve))
        .route("/api/admin/actions/{id}/reject", post(actions::reject))
        .route("/api/admin/adjustments", post(adjustments::create))
        .route("/api/admin/write-offs", post(adjustments::write_off))
        .route("/api/admin/reports/liability", get(reports::liability))
        .route("/api/admin/reports/unrelated", get(reports::unrelated::unrelated))
        .route("/api/admin/reports/actions", get(reports::actions::actions))
        .route("/api/admin/people", get(people::list).post(people::add))
        .route("/api/admin/people/{id}/remove", post(people::remove))
        .route("/api/admin/keys", get(keys::list).post(keys::create))
        .route("/api/admin/keys/{id}/revoke", post(keys::revoke))
        .route("/api/admin/keys/{id}/rotate", post(keys::rotate))
}

/// For whoever wants to know what this is, and whether it works.
fn about() -> Router<Shared> {
    Router::new()
        .route("/api/health", get(health::show))
        .route("/openapi.json", get(description::json))
        .route("/docs", get(description::page))
}
