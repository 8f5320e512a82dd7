//! The load: a closed loop of clients on kept-alive connections, cheap, since it shares the machine with what
//! it measures.
//!
//! What is deliberately not here: tolerance. One answer other than 200 ends the run with what the target
//! said: a rate that includes refusals is no rate.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::{Request, StatusCode, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet};

use crate::deliveries::{Deliveries, Delivery};

/// The path that every target serves.
const PATH: &str = "/webhooks/stripe";

/// What the clients saw in one measured stretch.
pub(crate) struct Seen {
    /// How long the stretch really was.
    pub(crate) elapsed: Duration,
    /// From before each request to the last byte of its answer, in microseconds, sorted.
    pub(crate) micros: Vec<u64>,
}

/// Sends as fast as the target answers, for a time, on so many connections.
pub(crate) async fn drive(
    address: SocketAddr,
    deliveries: &Arc<Deliveries>,
    connections: u32,
    time: Duration,
) -> anyhow::Result<Seen> {
    let start = now();
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        clients.spawn(client(address, deliveries.clone(), start + time));
    }
    let mut micros = Vec::new();
    while let Some(client) = clients.join_next().await {
        micros.extend(client??);
    }
    let elapsed = start.elapsed();
    micros.sort_unstable();
    Ok(Seen { elapsed, micros })
}

/// The value below which `percent` of the sorted samples lie, by nearest rank: a sample, never a guess
/// between two.
pub(crate) fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

/// One client: one request under way at any moment. A target that closes after each answer is connected to
/// again, and that time is part of the request's, as it would be for Stripe.
async fn client(address: SocketAddr, deliveries: Arc<Deliveries>, end: Instant) -> anyhow::Result<Vec<u64>> {
    let mut micros = Vec::new();
    let mut connection = None;
    while now() < end {
        let delivery = deliveries.next();
        let start = now();
        let mut sender = match connection.take() {
            Some(sender) => sender,
            None => connect(address).await?,
        };
        let (status, said) = exchange(&mut sender, PATH, delivery).await?;
        micros.push(u64::try_from(start.elapsed().as_micros())?);
        if status != StatusCode::OK {
            bail!("answered {status}: {}", String::from_utf8_lossy(&said));
        }
        connection = sender.ready().await.is_ok().then_some(sender);
    }
    Ok(micros)
}

/// Sends one delivery on a connection of its own: status and body of the answer.
pub(crate) async fn deliver(address: SocketAddr, delivery: Delivery) -> anyhow::Result<StatusCode> {
    Ok(exchange(&mut connect(address).await?, PATH, delivery).await?.0)
}

/// The body of `GET path`, if the answer is 200.
pub(crate) async fn get(address: SocketAddr, path: &str) -> anyhow::Result<Option<Bytes>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(TcpStream::connect(address).await?)).await?;
    tokio::spawn(connection);
    let request = Request::get(path).header(header::HOST, "localhost").body(Empty::<Bytes>::new())?;
    let answer = sender.send_request(request).await?;
    Ok(match answer.status() {
        StatusCode::OK => Some(answer.into_body().collect().await?.to_bytes()),
        _ => None,
    })
}

/// One connection.
pub(crate) type Sender = http1::SendRequest<Full<Bytes>>;

/// A new connection.
pub(crate) async fn connect(address: SocketAddr) -> anyhow::Result<Sender> {
    let stream = TcpStream::connect(address).await.context("cannot connect")?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with its sender; what goes wrong with it goes wrong with the request too.
    tokio::spawn(connection);
    Ok(sender)
}

/// Sends one delivery to `path`: status and body of the answer.
pub(crate) async fn exchange(
    sender: &mut Sender,
    path: &str,
    delivery: Delivery,
) -> anyhow::Result<(StatusCode, Bytes)> {
    let request = Request::post(path)
        .header(header::HOST, "localhost")
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .header("stripe-signature", delivery.signature)
        .body(Full::new(delivery.body))?;
    let answer = sender.send_request(request).await.context("no answer")?;
    Ok((answer.status(), answer.into_body().collect().await.context("half an answer")?.to_bytes()))
}

/// The one clock of the measurements.
#[expect(clippy::disallowed_methods, reason = "measuring real time is what this program is for")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests;
