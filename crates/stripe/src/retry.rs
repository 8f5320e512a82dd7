//! The retry schedule: when to try again after a failure, and how long one attempt may take.
//!
//! Stripe publishes no intervals; these are FairePlace's published policy. It is a list of delays and not a
//! formula, which is why no backoff crate is used. Not here: jitter, clocks, queues.

/// From the first attempt to the last: as long as Stripe retries (docs.stripe.com/webhooks).
const LONGEST_SPAN_SECONDS: u64 = 3 * 24 * 60 * 60;

/// When to try again after a failure, and when to stop.
///
/// ```
/// use stripe::retry::Schedule;
///
/// let schedule = Schedule::default();
/// assert_eq!(schedule.next(0), Some(0), "the first attempt, at once");
/// assert_eq!(schedule.next(1), Some(300), "five minutes after the first failure");
/// assert_eq!(schedule.next(6), None, "after the sixth failure never again");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    delays_seconds: Vec<u32>,
    attempt_timeout_seconds: u32,
}

impl Schedule {
    /// A schedule of one attempt, and one more after each delay.
    ///
    /// # Errors
    /// If the delays add up to more than three days, or the timeout is zero.
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

    /// Seconds from the latest failure to the next attempt; 0 before the first attempt, None after the last.
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

/// Why a schedule is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleFault {
    /// The delays add up to more than three days.
    #[error("the retry delays add up to more than three days")]
    TooLong,
    /// A timeout of zero.
    #[error("the timeout of an attempt must be at least one second")]
    NoTime,
}
