//! The one retry schedule: when to try again what failed, and how long one attempt may take.
//!
//! Stripe publishes no intervals; these are FairePlace's published policy. It is a list of delays and not a
//! formula, which is why no backoff crate is used. Not here: jitter, clocks, queues.

/// From the first attempt to the last: the span of Stripe's own retries.
const LONGEST_SPAN_SECONDS: u64 = 3 * 24 * 60 * 60;

/// When to try again after a failure, and when to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    delays_seconds: Vec<u32>,
    attempt_timeout_seconds: u32,
}

impl Schedule {
    /// A schedule of one attempt and one more after each delay.
    ///
    /// # Errors
    /// When the delays add up to more than three days, or an attempt has no time at all.
    pub fn new(delays_seconds: Vec<u32>, attempt_timeout_seconds: u32) -> Result<Schedule, ScheduleFault> {
        let span: u64 = delays_seconds.iter().copied().map(u64::from).sum();
        if span > LONGEST_SPAN_SECONDS {
            return Err(ScheduleFault::TooLong);
        }
        if attempt_timeout_seconds == 0 {
            return Err(ScheduleFault::NoTime);
        }
        Ok(Schedule { delays_seconds, attempt_timeout_seconds })
    }

    /// Seconds from the last failure to the next attempt; 0 when nothing was tried yet, None when exhausted.
    pub fn next(&self, failed_attempts: u32) -> Option<i64> {
        let Some(earlier) = failed_attempts.checked_sub(1) else { return Some(0) };
        let delay = self.delays_seconds.get(usize::try_from(earlier).ok()?)?;
        Some(i64::from(*delay))
    }

    /// How long one attempt may take, in seconds.
    pub fn attempt_timeout_seconds(&self) -> u32 {
        self.attempt_timeout_seconds
    }
}

impl Default for Schedule {
    /// 5 minutes, 30 minutes, 2 hours, 8 hours, 1 day; 20 seconds for each attempt.
    fn default() -> Schedule {
        Schedule { delays_seconds: vec![300, 1_800, 7_200, 28_800, 86_400], attempt_timeout_seconds: 20 }
    }
}

/// Why a schedule was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleFault {
    /// The delays add up to more than three days.
    #[error("the retry delays add up to more than three days")]
    TooLong,
    /// A time-out of zero.
    #[error("the time-out of an attempt must be at least one second")]
    NoTime,
}
