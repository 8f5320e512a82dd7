//! Deliveries: one event to one endpoint, attempted until it is accepted or given up. The retry schedule is
//! that of `stripe::retry`. Misbehaviour is drawn here from the endpoint's seed.
//!
//! Not here: sending (`deliver`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use stripe::Secret;
use stripe::retry::Schedule;
use stripe::signature::sign;

use super::{ScheduledTask, World, random};
use crate::object::Misbehaviour;

/// How long an endpoint may fail before it is disabled, in seconds. Stripe says "several days"
/// (docs.stripe.com/webhooks).
const DISABLE_AFTER: i64 = 3 * 24 * 60 * 60;
/// How long deliveries wait for a burst at most, in seconds.
const BURST_WAIT: i64 = 60;
/// How many attempts of a burst are in flight at the same time.
const BURST_WIDTH: u32 = 16;

/// The kinds of draws for an event or a delivery, independent of each other.
#[derive(Clone, Copy)]
pub(super) enum Knob {
    Duplicate,
    Twin,
    Never,
    Simultaneous,
    LostAnswer,
    Disorder,
}

/// The deliveries of all kept events.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outbox {
    deliveries: BTreeMap<u64, Delivery>,
    by_event: BTreeMap<String, Vec<u64>>,
    made: u64,
}

/// The delivery of one event to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// A number that counts up.
    pub id: u64,
    /// `evt_…`
    pub event: String,
    /// `we_…`
    pub endpoint: String,
    /// Its state.
    pub state: DeliveryState,
    /// The attempts so far.
    pub attempts: Vec<DeliveryAttempt>,
    /// How many scheduled attempts have failed.
    failed: u32,
}

/// The state of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// The next attempt is scheduled.
    Waiting {
        /// When, in virtual Unix milliseconds.
        next_ms: i64,
    },
    /// The endpoint responded with 2xx.
    Delivered,
    /// Every attempt of the schedule failed.
    Exhausted,
    /// The endpoint was disabled or deleted.
    Stopped,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryAttempt {
    /// When, in virtual Unix milliseconds.
    pub at_ms: i64,
    /// How long it took, in real milliseconds.
    pub took_ms: u64,
    /// Its outcome.
    pub outcome: Outcome,
}

/// The outcome of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// There was a response.
    Answered {
        /// Its HTTP status; only 2xx is acceptance.
        status: u16,
        /// The beginning of its body.
        excerpt: String,
    },
    /// There was no response, for this reason.
    Failed(String),
}

impl Outcome {
    /// Whether the endpoint accepted the event: any 2xx does; a redirect does not (docs.stripe.com/webhooks).
    #[must_use]
    pub fn accepted(&self) -> bool {
        matches!(self, Self::Answered { status: 200..=299, .. })
    }
}

/// An attempt that is ready to be sent.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// The delivery's number.
    pub delivery: u64,
    /// The endpoint: `we_…`
    pub endpoint: String,
    /// Whether the attempt leaves the retry schedule as it is.
    pub again: bool,
    /// The event: `evt_…`
    pub event: String,
    /// The event's type.
    pub type_name: String,
    /// The endpoint's URL.
    pub url: String,
    /// The exact bytes that are signed.
    pub body: String,
    /// The value of `Stripe-Signature`.
    pub signature: String,
    /// How many copies are sent at the same moment.
    pub copies: u8,
    /// Whether to discard the response.
    pub lose_answer: bool,
    /// Whether it belongs to a burst, so that other attempts may be in flight.
    pub burst: bool,
    /// When it was taken from the queue, in virtual Unix milliseconds.
    pub at_ms: i64,
}

impl Delivery {
    /// Ends the schedule, because the endpoint is disabled or deleted (docs.stripe.com/webhooks). An attempt
    /// outside the schedule changes nothing.
    fn stop(&mut self, again: bool) {
        if !again && self.state != DeliveryState::Delivered {
            self.state = DeliveryState::Stopped;
        }
    }
}

