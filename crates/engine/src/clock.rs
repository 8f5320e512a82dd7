//! Where the time comes from. The wall clock is believed while it agrees with the clock that counts from
//! boot. After a jump the time is in doubt: it goes on from the last trusted time, and ends nothing until
//! evidence settles which of the two is right (design section 3, The clock may be wrong).
//! Not here: the rules of doubt (`guard`), what a start believes (`start`), the loop that remembers the time
//! and asks Stripe for it (`keeper`).

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

use guard::{Change, Guard, TOLERANCE};

pub use guard::{Doubt, Settled, Side};
pub use keeper::{DateSource, Keeper, remember};
pub use machine::Machine;
pub use start::DOWNTIME_MAX_SECONDS;
pub use status::{ClockState, ClockStatus};

/// The anchor while the wall clock is not trusted: no reading agrees with it.
const NO_ANCHOR: i64 = i64::MIN;

/// Tells the time, and whether that time may end anything. Cheap to clone; every clone is the same clock.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    machine: Machine,
    /// None for a clock whose wall time is always believed.
    watch: Option<Watch>,
}

/// The guard, and copies of what the fast path needs of it.
struct Watch {
    guard: Mutex<Guard>,
    /// What wall time minus boot time should be; [`NO_ANCHOR`] while the wall clock is not trusted.
    anchor: AtomicI64,
    /// What it was at the last trusted reading. The kept time goes on from there.
    trusted: AtomicI64,
    /// When the anchor next follows the wall clock a little, by the boot clock.
    follow_at: AtomicI64,
}

impl Clock {
    /// The machine's wall clock, always believed: for what keeps no books.
    pub fn system() -> Self {
        Self(Arc::new(Inner { machine: Machine::real(), watch: None }))
    }

    /// A clock that a test moves, and that is always right: time since boot passes with it.
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let now = Arc::new(now);
        let boot = now.clone();
        let since_boot = move || Duration::from_micros(u64::try_from(boot().0).unwrap_or_default());
        Self(Arc::new(Inner { machine: Machine::new(move || now(), since_boot, None), watch: None }))
    }

    /// The machine's clocks, watched: as a service with this record of the time begins with them.
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
        let clock = Self(Arc::new(Inner { machine, watch: Some(watch) }));
        if let Some(why) = clock.status().why {
            clock.say(Change::Doubted(why));
        }
        clock
    }

    /// The time: the trusted one, or while the clock is in doubt the last trusted time and what has passed
    /// since.
    pub fn now(&self) -> Timestamp {
        self.reading().at
    }

    /// The time, and whether it may end credits or holds.
    pub fn reading(&self) -> Now {
        let (wall, boot) = self.0.machine.read();
        let Some(watch) = &self.0.watch else { return Now::trusted(wall) };
        let (anchor, offset) = (watch.anchor.load(Ordering::Acquire), wall.0.saturating_sub(boot));
        let agrees = anchor != NO_ANCHOR && offset.saturating_sub(anchor).saturating_abs() <= TOLERANCE;
        if agrees && boot < watch.follow_at.load(Ordering::Relaxed) {
            watch.trusted.store(offset, Ordering::Relaxed);
            return Now::trusted(wall);
        }
        self.with_guard(watch, |guard, wall, boot| guard.reading(wall, boot))
    }

    /// How long the machine has run, suspended or not. Limits and time-outs count in this: no jump of the
    /// wall clock moves it.
    pub fn since_boot(&self) -> Duration {
        (self.0.machine.boot)()
    }

    /// How the clock is doing.
    pub fn status(&self) -> ClockStatus {
        match &self.0.watch {
            None => ClockStatus::trusted(self.now()),
            Some(watch) => self.with_guard(watch, |guard, wall, boot| guard.status(wall, boot)),
        }
    }

    /// Evidence: by somebody who cannot be wrong it was `at` just now, give or take `tolerance_seconds`.
    /// Settles a doubt where that clearly fits one of the two times; answers which.
    pub fn witness(&self, at: Timestamp, tolerance_seconds: i64, source: &'static str) -> Settled {
        let Some(watch) = &self.0.watch else { return Settled::NoDoubt };
        let settled =
            self.with_guard(watch, |guard, wall, boot| guard.witness(at, tolerance_seconds, wall, boot));
        match settled {
            Settled::On(side) => tracing::warn!(
                time = side.as_str(),
                source,
                "the clock's doubt is settled: {} is right",
                side.in_words()
            ),
            Settled::Neither => tracing::error!(
                source,
                "neither the wall clock nor the kept time agrees: set this machine's clock"
            ),
            Settled::NoDoubt | Settled::Unclear => {}
        }
        settled
    }

    /// A person's word for which time is right. Answers how the clock is then; none when there was nothing to
    /// decide.
    pub fn confirm(&self, side: Side) -> Option<ClockStatus> {
        let watch = self.0.watch.as_ref()?;
        self.with_guard(watch, |guard, wall, boot| {
            guard.confirm(side, wall, boot).then(|| guard.status(wall, boot))
        })
    }

    /// What a later start needs to know of this moment; none while the clock is in doubt.
    pub fn mark(&self) -> Option<ClockMark> {
        let (boot_id, since_boot) = (self.0.machine.boot_id.clone(), self.since_boot());
        let now = self.reading();
        now.trusted.then_some(ClockMark { at: now.at, boot_id, since_boot })
    }

    /// Does something with the guard, which has seen the newest readings by then, and says what changed.
    fn with_guard<T>(&self, watch: &Watch, act: impl FnOnce(&mut Guard, Timestamp, i64) -> T) -> T {
        let mut guard = watch.lock();
        // Read under the lock: an older reading must not follow a newer one.
        let (wall, boot) = self.0.machine.read();
        if watch.anchor.load(Ordering::Relaxed) != NO_ANCHOR {
            guard.trust_until(watch.trusted.load(Ordering::Relaxed));
        }
        let change = guard.observe(wall, boot);
        let done = act(&mut guard, wall, boot);
        watch.publish(&guard, boot);
        drop(guard);
        if let Some(change) = change {
            self.say(change);
        }
        done
    }

    /// Tells the log. Must not be called with the lock held: it asks for the status.
    fn say(&self, change: Change) {
        let ClockStatus { wall, kept, .. } = self.status();
        let difference_seconds = wall.0.saturating_sub(kept.0) / 1_000_000;
        match change {
            Change::Doubted(why) => tracing::error!(
                reason = why.as_str(),
                difference_seconds,
                "the clock is in doubt: {}. Until it is settled nothing expires. Set this machine's clock, \
                 or see `faireplace clock show`",
                why.in_words()
            ),
            Change::Returned => tracing::warn!("the wall clock agrees again and is trusted"),
        }
    }
}

impl Watch {
    fn lock(&self) -> MutexGuard<'_, Guard> {
        // Whoever panicked left a whole guard behind: its fields are written one by one without a panic
        // between.
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Copies out what the fast path needs.
    fn publish(&self, guard: &Guard, boot: i64) {
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
