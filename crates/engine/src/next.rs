//! When a loop runs its next step, and how long it rests.

use std::time::Duration;

use ledger::Timestamp;

/// How long to rest after the store failed, so that a failing disk is not overloaded.
pub(crate) const REST_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How long to sleep at most, in case a signal was missed.
pub(crate) const MAX_SLEEP: Duration = Duration::from_secs(60);

/// When to run the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// At once: there was a full batch.
    Now,
    /// In a moment: events stream in, and a larger batch costs less for each.
    Soon,
    /// At this moment, or when something arrives.
    At(Timestamp),
    /// When something arrives.
    OnArrival,
}
