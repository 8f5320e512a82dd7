//! Sends written notices to endpoints: takes what is due, signs it, sends it, records the outcome, and
//! retries what failed. At least once: a notice that was sent and not recorded is sent again under the same
//! id.
//!
//! An endpoint's notices of one tenant (a lane) are sent one at a time, so first attempts keep their order. A
//! retry comes when it is due, maybe after later notices; the notice's `sequence` shows the order. Lanes run
//! side by side within bounds, and those of failing or slow endpoints have slots of their own, so a receiver
//! that is down, hanging or slow delays no other.
//! Not here: the network, which is an argument ([`Transport`]), and what is sent (`notice`).

mod attempt;
mod slow_endpoints;
mod transport;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ledger::Timestamp;
use store::{AttemptOutcome, DeliveryQueue, DispatchBudget, DueDelivery, FinishedAttempt, Store, StoreError};
use stripe::retry::Schedule;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{Id, JoinError, JoinSet};

use crate::clock::Clock;
use crate::next::{MAX_SLEEP, REST_AFTER_FAILURE};
use attempt::NoticeSender;
use slow_endpoints::SlowEndpoints;

pub use transport::{NoticeResponse, SignedRequest, Transport};

/// Lanes of healthy endpoints that run at a time, each with one request.
pub const MAX_LANES: usize = 32;
/// Lanes of failing or slow endpoints that run beside these. A lane that becomes slow moves here, even above
/// the limit: for as long as an attempt takes, as many as become slow in two seconds.
pub const MAX_LATE_LANES: usize = 32;
/// Lanes of one endpoint that run at a time.
pub const LANES_PER_ENDPOINT: usize = 8;
/// Notices of one lane that are taken at once, and recorded in one commit if they arrive quickly.
const NOTICES_PER_LANE: usize = 16;
/// An endpoint is disabled when every attempt has failed for this long.
const DISABLED_AFTER_SECONDS: i64 = 3 * 24 * 60 * 60;
/// How long the end of an attempt waits at most to be recorded.
const RECORD_WITHIN: Duration = Duration::from_millis(250);
/// How long running lanes may take when the service stops. What is cut off is sent again.
const DRAIN: Duration = Duration::from_secs(5);

/// The loop that sends notices.
pub struct Notifier {
    store: Store,
    sender: NoticeSender,
    slow: SlowEndpoints,
    running: JoinSet<()>,
    lane_of: HashMap<Id, DeliveryQueue>,
    report: UnboundedSender<FinishedAttempt>,
    ended: UnboundedReceiver<FinishedAttempt>,
    unrecorded: Vec<FinishedAttempt>,
    stopping: Arc<AtomicBool>,
}

impl Notifier {
    /// A loop that sends what is due in `store`.
    pub fn new(store: Store, transport: Transport, schedule: Schedule, clock: Clock) -> Self {
        let (report, ended) = unbounded_channel();
        Self {
            store,
            sender: NoticeSender { transport, schedule, clock },
            slow: SlowEndpoints::default(),
            running: JoinSet::new(),
            lane_of: HashMap::new(),
            report,
            ended,
            unrecorded: Vec::new(),
            stopping: Arc::default(),
        }
    }

    /// Records the attempts that have ended, and starts what is due at `now` as far as there are slots. Does
    /// not wait for running lanes. Answers when something else falls due; none when nothing does.
    ///
    /// # Errors
    /// When the store cannot record, or cannot say what is due. Nothing is lost: the next step tries again.
    pub async fn step(&mut self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        while let Some(ended) = self.running.try_join_next_with_id() {
            self.remove_lane(ended);
        }
        self.record(now).await?;
        let due = self.store.due_deliveries(now, self.budget()).await?;
        for (lane, deliveries) in by_lane(due) {
            self.start_lane(lane, deliveries);
        }
        self.store.next_delivery(now).await
    }

    /// Whether no lane runs.
    pub fn is_idle(&self) -> bool {
        self.running.is_empty()
    }

    /// Waits until a lane has ended. Never resolves while none runs.
    pub async fn lane_ended(&mut self) {
        match self.running.join_next_with_id().await {
            Some(ended) => self.remove_lane(ended),
            None => std::future::pending().await,
        }
    }

