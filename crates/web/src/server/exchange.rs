//! One request and its answer, between hyper and the router.
//!
//! What is deliberately not here: faults in the head itself, which hyper answers on its own (400, 431) and
//! closes, and the answer to a body that is late (`unreceived`).

use std::{convert::Infallible, net::SocketAddr};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, Response},
};
use hyper::body::Incoming;
use tower::ServiceExt as _;

use super::deadlines::TimedBody;
use crate::limits::Limits;

/// Hands the request to the router with its client's address and a deadline on its body, of which it can be
/// told whether it was missed.
pub(super) async fn answer(
    router: Router,
    request: Request<Incoming>,
    peer: SocketAddr,
    limits: &Limits,
) -> Result<Response<Body>, Infallible> {
    let (mut head, body) = request.into_parts();
    let (body, lateness) = TimedBody::new(body, limits.body);
    head.extensions.insert(ConnectInfo(peer));
    head.extensions.insert(lateness);
    router.oneshot(Request::from_parts(head, Body::new(body))).await
}
