//! From written notices to other systems: take what is due, sign it, send it, record what came of it, and try
//! again later what failed. At least once: what was sent and not recorded is sent again under the same id.
//!
//! An endpoint's notices of one tenant (a lane) are sent one at a time, so first attempts keep their order; a
//! retry comes when it is due, maybe after later notices, and the notice's `sequence` tells. Lanes run side
//! by side within bounds, and those of endpoints that fail or are slow to answer have places of their own: a
//! dead, hanging or dawdling receiver slows down nobody else.
//! Not here: the network, which is an argument ([`Transport`]), and what is sent (`notice`).

mod attempt;
mod slow;
mod transport;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ledger::Timestamp;
use store::{Attempt, AttemptOutcome, DispatchBudget, DueDelivery, Lane, Store, StoreError};
use stripe::retry::Schedule;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{Id, JoinError, JoinSet};

use crate::clock::Clock;
use crate::next::{MAX_SLEEP, REST_AFTER_FAILURE};

pub use transport::{NoticeResponse, SignedRequest, Transport};

/// Lanes that are under way at a time, each with one request, of endpoints that are well.
pub const MAX_LANES: usize = 32;
/// Lanes, beside these, of endpoints that are failing or slow. One that turns out slow changes over, even if
/// that makes more: so many in two seconds, for as long as an attempt takes.
pub const MAX_LATE_LANES: usize = 32;
/// Lanes of one endpoint that are under way at a time.
pub const LANES_PER_ENDPOINT: usize = 8;
/// Notices of one lane that are taken at once, and recorded in one commit if they arrive quickly.
const NOTICES_PER_LANE: usize = 16;
/// An endpoint is disabled when every attempt has failed for so long.
const DISABLED_AFTER_SECONDS: i64 = 3 * 24 * 60 * 60;
/// How long an attempt's end waits at most to be recorded.
const RECORD_WITHIN: Duration = Duration::from_millis(250);
/// How long what is under way may take when the service stops. What is cut off is sent again.
const DRAIN: Duration = Duration::from_secs(5);

/// The loop that tells others.
pub struct Deliverer {
    store: Store,
    sender: attempt::Sender,
    slow: slow::Slow,
    /// The lanes that are under way.
    flights: JoinSet<()>,
    lane_of: HashMap<Id, Lane>,
    report: UnboundedSender<Attempt>,
    ended: UnboundedReceiver<Attempt>,
    unrecorded: Vec<Attempt>,
    stopping: Arc<AtomicBool>,
}

impl Deliverer {
    /// A loop that sends what is due in `store`.
    pub fn new(store: Store, transport: Transport, schedule: Schedule, clock: Clock) -> Self {
        let (report, ended) = unbounded_channel();
        Self {
            store,
            sender: attempt::Sender { transport, schedule, clock },
            slow: slow::Slow::default(),
            flights: JoinSet::new(),
            lane_of: HashMap::new(),
            report,
            ended,
            unrecorded: Vec::new(),
            stopping: Arc::default(),
        }
    }

    /// Records what has ended, and begins what is due at `now` as far as there is room. Does not wait for
    /// what is under way. Answers when something else falls due; none when nothing does.
    ///
    /// # Errors
    /// When the store cannot record or cannot say what is due. Nothing is forgotten: the next step tries
    /// again.
    pub async fn step(&mut self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        while let Some(over) = self.flights.try_join_next_with_id() {
            self.land(over);
        }
        self.record(now).await?;
        let due = self.store.due_deliveries(now, self.room()).await?;
        for (lane, deliveries) in by_lane(due) {
            self.begin(lane, deliveries);
        }
        self.store.next_delivery(now).await
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.flights.is_empty()
    }

    /// Waits until a lane is over. Never, while none is under way.
    pub async fn landing(&mut self) {
        match self.flights.join_next_with_id().await {
            Some(over) => self.land(over),
            None => std::future::pending().await,
        }
    }

