//! `GET /api/health`: may this instance be sent traffic? Open to everyone, so it tells no more than that and
//! how far behind it is.

use axum::response::Response;
use serde_json::json;

use super::Request;

/// Says `ok`, and how many events wait to be applied.
pub(crate) async fn show(request: Request) -> Response {
    request
        .answer(async |request| {
            let health = request.store().health().await?;
            Ok(request.meta.data(json!({
                "status": "ok",
                "mode": request.app.mode.as_str(),
                "version": env!("CARGO_PKG_VERSION"),
                "pending": health.pending,
            })))
        })
        .await
}
