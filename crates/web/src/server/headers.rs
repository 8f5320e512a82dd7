//! The header fields of every response. A route that sets one of them keeps its value. hyper's own responses
//! (400 and 431 for a head that it cannot parse) do not have them.

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::{self, Next},
};
use uuid::Uuid;

/// Carries [`RequestId`] to the client.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, generated here and never taken from the client. An extension of the request.
#[derive(Clone, Copy, Debug)]
pub struct RequestId(pub Uuid);

/// Gives every request of `router` an id from `new_id` (UUID version 7, so that ids sort by time), and every
/// response that id and the security headers.
pub fn stamp(router: Router, new_id: impl Fn() -> Uuid + Clone + Send + Sync + 'static) -> Router {
    router.layer(middleware::from_fn(move |mut request: Request, next: Next| {
        let id = new_id();
        request.extensions_mut().insert(RequestId(id));
        async move {
            let mut response = next.run(request).await;
            let mut text = Uuid::encode_buffer();
            if let Ok(id) = HeaderValue::from_str(id.hyphenated().encode_lower(&mut text)) {
                response.headers_mut().insert(REQUEST_ID, id);
            }
            harden(response.headers_mut());
            response
        }
    }))
}

/// Adds the security headers: responses must not be cached, sniffed, framed or executed.
fn harden(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}