    /// Runs steps until `stop` completes, waking up when the store has something new; then lets what is under
    /// way end, for a while, and records it.
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
            if !self.flights.is_empty() {
                rest = rest.min(RECORD_WITHIN);
            }
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                _ = changes.changed() => {}
                () = self.landing() => {}
                () = &mut stop => break,
            }
        }
        self.drain().await;
    }

    async fn drain(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        let under_way = async {
            while let Some(over) = self.flights.join_next_with_id().await {
                self.land(over);
            }
        };
        if tokio::time::timeout(DRAIN, under_way).await.is_err() {
            let lanes = self.flights.len();
            tracing::warn!(lanes, "cut deliveries that did not end in time; they are sent again");
            self.flights.shutdown().await;
        }
        if let Err(error) = self.record(self.sender.clock.now()).await {
            tracing::warn!(%error, "cannot record what was delivered last; it is sent again");
        }
    }

    fn room(&self) -> DispatchBudget {
        DispatchBudget {
            busy: self.lane_of.values().cloned().collect(),
            slow: self.slow.endpoints(&self.sender.clock),
            lanes: MAX_LANES,
            late_lanes: MAX_LATE_LANES,
            lanes_per_endpoint: LANES_PER_ENDPOINT,
            notices_per_lane: NOTICES_PER_LANE,
        }
    }

    /// Sends the lane's notices one after the other. One that fails or is slow ends it, and so does one that
    /// is not due any more: what follows is taken up again with the room that there is then.
    fn begin(&mut self, lane: Lane, deliveries: Vec<DueDelivery>) {
        let (sender, report, stopping) = (self.sender.clone(), self.report.clone(), self.stopping.clone());
        let (store, slow) = (self.store.clone(), self.slow.clone());
        let flight = self.flights.spawn(async move {
            let mut first = true;
            for taken in deliveries {
                if stopping.load(Ordering::Relaxed) {
                    return;
                }
                let delivery = if std::mem::take(&mut first) {
                    taken
                } else {
                    // Those before it took their time: its endpoint may be gone, or sign with another secret.
                    let now = sender.clock.now();
                    match store.due_delivery(taken.endpoint, taken.notice.seq, now).await {
                        Ok(Some(delivery)) => delivery,
                        // Where the store fails, the loop's next step says so.
                        Ok(None) | Err(_) => return,
                    }
                };
                let attempt = sender.attempt(&delivery);
                let (attempt, was_slow) = slow.watch(&delivery.endpoint, &sender.clock, attempt).await;
                let arrived = attempt.fate == AttemptOutcome::Delivered;
                // The receiver lives as long as this lane's owner.
                let _ = report.send(attempt);
                if !arrived || was_slow {
                    return;
                }
            }
        });
        self.lane_of.insert(flight.id(), lane);
    }

    /// A lane is over. Its last attempts were reported before, and are recorded before anything else is
    /// taken.
    fn land(&mut self, over: Result<(Id, ()), JoinError>) {
        self.lane_of.remove(&over.map_or_else(|error| error.id(), |(id, ())| id));
    }

    /// Records every attempt that has ended; those of a commit that failed are kept for the next.
    async fn record(&mut self, now: Timestamp) -> Result<(), StoreError> {
        while let Ok(attempt) = self.ended.try_recv() {
            self.unrecorded.push(attempt);
        }
        if self.unrecorded.is_empty() {
            return Ok(());
        }
        let disable_before = now.plus_seconds(-DISABLED_AFTER_SECONDS);
        let disabled = self.store.record_attempts(self.unrecorded.clone(), disable_before, now).await?;
        for attempt in self.unrecorded.drain(..).filter(|attempt| attempt.fate == AttemptOutcome::GivenUp) {
            let (endpoint, sequence) = (attempt.endpoint, attempt.notice);
            tracing::warn!(endpoint, sequence, "a notice was given up: every attempt to deliver it failed");
        }
        for one in disabled {
            tracing::error!(
                endpoint = one.endpoint,
                reason = one.reason,
                "an endpoint was disabled and is told nothing any more, until somebody enables it again"
            );
        }
        Ok(())
    }
}

/// What is due, by lane, each in its order; the lanes in the order in which they were found.
fn by_lane(due: Vec<DueDelivery>) -> Vec<(Lane, Vec<DueDelivery>)> {
    let mut place_of: HashMap<Lane, usize> = HashMap::new();
    let mut lanes: Vec<(Lane, Vec<DueDelivery>)> = Vec::new();
    for delivery in due {
        let lane = delivery.lane();
        let place = *place_of.entry(lane.clone()).or_insert_with(|| {
            lanes.push((lane, Vec::new()));
            lanes.len() - 1
        });
        lanes[place].1.push(delivery);
    }
    lanes
}
