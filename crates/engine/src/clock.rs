//! Where the time comes from. The wall clock is trusted while it agrees with the clock that counts from boot.
//! After a jump the time is in doubt: it continues from the last trusted time, and ends nothing until
//! evidence settles which of the two is right (design section 3, The clock may be wrong).
//! Not here: the rules of doubt (`guard`), what a start trusts (`start`), the loop that stores the time and
//! asks Stripe for it (`keeper`).

mod guard;
mod keeper;
mod machine;
mod start;
mod status;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ledger::{Now, Timestamp};
use store::{ClockMark, ClockRecord};

use guard::{ClockGuard, TOLERANCE, TrustChange};

pub use guard::{EvidenceOutcome, TimeCandidate};
pub use keeper::{ClockKeeper, DateSource, remember};
pub use machine::Machine;
pub use start::DOWNTIME_MAX_SECONDS;
pub use status::{ClockState, ClockStatus, Doubt};

/// The anchor while the wall clock is not trusted: no reading agrees with it.
const NO_ANCHOR: i64 = i64::MIN;

/// Tells the time, and whether that time may end anything. Cheap to clone; every clone is the same clock.
#[derive(Clone)]
pub struct Clock(Arc<SharedClock>);

struct SharedClock {
    machine: Machine,
    /// None for a clock whose wall time is always trusted.
    watch: Option<Watch>,
}

/// The guard, and copies of the values that the fast path needs.
struct Watch {
    guard: Mutex<ClockGuard>,
    /// What wall time minus boot time should be; [`NO_ANCHOR`] while the wall clock is not trusted.
    anchor: AtomicI64,
    /// What it was at the last trusted reading. The kept time continues from there.
    trusted: AtomicI64,
    /// When the anchor next follows the wall clock a little, by the boot clock.
    follow_at: AtomicI64,
}

impl Clock {
    /// The machine's wall clock, always trusted: for programs without a ledger.
    pub fn system() -> Self {
        Self(Arc::new(SharedClock { machine: Machine::real(), watch: None }))
    }

