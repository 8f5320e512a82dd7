//! The load: clients in a closed loop on persistent connections. They must be cheap, because they share the
//! machine with the target. An answer other than 200 ends the run with an error.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, StatusCode, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet};

use crate::deliveries::{Deliveries, Delivery};

/// The path that every target serves.
const PATH: &str = "/webhooks/stripe";

/// The clients' measurements of one period.
pub(crate) struct Sample {
    /// Actual length of the period.
    pub(crate) elapsed: Duration,
    /// Time from before each request to the last byte of its answer, in microseconds, sorted.
    pub(crate) micros: Vec<u64>,
}

impl Sample {
    /// Answers per second.
    pub(crate) fn per_second(&self) -> u64 {
        let count = u128::try_from(self.micros.len()).unwrap_or_default();
        u64::try_from(count * 1000 / self.elapsed.as_millis().max(1)).unwrap_or(u64::MAX)
    }
}

/// Sends deliveries as fast as the target answers, for `time`, on `connections` connections.
pub(crate) async fn drive_deliveries(
    address: SocketAddr,
    deliveries: &Arc<Deliveries>,
    connections: u32,
    time: Duration,
) -> anyhow::Result<Sample> {
    let deliveries = deliveries.clone();
    drive(address, connections, time, move |_| post(PATH, deliveries.next())).await
}

/// Sends requests as fast as the target answers, for `time`, on `connections` connections. `request` gets a
/// number that differs between the clients and grows with each request.
pub(crate) async fn drive(
    address: SocketAddr,
    connections: u32,
    time: Duration,
    request: impl Fn(usize) -> anyhow::Result<Request<Full<Bytes>>> + Clone + Send + 'static,
) -> anyhow::Result<Sample> {
    let start = now();
    let mut clients = JoinSet::new();
    for first in 0..connections as usize {
        clients.spawn(client(address, first, start + time, request.clone()));
    }
    let mut micros = Vec::new();
    while let Some(client) = clients.join_next().await {
        micros.extend(client??);
    }
    let elapsed = start.elapsed();
    micros.sort_unstable();
    Ok(Sample { elapsed, micros })
}

/// The percentile by nearest rank, without interpolation; 0 without samples.
pub(crate) fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

/// One client. It sends its next request when the last one is answered. If the target closed the connection,
/// the time to reconnect counts as part of the request, as it would for Stripe.
async fn client(
    address: SocketAddr,
    first: usize,
    end: Instant,
    request: impl Fn(usize) -> anyhow::Result<Request<Full<Bytes>>>,
) -> anyhow::Result<Vec<u64>> {
    let mut micros = Vec::new();
    let mut connection = None;
    // A prime stride, so that the clients do not visit the tenants in the same order.
    for number in (first..).step_by(7919) {
        if now() >= end {
            break;
        }
        let request = request(number)?;
        let start = now();
        let mut sender = match connection.take() {
            Some(sender) => sender,
            None => connect(address).await?,
        };
        let (status, answer) = send(&mut sender, request).await?;
        micros.push(u64::try_from(start.elapsed().as_micros())?);
        if status != StatusCode::OK {
            bail!("answered {status}: {}", String::from_utf8_lossy(&answer));
        }
        connection = sender.ready().await.is_ok().then_some(sender);
    }
    Ok(micros)
}

/// Sends one delivery on a new connection and returns the status.
pub(crate) async fn deliver(address: SocketAddr, delivery: Delivery) -> anyhow::Result<StatusCode> {
    Ok(exchange(&mut connect(address).await?, PATH, delivery).await?.0)
}

/// The body of the answer to `GET path`, if the status is 200.
pub(crate) async fn get(address: SocketAddr, path: &str) -> anyhow::Result<Option<Bytes>> {
    let request = Request::get(path).header(header::HOST, "localhost").body(Full::default())?;
    let (status, body) = send(&mut connect(address).await?, request).await?;
    Ok((status == StatusCode::OK).then_some(body))
}

/// The client side of a connection.
pub(crate) type Sender = http1::SendRequest<Full<Bytes>>;

/// A new connection.
pub(crate) async fn connect(address: SocketAddr) -> anyhow::Result<Sender> {
    let stream = TcpStream::connect(address).await.context("cannot connect")?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // The task ends with the sender. Its errors reach the request, too.
    tokio::spawn(connection);
    Ok(sender)
}

/// Sends one delivery to `path` and returns status and body of the answer.
pub(crate) async fn exchange(
    sender: &mut Sender,
    path: &str,
    delivery: Delivery,
) -> anyhow::Result<(StatusCode, Bytes)> {
    send(sender, post(path, delivery)?).await
}

fn post(path: &str, delivery: Delivery) -> anyhow::Result<Request<Full<Bytes>>> {
    Ok(Request::post(path)
        .header(header::HOST, "localhost")
        .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        .header("stripe-signature", delivery.signature)
        .body(Full::new(delivery.body))?)
}

/// Sends one request and returns status and body of the answer.
pub(crate) async fn send(
    sender: &mut Sender,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<(StatusCode, Bytes)> {
    sender.ready().await?;
    let answer = sender.send_request(request).await.context("no answer")?;
    let status = answer.status();
    Ok((status, answer.into_body().collect().await.context("incomplete answer")?.to_bytes()))
}

/// The clock of all measurements.
#[expect(clippy::disallowed_methods, reason = "this program measures real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests;
