//! When a loop's step wants to be followed by another, and how long a loop rests.

use std::time::Duration;

use ledger::Timestamp;

/// How long to rest after the store failed, so that a sick disk is not hammered.
pub(crate) const REST_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How long to sleep at most: a safety net under the wake-up call.
pub(crate) const MAX_SLEEP: Duration = Duration::from_secs(60);

/// When a step wants to be followed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// At once: there was a full batch.
    Now,
    /// In a moment: events stream in, and more of them make a better batch.
    Soon,
    /// At this moment, or when something arrives.
    At(Timestamp),
    /// When something arrives.
    OnArrival,
}