    /// A clock that a test sets and that is always right: the time since boot moves with it.
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let now = Arc::new(now);
        let boot = now.clone();
        let since_boot = move || Duration::from_micros(u64::try_from(boot().0).unwrap_or_default());
        Self(Arc::new(SharedClock { machine: Machine::new(move || now(), since_boot, None), watch: None }))
    }

    /// The machine's clocks, watched. `record` says which time was last written to the database.
    pub fn watched(machine: Machine, record: &ClockRecord) -> Self {
        let (wall, boot) = machine.read();
        let guard = start::guard(&machine, wall, boot, record);
        let watch = Watch {
            anchor: AtomicI64::new(NO_ANCHOR),
            trusted: AtomicI64::new(0),
            follow_at: AtomicI64::new(boot),
            guard: Mutex::new(guard),
        };
        watch.publish(&watch.lock(), boot);
        let clock = Self(Arc::new(SharedClock { machine, watch: Some(watch) }));
        if let Some(why) = clock.status().why {
            clock.log(TrustChange::Doubted(why));
        }
        clock
    }

    /// The time: the trusted one, or while the clock is in doubt the last trusted time plus what has elapsed.
    pub fn now(&self) -> Timestamp {
        self.reading().at
    }

    /// The time, and whether it may end credits or holds.
    pub fn reading(&self) -> Now {
        let Some(watch) = &self.0.watch else { return Now::trusted((self.0.machine.wall)()) };
        let (wall, boot) = self.0.machine.read();
        let (anchor, offset) = (watch.anchor.load(Ordering::Acquire), wall.0.saturating_sub(boot));
        let agrees = anchor != NO_ANCHOR && offset.saturating_sub(anchor).saturating_abs() <= TOLERANCE;
        if agrees && boot < watch.follow_at.load(Ordering::Relaxed) {
            watch.trusted.store(offset, Ordering::Relaxed);
            return Now::trusted(wall);
        }
        self.with_guard(watch, |guard, wall, boot| guard.reading(wall, boot))
    }

    /// How long the machine has run, suspended or not. Limits and time-outs use this, because no jump of the
    /// wall clock changes it.
    pub fn since_boot(&self) -> Duration {
        (self.0.machine.boot)()
    }

    /// The clock's status.
    pub fn status(&self) -> ClockStatus {
        match &self.0.watch {
            None => ClockStatus::trusted(self.now()),
            Some(watch) => self.with_guard(watch, |guard, wall, boot| guard.status(wall, boot)),
        }
    }

    /// Takes evidence from `source`, which cannot be wrong, that it was `at` just now, within
    /// `tolerance_seconds`. Settles a doubt where that clearly fits one of the two times.
    pub fn witness(&self, at: Timestamp, tolerance_seconds: i64, source: &'static str) -> EvidenceOutcome {
        let Some(watch) = &self.0.watch else { return EvidenceOutcome::NoDoubt };
        let settled =
            self.with_guard(watch, |guard, wall, boot| guard.witness(at, tolerance_seconds, wall, boot));
        match settled {
            EvidenceOutcome::On(time) => tracing::warn!(
                time = time.as_str(),
                source,
                "the clock's doubt is settled: {} is right",
                time.in_words()
            ),
            EvidenceOutcome::Neither => tracing::error!(
                source,
                "neither the wall clock nor the kept time agrees: set this machine's clock"
            ),
            EvidenceOutcome::NoDoubt | EvidenceOutcome::Unclear => {}
        }
        settled
    }

    /// The time that a doubt was settled against, where it is later than the trusted one. A signature of that
    /// time shows that the settlement was wrong: nothing is signed in the future.
    pub fn rejected(&self) -> Option<Timestamp> {
        let watch = self.0.watch.as_ref()?;
        self.with_guard(watch, |guard, wall, boot| guard.rejected(wall, boot))
    }

    /// Puts the time in doubt again, because evidence contradicts the settlement.
    pub fn doubt_again(&self) {
        let Some(watch) = &self.0.watch else { return };
        if let Some(why) = self.with_guard(watch, |guard, _, boot| guard.doubt_again(boot)) {
            self.log(TrustChange::Doubted(why));
        }
    }

    /// Trusts the time that an operator says is right. Answers the status then; none when there was nothing
    /// to decide.
    pub fn confirm(&self, time: TimeCandidate) -> Option<ClockStatus> {
        let watch = self.0.watch.as_ref()?;
        self.with_guard(watch, |guard, wall, boot| {
            guard.confirm(time, wall, boot).then(|| guard.status(wall, boot))
        })
    }

    /// What a later start needs to know about this moment; none while the clock is in doubt.
    pub fn mark(&self) -> Option<ClockMark> {
        let watch = self.0.watch.as_ref()?;
        // Both clocks are read as one.
        let (now, boot) = self.with_guard(watch, |guard, wall, boot| (guard.reading(wall, boot), boot));
        let since_boot = Duration::from_micros(u64::try_from(boot).unwrap_or_default());
        let boot_id = self.0.machine.boot_id.clone();
        now.trusted.then_some(ClockMark { at: now.at, boot_id, since_boot })
    }

    /// Has the guard observe the newest readings, then acts on it, and logs what changed.
    fn with_guard<T>(&self, watch: &Watch, act: impl FnOnce(&mut ClockGuard, Timestamp, i64) -> T) -> T {
        let mut guard = watch.lock();
        // Read under the lock: an older reading must not follow a newer one.
        let (wall, boot) = self.0.machine.read();
        if watch.anchor.load(Ordering::Relaxed) != NO_ANCHOR {
            guard.take_over(watch.trusted.load(Ordering::Relaxed));
        }
        let change = guard.observe(wall, boot);
        let done = act(&mut guard, wall, boot);
        watch.publish(&guard, boot);
        drop(guard);
        if let Some(change) = change {
            self.log(change);
        }
        done
    }

    /// Logs a change. The guard must not be locked: this asks for the status.
    fn log(&self, change: TrustChange) {
        let difference_seconds = self.status().difference_seconds();
        match change {
            TrustChange::Doubted(why) => tracing::error!(
                reason = why.as_str(),
                difference_seconds,
                "the clock is in doubt: {}. Until it is settled nothing expires. Set this machine's clock, \
                 or see `faireplace clock show`",
                why.in_words()
            ),
            TrustChange::Returned => tracing::warn!("the wall clock agrees again and is trusted"),
        }
    }
}

impl Watch {
    fn lock(&self) -> MutexGuard<'_, ClockGuard> {
        // Nothing panics while a guard is half changed.
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies the values that the fast path needs.
    fn publish(&self, guard: &ClockGuard, boot: i64) {
        self.trusted.store(guard.kept_offset(), Ordering::Relaxed);
        self.follow_at.store(boot.saturating_add(guard::FOLLOW_EVERY), Ordering::Relaxed);
        self.anchor.store(guard.anchor().unwrap_or(NO_ANCHOR), Ordering::Release);
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}
