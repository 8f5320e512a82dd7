//! Stores the time for the next start while the clock is trusted, and asks Stripe for the time while it is
//! not. It reads the clock every second, so that a jump is noticed even when nothing else reads the clock.
//! Not here: the network, which is an argument ([`DateSource`]).

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ledger::Timestamp;
use store::{Store, StoreError};

use super::Clock;

/// How often the clock is read.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often the time is stored.
const REMEMBER_EVERY: Duration = Duration::from_secs(60);
/// How long to wait before asking Stripe again, while no answer settles the doubt; then the last for ever.
const ASK_AGAIN: [Duration; 4] =
    [Duration::from_secs(60), Duration::from_secs(120), Duration::from_secs(240), Duration::from_secs(480)];
/// How near Stripe's `Date` must be to a time, in seconds. Stripe sends it within the second.
const DATE_TOLERANCE_SECONDS: i64 = 60;
/// No retry waits longer, in seconds: a whole schedule takes three days at most. What waits longer was dated
/// by a clock that was ahead.
const WAIT_MAX_SECONDS: i64 = 3 * 86_400;

type Asking = Pin<Box<dyn Future<Output = Result<Timestamp, String>> + Send>>;

/// Asks Stripe for the time.
#[derive(Clone)]
pub struct DateSource(Arc<dyn Fn(Timestamp) -> Asking + Send + Sync>);

impl DateSource {
    /// A source that calls `ask`, which answers within a bounded time with the time or why there is none. Its
    /// argument is the time by which certificates are checked.
    pub fn from_fn<F>(ask: impl Fn(Timestamp) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Timestamp, String>> + Send + 'static,
    {
        Self(Arc::new(move |at| Box::pin(ask(at))))
    }
}

impl fmt::Debug for DateSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DateSource")
    }
}

/// The loop that stores the time and asks for it.
#[derive(Debug)]
pub struct ClockKeeper {
    clock: Clock,
    store: Store,
    date: Option<DateSource>,
    /// When to store the time again, and when to ask for it again, since boot.
    remember_at: Duration,
    ask_at: Duration,
    asked: usize,
}

impl ClockKeeper {
    /// Keeps `clock`, with Stripe's `Date` as evidence where there is a source for it.
    pub fn new(clock: Clock, store: Store, date: Option<DateSource>) -> Self {
        Self { clock, store, date, remember_at: Duration::ZERO, ask_at: Duration::ZERO, asked: 0 }
    }

    /// Reads the clock once, and does what is due.
    ///
    /// # Errors
    /// When the store cannot store the time.
    pub async fn step(&mut self) -> Result<(), StoreError> {
        let since_boot = self.clock.since_boot();
        if self.clock.reading().trusted {
            (self.asked, self.ask_at) = (0, since_boot);
            if since_boot >= self.remember_at {
                self.remember_at = since_boot + REMEMBER_EVERY;
                remember(&self.clock, &self.store).await?;
            }
        } else {
            // Once the doubt is settled, the time is stored at once.
            self.remember_at = Duration::ZERO;
            if since_boot >= self.ask_at {
                self.ask_at = since_boot + ASK_AGAIN[self.asked.min(ASK_AGAIN.len() - 1)];
                self.asked += 1;
                self.ask().await;
            }
        }
        Ok(())
    }

    /// Runs steps until `stop` completes; then stores the time for the next start.
    pub async fn run(&mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            tokio::select! {
                stepped = self.step() => {
                    if let Err(error) = stepped {
                        tracing::warn!(%error, "cannot remember the time; it is tried again in a minute");
                    }
                }
                () = &mut stop => break,
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = &mut stop => break,
            }
        }
        if let Err(error) = remember(&self.clock, &self.store).await {
            tracing::warn!(%error, "cannot remember the time; the next start knows an earlier one");
        }
    }

    async fn ask(&self) {
        let Some(date) = &self.date else { return };
        let status = self.clock.status();
        // A certificate is valid at the right time, and it is not known which of the two that is.
        let answer = match (date.0)(status.kept).await {
            Err(_) => (date.0)(status.wall).await,
            answer => answer,
        };
        match answer {
            Ok(at) => {
                self.clock.witness(at, DATE_TOLERANCE_SECONDS, "Stripe's Date header");
            }
            Err(why) => tracing::warn!(why, "cannot ask Stripe what time it is"),
        }
    }
}

/// Stores the time for the next start. Does nothing while the clock is in doubt: a start must then know the
/// last trusted time.
///
/// # Errors
/// When the store fails.
pub async fn remember(clock: &Clock, store: &Store) -> Result<(), StoreError> {
    match clock.mark() {
        Some(mark) => {
            let due_by = mark.at.plus_seconds(WAIT_MAX_SECONDS);
            store.remember_clock(mark, due_by).await
        }
        None => Ok(()),
    }
}
