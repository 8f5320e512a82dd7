//! The machine's clocks, read nowhere else. The wall clock tells the time and may be set; the boot clock
//! counts from boot, also while the machine sleeps, and cannot be set.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ledger::Timestamp;

/// Where Linux keeps the id of this boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The machine's clocks.
pub struct Machine {
    pub(super) wall: Box<dyn Fn() -> Timestamp + Send + Sync>,
    pub(super) boot: Box<dyn Fn() -> Duration + Send + Sync>,
    /// The id of this boot, where that is known.
    pub(super) boot_id: Option<String>,
}

impl Machine {
    /// This machine's.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clocks")]
    pub fn real() -> Self {
        let wall = || {
            // A clock before 1970 reads as 1970.
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
        };
        let boot_id = std::fs::read_to_string(BOOT_ID).ok().map(|text| text.trim().to_owned());
        Self::new(wall, boot_clock, boot_id.filter(|id| !id.is_empty()))
    }

    /// Clocks that a test sets.
    pub fn new(
        wall: impl Fn() -> Timestamp + Send + Sync + 'static,
        boot: impl Fn() -> Duration + Send + Sync + 'static,
        boot_id: Option<String>,
    ) -> Self {
        Self { wall: Box::new(wall), boot: Box::new(boot), boot_id }
    }

    /// The wall clock, and the boot clock in microseconds.
    pub(super) fn read(&self) -> (Timestamp, i64) {
        ((self.wall)(), i64::try_from((self.boot)().as_micros()).unwrap_or(i64::MAX))
    }
}

/// Time since boot, with the time for which the machine was suspended.
fn boot_clock() -> Duration {
    #[cfg(target_os = "linux")]
    let id = rustix::time::ClockId::Boottime;
    // Elsewhere the monotonic clock may stop while the machine sleeps; the wall clock then seems to jump.
    #[cfg(not(target_os = "linux"))]
    let id = rustix::time::ClockId::Monotonic;
    Duration::try_from(rustix::time::clock_gettime(id)).unwrap_or_default()
}
