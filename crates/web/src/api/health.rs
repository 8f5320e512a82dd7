//! `GET /api/health`: may this instance be sent traffic? Open to everyone, so it tells no more than that and
//! how far behind it is.

use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::Request;
use crate::answer::Data;
use crate::schema::Mode;

/// May this instance be sent traffic?
///
/// Open to everyone, so it tells no more than that and how far behind it is.
#[utoipa::path(get, path = "/api/health", operation_id = "health", tag = "Service", security(()),
    responses((status = 200, body = Data<Health>)))]
pub(crate) async fn show(request: Request) -> Response {
    request
        .answer(async |request| {
            let health = request.store().health().await?;
            Ok(request.meta.data(Health {
                status: "ok",
                mode: request.app.mode.as_str(),
                version: env!("CARGO_PKG_VERSION"),
                pending: health.pending,
                endpoints_disabled: health.endpoints_disabled,
            }))
        })
        .await
}

/// That it works, and how far behind it is.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "status": "ok", "mode": "live", "version": "0.1.0", "pending": 0,
    "endpoints_disabled": 0 }))]
struct Health {
    /// `ok`: whatever is not ok is answered with an error.
    status: &'static str,
    #[schema(value_type = Mode)]
    mode: &'static str,
    /// Of the program.
    version: &'static str,
    /// Events that wait to be applied.
    pending: i64,
    /// Webhook endpoints that are told nothing until somebody enables them; at most 100 are counted.
    endpoints_disabled: i64,
}
