//! Connects to hosts that customers chose, but never to our own network: resolves the name once, checks every
//! address, and connects to one that passed. The name is not resolved again, so the checked address is the
//! one that is used. The rules about addresses are in `web::destination`.

use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower::Service;
use web::destination::{Destination, Destinations, Host, special};

/// Time limit for resolving a name.
const RESOLVE: Duration = Duration::from_secs(5);
/// Time limit for one address to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Addresses tried for one name.
const MAX_ADDRESSES: usize = 4;

type Future<T> = Pin<Box<dyn std::future::Future<Output = io::Result<T>> + Send>>;

/// The customer's error for a name that does not resolve and for one that resolves into our network. They are
/// the same, so that customers cannot probe for names in it.
const NOWHERE: &str = "its name does not resolve to a public address";

/// Opens guarded connections.
#[derive(Clone)]
pub(super) struct Guard {
    destinations: Arc<Destinations>,
    resolve: fn(String, u16) -> Future<Vec<SocketAddr>>,
}

impl Guard {
    /// A guard that uses this machine's resolver.
    pub(super) fn new(destinations: Arc<Destinations>) -> Self {
        let resolve = |host: String, port| -> Future<Vec<SocketAddr>> {
            Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
        };
        Self { destinations, resolve }
    }

    async fn connect(self, uri: Uri) -> io::Result<TokioIo<TcpStream>> {
        let refused = |why| io::Error::other(format!("the address must be {why}"));
        let destination = self.destinations.check(&uri.to_string()).map_err(refused)?;
        let addresses = self.addresses(&destination).await?;
        let mut last = io::Error::other(NOWHERE);
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            match timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    stream.set_nodelay(true)?;
                    return Ok(TokioIo::new(stream));
                }
                Ok(Err(error)) => last = error,
                Err(_) => last = io::Error::new(io::ErrorKind::TimedOut, "it does not accept connections"),
            }
        }
        Err(last)
    }

    /// The addresses that are allowed.
    async fn addresses(&self, destination: &Destination) -> io::Result<Vec<SocketAddr>> {
        let port = destination.port;
        let found = match &destination.host {
            Host::Address(address) => vec![SocketAddr::new(*address, port)],
            Host::Name(name) => match timeout(RESOLVE, (self.resolve)(name.clone(), port)).await {
                Ok(Ok(found)) => found,
                Ok(Err(error)) => return Err(nowhere(destination, &error)),
                Err(late) => return Err(nowhere(destination, &late)),
            },
        };
        if destination.allowed {
            return Ok(found);
        }
        // One private address among public ones is enough to reach our network.
        match found.iter().find_map(|address| special(address.ip())) {
            Some(what) => Err(nowhere(destination, &format_args!("one of its addresses is {what}"))),
            None => Ok(found),
        }
    }
}

/// The same error for every reason; the reason is logged.
fn nowhere(destination: &Destination, why: &dyn Display) -> io::Error {
    tracing::debug!(host = ?destination.host, %why, "a notice cannot be sent there");
    io::Error::other(NOWHERE)
}

impl Service<Uri> for Guard {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Future<TokioIo<TcpStream>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

#[cfg(test)]
mod tests;
