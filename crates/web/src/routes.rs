//! Every route, on one screen: who it is for, and which handler answers it.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use engine::entropy;

use crate::api::admin::{audit, events, keys, quarantine, status};
use crate::api::{credits, health, missing, payments};
use crate::app::App;
use crate::server::headers::stamp;
use crate::webhook;

/// The whole service.
pub fn router(app: App) -> Router {
    let limits = app.limits;
    let clock = app.clock.clone();

    let stripe = Router::new()
        .route("/webhooks/stripe", post(webhook::receive))
        .layer(DefaultBodyLimit::max(limits.webhook_body_bytes));

    // For tenants: whoever holds a key of one, or an operator who names one with `?tenant_id=`.
    let api = Router::new()
        .route("/api/health", get(health::show))
        .route("/api/credits/balance", get(credits::balance))
        .route("/api/credits/transactions", get(credits::transactions))
        .route("/api/credits/lots", get(credits::lots))
        .route("/api/payments", get(payments::list))
        .route("/api/payments/{id}", get(payments::show));

    // For operators only.
    let admin = Router::new()
        .route("/api/admin/status", get(status::show))
        .route("/api/admin/audit", get(audit::show))
        .route("/api/admin/events", get(events::list))
        .route("/api/admin/events/{id}", get(events::show))
        .route("/api/admin/events/{id}/replay", post(events::replay))
        .route("/api/admin/quarantine", get(quarantine::list))
        .route("/api/admin/quarantine/{id}", get(quarantine::show))
        .route("/api/admin/quarantine/{id}/resolve", post(quarantine::resolve))
        .route("/api/admin/quarantine/{id}/dismiss", post(quarantine::dismiss))
        .route("/api/admin/keys", get(keys::list).post(keys::create))
        .route("/api/admin/keys/{id}/revoke", post(keys::revoke));

    let service = api
        .merge(admin)
        .layer(DefaultBodyLimit::max(limits.api_body_bytes))
        .merge(stripe)
        .fallback(missing::route)
        .method_not_allowed_fallback(missing::method)
        .with_state(app);
    stamp(service, move || entropy::unique_id(clock.now()))
}
