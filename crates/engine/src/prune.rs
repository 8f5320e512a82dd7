//! Forgets old notices: a feed that nobody reads must not fill the disk. Small commits, so that nobody waits
//! for them.
//! Not here: which notices may go, which is the store's (none that is still due at an endpoint).

use std::time::Duration;

use ledger::Now;
use store::{Store, StoreError};

use crate::clock::Clock;

/// Notices that are removed in one commit.
const BATCH: u32 = 500;
/// Between two looks.
const INTERVAL: Duration = Duration::from_secs(3600);
/// Between two commits.
const PAUSE: Duration = Duration::from_millis(100);

/// The loop that prunes.
#[derive(Clone, Debug)]
pub struct Pruner {
    /// Where notices are kept.
    pub store: Store,
    /// How long.
    pub keep_days: u32,
}

impl Pruner {
    /// Prunes one batch. True when there is more to prune. What is pruned is gone for good, so a clock in
    /// doubt prunes nothing.
    ///
    /// # Errors
    /// When the store cannot.
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
