//! The accept loop: HTTP/1.1 over TCP, with a deadline for each step that a client can delay, and a limit on
//! each resource that clients use.
//!
//! It exists because `axum::serve` has no connection limit and no deadline for a head, and drains without a
//! time limit. TLS and HTTP/2 are left to a proxy. When a client disconnects, hyper drops the handler's
//! future. A handler that must not be cancelled passes its work to another task and only waits for the
//! result.

pub(crate) mod allowance;
mod client_address;
mod clients;
pub(crate) mod concurrency;
mod connections;
mod deadlines;
pub mod envelope;
mod exchange;
pub mod headers;
pub(crate) mod log;
pub mod refused;

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::{JoinError, JoinSet},
    time,
};

use crate::limits::Limits;
use clients::Clients;
use connections::{Admission, Connection, Connections, Listed};

pub use client_address::TrustedProxies;
pub use exchange::ClientAddress;
pub use log::OPEN_TO_EVERYONE;

/// The pause after a failed accept.
const PAUSE: Duration = Duration::from_millis(50);

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still busy at the drain's deadline, and were closed.
    pub cut: usize,
}

/// The state that all connections of a server share.
struct Serving {
    router: Router,
    limits: Limits,
    proxies: TrustedProxies,
    clients: Clients,
}

/// Connections that the kernel queues until they are accepted: the default maximum of Linux.
const BACKLOG: u32 = 4096;

/// Listens on an address.
///
/// The system's error, such as that the address is in use.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // So that the service can restart while old connections linger.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves `router` on `listener` until `stop` completes, then drains. It cannot fail: errors of single
/// connections are logged.
///
/// Handlers find the address of the client as [`ClientAddress`]: the peer, or the client that one of
/// `proxies` names. On `stop` the listener closes, idle connections close at once, busy ones after their
/// response, and after `limits.drain` the rest are closed.
///
/// # Panics
///
/// If `limits.head_bytes` is below the 8192 that hyper takes.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    proxies: TrustedProxies,
    stop: impl Future<Output = ()>,
) -> Drained {
    let mut stop = pin!(stop);
    let (leave, _) = watch::channel(());
    let serving = Arc::new(Serving { router, limits, proxies, clients: Clients::default() });
    let open = Connections::new(limits);
    let mut connections = JoinSet::new();
    // A connection that is accepted and waits for its place.
    let mut next = None;
    loop {
        let admission = open.admission();
        if admission == Admission::Now
            && let Some((stream, peer)) = next.take()
        {
            let limited = (!serving.proxies.contain(peer)).then(|| client_address::grouped(peer));
            if let Some(listed) = open.admit(limited) {
                connections.spawn(connection(stream, peer, serving.clone(), listed, leave.subscribe()));
            }
        }
        tokio::select! {
            () = &mut stop => break,
            Some(ended) = connections.join_next() => report_panic(ended),
            () = until(admission), if next.is_some() => {}
            accepted = listener.accept(), if next.is_none() => match accepted {
                Ok((stream, peer)) => next = Some((stream, peer.ip().to_canonical())),
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection; the longest waiting one closes");
                    // Without descriptors or memory, an immediate retry would only spin.
                    open.make_room();
                    time::sleep(PAUSE).await;
                }
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
    // A timeout is expected: `cut` counts it.
    let _ = time::timeout(limits.drain, drain).await;
    let cut = connections.len();
    connections.shutdown().await;
    Drained { cut }
}

async fn until(admission: Admission) {
    match admission {
        Admission::Now => {}
        Admission::After(wait) => time::sleep(wait).await,
    }
}

/// Serves one connection until it ends or has to close for another.
async fn connection(
    stream: TcpStream,
    peer: IpAddr,
    serving: Arc<Serving>,
    listed: Listed,
    leave: watch::Receiver<()>,
) {
    let open = listed.0.clone();
    tokio::select! {
        () = open.closing() => tracing::debug!(%peer, "a connection closed for another"),
        () = requests(stream, peer, &serving, &open, leave) => {}
    }
}

/// Handles the requests of one connection. `leave` resolves when the server stops: then this ends after the
/// current response.
async fn requests(
    stream: TcpStream,
    peer: IpAddr,
    serving: &Arc<Serving>,
    open: &Arc<Connection>,
    mut leave: watch::Receiver<()>,
) {
    let limits = serving.limits;
    let mut first = [0];
    tokio::select! {
        // `readable` would also be true for a new connection without data.
        spoke = time::timeout(limits.first_byte, stream.peek(&mut first)) => {
            if !matches!(spoke, Ok(Ok(1))) {
                return;
            }
        }
        _ = leave.changed() => return,
    }
    if let Err(error) = stream.set_nodelay(true) {
        // Responses are only slower.
        tracing::debug!(%peer, %error, "no TCP_NODELAY");
    }
    let stream = TokioIo::new(deadlines::TimedStream::new(stream, open.clone(), limits.write));
    let service = service_fn(|request| exchange::answer(serving.clone(), request, peer, open.clone()));
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

/// hyper with our limits.
fn http(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(deadlines::HeadTimer::new(limits))
        .header_read_timeout(limits.head)
        .max_buf_size(limits.head_bytes)
        .max_headers(limits.head_fields);
    builder
}

/// A panic in a handler closes its own connection, and never stops the server.
fn report_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a handler panicked");
    }
}
