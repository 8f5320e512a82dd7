//! Which receivers are slow to answer, as far as this process has seen. Whoever takes their time, even to say
//! yes, must not take the places of those who do not: lanes of slow endpoints have their own, like those of
//! failing ones, and an attempt that turns out slow leaves the others' while it is under way.
//! Not here: receivers that fail. Those are in the store, since that leads somewhere.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

use crate::clock::Clock;

/// An attempt that lasts longer is slow.
const SLOW_AFTER: Duration = Duration::from_secs(2);
/// For how long an endpoint counts as slow of which nothing better is seen.
const REMEMBERED: Duration = Duration::from_secs(60 * 60);

/// The endpoints whose last attempt was slow, and until when that counts, since boot. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Slow(Arc<Mutex<HashMap<String, Duration>>>);

impl Slow {
    /// What `attempt` answers, and whether it was slow.
    pub(super) async fn watch<T>(
        &self,
        endpoint: &str,
        clock: &Clock,
        attempt: impl Future<Output = T>,
    ) -> (T, bool) {
        let mut attempt = std::pin::pin!(attempt);
        if let Ok(ended) = timeout(SLOW_AFTER, &mut attempt).await {
            self.seen().remove(endpoint);
            return (ended, false);
        }
        self.seen().insert(endpoint.to_owned(), clock.since_boot() + REMEMBERED);
        (attempt.await, true)
    }

    /// Those that count as slow now.
    pub(super) fn endpoints(&self, clock: &Clock) -> HashSet<String> {
        let now = clock.since_boot();
        let mut seen = self.seen();
        seen.retain(|_, until| *until > now);
        seen.keys().cloned().collect()
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<String, Duration>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
