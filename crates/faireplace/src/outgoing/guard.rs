//! Connects to addresses that customers chose, and to none of our own network: resolves the name once, judges
//! every address that came of it, and connects to one that passed. Nothing is resolved a second time, so what
//! was judged is what is reached.
//! Not here: which addresses are refused (`web::destination`), TLS, and what is sent.

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

/// For a name to be resolved.
const RESOLVE: Duration = Duration::from_secs(5);
/// For one address to accept a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 4;

type Future<T> = Pin<Box<dyn std::future::Future<Output = io::Result<T>> + Send>>;

/// What whoever chose an address is told of a name that leads nowhere, and of one that leads into our own
/// network: the same, or they could ask which names there are in it.
const NOWHERE: &str = "its name leads to no address on the public internet";

/// Makes guarded connections.
#[derive(Clone)]
pub(super) struct Guard {
    destinations: Arc<Destinations>,
    resolve: fn(String, u16) -> Future<Vec<SocketAddr>>,
}

impl Guard {
    /// A guard that resolves as this machine does.
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

    /// The addresses that may be connected to.
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
        // One private address among public ones is as good a way in as any.
        match found.iter().find_map(|address| special(address.ip())) {
            Some(what) => Err(nowhere(destination, &format_args!("one of its addresses is {what}"))),
            None => Ok(found),
        }
    }
}

/// The same for every reason, which is for the log.
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
