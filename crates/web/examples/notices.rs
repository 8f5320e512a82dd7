//! notices.rs: believes a notice only when its signature says so. Not here: what your product does then.

#![expect(clippy::disallowed_methods, reason = "whoever copies it has no configuration of ours")]

use std::collections::HashSet;
use std::env;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Router, serve};
use serde_json::Value;
use standardwebhooks::Webhook;

struct Receiver {
    webhook: Webhook,
    // In a real product: a unique column in the transaction that does what follows from the notice.
    seen: Mutex<HashSet<String>>,
}

async fn hear(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    // Over the bytes as they came: JSON that was read and written again has another signature.
    if receiver.webhook.verify(&body, &headers).is_err() {
        return StatusCode::BAD_REQUEST;
    }
    let Ok(notice) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST };
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let Ok(mut seen) = receiver.seen.lock() else { return StatusCode::INTERNAL_SERVER_ERROR };
    if seen.insert(id.to_owned()) {
        let (data, kind) = (&notice["data"], notice["type"].as_str().unwrap_or_default());
        println!("{} {kind} {}", data["sequence"], data["balance_after"]);
    }
    StatusCode::NO_CONTENT
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = env::var("PORT").unwrap_or_else(|_| "8083".to_owned());
    let webhook = Webhook::new(&env::var("NOTICES_SECRET")?)?;
    let receiver = Arc::new(Receiver { webhook, seen: Mutex::default() });
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("notices at http://127.0.0.1:{port}/notices");
    serve(listener, Router::new().route("/notices", post(hear)).with_state(receiver)).await?;
    Ok(())
}