impl Outbox {
    /// The deliveries of an event.
    pub(crate) fn of_event(&self, event: &str) -> impl Iterator<Item = &Delivery> {
        self.by_event.get(event).into_iter().flatten().filter_map(|id| self.deliveries.get(id))
    }

    /// All deliveries, the oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Delivery> {
        self.deliveries.values()
    }

    pub(super) fn forget(&mut self, event: &str) {
        for id in self.by_event.remove(event).unwrap_or_default() {
            self.deliveries.remove(&id);
        }
    }
}

impl World {
    /// Every delivery, the oldest first.
    pub fn deliveries(&self) -> impl DoubleEndedIterator<Item = &Delivery> {
        self.outbox.iter()
    }

    /// The deliveries of one event.
    pub fn deliveries_of(&self, event: &str) -> impl Iterator<Item = &Delivery> {
        self.outbox.of_event(event)
    }

    /// The scheduled tasks about objects, each with its due time in Unix milliseconds.
    pub fn upcoming(&self) -> impl Iterator<Item = (i64, &ScheduledTask)> {
        self.agenda.upcoming()
    }

    /// Creates a delivery. It is attempted at once, or after a delay when disorder is set.
    pub(super) fn create_delivery(&mut self, event: &str, endpoint: &str) {
        let Some(misbehaviour) = self.endpoints.get(endpoint).map(|endpoint| endpoint.misbehaviour) else {
            return;
        };
        self.outbox.made += 1;
        let id = self.outbox.made;
        let window_ms = u64::from(misbehaviour.disorder_seconds) * 1_000;
        let wait = random::below(misbehaviour.seed, id, Knob::Disorder as u64, window_ms + 1);
        let due = self.now_ms.saturating_add_unsigned(wait);
        let delivery = Delivery {
            id,
            event: event.to_owned(),
            endpoint: endpoint.to_owned(),
            state: DeliveryState::Waiting { next_ms: due },
            attempts: Vec::new(),
            failed: 0,
        };
        self.outbox.deliveries.insert(id, delivery);
        self.outbox.by_event.entry(event.to_owned()).or_default().push(id);
        self.agenda.add(due, ScheduledTask::Attempt { delivery: id, again: false });
    }

    /// Sends an event again to one endpoint, or to all that it was meant for, outside the retry schedule: a
    /// resend does not stop automatic retries (docs.stripe.com/webhooks). Returns how many deliveries that
    /// were.
    pub(crate) fn resend(&mut self, event: &str, endpoint: Option<&str>) -> usize {
        let wanted = |delivery: &&Delivery| endpoint.is_none_or(|id| delivery.endpoint == id);
        let ids: Vec<u64> = self.outbox.of_event(event).filter(wanted).map(|delivery| delivery.id).collect();
        for id in &ids {
            self.agenda.add(self.now_ms, ScheduledTask::Attempt { delivery: *id, again: true });
        }
        ids.len()
    }

    /// Adds a delivery that is due to its endpoint's queue.
    pub(crate) fn enqueue(&mut self, id: u64, again: bool) {
        let Some(delivery) = self.outbox.deliveries.get_mut(&id) else { return };
        let endpoint = self.endpoints.get_mut(&delivery.endpoint).filter(|endpoint| endpoint.enabled);
        let Some(endpoint) = endpoint else {
            delivery.stop(again);
            return;
        };
        endpoint.ready.push_back((id, again));
        if endpoint.misbehaviour.burst > 0 && endpoint.ready.len() == 1 {
            let endpoint = endpoint.id.clone();
            self.later(BURST_WAIT, ScheduledTask::Flush { endpoint });
        }
    }

    pub(crate) fn flush(&mut self, endpoint: &str) {
        if let Some(endpoint) = self.endpoints.get_mut(endpoint) {
            endpoint.flushing = endpoint.misbehaviour.burst > 0 && !endpoint.ready.is_empty();
        }
    }