    /// Runs steps until `stop` completes, waking up when the store signals changes; then gives running lanes
    /// a while to end, and records their attempts.
    pub async fn run(&mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut changes = self.store.changes();
        loop {
            let now = self.sender.clock.now();
            let mut rest = match self.step(now).await {
                Ok(next) => next.map_or(MAX_SLEEP, |at| now.until(at).min(MAX_SLEEP)),
                Err(error) => {
                    tracing::error!(%error, "cannot deliver notices; they are kept and will be sent later");
                    tokio::select! {
                        () = tokio::time::sleep(REST_AFTER_FAILURE) => continue,
                        () = &mut stop => break,
                    }
                }
            };
            if !self.running.is_empty() {
                rest = rest.min(RECORD_WITHIN);
            }
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                // The store sends for as long as this holds it.
                _ = changes.changed() => {}
                () = self.lane_ended() => {}
                () = &mut stop => break,
            }
        }
        self.drain().await;
    }

    async fn drain(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        let all_ended = async {
            while let Some(ended) = self.running.join_next_with_id().await {
                self.remove_lane(ended);
            }
        };
        if tokio::time::timeout(DRAIN, all_ended).await.is_err() {
            let lanes = self.running.len();
            tracing::warn!(lanes, "cut deliveries that did not end in time; they are sent again");
            self.running.shutdown().await;
        }
        if let Err(error) = self.record(self.sender.clock.now()).await {
            tracing::warn!(%error, "cannot record what was delivered last; it is sent again");
        }
    }

    fn budget(&self) -> DispatchBudget {
        DispatchBudget {
            busy: self.lane_of.values().cloned().collect(),
            slow_endpoints: self.slow.endpoints(&self.sender.clock),
            max_queues: MAX_LANES,
            max_degraded_queues: MAX_LATE_LANES,
            max_queues_per_endpoint: LANES_PER_ENDPOINT,
            max_notices_per_queue: NOTICES_PER_LANE,
        }
    }

    /// Sends the lane's notices one after the other. An attempt that fails or is slow ends the lane, and so
    /// does a notice that is no longer due: the rest is taken again within the slots that there are then.
    fn start_lane(&mut self, lane: DeliveryQueue, deliveries: Vec<DueDelivery>) {
        let (sender, report, stopping) = (self.sender.clone(), self.report.clone(), self.stopping.clone());
        let (store, slow) = (self.store.clone(), self.slow.clone());
        let task = self.running.spawn(async move {
            let mut first = true;
            for taken in deliveries {
                if stopping.load(Ordering::Relaxed) {
                    return;
                }
                let delivery = if std::mem::take(&mut first) {
                    taken
                } else {
                    // Time has passed: the endpoint may be gone, or sign with another secret.
                    let now = sender.clock.now();
                    match store.due_delivery(taken.endpoint, taken.notice.seq, now).await {
                        Ok(Some(delivery)) => delivery,
                        // Where the store fails, the loop's next step reports it.
                        Ok(None) | Err(_) => return,
                    }
                };
                let attempt = sender.attempt(&delivery);
                let (attempt, was_slow) = slow.watch(&delivery.endpoint, &sender.clock, attempt).await;
                let delivered = attempt.outcome == AttemptOutcome::Delivered;
                // The receiver lives as long as the notifier, which owns this task.
                let _ = report.send(attempt);
                if !delivered || was_slow {
                    return;
                }
            }
        });
        self.lane_of.insert(task.id(), lane);
    }

    /// Frees the slot of a lane that has ended. Its attempts were reported before, and are recorded before
    /// anything else is taken.
    fn remove_lane(&mut self, ended: Result<(Id, ()), JoinError>) {
        self.lane_of.remove(&ended.map_or_else(|error| error.id(), |(id, ())| id));
    }

    /// Records every attempt that has ended. Where the commit fails, they are kept for the next.
    async fn record(&mut self, now: Timestamp) -> Result<(), StoreError> {
        while let Ok(attempt) = self.ended.try_recv() {
            self.unrecorded.push(attempt);
        }
        if self.unrecorded.is_empty() {
            return Ok(());
        }
        let disable_before = now.plus_seconds(-DISABLED_AFTER_SECONDS);
        let disabled = self.store.record_attempts(self.unrecorded.clone(), disable_before, now).await?;
        for attempt in
            self.unrecorded.drain(..).filter(|attempt| attempt.outcome == AttemptOutcome::Exhausted)
        {
            let (endpoint, sequence) = (attempt.endpoint, attempt.notice);
            tracing::warn!(endpoint, sequence, "a notice was given up: every attempt to deliver it failed");
        }
        for one in disabled {
            tracing::error!(
                endpoint = one.endpoint,
                reason = one.reason,
                "an endpoint was disabled; it receives no more deliveries until it is re-enabled"
            );
        }
        Ok(())
    }
}

/// What is due, by lane, each in its order; the lanes in the order in which they were found.
fn by_lane(due: Vec<DueDelivery>) -> Vec<(DeliveryQueue, Vec<DueDelivery>)> {
    let mut place_of: HashMap<DeliveryQueue, usize> = HashMap::new();
    let mut lanes: Vec<(DeliveryQueue, Vec<DueDelivery>)> = Vec::new();
    for delivery in due {
        let lane = delivery.queue();
        let place = *place_of.entry(lane.clone()).or_insert_with(|| {
            lanes.push((lane, Vec::new()));
            lanes.len() - 1
        });
        lanes[place].1.push(delivery);
    }
    lanes
}
