//! One request and its answer, between hyper and the router.
//!
//! What is deliberately not here: faults in the head itself, which hyper answers on its own (400, 431) and
//! closes.

use std::{convert::Infallible, net::SocketAddr};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderValue, Request, Response, StatusCode, header},
};
use hyper::body::Incoming;
use tower::ServiceExt as _;

use super::{deadlines::TimedBody, headers};
use crate::limits::Limits;

/// Hands the request to the router with its client's address and a deadline on its body. Answers 414 for a
/// target that is too long, and 408, whatever the handler said, when its body failed for being late.
pub(super) async fn answer(
    router: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
    limits: &Limits,
) -> Result<Response<Body>, Infallible> {
    if request.uri().path_and_query().is_some_and(|target| target.as_str().len() > limits.target_bytes) {
        return Ok(refusal(StatusCode::URI_TOO_LONG));
    }
    let (mut head, body) = request.into_parts();
    head.extensions.insert(ConnectInfo(peer));
    let (body, lateness) = TimedBody::new(body, limits.body);
    let answer = router.oneshot(Request::from_parts(head, Body::new(body))).await?;
    if !lateness.is_late() {
        return Ok(answer);
    }
    let mut refusal = refusal(StatusCode::REQUEST_TIMEOUT);
    // The one thing in the handler's answer that is still true.
    if let Some(id) = answer.headers().get(headers::REQUEST_ID) {
        refusal.headers_mut().insert(headers::REQUEST_ID, id.clone());
    }
    Ok(refusal)
}

/// An answer without a body, after which the connection closes.
fn refusal(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    headers::harden(response.headers_mut());
    response
}
