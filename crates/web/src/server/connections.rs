//! The open connections, and which of them closes when there is room for no more.
//!
//! A connection is *idle* until the first byte of a request, *receiving* until the whole request is here, and
//! *working* from then until its answer. When the server is full, a newcomer takes the place of the idle
//! connection, or else the receiving one, that has kept us waiting the longest. The same goes for the memory
//! that request bodies take. A working connection is owed an answer and never closes for another. So a client
//! that sends its request promptly is served, however many others are slow.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::limits::Limits;

/// Every open connection of one server.
#[derive(Debug)]
pub(super) struct Connections {
    open: Mutex<HashMap<u64, Arc<Connection>>>,
    next_id: AtomicU64,
    started: Instant,
    /// Of the request bodies of all connections.
    body_bytes: AtomicUsize,
    limits: Limits,
}

/// What a connection does, in the order in which connections close for others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Idle,
    Receiving,
    Working,
    /// It closed for another, and has not noticed yet.
    Closing,
}

const IDLE: u8 = State::Idle as u8;
const RECEIVING: u8 = State::Receiving as u8;
const WORKING: u8 = State::Working as u8;
const CLOSING: u8 = State::Closing as u8;

/// One open connection, as its task and its requests' bodies see it.
#[derive(Debug)]
pub(super) struct Connection {
    id: u64,
    server: Arc<Connections>,
    /// Of whoever connected. None for a trusted proxy, which connects for many.
    address: Option<IpAddr>,
    state: AtomicU8,
    /// Since when, in microseconds after the server's start.
    since: AtomicU64,
    /// Of the request that it receives or works on.
    body_bytes: AtomicUsize,
    closing: Notify,
}

/// A connection, in the list for as long as this lives.
pub(super) struct Listed(pub(super) Arc<Connection>);

/// Whether one more connection can be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// Yes, if need be in the place of another.
    Now,
    /// Not before that long: nobody has kept us waiting for long enough to close.
    After(Duration),
    /// Not before one of them ends: each is owed an answer.
    WhenOneEnds,
}

impl Connections {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            open: Mutex::default(),
            next_id: AtomicU64::new(0),
            started: Instant::now(),
            body_bytes: AtomicUsize::new(0),
            limits,
        })
    }

    /// Whether one more connection can be accepted.
    pub(super) fn room(&self) -> Room {
        let open = self.lock();
        if open.len() < self.limits.connections {
            return Room::Now;
        }
        match longest_waiting(open.values()) {
            None => Room::WhenOneEnds,
            Some(connection) => match self.limits.stay.saturating_sub(self.waited(connection)) {
                Duration::ZERO => Room::Now,
                left => Room::After(left),
            },
        }
    }

    /// Lists a new connection, and closes another where there are too many. None where its address has as
    /// many as one address may have, and none of them can close for it.
    pub(super) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Listed> {
        let mut open = self.lock();
        let same = || open.values().filter(|connection| connection.address == address);
        if address.is_some() && same().count() >= self.limits.connections_per_address {
            let waiting = longest_waiting(same()).filter(|it| self.waited(it) >= self.limits.stay);
            let id = self.close(waiting?);
            open.remove(&id);
        }
        if open.len() >= self.limits.connections {
            self.close_longest_waiting(&mut open);
        }
        let connection = Arc::new(Connection {
            id: self.next_id.fetch_add(1, Relaxed),
            server: self.clone(),
            address,
            state: AtomicU8::new(IDLE),
            since: AtomicU64::new(self.now()),
            body_bytes: AtomicUsize::new(0),
            closing: Notify::new(),
        });
        open.insert(connection.id, connection.clone());
        Some(Listed(connection))
    }

    /// Closes the connection that has kept us waiting the longest, if any does: the system has room for no
    /// more.
    pub(super) fn make_room(&self) {
        self.close_longest_waiting(&mut self.lock());
    }

    fn close_longest_waiting(&self, open: &mut HashMap<u64, Arc<Connection>>) {
        if let Some(id) = longest_waiting(open.values()).map(|waiting| self.close(waiting)) {
            open.remove(&id);
        }
    }

    /// Closes receiving connections, the longest waiting first, until bodies take no more than they may.
    /// `receiver` is the one that needs the memory. False where the others are owed an answer.
    fn free_body_bytes(&self, receiver: &Connection) -> bool {
        let mut open = self.lock();
        while self.body_bytes.load(Relaxed) > self.limits.body_bytes {
            let others = open.values().filter(|it| it.id != receiver.id && it.body_bytes.load(Relaxed) > 0);
            let Some(id) = longest_waiting(others).map(|waiting| self.close(waiting)) else { return false };
            open.remove(&id);
        }
        true
    }

    /// Tells a connection to close, and no longer counts its memory.
    fn close(&self, connection: &Connection) -> u64 {
        connection.state.store(CLOSING, Relaxed);
        connection.release_body();
        connection.closing.notify_one();
        connection.id
    }

    fn waited(&self, connection: &Connection) -> Duration {
        Duration::from_micros(self.now().saturating_sub(connection.since.load(Relaxed)))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Connection>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Of those that keep us waiting: an idle one if there is one, and the one that has waited the longest.
fn longest_waiting<'a>(
    connections: impl Iterator<Item = &'a Arc<Connection>>,
) -> Option<&'a Arc<Connection>> {
    let waiting = |it: &&Arc<Connection>| it.state.load(Relaxed) < WORKING;
    connections.filter(waiting).min_by_key(|it| (it.state.load(Relaxed), it.since.load(Relaxed)))
}

impl Connection {
    /// Resolves when this connection has to close for another.
    pub(super) async fn closing(&self) {
        self.closing.notified().await;
    }

    /// A byte arrived. The first one of a request ends the idle time.
    pub(super) fn heard(&self) {
        self.change(IDLE, RECEIVING);
    }

    /// The whole request is here.
    pub(super) fn received(&self) {
        self.change(RECEIVING, WORKING);
        // A pipelined request arrived together with the one before it.
        self.change(IDLE, WORKING);
    }

    /// The request has its answer.
    pub(super) fn answered(&self) {
        self.release_body();
        self.change(WORKING, IDLE);
        // An answer that did not wait for the body.
        self.change(RECEIVING, IDLE);
    }

    /// Counts bytes of a request's body. False where there is no memory for them.
    pub(super) fn take_body_bytes(&self, count: usize) -> bool {
        self.body_bytes.fetch_add(count, Relaxed);
        let total = self.server.body_bytes.fetch_add(count, Relaxed) + count;
        (total <= self.server.limits.body_bytes || self.server.free_body_bytes(self))
            && self.state.load(Relaxed) != CLOSING
    }

    fn release_body(&self) {
        self.server.body_bytes.fetch_sub(self.body_bytes.swap(0, Relaxed), Relaxed);
    }

    fn change(&self, from: u8, to: u8) {
        if self.state.load(Relaxed) == from && self.state.compare_exchange(from, to, Relaxed, Relaxed).is_ok()
        {
            self.since.store(self.server.now(), Relaxed);
        }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.0.release_body();
        self.0.server.lock().remove(&self.0.id);
    }
}
