//! One request and its response, between hyper and the router. hyper itself responds to a faulty head (400,
//! 431).

use std::{convert::Infallible, net::IpAddr, sync::Arc};

use axum::{
    body::Body,
    http::{Request, Response},
};
use hyper::body::{Body as _, Incoming};
use tower::ServiceExt as _;

use super::{Serving, connections::Connection, deadlines::TimedBody};

/// The address of the client: the peer, or the client that a trusted proxy names. An extension of the
/// request.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

/// Why a request is not handled. An extension of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// Its client has too many concurrent requests.
    ForClient,
    /// There are too many large bodies.
    ForBody,
}

/// Passes the request to the router, with its client's address and a deadline for its body.
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
    // Counted until this request has its response.
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
    // The body of a stream continues: its connection is not idle.
    if answer.body().size_hint().exact().is_some() {
        connection.answered();
    }
    Ok(answer)
}
