//! A handler that does nothing but HTTP: it reads the whole body and answers as a webhook handler would.
//!
//! It uses `axum::serve` and not our own accept loop, so that it costs what any axum program costs.

use std::net::Ipv4Addr;

use axum::{Json, Router, body::Bytes, routing::post};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime};

/// Serves on loopback until killed.
pub(crate) fn serve(port: u16) -> anyhow::Result<()> {
    Runtime::new()?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        axum::serve(listener, Router::new().route("/webhooks/stripe", post(receive))).await?;
        Ok(())
    })
}

async fn receive(_: Bytes) -> Json<Value> {
    Json(json!({ "received": true }))
}
