//! Which endpoints are slow to answer, as far as this process has seen. Lanes of slow endpoints have slots of
//! their own, as those of failing ones have, and an attempt that becomes slow leaves the slots of the others
//! while it runs. Even a receiver that answers 200 in the end must not hold up quick ones.
//! Not here: endpoints that fail. Those are in the store, because failing may disable them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

use crate::clock::Clock;

/// An attempt that lasts longer is slow.
const SLOW_AFTER: Duration = Duration::from_secs(2);
/// How long an endpoint counts as slow after a slow attempt, unless a later one is quick.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);

/// The endpoints whose last attempt was slow, and until when that counts, since boot. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct SlowEndpoints(Arc<Mutex<HashMap<String, Duration>>>);

impl SlowEndpoints {
    /// The result of `attempt`, and whether it was slow.
    pub(super) async fn watch<T>(
        &self,
        endpoint: &str,
        clock: &Clock,
        attempt: impl Future<Output = T>,
    ) -> (T, bool) {
        let mut attempt = std::pin::pin!(attempt);
        if let Ok(ended) = timeout(SLOW_AFTER, &mut attempt).await {
            self.until().remove(endpoint);
            return (ended, false);
        }
        self.until().insert(endpoint.to_owned(), clock.since_boot() + REMEMBERED);
        (attempt.await, true)
    }

    /// The endpoints that count as slow now.
    pub(super) fn endpoints(&self, clock: &Clock) -> HashSet<String> {
        let now = clock.since_boot();
        let mut slow = self.until();
        slow.retain(|_, until| *until > now);
        slow.keys().cloned().collect()
    }

    fn until(&self) -> MutexGuard<'_, HashMap<String, Duration>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
