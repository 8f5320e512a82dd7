//! The open connections, and which of them closes when there is room for no more.
//!
//! A connection is *idle* until the first byte of a request, *receiving* until the whole request is here, and
//! *working* from then until its answer. When the server is full, a new connection takes the place of the one
//! that has been idle, or else receiving, the longest. The same goes for the memory that request bodies take,
//! and for the places of large ones. A working connection is owed an answer and never closes for another. So
//! a client that sends its request promptly is served, however many others are slow.

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
    open: Mutex<Open>,
    next_id: AtomicU64,
    started: Instant,
    /// Of the request bodies of all connections.
    body_bytes: AtomicUsize,
    /// Those that have, or had, a place for a large body.
    large_bodies: Mutex<Vec<Arc<Connection>>>,
    limits: Limits,
}

// What a connection does, in the order in which connections close for others.
const IDLE: u8 = 0;
const RECEIVING: u8 = 1;
const WORKING: u8 = 2;
/// It closed for another, and has not noticed yet.
const CLOSING: u8 = 3;

/// One open connection, as its task and its requests' bodies see it.
#[derive(Debug)]
pub(super) struct Connection {
    id: u64,
    server: Arc<Connections>,
    /// Of whoever connected. None for a trusted proxy, which connects for many.
    address: Option<IpAddr>,
    /// One of the four above.
    state: AtomicU8,
    /// Since when, in microseconds after the server's start.
    since: AtomicU64,
    /// Of the request that it receives or works on.
    body_bytes: AtomicUsize,
    /// How large it says to be, while it has one of the places of large bodies; else 0.
    large_body: AtomicU64,
    closing: Notify,
}

/// A connection, in the list for as long as this lives.
pub(super) struct Listed(pub(super) Arc<Connection>);

/// When one more connection can be admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Now, if need be in the place of another.
    Now,
    /// Not before that long: no connection has been idle or receiving for long enough to close.
    After(Duration),
}

/// Between two looks while every connection is owed an answer.
const LOOK: Duration = Duration::from_millis(50);

type Open = HashMap<u64, Arc<Connection>>;

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

    /// Lists a new connection, and closes another where there are too many. None where its address has as
    /// many as one address may have, and none of them can close for it.
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
            // It was looked for just now; should it be working meanwhile, there is one connection more.
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

    /// Closes the connection that has been idle or receiving the longest: the system has room for no more.
    pub(super) fn make_room(&self) {
        self.close_one(&mut self.lock(), |_| true);
    }

    /// Closes receiving connections, the longest waiting first, until bodies take no more than they may.
    /// `receiver` is the one that needs the memory. False where the others are owed an answer.
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

    /// Closes one of these connections: an idle one if there is one, and the one that has been that, or
    /// receiving, the longest. False where there is none. Its memory is no longer counted.
    fn close_one(&self, open: &mut Open, of: impl Fn(&Connection) -> bool) -> bool {
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

    fn lock(&self) -> MutexGuard<'_, Open> {
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
        // The total first: whoever releases this connection's meanwhile never takes off what is not in it.
        let total = self.server.body_bytes.fetch_add(count, Relaxed) + count;
        self.body_bytes.fetch_add(count, Relaxed);
        (total <= self.server.limits.body_bytes || self.server.free_body_bytes(self))
            && self.state.load(Relaxed) != CLOSING
    }

    /// Takes one of the places of large bodies for one that says to have so many bytes. If need be, a larger
    /// one gives its place away at once, one as large when it has been coming for long, and a smaller one
    /// when that is very long. False where there is none.
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

    /// Closes for another, unless it is working by now: then it is owed an answer, and this is false. Its
    /// memory and its place are no longer counted.
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

    /// Whether it keeps us waiting.
    fn is_waiting(&self) -> bool {
        self.state.load(Relaxed) < WORKING
    }

    /// Changes its state, unless it is another one by now.
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
