//! Checks by a write whether deliveries can be stored. There is one write at a time, however many health
//! checks run.

use std::time::Duration;

use store::{Store, StoreError};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// How long a write that succeeded proves that deliveries can be stored.
const FRESH: Duration = Duration::from_secs(1);
/// How long a health check waits for the write. Load balancers do not wait much longer.
const PATIENCE: Duration = Duration::from_secs(1);
/// After this time without a result, deliveries count as impossible to store, because they may take as long.
const STALLED: Duration = Duration::from_secs(5);

/// Writes to the database, and remembers the result.
#[derive(Debug, Default)]
pub(crate) struct WriteProbe(watch::Sender<ProbeState>);

/// The last result, and the write in progress.
#[derive(Clone, Copy, Debug, Default)]
struct ProbeState {
    last: Option<(Instant, Result<(), WriteFailure>)>,
    began: Option<Instant>,
}

/// A write that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriteResult {
    /// It is on disk.
    Stored,
    /// It takes longer than usual.
    Slow,
}

/// Why deliveries cannot be stored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WriteFailure {
    /// A write failed.
    Failing,
    /// A write has no result yet.
    Stalled,
    /// The database takes no more writes, and the service is stopping.
    Closed,
}

impl WriteProbe {
    /// Writes, unless a result is less than a second old.
    ///
    /// # Errors
    /// Why deliveries cannot be stored.
    pub(crate) async fn check(&self, store: &Store) -> Result<WriteResult, WriteFailure> {
        let fresh = |state: &ProbeState| state.last.filter(|(at, _)| at.elapsed() < FRESH);
        let mut results = self.0.subscribe();
        if fresh(&results.borrow()).is_none() {
            self.begin(store);
        }
        match timeout(PATIENCE, results.wait_for(|state| fresh(state).is_some())).await {
            Ok(Ok(state)) => {
                state.last.map_or(Ok(WriteResult::Slow), |(_, result)| result.map(|()| WriteResult::Stored))
            }
            // The sender is a field of `self`.
            Ok(Err(_)) => Ok(WriteResult::Slow),
            Err(_) if self.0.borrow().began.is_some_and(|began| began.elapsed() >= STALLED) => {
                Err(WriteFailure::Stalled)
            }
            Err(_) => Ok(WriteResult::Slow),
        }
    }

    /// Begins a write, unless one is in progress. It continues when the client disconnects.
    fn begin(&self, store: &Store) {
        let is_first = self.0.send_if_modified(|state| {
            state.began.is_none() && {
                state.began = Some(Instant::now());
                true
            }
        });
        if !is_first {
            return;
        }
        let (results, store) = (self.0.clone(), store.clone());
        tokio::spawn(async move {
            let result = match store.check_writable().await {
                Ok(()) => Ok(()),
                Err(StoreError::Closed | StoreError::FileChanged(_)) => Err(WriteFailure::Closed),
                Err(StoreError::Busy) => Err(WriteFailure::Stalled),
                Err(error) => {
                    tracing::error!(%error, "health: nothing can be stored, so deliveries are answered 503");
                    Err(WriteFailure::Failing)
                }
            };
            results.send_replace(ProbeState { last: Some((Instant::now(), result)), began: None });
        });
    }
}
