//! The state of the emulated account: objects, events, endpoints, deliveries, scheduled tasks, and a clock
//! that is advanced from outside. It is pure: the same calls lead to the same state.
//!
//! Not here: what a payment, a refund or a dispute does (`act`), and HTTP (`api`, `page`, `deliver`).

mod agenda;
mod clock_mode;
mod emit;
mod outbox;
mod random;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use stripe::write::{Charge, Dispute, EarlyFraudWarning, PaymentIntent, Refund, Session};

pub(crate) use agenda::Agenda;
pub use agenda::ScheduledTask;
pub use clock_mode::ClockMode;
pub(crate) use outbox::Outbox;
pub use outbox::{Delivery, DeliveryAttempt, DeliveryState, Dispatch, Outcome};
pub(crate) use random::IdGenerator;
pub use table::{HasId, Table};

use crate::object::{
    CheckoutDetails, Customer, EventRecord, Price, Product, RequestReference, WebhookEndpoint,
};

/// One Stripe account in test mode.
#[derive(Debug, Serialize, Deserialize)]
pub struct World {
    /// How the clock goes. Only the emulator's loop advances it.
    #[serde(rename = "time")]
    pub(crate) clock: ClockMode,
    /// Clock mode to restore after the advance in progress.
    #[serde(rename = "time_after")]
    pub(crate) clock_after_advance: Option<ClockMode>,
    /// The current virtual time, in Unix milliseconds.
    pub(crate) now_ms: i64,
    pub(crate) ids: IdGenerator,
    pub(crate) agenda: Agenda,
    pub(crate) outbox: Outbox,
    /// Products.
    pub(crate) products: Table<Product>,
    /// Prices.
    pub(crate) prices: Table<Price>,
    /// Customers.
    pub(crate) customers: Table<Customer>,
    /// The ids of deleted customers, which Stripe still returns as `deleted`.
    #[serde(default)]
    pub(crate) deleted_customers: BTreeSet<String>,
    /// Checkout sessions, as Stripe's API returns them.
    pub(crate) sessions: Table<Session>,
    /// The parts of each session that its object does not show, by session id.
    pub(crate) checkouts: BTreeMap<String, CheckoutDetails>,
    /// The session of each payment intent that Checkout created.
    pub(crate) session_of: BTreeMap<String, String>,
    /// Payment intents.
    pub(crate) payment_intents: Table<PaymentIntent>,
    /// Charges.
    pub(crate) charges: Table<Charge>,
    /// The test number that paid each charge, by charge id. It decides later effects.
    pub(crate) paid_with: BTreeMap<String, String>,
    /// Refunds.
    pub(crate) refunds: Table<Refund>,
    /// Disputes and inquiries.
    pub(crate) disputes: Table<Dispute>,
    /// Early fraud warnings.
    pub(crate) warnings: Table<EarlyFraudWarning>,
    /// Events of the last 30 days.
    pub(crate) events: Table<EventRecord>,
    /// How many changes called for an event, whether or not one was created.
    #[serde(rename = "tellings")]
    pub(crate) changes_announced: u64,
    /// Webhook endpoints.
    pub(crate) endpoints: Table<WebhookEndpoint>,
    /// The API request in progress, which the events that it causes name.
    #[serde(skip)]
    pub(crate) request: Option<RequestReference>,
}

impl World {
    /// An empty account. Its ids and secrets follow from `seed`.
    #[must_use]
    pub fn new(seed: u64, clock: ClockMode, now_ms: i64) -> Self {
        Self {
            clock,
            clock_after_advance: None,
            now_ms,
            ids: IdGenerator::new(seed),
            agenda: Agenda::default(),
            outbox: Outbox::default(),
            products: Table::default(),
            prices: Table::default(),
            customers: Table::default(),
            deleted_customers: BTreeSet::new(),
            sessions: Table::default(),
            checkouts: BTreeMap::new(),
            session_of: BTreeMap::new(),
            payment_intents: Table::default(),
            charges: Table::default(),
            paid_with: BTreeMap::new(),
            refunds: Table::default(),
            disputes: Table::default(),
            warnings: Table::default(),
            events: Table::default(),
            changes_announced: 0,
            endpoints: Table::default(),
            request: None,
        }
    }

    /// The virtual time in Unix seconds, as in `created` of Stripe's objects.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.now_ms.div_euclid(1_000)
    }

    /// The virtual time, in Unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// The seed of ids and secrets.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.ids.seed()
    }

    /// A new id such as `ch_…`.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        self.ids.next(prefix)
    }

    /// A new signing secret.
    pub(crate) fn secret(&mut self) -> String {
        self.id("whsec")
    }

    /// Sets the request that causes the events that follow; `None` for events without a request.
    pub fn on_behalf_of(&mut self, request: Option<RequestReference>) {
        self.request = request;
    }

    /// Schedules `task`, `seconds` from now.
    pub(crate) fn later(&mut self, seconds: i64, task: ScheduledTask) {
        let due = self.now_ms.saturating_add(seconds.saturating_mul(1_000));
        self.agenda.add(due, task);
    }

    /// When the next task is due, in Unix milliseconds.
    #[must_use]
    pub fn next_due_ms(&self) -> Option<i64> {
        self.agenda.next_due_ms()
    }

    /// Whether an endpoint has yet to accept that this session is complete. Endpoints whose deliveries are
    /// held back do not count: they cannot accept.
    pub(crate) fn awaits_acknowledgement(&self, session: &str) -> bool {
        let completed = |event: &&EventRecord| {
            event.type_name == "checkout.session.completed" && event.object.id() == session
        };
        // The event is among the newest, because this is called right after the payment.
        let Some(event) = self.events.iter().rev().take(1_000).find(completed) else { return false };
        self.deliveries_of(&event.id).any(|delivery| {
            let held = self.endpoints.get(&delivery.endpoint).is_none_or(|endpoint| endpoint.held);
            matches!(delivery.state, DeliveryState::Waiting { .. }) && !held
        })
    }

    /// Ends an advance: restores the clock mode from before it. Does nothing without an advance in progress.
    pub(crate) fn end_advance(&mut self, wall_ms: i64) {
        if let Some(kind) = self.clock_after_advance.take() {
            self.clock = kind.set(self.now_ms, wall_ms);
        }
    }

    /// Cancels every task that is scheduled for this object.
    pub(crate) fn cancel_tasks(&mut self, object: &str) {
        self.agenda.take_about(object);
    }
}

/// The account as everybody may read it. Only `act` and Stripe's API change it.
impl World {
    /// How the clock goes.
    #[must_use]
    pub fn clock(&self) -> ClockMode {
        self.clock
    }

    /// Checkout sessions.
    #[must_use]
    pub fn sessions(&self) -> &Table<Session> {
        &self.sessions
    }

    /// Payment intents.
    #[must_use]
    pub fn payment_intents(&self) -> &Table<PaymentIntent> {
        &self.payment_intents
    }

    /// Charges.
    #[must_use]
    pub fn charges(&self) -> &Table<Charge> {
        &self.charges
    }

    /// Refunds.
    #[must_use]
    pub fn refunds(&self) -> &Table<Refund> {
        &self.refunds
    }

    /// Disputes and inquiries.
    #[must_use]
    pub fn disputes(&self) -> &Table<Dispute> {
        &self.disputes
    }

    /// Events of the last 30 days.
    #[must_use]
    pub fn events(&self) -> &Table<EventRecord> {
        &self.events
    }

    /// Webhook endpoints.
    #[must_use]
    pub fn endpoints(&self) -> &Table<WebhookEndpoint> {
        &self.endpoints
    }
}