    /// Releases the held deliveries, each of them `times` times, shuffled if there is a seed.
    pub(crate) fn release(&mut self, endpoint: &str, shuffle: Option<u64>, times: u32) {
        let Some(endpoint) = self.endpoints.get_mut(endpoint) else { return };
        endpoint.held = false;
        let copies = endpoint.ready.iter().flat_map(|&(id, again)| {
            let first = std::iter::once((id, again));
            first.chain((1..times).map(move |_| (id, true)))
        });
        let mut queue: Vec<_> = copies.collect();
        if let Some(seed) = shuffle {
            random::shuffle(&mut queue, seed);
        }
        endpoint.ready = queue.into();
        // A release also ends the wait for a burst.
        endpoint.flushing = endpoint.misbehaviour.burst > 0 && !endpoint.ready.is_empty();
    }

    /// Deletes an endpoint; its waiting deliveries are never sent. Returns whether it existed.
    pub(crate) fn delete_endpoint(&mut self, endpoint: &str) -> bool {
        let Some(deleted) = self.endpoints.remove(endpoint) else { return false };
        for (id, again) in deleted.ready {
            if let Some(delivery) = self.outbox.deliveries.get_mut(&id) {
                delivery.stop(again);
            }
        }
        true
    }

    /// Sets an endpoint's misbehaviour. Deliveries that wait already join the burst, if one is set.
    pub(crate) fn misbehave(&mut self, endpoint: &str, misbehaviour: Misbehaviour) {
        let Some(endpoint) = self.endpoints.get_mut(endpoint) else { return };
        endpoint.misbehaviour = misbehaviour;
        if misbehaviour.burst > 0 && !endpoint.ready.is_empty() {
            let endpoint = endpoint.id.clone();
            self.later(BURST_WAIT, ScheduledTask::Flush { endpoint });
        }
    }

    /// The endpoint's next attempt, signed at this time of the machine's clock (Unix seconds); `None` when
    /// nothing can be sent now. Outside a burst the next attempt comes only after the last was recorded.
    pub fn dispatch(&mut self, endpoint: &str, wall: i64) -> Option<Dispatch> {
        let (now, at_ms) = (self.now(), self.now_ms);
        let endpoint = self.endpoints.get_mut(endpoint)?;
        let behaviour = endpoint.misbehaviour;
        endpoint.flushing = behaviour.burst > 0 && (endpoint.flushing || endpoint.burst_is_full());
        let width = if endpoint.flushing { BURST_WIDTH } else { 1 };
        if endpoint.held || endpoint.in_flight >= width || (behaviour.burst > 0 && !endpoint.flushing) {
            return None;
        }
        loop {
            let Some((id, again)) = endpoint.ready.pop_front() else {
                endpoint.flushing = false;
                return None;
            };
            // The event may be older than 30 days and gone.
            let Some(delivery) = self.outbox.deliveries.get_mut(&id) else { continue };
            let Some(event) = self.events.get(&delivery.event) else { continue };
            if !endpoint.enabled {
                delivery.stop(again);
                continue;
            }
            let attempt = id.wrapping_mul(64).wrapping_add(delivery.attempts.len() as u64);
            let drawn = |knob: Knob, percent| random::happens(behaviour.seed, attempt, knob as u64, percent);
            let body = stripe::write::pretty(&event.render(endpoint.api_version, event.recipients));
            // Malformed secrets were refused when the endpoint was created.
            let secrets: Vec<_> = endpoint.signing(now).filter_map(|text| Secret::parse(text).ok()).collect();
            let t = wall.saturating_add(i64::from(behaviour.clock_skew_seconds));
            let dispatch = Dispatch {
                delivery: id,
                endpoint: endpoint.id.clone(),
                again,
                event: event.id.clone(),
                type_name: event.type_name.clone(),
                url: endpoint.url.clone(),
                signature: sign(body.as_bytes(), t, &secrets),
                body,
                copies: if drawn(Knob::Simultaneous, behaviour.simultaneous) { 2 } else { 1 },
                lose_answer: drawn(Knob::LostAnswer, behaviour.lost_answer),
                burst: endpoint.flushing,
                at_ms,
            };
            endpoint.in_flight += 1;
            return Some(dispatch);
        }
    }

