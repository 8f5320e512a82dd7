//! Whether a start trusts the wall clock, given the time that was last written.

use ledger::Timestamp;
use store::{ClockMark, ClockRecord};

use super::guard::{ClockGuard, TOLERANCE};
use super::machine::Machine;
use super::status::Doubt;

/// The longest downtime, in seconds, after which a start trusts the wall clock without evidence: 7 days.
/// Stripe retries events for 3 days, and a long weekend is normal. After a longer downtime the service starts
/// in doubt, and the first new event, Stripe's `Date` or an operator settles it, mostly within seconds.
pub const DOWNTIME_MAX_SECONDS: i64 = 7 * 86_400;

/// The guard to begin with.
pub(super) fn guard(machine: &Machine, wall: Timestamp, boot: i64, record: &ClockRecord) -> ClockGuard {
    let offset = wall.0.saturating_sub(boot);
    if let Some(expected) = record.mark.as_ref().and_then(|mark| same_boot(machine, boot, mark)) {
        // The elapsed time is known exactly.
        return if offset.saturating_sub(expected).saturating_abs() <= TOLERANCE {
            ClockGuard::trusting(offset, expected, boot)
        } else {
            ClockGuard::doubting(Doubt::JumpedBetweenRuns, expected, 0, boot)
        };
    }
    let Some(last) = record.last_written() else {
        // A new database has no earlier time.
        return ClockGuard::trusting(offset, offset, boot);
    };
    let kept = last.0.saturating_sub(boot);
    let slack = DOWNTIME_MAX_SECONDS * 1_000_000;
    match offset.saturating_sub(kept) {
        behind if behind < -TOLERANCE => ClockGuard::doubting(Doubt::BeforeLastWritten, kept, slack, boot),
        ahead if ahead > slack + TOLERANCE => {
            ClockGuard::doubting(Doubt::FarAfterLastWritten, kept, slack, boot)
        }
        _ => ClockGuard::trusting(offset, offset, boot),
    }
}

/// The offset that the wall clock had at the mark, if the machine has run since.
fn same_boot(machine: &Machine, boot: i64, mark: &ClockMark) -> Option<i64> {
    let marked = i64::try_from(mark.since_boot.as_micros()).unwrap_or(i64::MAX);
    let same = mark.boot_id.is_some() && mark.boot_id == machine.boot_id && marked <= boot;
    same.then(|| mark.at.0.saturating_sub(marked))
}
