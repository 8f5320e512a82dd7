//! Clients that spend, and clients that read balances: closed loops on kept-alive connections.
//!
//! What is deliberately not here: retries. An answer other than 200 ends the run with what the service said.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, StatusCode, header};
use tokio::task::JoinSet;

use crate::load::{Seen, connect, now};

impl Seen {
    /// Answers in a second.
    pub(crate) fn per_second(&self) -> u64 {
        let count = u128::try_from(self.micros.len()).unwrap_or_default();
        u64::try_from(count * 1000 / self.elapsed.as_millis().max(1)).unwrap_or(u64::MAX)
    }
}

/// Numbers the idempotency keys of this process.
static KEYS: AtomicU64 = AtomicU64::new(1);

/// Spends one credit after the other, the tenants in turn.
pub(super) async fn spend(
    address: SocketAddr,
    keys: &[String],
    connections: u32,
    time: Duration,
) -> anyhow::Result<Seen> {
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

/// Reads balances.
pub(super) async fn read(
    address: SocketAddr,
    keys: &[String],
    connections: u32,
    time: Duration,
) -> anyhow::Result<Seen> {
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
) -> anyhow::Result<Seen> {
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
    Ok(Seen { elapsed, micros })
}

/// One client: one request under way at any moment.
async fn client(
    address: SocketAddr,
    keys: Arc<[String]>,
    first: usize,
    end: Instant,
    request: impl Fn(&str) -> Built,
) -> anyhow::Result<Vec<u64>> {
    let mut micros = Vec::new();
    let mut sender = connect(address).await?;
    // A stride that shares no factor with usual numbers of tenants, so that clients do not march in step.
    for turn in (first..).step_by(7919) {
        if now() >= end {
            break;
        }
        let request = request(&keys[turn % keys.len()])?;
        let start = now();
        sender.ready().await?;
        let answer = sender.send_request(request).await.context("no answer")?;
        let status = answer.status();
        let said = answer.into_body().collect().await.context("half an answer")?.to_bytes();
        micros.push(u64::try_from(start.elapsed().as_micros())?);
        if status != StatusCode::OK {
            bail!("answered {status}: {}", String::from_utf8_lossy(&said));
        }
    }
    Ok(micros)
}
