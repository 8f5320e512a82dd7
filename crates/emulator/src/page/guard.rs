//! Who may use the pages: a browser on this machine. A page of another site that posts here (its `Origin`
//! tells), or whose name was pointed at this machine (the `Host` tells), is refused.
//!
//! Not here: keys. There is no money, but another site must not be able to play with somebody's rehearsal.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::Emulator;
use crate::api::is_from_here;

/// Lets a request pass, or answers 403 and why.
pub(super) async fn guard(State(emulator): State<Emulator>, request: Request, next: Next) -> Response {
    if may(request.method(), request.headers(), &emulator.options().url) {
        return next.run(request).await;
    }
    let why = "Nothing was done: this did not come from the emulator's own pages. Open the address that the \
               emulator printed.\n";
    (StatusCode::FORBIDDEN, why).into_response()
}

/// A page may be opened from anywhere: the shop's own form may lead here by a redirect, with its `Origin`.
fn may(method: &Method, headers: &HeaderMap, own_url: &str) -> bool {
    let mut headers = headers.clone();
    if method.is_safe() {
        headers.remove(header::ORIGIN);
    }
    is_from_here(&headers, own_url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn anybody_may_lead_here_but_only_these_pages_may_post() {
        for (method, host, origin, expected) in [
            (Method::GET, "127.0.0.1:12111", None, true),
            (Method::GET, "127.0.0.1:12111", Some("null"), true),
            (Method::GET, "evil.example", None, false),
            (Method::POST, "127.0.0.1:12111", None, true),
            (Method::POST, "127.0.0.1:12111", Some("http://127.0.0.1:12111"), true),
            (Method::POST, "127.0.0.1:12111", Some("http://127.0.0.1:3000"), false),
            (Method::POST, "127.0.0.1:12111", Some("null"), false),
            (Method::POST, "evil.example", Some("http://evil.example"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            let allowed = may(&method, &headers, "http://127.0.0.1:12111");
            assert_eq!(allowed, expected, "{method} {host} {origin:?}");
        }
    }
}
