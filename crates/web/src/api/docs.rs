//! `GET /openapi.json` and `GET /docs`: the description of the API, for programs and for people. `openapi`
//! creates it.

use std::sync::LazyLock;

use axum::Extension;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::openapi::{LazyDocument, STYLE};

/// Retrieve the OpenAPI description
#[utoipa::path(get, path = "/openapi.json", operation_id = "openapi", tag = "Service", security(()),
    responses((status = 200, description = "OpenAPI 3.1.", body = serde_json::Value)))]
pub(crate) async fn openapi(Extension(document): Extension<LazyDocument>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document.json.as_str()).into_response()
}

/// Read the API documentation
#[utoipa::path(get, path = "/docs", operation_id = "docs", tag = "Service", security(()),
    responses((status = 200, description = "An HTML page.", body = String, content_type = "text/html")))]
pub(crate) async fn page(Extension(document): Extension<LazyDocument>) -> Response {
    /// The page loads nothing, runs no script, and uses only its own style sheet.
    static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
        let style = STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        HeaderValue::try_from(policy).ok()
    });
    let mut response = Html(document.page.as_str()).into_response();
    if let Some(policy) = POLICY.clone() {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}
