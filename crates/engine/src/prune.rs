//! Removes old notices: a feed that nobody reads must not fill the disk. In small commits, which delay no
//! other write.
//! Not here: which notices may be removed (`store`: none that is still due at an endpoint).

use std::time::Duration;

use ledger::Now;
use store::{Store, StoreError};

use crate::clock::Clock;

/// Notices that are removed in one commit.
const BATCH: u32 = 500;
/// Between two runs of batches.
const INTERVAL: Duration = Duration::from_secs(3600);
/// Between two batches.
const PAUSE: Duration = Duration::from_millis(100);

/// The loop that prunes.
#[derive(Clone, Debug)]
pub struct Pruner {
    /// The database.
    pub store: Store,
    /// How long notices are kept.
    pub keep_days: u32,
}

impl Pruner {
    /// Prunes one batch; true when there may be more. Pruning cannot be undone, so a clock in doubt prunes
    /// nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn step(&self, now: Now) -> Result<bool, StoreError> {
        if !now.trusted {
            return Ok(false);
        }
        let before = now.at.plus_seconds(-i64::from(self.keep_days) * 86_400);
        Ok(self.store.prune_notices(before, BATCH).await? > 0)
    }

    /// Runs steps until `stop` completes.
    pub async fn run(&self, clock: &Clock, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let rest = match self.step(clock.reading()).await {
                Ok(true) => PAUSE,
                Ok(false) => INTERVAL,
                Err(error) => {
                    tracing::warn!(%error, "cannot prune old notices; it is tried again later");
                    INTERVAL
                }
            };
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = &mut stop => return,
            }
        }
    }
}
