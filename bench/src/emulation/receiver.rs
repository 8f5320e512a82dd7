//! The receiver of the emulator's deliveries, in its own process. It stores the id of each event, so that
//! order and number can be checked afterwards, and rejects everything while it is told to. It verifies
//! nothing: the cost of a real receiver is measured with `serve`.

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

/// Position of the id in a body that starts with `{\n  "id": "evt_…`.
const ID_LINE: std::ops::Range<usize> = 11..39;

#[derive(Default)]
struct Seen {
    /// Ids of the accepted events by endpoint, in the order of arrival.
    accepted: Mutex<BTreeMap<u32, Vec<String>>>,
    refused: Mutex<u64>,
    refuses: AtomicBool,
}

/// Serves on a free port of localhost until killed. The first line of output is the address.
pub(crate) fn serve() -> anyhow::Result<()> {
    let routes = Router::new()
        .route("/{endpoint}", post(receive))
        .route("/{endpoint}", get(take_accepted))
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

async fn take_accepted(State(seen): State<Arc<Seen>>, Path(endpoint): Path<u32>) -> Json<Vec<String>> {
    let mut accepted = seen.accepted.lock().unwrap_or_else(PoisonError::into_inner);
    Json(accepted.remove(&endpoint).unwrap_or_default())
}

/// Returns the number of rejected deliveries so far.
async fn refuse(State(seen): State<Arc<Seen>>, Path(refuse): Path<bool>) -> Json<u64> {
    seen.refuses.store(refuse, Relaxed);
    Json(*seen.refused.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A running receiver.
pub(crate) struct Receiver {
    child: Child,
    /// Its address.
    pub(crate) address: SocketAddr,
}

impl Receiver {
    /// Starts a receiver.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let program = std::env::current_exe()?;
        let mut child = Command::new(program).arg("receive").stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().context("no output")?;
        BufReader::new(output).read_line(&mut line)?;
        Ok(Self { child, address: line.trim().parse().context("the receiver printed no address")? })
    }

    /// Id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// URL for the deliveries of this endpoint.
    pub(crate) fn url(&self, endpoint: u32) -> String {
        format!("http://{}/{endpoint}", self.address)
    }

    /// The ids of the events received for this endpoint since the last call, in order.
    pub(crate) async fn accepted(&self, endpoint: u32) -> anyhow::Result<Vec<String>> {
        let body = load::get(self.address, &format!("/{endpoint}")).await?.context("no answer of 200")?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// Starts or stops rejecting everything. Returns the number of rejected deliveries so far.
    pub(crate) async fn refuse(&self, refuse: bool) -> anyhow::Result<u64> {
        let body = load::get(self.address, &format!("/refuse/{refuse}")).await?;
        Ok(serde_json::from_slice(&body.context("no answer of 200")?)?)
    }

    /// Checks that the endpoint received exactly these events, once each, in this order.
    pub(crate) async fn expect(&self, endpoint: u32, events: &[String]) -> anyhow::Result<()> {
        let received = self.accepted(endpoint).await?;
        ensure!(received.len() == events.len(), "{} events received, of {}", received.len(), events.len());
        let wrong = received.iter().zip(events).position(|(received, sent)| received != sent);
        ensure!(wrong.is_none(), "out of order at position {}", wrong.unwrap_or_default());
        Ok(())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
