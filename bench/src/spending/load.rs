//! Clients that spend, and clients that read balances: closed loops on persistent connections. There are no
//! retries: an answer other than 200 ends the run with an error.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::bail;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, StatusCode, header};
use tokio::task::JoinSet;

use crate::load::{Sample, connect, now, send};

impl Sample {
    /// Answers per second.
    pub(crate) fn per_second(&self) -> u64 {
        let count = u128::try_from(self.micros.len()).unwrap_or_default();
        u64::try_from(count * 1000 / self.elapsed.as_millis().max(1)).unwrap_or(u64::MAX)
    }
}

/// Number of the next idempotency key.
static KEYS: AtomicU64 = AtomicU64::new(1);

/// Spends one credit at a time, rotating over the tenants.
pub(super) async fn spend(
    address: SocketAddr,
    keys: &[String],
    connections: u32,
    time: Duration,
) -> anyhow::Result<Sample> {
    let request = |key: &str| {
        let number = KEYS.fetch_add(1, Ordering::Relaxed);
        Request::post("/api/credits/spend")
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, key)
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", format!("lease-{number:012}"))
            .body(Full::new(Bytes::from_static(br#"{"credits":1}"#)))
    };
    drive(address, keys, connections, time, request).await
}

/// Reads balances, rotating over the tenants.
pub(super) async fn read(
    address: SocketAddr,
    keys: &[String],
    connections: u32,
    time: Duration,
) -> anyhow::Result<Sample> {
    let request = |key: &str| {
        Request::get("/api/credits/balance")
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, key)
            .body(Full::new(Bytes::new()))
    };
    drive(address, keys, connections, time, request).await
}

type Built = Result<Request<Full<Bytes>>, hyper::http::Error>;

async fn drive(
    address: SocketAddr,
    keys: &[String],
    connections: u32,
    time: Duration,
    request: impl Fn(&str) -> Built + Copy + Send + 'static,
) -> anyhow::Result<Sample> {
    let start = now();
    let keys: Arc<[String]> = keys.iter().map(|key| format!("Bearer {key}")).collect();
    let mut clients = JoinSet::new();
    for first in 0..connections as usize {
        clients.spawn(client(address, keys.clone(), first, start + time, request));
    }
    let mut micros = Vec::new();
    while let Some(client) = clients.join_next().await {
        micros.extend(client??);
    }
    let elapsed = start.elapsed();
    micros.sort_unstable();
    Ok(Sample { elapsed, micros })
}

/// One client. It sends its next request when the last one is answered.
async fn client(
    address: SocketAddr,
    keys: Arc<[String]>,
    first: usize,
    end: Instant,
    request: impl Fn(&str) -> Built,
) -> anyhow::Result<Vec<u64>> {
    let mut micros = Vec::new();
    let mut sender = connect(address).await?;
    // A prime stride, so that the clients do not visit the tenants in the same order.
    for turn in (first..).step_by(7919) {
        if now() >= end {
            break;
        }
        let request = request(&keys[turn % keys.len()])?;
        let start = now();
        let (status, body) = send(&mut sender, request).await?;
        micros.push(u64::try_from(start.elapsed().as_micros())?);
        if status != StatusCode::OK {
            bail!("answered {status}: {}", String::from_utf8_lossy(&body));
        }
    }
    Ok(micros)
}
