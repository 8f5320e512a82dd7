//! Ending holds and granted credits whose time is up, without anybody asking. Within about a second of their
//! end, until when a balance still shows them as they were; no command ever finds them so, because each
//! settles what its tenant's clock ended before it is decided.
//! Not here: what ends, and what follows from it (`ledger::expire`).

use std::time::Duration;

use ledger::Now;
use store::{Store, StoreError};

use crate::clock::Clock;
use crate::next::{Next, REST_AFTER_FAILURE};

/// Holds, and lots, that end in one commit. More would make the acknowledgements behind it wait.
pub const MAX_BATCH_EXPIRIES: u32 = 128;
/// How long to sleep at most. Nobody wakes this loop for a hold that was made since: looking costs less.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The loop that ends what ran out of time.
#[derive(Clone, Debug)]
pub struct Sweeper {
    /// Where it is kept.
    pub store: Store,
}

impl Sweeper {
    /// Ends one batch of what is due at `now`.
    ///
    /// # Errors
    /// When the store cannot say what is due, or cannot end it.
    pub async fn step(&self, now: Now) -> Result<Next, StoreError> {
        match self.store.next_expiry().await? {
            None => return Ok(Next::OnArrival),
            // Nothing ends by a clock in doubt, which may be settled at any moment.
            Some(_) if !now.trusted => return Ok(Next::OnArrival),
            Some(at) if at > now.at => return Ok(Next::At(at)),
            Some(_) => {}
        }
        let swept = self.store.sweep(now, MAX_BATCH_EXPIRIES).await?;
        // What is due and did not end will not end by trying at once.
        Ok(if swept.more && swept.expired > 0 { Next::Now } else { Next::Soon })
    }

    /// Runs steps until `stop` completes.
    pub async fn run(&self, clock: &Clock, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let rest = match self.step(clock.reading()).await {
                Ok(Next::Now) => Duration::ZERO,
                Ok(Next::At(at)) => clock.now().until(at).min(LOOK_EVERY),
                Ok(Next::Soon | Next::OnArrival) => LOOK_EVERY,
                Err(error) => {
                    tracing::error!(%error, "cannot end what ran out of time; it ends later");
                    REST_AFTER_FAILURE
                }
            };
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = &mut stop => return,
            }
        }
    }
}
