//! Remembers the time for the next start while the clock is trusted, and asks Stripe what time it is while it
//! is not. It reads the clock every second, so that a jump is noticed also when nobody asks for the time.
//! Not here: the way to Stripe, which is an argument ([`DateSource`]).

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ledger::Timestamp;
use store::{Store, StoreError};

use super::Clock;

/// How often the clock is read.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often the time is remembered.
const REMEMBER_EVERY: Duration = Duration::from_secs(60);
/// When to ask Stripe again, from the first answer on that settled nothing; the last of them for ever.
const ASK_AGAIN: [Duration; 4] =
    [Duration::from_secs(60), Duration::from_secs(120), Duration::from_secs(240), Duration::from_secs(480)];
/// How near Stripe's `Date` must be to a time, in seconds. It is sent within the second, over a fast way.
const DATE_TOLERANCE_SECONDS: i64 = 60;
/// No retry waits longer, in seconds: all of a schedule is three days at most. What waits longer was dated by
/// a clock that was ahead.
const WAIT_MAX_SECONDS: i64 = 3 * 86_400;

type Asking = Pin<Box<dyn Future<Output = Result<Timestamp, String>> + Send>>;

/// Asks Stripe what time it is.
#[derive(Clone)]
pub struct DateSource(Arc<dyn Fn(Timestamp) -> Asking + Send + Sync>);

impl DateSource {
    /// One that asks in this way, within a bounded time, and answers with the time or why there is none. It
    /// is handed the time by which certificates are judged.
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

/// The loop that keeps the clock.
#[derive(Debug)]
pub struct ClockKeeper {
    clock: Clock,
    store: Store,
    date: Option<DateSource>,
    /// When to remember the time again, and when to ask for it again, since boot.
    remember_at: Duration,
    ask_at: Duration,
    asked: usize,
}

impl ClockKeeper {
    /// Keeps this clock, with Stripe's `Date` as evidence where there is a way to ask for it.
    pub fn new(clock: Clock, store: Store, date: Option<DateSource>) -> Self {
        Self { clock, store, date, remember_at: Duration::ZERO, ask_at: Duration::ZERO, asked: 0 }
    }

    /// Looks at the clock once, and does what is due.
    ///
    /// # Errors
    /// When the store cannot remember the time.
    pub async fn step(&mut self) -> Result<(), StoreError> {
        let since_boot = self.clock.since_boot();
        if self.clock.reading().trusted {
            (self.asked, self.ask_at) = (0, since_boot);
            if since_boot >= self.remember_at {
                self.remember_at = since_boot + REMEMBER_EVERY;
                remember(&self.clock, &self.store).await?;
            }
        } else {
            // Once it is settled, that is remembered at once.
            self.remember_at = Duration::ZERO;
            if since_boot >= self.ask_at {
                self.ask_at = since_boot + ASK_AGAIN[self.asked.min(ASK_AGAIN.len() - 1)];
                self.asked += 1;
                self.ask().await;
            }
        }
        Ok(())
    }

    /// Runs steps until `stop` completes; then remembers the time for the next start.
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
        // A certificate is valid at the right time, and nobody knows which of the two that is.
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

/// Remembers the time for the next start. Nothing happens while the clock is in doubt: what was remembered
/// before is what a start must know then.
///
/// # Errors
/// When the store cannot.
pub async fn remember(clock: &Clock, store: &Store) -> Result<(), StoreError> {
    match clock.mark() {
        Some(mark) => {
            let due_by = mark.at.plus_seconds(WAIT_MAX_SECONDS);
            store.remember_clock(mark, due_by).await
        }
        None => Ok(()),
    }
}
