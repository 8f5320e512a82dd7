//! The receiver of the emulator's deliveries, in a process of its own: it does nothing but to note each
//! event's id, so that order and number can be checked afterwards, and to refuse everything while it is
//! told to.
//!
//! What is deliberately not here: verifying. What it costs to receive well is `serve`'s measurement.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use anyhow::{Context as _, ensure};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime};

use crate::load;

/// How long `  "id": "evt_` and the id are, at the beginning of every body.
const ID_LINE: std::ops::Range<usize> = 11..39;

#[derive(Default)]
struct Seen {
    /// Ids of the accepted events, by endpoint, in the order in which they came.
    accepted: Mutex<BTreeMap<u32, Vec<String>>>,
    refused: Mutex<u64>,
    refuses: AtomicBool,
}

/// Serves on a free port of loopback until killed; the first line that it prints is its address.
pub(crate) fn serve() -> anyhow::Result<()> {
    let routes = Router::new()
        .route("/{endpoint}", post(receive))
        .route("/{endpoint}", get(told))
        .route("/refuse/{refuse}", get(refuse))
        .with_state(Arc::new(Seen::default()));
    Runtime::new()?.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?);
        axum::serve(listener, routes).await?;
        Ok(())
    })
}

async fn receive(
    State(seen): State<Arc<Seen>>,
    Path(endpoint): Path<u32>,
    body: Bytes,
) -> (StatusCode, Json<Value>) {
    if seen.refuses.load(Relaxed) {
        *seen.refused.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "received": false })));
    }
    let id = String::from_utf8_lossy(body.get(ID_LINE).unwrap_or_default()).into_owned();
    let mut accepted = seen.accepted.lock().unwrap_or_else(PoisonError::into_inner);
    accepted.entry(endpoint).or_default().push(id);
    (StatusCode::OK, Json(json!({ "received": true })))
}

async fn told(State(seen): State<Arc<Seen>>, Path(endpoint): Path<u32>) -> Json<Vec<String>> {
    let mut accepted = seen.accepted.lock().unwrap_or_else(PoisonError::into_inner);
    Json(accepted.remove(&endpoint).unwrap_or_default())
}

/// Answers how many it has refused so far.
async fn refuse(State(seen): State<Arc<Seen>>, Path(refuse): Path<bool>) -> Json<u64> {
    seen.refuses.store(refuse, Relaxed);
    Json(*seen.refused.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A running receiver.
pub(crate) struct Receiver {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Receiver {
    /// Starts one.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        let mut child = Command::new(program).arg("receive").stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let said = child.stdout.take().context("no output")?;
        BufReader::new(said).read_line(&mut line)?;
        Ok(Self { child, address: line.trim().parse().context("the receiver said no address")? })
    }

    /// The process to account for.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where the deliveries of this endpoint go.
    pub(crate) fn url(&self, endpoint: u32) -> String {
        format!("http://{}/{endpoint}", self.address)
    }

    /// The ids of the events that came for this endpoint since the last time it was asked, in order.
    pub(crate) async fn accepted(&self, endpoint: u32) -> anyhow::Result<Vec<String>> {
        let said = load::get(self.address, &format!("/{endpoint}")).await?.context("no answer of 200")?;
        Ok(serde_json::from_slice(&said)?)
    }

    /// From now on it refuses everything, or no longer. Answers how many it has refused.
    pub(crate) async fn refuse(&self, refuse: bool) -> anyhow::Result<u64> {
        let said = load::get(self.address, &format!("/refuse/{refuse}")).await?;
        Ok(serde_json::from_slice(&said.context("no answer of 200")?)?)
    }

    /// That exactly these events came for the endpoint, once each, in this order.
    pub(crate) async fn expect(&self, endpoint: u32, events: &[String]) -> anyhow::Result<()> {
        let came = self.accepted(endpoint).await?;
        ensure!(came.len() == events.len(), "{} events came, of {}", came.len(), events.len());
        let wrong = came.iter().zip(events).position(|(came, sent)| came != sent);
        ensure!(wrong.is_none(), "out of order at number {}", wrong.unwrap_or_default());
        Ok(())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // Of a process that has already ended, both say so, and that is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
