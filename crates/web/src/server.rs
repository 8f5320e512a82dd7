//! The accept loop: HTTP/1.1 over TCP, with a deadline on everything that a client can keep us waiting for.
//!
//! It exists because `axum::serve` has no connection limit, no deadline for a head, and waits for ever when
//! it drains. What is deliberately not here: TLS and HTTP/2 (a proxy's work), routes, body sizes (each route
//! sets its own), and any care for work whose client has gone. When a client disconnects, hyper drops the
//! handler's future where it stands; a handler that must not be cancelled hands its work to another task and
//! only waits here for the answer.

pub(crate) mod allowance;
mod deadlines;
mod exchange;
pub mod headers;
pub mod unreceived;

use std::{future::Future, net::SocketAddr, pin::pin, time::Duration};

use axum::Router;
use hyper::{server::conn::http1, service::service_fn};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinError, JoinSet},
    time,
};

use crate::limits::Limits;

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still busy when the drain's deadline came, and were cut.
    pub cut: usize,
}

/// Serves `router` on `listener` until `stop` completes, then drains. It cannot fail: whatever goes wrong
/// with one connection, or with accepting one, is logged and outlived.
///
/// Handlers find the client's address as `ConnectInfo<SocketAddr>`. On `stop` the listener closes, idle
/// connections close at once, busy ones after their answer, and after `limits.drain` the rest are cut.
///
/// # Panics
///
/// If `limits.head_bytes` is below the 8192 that hyper takes.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) -> Drained {
    let mut stop = pin!(stop);
    let (leave, _) = watch::channel(());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut stop => break,
            Some(ended) = connections.join_next() => report_panic(ended),
            (stream, peer) = accept(&listener), if connections.len() < limits.connections => {
                if connections.len() + 1 == limits.connections {
                    tracing::debug!("as many connections as there may be: idle ones make room");
                    leave.send_replace(());
                }
                connections.spawn(connection(stream, peer, router.clone(), limits, leave.subscribe()));
            }
        }
    }
    drop(listener);
    drop(leave);
    let drain = async {
        while let Some(ended) = connections.join_next().await {
            report_panic(ended);
        }
    };
    // Too late is an outcome like any other: it is what `cut` counts.
    let _ = time::timeout(limits.drain, drain).await;
    let cut = connections.len();
    connections.shutdown().await;
    Drained { cut }
}

/// The next connection. Out of descriptors or memory, trying again at once would only spin: other connections
/// have to end first.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "could not accept a connection");
                time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Serves one connection to its end. `leave` changes when idle connections must make room for others, and
/// ends when the server stops: either way this one goes once it owes no answer.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: Limits,
    mut leave: watch::Receiver<()>,
) {
    let mut first = [0];
    tokio::select! {
        // Not `readable`, which is also true of a new connection that has said nothing.
        spoke = time::timeout(limits.first_byte, stream.peek(&mut first)) => {
            if !matches!(spoke, Ok(Ok(1))) {
                return;
            }
        }
        // Whoever is new has a moment to speak, however full it is.
        Err(_) = leave.changed() => return,
    }
    if let Err(error) = stream.set_nodelay(true) {
        // Slower answers, nothing worse.
        tracing::debug!(%peer, %error, "no TCP_NODELAY");
    }
    let stream = deadlines::TimedWrites::new(stream, limits.write);
    let service = service_fn(|request| exchange::answer(router.clone(), request, peer, &limits));
    let mut connection = pin!(http(&limits).serve_connection(stream, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = leave.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended early");
    }
}

/// hyper, told our limits.
fn http(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(deadlines::HeadTimer::new(limits))
        .header_read_timeout(limits.head)
        .max_buf_size(limits.head_bytes)
        .max_headers(limits.head_fields);
    builder
}

/// A handler that panics takes its own connection down, never the server. Its client sees the connection
/// close.
fn report_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a handler panicked");
    }
}
