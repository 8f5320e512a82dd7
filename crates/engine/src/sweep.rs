//! Ends holds and granted credits whose time is up, within about a second. Until then a balance still shows
//! them; a command never counts them, because it first settles what has ended for its tenant.
//! Not here: what ends, and what follows from it (`ledger::expire`).

use std::time::Duration;

use ledger::Now;
use store::{Store, StoreError};

use crate::clock::Clock;
use crate::next::{Next, REST_AFTER_FAILURE};

/// Holds, and as many lots, that end in one commit. More would delay the acknowledgements behind it.
pub const MAX_BATCH_EXPIRIES: u32 = 128;
/// How long to sleep at most. A new hold does not wake this loop: looking costs less than a signal.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The loop that ends what has expired.
#[derive(Clone, Debug)]
pub struct Sweeper {
    /// The database.
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
            // A clock in doubt ends nothing. It may be settled at any moment.
            Some(_) if !now.trusted => return Ok(Next::OnArrival),
            Some(at) if at > now.at => return Ok(Next::At(at)),
            Some(_) => {}
        }
        let swept = self.store.expire_due(now, MAX_BATCH_EXPIRIES).await?;
        // What is due and did not end would not end in an immediate retry.
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
                    tracing::error!(%error, "cannot end what has expired; it is tried again later");
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
