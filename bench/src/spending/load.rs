//! Spends and reads of balances as fast as the service answers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, header};

use crate::load::{Sample, drive};

/// Number of the next idempotency key.
static KEYS: AtomicU64 = AtomicU64::new(1);

/// Spends one credit at a time, rotating over the tenants.
pub(super) async fn spend(
    address: SocketAddr,
    keys: &[String],
    connections: u32,
    time: Duration,
) -> anyhow::Result<Sample> {
    let bearers = bearers(keys);
    let request = move |number: usize| {
        let key = KEYS.fetch_add(1, Ordering::Relaxed);
        Ok(Request::post("/api/credits/spend")
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, &bearers[number % bearers.len()])
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", format!("lease-{key:012}"))
            .body(Full::new(Bytes::from_static(br#"{"credits":1}"#)))?)
    };
    drive(address, connections, time, request).await
}

/// Reads balances, rotating over the tenants.
pub(super) async fn read(
    address: SocketAddr,
    keys: &[String],
    connections: u32,
    time: Duration,
) -> anyhow::Result<Sample> {
    let bearers = bearers(keys);
    let request = move |number: usize| {
        Ok(Request::get("/api/credits/balance")
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, &bearers[number % bearers.len()])
            .body(Full::default())?)
    };
    drive(address, connections, time, request).await
}

fn bearers(keys: &[String]) -> Arc<[String]> {
    keys.iter().map(|key| format!("Bearer {key}")).collect()
}
