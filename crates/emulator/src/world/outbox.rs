//! Deliveries: one event on its way to one endpoint, attempt after attempt, until it is accepted or given up.
//! The schedule is `stripe::retry`'s; what goes wrong on purpose is drawn here, from the endpoint's seed.
//!
//! Not here: the sending (`deliver`).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use stripe::Secret;
use stripe::retry::Schedule;
use stripe::signature::sign;

use super::{ScheduledTask, World, random};
use crate::object::Misbehaviour;

/// An endpoint that has accepted nothing for so long is disabled, in seconds. Stripe says "several days"
/// (docs.stripe.com/webhooks).
const DISABLE_AFTER: i64 = 3 * 24 * 60 * 60;
/// How long a burst gathers, in seconds.
const BURST_GATHERS: i64 = 60;
/// How many attempts of a burst are on their way at the same time.
const BURST_WIDTH: u32 = 16;

/// What is drawn for an event or a delivery, each independently of the others.
#[derive(Clone, Copy)]
pub(super) enum Knob {
    Duplicate,
    Twin,
    Never,
    Simultaneous,
    LostAnswer,
    Disorder,
}

/// Every delivery of the events that are kept.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outbox {
    deliveries: BTreeMap<u64, Delivery>,
    by_event: BTreeMap<String, Vec<u64>>,
    made: u64,
}

/// One event on its way to one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Counts up.
    pub id: u64,
    /// `evt_…`
    pub event: String,
    /// `we_…`
    pub endpoint: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// What has been tried.
    pub attempts: Vec<DeliveryAttempt>,
    /// How many attempts of the schedule have failed.
    failed: u32,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It will be tried at this virtual moment, in Unix milliseconds.
    Waiting {
        /// When.
        next_ms: i64,
    },
    /// The endpoint said 2xx.
    Delivered,
    /// The schedule came to its end.
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
    /// How it went.
    pub outcome: Outcome,
}

/// How an attempt went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// There was an answer.
    Answered {
        /// Its HTTP status; only 2xx is acceptance.
        status: u16,
        /// The beginning of what it said.
        excerpt: String,
    },
    /// There was none, for this reason.
    Failed(String),
}

impl Outcome {
    /// Whether the endpoint accepted: any 2xx; a redirect is a failure (docs.stripe.com/webhooks).
    #[must_use]
    pub fn accepted(&self) -> bool {
        matches!(self, Self::Answered { status: 200..=299, .. })
    }
}

/// One attempt, ready to be sent.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// Of which delivery.
    pub delivery: u64,
    /// To which endpoint: `we_…`
    pub endpoint: String,
    /// Whether the schedule goes on as if it had not been.
    pub again: bool,
    /// The event, to print.
    pub event: String,
    /// Its type, to print.
    pub type_name: String,
    /// Where to.
    pub url: String,
    /// The exact bytes that are signed.
    pub body: String,
    /// The value of `Stripe-Signature`.
    pub signature: String,
    /// How many copies at the same moment.
    pub copies: u8,
    /// Whether to look away when the answer comes.
    pub lose_answer: bool,
    /// Whether others may be on their way at the same time: it belongs to a burst.
    pub burst: bool,
    /// When it was taken, in virtual Unix milliseconds.
    pub at_ms: i64,
}

impl Delivery {
    /// An attempt of the schedule found the endpoint disabled or deleted: there will be no other
    /// (docs.stripe.com/webhooks). One on top of the schedule changes nothing.
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

    /// All, the oldest first.
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

    /// What is going to happen to objects: the moment in Unix milliseconds, and what.
    pub fn upcoming(&self) -> impl Iterator<Item = (i64, &ScheduledTask)> {
        self.agenda.upcoming()
    }

    /// A new delivery, tried at once, or a little later where any order is asked for.
    pub(super) fn plan(&mut self, event: &str, endpoint: &str) {
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

    /// Sends an event again, on top of the schedule: to one endpoint, or to all that it was meant for
    /// (docs.stripe.com/webhooks: a resend does not stop the automatic retries). Answers how many.
    pub(crate) fn resend(&mut self, event: &str, endpoint: Option<&str>) -> usize {
        let wanted = |delivery: &&Delivery| endpoint.is_none_or(|id| delivery.endpoint == id);
        let ids: Vec<u64> = self.outbox.of_event(event).filter(wanted).map(|delivery| delivery.id).collect();
        for id in &ids {
            self.agenda.add(self.now_ms, ScheduledTask::Attempt { delivery: *id, again: true });
        }
        ids.len()
    }

    /// A delivery's turn has come: it joins its endpoint's queue.
    pub(crate) fn ready(&mut self, id: u64, again: bool) {
        let Some(delivery) = self.outbox.deliveries.get_mut(&id) else { return };
        let endpoint = self.endpoints.get_mut(&delivery.endpoint).filter(|endpoint| endpoint.enabled);
        let Some(endpoint) = endpoint else {
            delivery.stop(again);
            return;
        };
        endpoint.ready.push_back((id, again));
        if endpoint.misbehaviour.burst > 0 && endpoint.ready.len() == 1 {
            let endpoint = endpoint.id.clone();
            self.later(BURST_GATHERS, ScheduledTask::Flush { endpoint });
        }
    }

    pub(crate) fn flush(&mut self, endpoint: &str) {
        if let Some(endpoint) = self.endpoints.get_mut(endpoint) {
            endpoint.flushing = endpoint.misbehaviour.burst > 0 && !endpoint.ready.is_empty();
        }
    }

    /// Lets go what was held, each delivery so many times, in an order that a seed decides if there is one.
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
        // Nothing gathers any longer that somebody lets go.
        endpoint.flushing = endpoint.misbehaviour.burst > 0 && !endpoint.ready.is_empty();
    }

