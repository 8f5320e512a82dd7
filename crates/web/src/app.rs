//! What the handlers share. Everything is handed in; nothing is global.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use engine::{Clock, Intake};
use ledger::Policy;
use store::{Mode, Store};
use stripe::Secret;
use stripe::signature::SignatureFault;
use tokio::sync::{Notify, Semaphore};

use crate::limits::Limits;

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// Memory.
    pub store: Store,
    /// The way in for events.
    pub intake: Intake,
    /// Rung when there is something to apply.
    pub arrived: Arc<Notify>,
    /// The deployment's money rules.
    pub policy: Arc<Policy>,
    /// Test or live.
    pub mode: Mode,
    /// The webhook's signing secrets; more than one while they are rolled.
    pub secrets: Arc<[Secret]>,
    /// The time.
    pub clock: Clock,
    /// Limits of this service.
    pub limits: Limits,
    /// Webhooks that may be stored at one moment.
    pub intake_permits: Arc<Semaphore>,
    /// What happened since the start.
    pub counters: Arc<Counters>,
}

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
        let arrived = Arc::new(Notify::new());
        Self {
            intake: Intake::new(store.clone(), arrived.clone()),
            store,
            arrived,
            policy,
            mode,
            secrets: secrets.into(),
            clock,
            limits,
            intake_permits: Arc::new(Semaphore::new(limits.intake_permits)),
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
