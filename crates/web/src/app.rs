//! The state that handlers share. All parts are passed in; none is global.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::{Clock, CommandQueue, Intake, OperatorActions, Purchases, Shop};
use ledger::{Credits, Policy};
use store::{Mode, OperatorLimits, Store};
use stripe::Secret;
use stripe::signature::SignatureFault;
use tokio::sync::{Semaphore, watch};

use crate::destination::Destinations;
use crate::limits::Limits;
use crate::rate::Limiter;
use crate::stream_slots::StreamSlots;
use crate::write_probe::WriteProbe;

/// The default limits on the credits that one person may move in 24 hours.
pub const OPERATOR_LIMITS: OperatorLimits = OperatorLimits { per_tenant: Credits(100), total: Credits(1000) };

/// The parts of an [`App`].
#[derive(Clone, Debug)]
pub struct AppParts {
    /// The database.
    pub store: Store,
    /// The queue for commands. Its worker must run.
    pub commands: CommandQueue,
    /// The time.
    pub clock: Clock,
    /// Test or live.
    pub mode: Mode,
    /// The deployment's money rules.
    pub policy: Arc<Policy>,
    /// The credits that one person may move in 24 hours; more takes two people.
    pub operator_limits: OperatorLimits,
    /// The catalogue and the payment gateway.
    pub shop: Arc<Shop>,
    /// The webhook's signing secrets; several while they are rotated.
    pub secrets: Vec<Secret>,
    /// Where notices may be sent.
    pub destinations: Arc<Destinations>,
    /// Limits of this service.
    pub limits: Limits,
    /// Lines of the log that were dropped since the start, because nothing read them fast enough.
    pub log_lines_dropped: Arc<AtomicU64>,
}

/// The state that handlers share. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub store: Store,
    /// Stores incoming events.
    pub(crate) intake: Intake,
    /// The queue for commands.
    pub(crate) commands: CommandQueue,
    /// Executes the actions of operators.
    pub(crate) actions: OperatorActions,
    /// Opens checkouts.
    pub(crate) purchases: Purchases,
    /// The catalogue.
    pub(crate) shop: Arc<Shop>,
    /// Where notices may be sent.
    pub(crate) destinations: Arc<Destinations>,
    /// Counts the open streams.
    pub(crate) stream_slots: StreamSlots,
    /// True once the service begins to stop. Streams end then, so that draining does not wait for them.
    pub draining: watch::Sender<bool>,
    /// Test or live.
    pub(crate) mode: Mode,
    /// The webhook's signing secrets.
    pub(crate) secrets: Arc<[Secret]>,
    /// The time.
    pub clock: Clock,
    /// Counts the requests of tenants.
    pub(crate) limiter: Arc<Limiter>,
    /// Limits of this service.
    pub limits: Limits,
    /// Permits for storing webhooks concurrently.
    pub intake_permits: Arc<Semaphore>,
    /// Whether deliveries can be stored.
    pub(crate) write_probe: Arc<WriteProbe>,
    /// Lines of the log that were dropped since the start.
    pub(crate) log_lines_dropped: Arc<AtomicU64>,
    /// Counters since the start.
    pub(crate) counters: Arc<Counters>,
}

/// How handlers hold an [`App`]. One reference count is cheaper than cloning every field per request.
pub(crate) type Shared = Arc<App>;

impl App {
    /// Puts the parts together.
    pub fn new(parts: AppParts) -> Self {
        let AppParts { store, commands, clock, mode, policy, operator_limits, shop, .. } = parts;
        let AppParts { secrets, destinations, limits, log_lines_dropped, .. } = parts;
        Self {
            intake: Intake::new(store.clone()),
            commands,
            actions: OperatorActions::new(store.clone(), clock.clone(), policy.clone(), operator_limits),
            purchases: Purchases::new(store.clone(), shop.clone(), policy),
            shop,
            destinations,
            store,
            stream_slots: StreamSlots::default(),
            draining: watch::Sender::new(false),
            mode,
            secrets: secrets.into(),
            clock,
            limiter: Arc::new(Limiter::new(limits.requests_per_hour)),
            limits,
            intake_permits: Arc::new(Semaphore::new(limits.intake_permits)),
            write_probe: Arc::default(),
            log_lines_dropped,
            counters: Arc::default(),
        }
    }
}

/// Counters of the webhook since the start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Deliveries stored and acknowledged.
    pub accepted: AtomicU64,
    /// Of these, deliveries of a known event.
    pub duplicates: AtomicU64,
    /// Deliveries that received 503; Stripe retries them.
    pub unavailable: AtomicU64,
    faults: [AtomicU64; 6],
}

impl Counters {
    /// Adds one.
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
