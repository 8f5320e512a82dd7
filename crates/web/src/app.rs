//! What the handlers share. Everything is handed in; nothing is global.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::{ChangeSignal, Clock, CommandQueue, Intake};
use ledger::{Credits, Policy};
use store::{Mode, OperatorLimits, Store};
use stripe::Secret;
use stripe::signature::SignatureFault;
use tokio::sync::{Notify, Semaphore, watch};

use crate::api::health::Writes;
use crate::api::stream::Streams;
use crate::destination::Destinations;
use crate::limits::Limits;
use crate::rate::Limiter;
use crate::shop::{InFlight, Shop};

/// What one person may move in 24 hours, where the deployment does not say.
pub const OPERATOR_LIMITS: OperatorLimits = OperatorLimits { per_tenant: Credits(100), total: Credits(1000) };

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// Memory.
    pub store: Store,
    /// The way in for events.
    pub intake: Intake,
    /// Rung when there is something to apply.
    pub arrived: Arc<Notify>,
    /// Where commands are carried out. Somebody must run it ([`CommandQueue::run`]).
    pub command_queue: CommandQueue,
    /// Rung after every commit that may have something to tell others.
    pub changes: ChangeSignal,
    /// Where notices may be sent.
    pub destinations: Arc<Destinations>,
    /// The live streams that are open.
    pub(crate) streams: Streams,
    /// True from the order to stop on: streams end then, so that draining does not wait for them.
    pub draining: watch::Sender<bool>,
    /// The deployment's money rules.
    pub policy: Arc<Policy>,
    /// What one person may move in 24 hours; more takes two.
    pub operator_limits: OperatorLimits,
    /// What is sold here, and through whom. Nothing, until somebody hands it in.
    pub shop: Arc<Shop>,
    /// The purchases that Stripe is being asked for.
    pub(crate) in_flight: Arc<InFlight>,
    /// Test or live.
    pub mode: Mode,
    /// The webhook's signing secrets; more than one while they are rolled.
    pub secrets: Arc<[Secret]>,
    /// The time.
    pub clock: Clock,
    /// Counts the requests of tenants.
    pub limiter: Arc<Limiter>,
    /// Limits of this service.
    pub limits: Limits,
    /// Webhooks that may be stored at one moment.
    pub intake_permits: Arc<Semaphore>,
    /// Whether deliveries can be stored.
    pub(crate) writes: Arc<Writes>,
    /// Lines of the log that nobody read and that were dropped, since the start.
    pub log_lines_dropped: Arc<AtomicU64>,
    /// What happened since the start.
    pub counters: Arc<Counters>,
}

/// As handlers hold it: each request clones it several times, and one counter is cheaper than twenty.
pub(crate) type Shared = Arc<App>;

impl App {
    /// Puts the parts together.
    pub fn new(
        store: Store,
        policy: Arc<Policy>,
        mode: Mode,
        secrets: Vec<Secret>,
        clock: Clock,
        limits: Limits,
    ) -> Self {
        let (arrived, changes) = (Arc::new(Notify::new()), ChangeSignal::default());
        Self {
            intake: Intake::new(store.clone(), arrived.clone()),
            command_queue: CommandQueue::new(store.clone(), changes.clone()),
            store,
            arrived,
            destinations: Arc::default(),
            streams: Streams::default(),
            draining: watch::Sender::new(false),
            changes,
            policy,
            operator_limits: OPERATOR_LIMITS,
            shop: Arc::default(),
            in_flight: Arc::default(),
            mode,
            secrets: secrets.into(),
            clock,
            limiter: Arc::new(Limiter::new(limits.requests_per_hour)),
            limits,
            intake_permits: Arc::new(Semaphore::new(limits.intake_permits)),
            writes: Arc::default(),
            log_lines_dropped: Arc::default(),
            counters: Arc::default(),
        }
    }
}

/// What happened at the webhook since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Deliveries that were stored and acknowledged.
    pub accepted: AtomicU64,
    /// Of these, deliveries of an event that was there already.
    pub duplicates: AtomicU64,
    /// Deliveries turned away with 503, for Stripe to send again.
    pub unavailable: AtomicU64,
    faults: [AtomicU64; 6],
}

impl Counters {
    /// Counts one.
    pub fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a refused signature.
    pub fn count_fault(&self, fault: SignatureFault) {
        Self::count(&self.faults[fault as usize]);
    }

    /// Refused signatures by reason.
    pub fn faults(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        const ALL: [SignatureFault; 6] = [
            SignatureFault::Missing,
            SignatureFault::Malformed,
            SignatureFault::NoV1,
            SignatureFault::Mismatch,
            SignatureFault::Stale,
            SignatureFault::Future,
        ];
        ALL.into_iter().map(|fault| (fault.as_str(), self.faults[fault as usize].load(Ordering::Relaxed)))
    }
}