    /// Records the outcome of an attempt, and schedules the next one if necessary.
    pub fn record(&mut self, dispatch: &Dispatch, outcome: Outcome, took_ms: u64) {
        let accepted = outcome.accepted();
        // First, because the event may be gone, or the endpoint deleted, by now.
        self.attempt_ended(&dispatch.endpoint, accepted);
        let Some(delivery) = self.outbox.deliveries.get_mut(&dispatch.delivery) else { return };
        delivery.attempts.push(DeliveryAttempt { at_ms: dispatch.at_ms, took_ms, outcome });
        let first_success = accepted && delivery.state != DeliveryState::Delivered;
        let mut retry = None;
        if first_success {
            delivery.state = DeliveryState::Delivered;
            if let Some(event) = self.events.get_mut(&delivery.event) {
                event.pending = event.pending.saturating_sub(1);
            }
        } else if !accepted && !dispatch.again {
            delivery.failed += 1;
            retry = Schedule::default().next(delivery.failed);
            let next_ms = retry.map(|seconds| self.now_ms.saturating_add(seconds.saturating_mul(1_000)));
            // A delivery that was accepted after a manual resend stays accepted while the schedule goes on.
            if delivery.state != DeliveryState::Delivered {
                delivery.state =
                    next_ms.map_or(DeliveryState::Exhausted, |next_ms| DeliveryState::Waiting { next_ms });
            }
        }
        let (id, endpoint) = (delivery.id, delivery.endpoint.clone());
        if let Some(seconds) = retry {
            self.later(seconds, ScheduledTask::Attempt { delivery: id, again: false });
        }
        let Some(endpoint) = self.endpoints.get(&endpoint) else { return };
        let behaviour = endpoint.misbehaviour;
        if first_success && random::happens(behaviour.seed, id, Knob::Duplicate as u64, behaviour.duplicate) {
            self.agenda.add(self.now_ms, ScheduledTask::Attempt { delivery: id, again: true });
        }
    }

    /// Counts an attempt as no longer in flight, and disables an endpoint that has failed for days.
    fn attempt_ended(&mut self, endpoint: &str, accepted: bool) {
        let now = self.now();
        let Some(endpoint) = self.endpoints.get_mut(endpoint) else { return };
        endpoint.in_flight = endpoint.in_flight.saturating_sub(1);
        if accepted {
            endpoint.failing_since = None;
        } else {
            let since = *endpoint.failing_since.get_or_insert(now);
            endpoint.enabled &= now.saturating_sub(since) < DISABLE_AFTER;
        }
    }

    /// Schedules the deliveries again that were in flight when the emulator stopped.
    pub(crate) fn resume_deliveries(&mut self) {
        let queued = self.endpoints.iter().flat_map(|endpoint| endpoint.ready.iter().map(|(id, _)| *id));
        let known: BTreeSet<u64> = queued.chain(self.agenda.attempts()).collect();
        let waiting = |delivery: &&Delivery| {
            matches!(delivery.state, DeliveryState::Waiting { .. }) && !known.contains(&delivery.id)
        };
        let lost: Vec<u64> = self.outbox.iter().filter(waiting).map(|delivery| delivery.id).collect();
        for id in lost {
            self.agenda.add(self.now_ms, ScheduledTask::Attempt { delivery: id, again: false });
        }
    }

    /// Whether no delivery is due or in flight. Deliveries that are held, or that wait for a burst, are not
    /// due.
    #[must_use]
    pub fn quiet(&self) -> bool {
        self.endpoints.iter().all(|endpoint| {
            let gathers = endpoint.misbehaviour.burst > 0 && !endpoint.flushing && !endpoint.burst_is_full();
            endpoint.in_flight == 0 && (endpoint.ready.is_empty() || endpoint.held || gathers)
        })
    }
}
