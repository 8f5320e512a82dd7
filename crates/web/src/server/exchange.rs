//! One request and its answer, between hyper and the router.
//! Not here: faults in the head itself, which hyper answers on its own (400, 431) and closes, and the answers
//! to a body that is late and to a client with too many requests under way (`refused`).

use std::{convert::Infallible, net::IpAddr, sync::Arc};

use axum::{
    body::Body,
    http::{Request, Response},
};
use hyper::body::{Body as _, Incoming};
use tower::ServiceExt as _;

use super::{Serving, connections::Connection, deadlines::TimedBody};

/// Where a request is from: whoever connected, or the client that a trusted proxy speaks for. An extension.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// Why a request is not even received. An extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// Its client has too many requests under way.
    ForClient,
    /// There are too many large bodies.
    ForBody,
}

/// Hands the request to the router with its client's address and a deadline on its body.
pub(super) async fn answer(
    serving: Arc<Serving>,
    request: Request<Incoming>,
    peer: IpAddr,
    connection: Arc<Connection>,
) -> Result<Response<Body>, Infallible> {
    // Pipelined requests are read before they are served.
    connection.heard();
    let (mut head, body) = request.into_parts();
    let limits = &serving.limits;
    let proxied =
        serving.proxies.contain(peer).then(|| serving.proxies.client(peer, &head.headers)).flatten();
    // Until this request has its answer.
    let counted = proxied.map(|client| serving.clients.begin(client, limits.requests_per_client));
    let bytes = body.size_hint().upper().unwrap_or(u64::MAX);
    if let Some(None) = counted {
        head.extensions.insert(NoRoom::ForClient);
    } else if bytes > limits.small_body_bytes && !connection.take_large_body(bytes) {
        head.extensions.insert(NoRoom::ForBody);
    }
    let (body, fault) = TimedBody::new(body, connection.clone(), limits.body);
    head.extensions.insert(ClientAddress(proxied.unwrap_or(peer)));
    head.extensions.insert(fault);
    let answer = serving.router.clone().oneshot(Request::from_parts(head, Body::new(body))).await?;
    // A stream goes on: its connection is not idle.
    if answer.body().size_hint().exact().is_some() {
        connection.answered();
    }
    Ok(answer)
}
