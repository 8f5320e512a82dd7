//! The open connections, and which one closes when the limit is reached.
//!
//! A connection is *idle* until the first byte of a request, *receiving* until the request is complete, and
//! *working* until its response. At the limit a new connection replaces the one that has been idle, or else
//! receiving, the longest. The same applies to the memory of request bodies and to the places for large
//! bodies. A working connection never closes for another. So a client that sends its request promptly is
//! served, however many others are slow.

use std::cmp::Ordering;
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
    open: Mutex<OpenConnections>,
    next_id: AtomicU64,
    started: Instant,
    /// Bytes of the request bodies of all connections.
    body_bytes: AtomicUsize,
    /// Connections that have, or had, a place for a large body.
    large_bodies: Mutex<Vec<Arc<Connection>>>,
    limits: Limits,
}

// The states of a connection, in the order in which connections close for others.
const IDLE: u8 = 0;
const RECEIVING: u8 = 1;
const WORKING: u8 = 2;
/// Closed for another, and not noticed yet.
const CLOSING: u8 = 3;

/// An open connection, shared by its task and the bodies of its requests.
#[derive(Debug)]
pub(super) struct Connection {
    id: u64,
    server: Arc<Connections>,
    /// The address of the peer. None for a trusted proxy, which connects for many clients.
    address: Option<IpAddr>,
    /// One of the four states above.
    state: AtomicU8,
    /// Since when it is in this state, in microseconds after the server's start.
    since: AtomicU64,
    /// Bytes of the body of the current request.
    body_bytes: AtomicUsize,
    /// The declared length of the body while it holds a place for large bodies; else 0.
    large_body: AtomicU64,
    closing: Notify,
}

/// A connection that is listed until this is dropped.
pub(super) struct Listed(pub(super) Arc<Connection>);

/// When one more connection can be admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Now, if necessary in place of another.
    Now,
    /// After this time: no connection has been idle or receiving for long enough to close.
    After(Duration),
}

/// The interval between checks while every connection is working.
const LOOK: Duration = Duration::from_millis(50);

type OpenConnections = HashMap<u64, Arc<Connection>>;

