//! From stored events to decisions: takes what is due, reads it as facts, applies the batch, and retries
//! later what failed. Each step is bounded and says when it wants to run again.
//! Not here: what an event means (`read`), and what follows from it (`ledger::decide`).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use ledger::{Now, Policy, Reason};
use store::{AppliedEvent, DueEvent, EventToApply, Postponed, Reading, Store, StoreError, body};
use stripe::retry::Schedule;

use crate::clock::Clock;
use crate::next::{MAX_SLEEP, Next, REST_AFTER_FAILURE};
use crate::read::DeploymentScope;

/// Events that are applied in one commit. More would delay the acknowledgements that queue behind it.
pub const MAX_BATCH_EVENTS: u32 = 128;
/// Batches this large count as a stream.
const STREAM_EVENTS_MIN: usize = 4;
/// How long to gather a stream before its next batch: events that share a commit share its pages.
const GATHER: Duration = Duration::from_millis(4);

/// How an event's bytes become a reading; [`crate::read::read`] but for tests.
pub type EventReader = fn(&[u8], &DeploymentScope) -> Reading;

/// The loop that applies events.
#[derive(Clone, Debug)]
pub struct Applier {
    /// The database.
    pub store: Store,
    /// The deployment's money rules.
    pub policy: Arc<Policy>,
    /// What belongs to this deployment.
    pub scope: Arc<DeploymentScope>,
    /// When to try again.
    pub schedule: Schedule,
    /// How to read an event.
    pub reader: EventReader,
}

impl Applier {
    /// Applies one batch of what is due at `now`.
    ///
    /// # Errors
    /// When the store cannot say what is due, or cannot record the outcome.
    pub async fn step(&self, now: Now) -> Result<Next, StoreError> {
        let due = self.store.due(now.at, MAX_BATCH_EVENTS).await?;
        if due.is_empty() {
            return match self.store.next_due().await? {
                Some(at) if at <= now.at => self.review(now).await,
                next => Ok(next.map_or(Next::OnArrival, Next::At)),
            };
        }
        let full = due.len() == MAX_BATCH_EVENTS as usize;
        let batch: Vec<EventToApply> = due.iter().map(|event| self.read(event)).collect();
        match self.store.apply_events(batch.clone(), self.policy.clone(), now).await {
            Ok(applied) => self.report(&applied, &due),
            Err(error) if error.is_caused_by_request() => {
                tracing::warn!(%error, events = batch.len(), "a batch failed; now its events one by one");
                self.apply_singly(batch, &due, now).await?;
            }
            Err(error) => return Err(error),
        }
        match due.len() {
            _ if full => Ok(Next::Now),
            STREAM_EVENTS_MIN.. => Ok(Next::Soon),
            _ => Ok(self.store.next_due().await?.map_or(Next::OnArrival, Next::At)),
        }
    }

    /// Runs steps until `stop` completes, waking up when the store signals arrivals.
    pub async fn run(&self, clock: &Clock, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut arrivals = self.store.arrivals();
        loop {
            let rest = match self.step(clock.reading()).await {
                Ok(Next::Now) => Duration::ZERO,
                Ok(Next::Soon) => {
                    tokio::select! {
                        () = tokio::time::sleep(GATHER) => continue,
                        () = &mut stop => return,
                    }
                }
                Ok(Next::At(at)) => clock.now().until(at).min(MAX_SLEEP),
                Ok(Next::OnArrival) => MAX_SLEEP,
                Err(error) => {
                    tracing::error!(%error, "cannot apply events; they are kept and will be applied later");
                    tokio::select! {
                        () = tokio::time::sleep(REST_AFTER_FAILURE) => continue,
                        () = &mut stop => return,
                    }
                }
            };
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                _ = arrivals.changed() => {}
                () = &mut stop => return,
            }
        }
    }

    /// Reviews payments that waited long enough for something that did not arrive.
    async fn review(&self, now: Now) -> Result<Next, StoreError> {
        let reviewed = self.store.review(self.policy.clone(), now, MAX_BATCH_EVENTS).await?;
        self.report(&reviewed, &[]);
        Ok(Next::Now)
    }

    /// Reads one event. A body on which reading panics is quarantined alone.
    fn read(&self, event: &DueEvent) -> EventToApply {
        let reading =
            match body::unpack(&event.body) {
                Ok(raw) => catch_unwind(AssertUnwindSafe(|| (self.reader)(&raw, &self.scope)))
                    .unwrap_or_else(|_| Reading::Quarantined {
                        reason: Reason::Panicked,
                        detail: "Reading this event panicked. Nothing was granted or taken.".to_owned(),
                    }),
                Err(error) => Reading::Quarantined {
                    reason: Reason::Unreadable,
                    detail: format!("{error}. Nothing was granted."),
                },
            };
        EventToApply { seq: event.seq, reading }
    }

    /// The batch failed as a whole, so nothing of it was written. Alone, each event succeeds or is retried
    /// later.
    async fn apply_singly(
        &self,
        batch: Vec<EventToApply>,
        due: &[DueEvent],
        now: Now,
    ) -> Result<(), StoreError> {
        let mut failed = Vec::new();
        for (item, event) in batch.into_iter().zip(due) {
            let error = match self.store.apply_events(vec![item], self.policy.clone(), now).await {
                Ok(applied) => {
                    self.report(&applied, std::slice::from_ref(event));
                    continue;
                }
                Err(error) => error,
            };
            // A fault of the database must not delay events for minutes: they stay due, for the next step.
            if !error.is_caused_by_request() {
                return Err(error);
            }
            let delay = self.schedule.next(event.attempts + 1);
            let due_at = delay.map(|seconds| now.at.plus_seconds(seconds));
            let retry = delay.is_some();
            tracing::warn!(event = %event.id, %error, retry, "an event could not be applied");
            failed.push(Postponed { seq: event.seq, due_at, error: error.to_string() });
        }
        if failed.is_empty() { Ok(()) } else { self.store.postpone(failed, now.at).await }
    }

    /// Logs what needs a person; everything else is in the database.
    fn report(&self, applied: &[AppliedEvent], due: &[DueEvent]) {
        for (seq, review) in applied.iter().filter_map(|one| Some((one.seq, one.review.as_ref()?))) {
            let event = due.iter().find(|event| event.seq == seq).map(|event| event.id.as_str());
            let purchase = &review.purchase;
            tracing::warn!(
                event,
                reason = review.reason.as_str(),
                payment = review.payment,
                tenant = purchase.tenant.map(|tenant| tenant.to_string()),
                credits = purchase.credits.map(|credits| credits.0),
                package = purchase.package,
                amount = purchase.amount.map(|amount| amount.0),
                currency = purchase.currency,
                "quarantined: a person must decide, see `faireplace quarantine list`"
            );
        }
    }
}
