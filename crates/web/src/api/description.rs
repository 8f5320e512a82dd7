//! `GET /openapi.json` and `GET /docs`: the description of this API, for programs and for people.
//! Not here: making it (`openapi`).

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::openapi;

/// The description of this API, for programs
#[utoipa::path(get, path = "/openapi.json", operation_id = "openapi", tag = "Service", security(()),
    responses((status = 200, description = "OpenAPI 3.1.", body = serde_json::Value)))]
pub(crate) async fn json() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], openapi::document()).into_response()
}

/// The description of this API, for people
#[utoipa::path(get, path = "/docs", operation_id = "docs", tag = "Service", security(()),
    responses((status = 200, description = "One page.", body = String, content_type = "text/html")))]
pub(crate) async fn page() -> Response {
    /// Nothing is loaded, nothing runs, and only the page's own style applies.
    static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
        let style = STANDARD.encode(Sha256::digest(openapi::STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        HeaderValue::try_from(policy).ok()
    });
    let mut response = Html(openapi::page()).into_response();
    if let Some(policy) = POLICY.clone() {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