impl Connections {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            open: Mutex::default(),
            next_id: AtomicU64::new(0),
            started: Instant::now(),
            body_bytes: AtomicUsize::new(0),
            large_bodies: Mutex::default(),
            limits,
        })
    }

    /// When one more connection can be admitted.
    pub(super) fn admission(&self) -> Admission {
        let open = self.lock();
        if open.len() < self.limits.connections {
            return Admission::Now;
        }
        let waiting = open.values().filter(|connection| connection.is_waiting());
        match waiting.map(|connection| self.limits.stay.saturating_sub(self.waited(connection))).min() {
            Some(Duration::ZERO) => Admission::Now,
            Some(left) => Admission::After(left.min(LOOK)),
            None => Admission::After(LOOK),
        }
    }

    /// Lists a new connection, and closes another at the limit. None if its address has reached its own
    /// limit, and none of its connections can close.
    pub(super) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Listed> {
        let mut open = self.lock();
        let stayed = |it: &Connection| self.waited(it) >= self.limits.stay;
        let same = |it: &Connection| it.address == address;
        if address.is_some()
            && open.values().filter(|it| same(it)).count() >= self.limits.connections_per_address
            && !self.close_one(&mut open, |it| same(it) && stayed(it))
        {
            return None;
        }
        if open.len() >= self.limits.connections {
            // A connection was found just before; if it is working by now, there is one connection more.
            self.close_one(&mut open, stayed);
        }
        let connection = Arc::new(Connection {
            id: self.next_id.fetch_add(1, Relaxed),
            server: self.clone(),
            address,
            state: AtomicU8::new(IDLE),
            since: AtomicU64::new(self.now()),
            body_bytes: AtomicUsize::new(0),
            large_body: AtomicU64::new(0),
            closing: Notify::new(),
        });
        open.insert(connection.id, connection.clone());
        Some(Listed(connection))
    }

    /// Closes the connection that has been idle or receiving the longest, because the system has no room for
    /// more.
    pub(super) fn make_room(&self) {
        self.close_one(&mut self.lock(), |_| true);
    }

    /// Closes receiving connections, the longest waiting first, until bodies are within their limit.
    /// `receiver` needs the memory. False if all others are working.
    fn free_body_bytes(&self, receiver: &Connection) -> bool {
        let mut open = self.lock();
        let sends = |it: &Connection| it.id != receiver.id && it.body_bytes.load(Relaxed) > 0;
        while self.body_bytes.load(Relaxed) > self.limits.body_bytes {
            if !self.close_one(&mut open, sends) {
                return false;
            }
        }
        true
    }

    /// Closes one of these connections: the one that has been idle, or else receiving, the longest. False if
    /// there is none. Its memory is no longer counted.
    fn close_one(&self, open: &mut OpenConnections, of: impl Fn(&Connection) -> bool) -> bool {
        loop {
            let waiting = open.values().filter(|it| it.is_waiting() && of(it));
            let longest = waiting.min_by_key(|it| (it.state.load(Relaxed), it.since.load(Relaxed)));
            let Some(connection) = longest.cloned() else { return false };
            if connection.close() {
                open.remove(&connection.id);
                return true;
            }
        }
    }

    fn waited(&self, connection: &Connection) -> Duration {
        Duration::from_micros(self.now().saturating_sub(connection.since.load(Relaxed)))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, OpenConnections> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
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

    /// The request is complete.
    pub(super) fn received(&self) {
        self.change(RECEIVING, WORKING);
        // A pipelined request arrived together with the one before it.
        self.change(IDLE, WORKING);
    }

    /// The request has its response.
    pub(super) fn answered(&self) {
        self.release_body();
        self.change(WORKING, IDLE);
        // The response did not wait for the body.
        self.change(RECEIVING, IDLE);
    }

    /// Counts bytes of a request body. False if there is no memory for them.
    pub(super) fn take_body_bytes(&self, count: usize) -> bool {
        // The total is updated first, so that a concurrent release never subtracts what was not added.
        let total = self.server.body_bytes.fetch_add(count, Relaxed) + count;
        self.body_bytes.fetch_add(count, Relaxed);
        (total <= self.server.limits.body_bytes || self.server.free_body_bytes(self))
            && self.state.load(Relaxed) != CLOSING
    }

    /// Takes a place for a large body of this length. If none is free, a larger body gives up its place at
    /// once, one of the same size when it has been arriving for long, and a smaller one when that is very
    /// long. False if there is none.
    pub(super) fn take_large_body(self: &Arc<Self>, bytes: u64) -> bool {
        let server = &self.server;
        let size = |it: &Connection| it.large_body.load(Relaxed);
        let grace = |it: &Connection| match size(it).cmp(&bytes) {
            Ordering::Greater => Duration::ZERO,
            Ordering::Equal => server.limits.stay,
            Ordering::Less => server.limits.stay * 4,
        };
        let mut large = server.large_bodies.lock().unwrap_or_else(PoisonError::into_inner);
        large.retain(|it| size(it) > 0);
        if large.len() >= server.limits.large_bodies {
            let yields = |it: &&Arc<Self>| it.is_waiting() && server.waited(it) >= grace(it);
            let largest = large.iter().filter(yields).max_by_key(|it| size(it)).cloned();
            if !largest.is_some_and(|it| it.close()) {
                return false;
            }
        }
        self.large_body.store(bytes, Relaxed);
        large.push(self.clone());
        true
    }

    /// Closes for another. False if it is working by now. Its memory and its place are no longer counted.
    fn close(&self) -> bool {
        let closes = self.change(IDLE, CLOSING) || self.change(RECEIVING, CLOSING);
        if closes {
            self.release_body();
            self.closing.notify_one();
        }
        closes
    }

    fn release_body(&self) {
        self.large_body.store(0, Relaxed);
        self.server.body_bytes.fetch_sub(self.body_bytes.swap(0, Relaxed), Relaxed);
    }

    /// Whether it is waiting for its client.
    fn is_waiting(&self) -> bool {
        self.state.load(Relaxed) < WORKING
    }

    /// Changes the state, unless it has changed already.
    fn change(&self, from: u8, to: u8) -> bool {
        let changed = self.state.load(Relaxed) == from
            && self.state.compare_exchange(from, to, Relaxed, Relaxed).is_ok();
        if changed {
            self.since.store(self.server.now(), Relaxed);
        }
        changed
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.0.release_body();
        self.0.server.lock().remove(&self.0.id);
    }
}