    /// Deletes an endpoint: what waits for it is not sent, now or later. Answers whether there was one.
    pub(crate) fn delete_endpoint(&mut self, endpoint: &str) -> bool {
        let Some(deleted) = self.endpoints.remove(endpoint) else { return false };
        for (id, again) in deleted.ready {
            if let Some(delivery) = self.outbox.deliveries.get_mut(&id) {
                delivery.stop(again);
            }
        }
        true
    }

    /// From now on the way to the endpoint behaves like this.
    pub(crate) fn misbehave(&mut self, endpoint: &str, misbehaviour: Misbehaviour) {
        let Some(endpoint) = self.endpoints.get_mut(endpoint) else { return };
        endpoint.misbehaviour = misbehaviour;
        if misbehaviour.burst > 0 && !endpoint.ready.is_empty() {
            let endpoint = endpoint.id.clone();
            self.later(BURST_GATHERS, ScheduledTask::Flush { endpoint });
        }
    }

    /// The endpoint's next attempt, signed at this moment of the machine's clock (Unix seconds); None when
    /// nothing is to be sent now. In order: the next comes when the last is recorded.
    pub fn dispatch(&mut self, endpoint: &str, wall: i64) -> Option<Dispatch> {
        let (now, at_ms) = (self.now(), self.now_ms);
        let endpoint = self.endpoints.get_mut(endpoint)?;
        let behaviour = endpoint.misbehaviour;
        endpoint.flushing = behaviour.burst > 0 && (endpoint.flushing || endpoint.has_gathered());
        let width = if endpoint.flushing { BURST_WIDTH } else { 1 };
        if endpoint.held || endpoint.in_flight >= width || (behaviour.burst > 0 && !endpoint.flushing) {
            return None;
        }
        loop {
            let Some((id, again)) = endpoint.ready.pop_front() else {
                endpoint.flushing = false;
                return None;
            };
            // A delivery whose event was forgotten has nothing to send.
            let Some(delivery) = self.outbox.deliveries.get_mut(&id) else { continue };
            let Some(event) = self.events.get(&delivery.event) else { continue };
            if !endpoint.enabled {
                delivery.stop(again);
                continue;
            }
            let attempt = id.wrapping_mul(64).wrapping_add(delivery.attempts.len() as u64);
            let drawn = |knob: Knob, percent| random::happens(behaviour.seed, attempt, knob as u64, percent);
            let body = stripe::write::pretty(&event.render(endpoint.api_version, event.told));
            // What is no secret was refused when the endpoint was made.
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

    /// What became of an attempt: accepted, tried again by the schedule, or given up.
    pub fn record(&mut self, dispatch: &Dispatch, outcome: Outcome, took_ms: u64) {
        let accepted = outcome.accepted();
        // First of all: the event may have been forgotten, or the endpoint deleted, meanwhile.
        self.landed(&dispatch.endpoint, accepted);
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
            // What was accepted when somebody sent it by hand stays accepted, and the schedule goes on.
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

    /// An endpoint has one attempt less on its way; one that accepts nothing for days is disabled.
    fn landed(&mut self, endpoint: &str, accepted: bool) {
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

    /// After the emulator was stopped: what was on its way then goes out once more.
    pub(crate) fn reopen(&mut self) {
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

    /// Whether nothing is on its way or waits for its turn. What is held, or gathers for a burst, waits for
    /// somebody or some time.
    #[must_use]
    pub fn quiet(&self) -> bool {
        self.endpoints.iter().all(|endpoint| {
            let gathers = endpoint.misbehaviour.burst > 0 && !endpoint.flushing && !endpoint.has_gathered();
            endpoint.in_flight == 0 && (endpoint.ready.is_empty() || endpoint.held || gathers)
        })
    }
}
