//! Everything that the emulated Stripe knows, and what is going to happen to it: objects, events, endpoints,
//! deliveries, an agenda, and a clock that is turned from outside. Pure: the same calls give the same world.
//!
//! Not here: what a payment, a refund or a dispute does (`act`), HTTP either way (`api`, `page`, `deliver`).

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
    /// How the clock goes; only the emulator's loop turns it.
    #[serde(rename = "time")]
    pub(crate) clock: ClockMode,
    /// How it went before it was being turned, and will go again: it stands meanwhile.
    #[serde(rename = "time_after")]
    pub(crate) clock_after_advance: Option<ClockMode>,
    /// The virtual moment of the step in hand, in Unix milliseconds.
    pub(crate) now_ms: i64,
    pub(crate) ids: IdGenerator,
    pub(crate) agenda: Agenda,
    pub(crate) outbox: Outbox,
    /// What is sold.
    pub(crate) products: Table<Product>,
    /// For how much.
    pub(crate) prices: Table<Price>,
    /// To whom.
    pub(crate) customers: Table<Customer>,
    /// Customers that are gone, by id: Stripe goes on answering that they were.
    #[serde(default)]
    pub(crate) deleted_customers: BTreeSet<String>,
    /// Checkout sessions, as Stripe's API shows them.
    pub(crate) sessions: Table<Session>,
    /// What a session's page knows beyond the session: its items, and what its payment will carry.
    pub(crate) checkouts: BTreeMap<String, CheckoutDetails>,
    /// Which session a payment intent belongs to.
    pub(crate) session_of: BTreeMap<String, String>,
    /// Payment intents.
    pub(crate) payment_intents: Table<PaymentIntent>,
    /// Charges.
    pub(crate) charges: Table<Charge>,
    /// The test number with which each charge was paid, by charge id: it decides what comes later.
    pub(crate) paid_with: BTreeMap<String, String>,
    /// Refunds.
    pub(crate) refunds: Table<Refund>,
    /// Disputes and inquiries.
    pub(crate) disputes: Table<Dispute>,
    /// Early fraud warnings.
    pub(crate) warnings: Table<EarlyFraudWarning>,
    /// Events of the last 30 days.
    pub(crate) events: Table<EventRecord>,
    /// How many changes there were to tell of, whether or not an event was made.
    pub(crate) tellings: u64,
    /// Webhook endpoints.
    pub(crate) endpoints: Table<WebhookEndpoint>,
    /// The API request in hand: the events that it makes name it.
    #[serde(skip)]
    pub(crate) request: Option<RequestReference>,
}

impl World {
    /// An empty account. Everything that looks random in it follows from `seed`.
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
            tellings: 0,
            endpoints: Table::default(),
            request: None,
        }
    }

    /// The virtual time, in Unix seconds: what Stripe's objects call `created`.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.now_ms.div_euclid(1_000)
    }

    /// The virtual time, in Unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// From what everything that looks random follows.
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

    /// Which request makes the events that follow; None for what happens by itself.
    pub fn on_behalf_of(&mut self, request: Option<RequestReference>) {
        self.request = request;
    }

    /// Puts `task` on the agenda, `seconds` from now.
    pub(crate) fn later(&mut self, seconds: i64, task: ScheduledTask) {
        let due = self.now_ms.saturating_add(seconds.saturating_mul(1_000));
        self.agenda.add(due, task);
    }

    /// When the next thing falls due, in Unix milliseconds.
    #[must_use]
    pub fn next_due_ms(&self) -> Option<i64> {
        self.agenda.next_due_ms()
    }

    /// Whether an endpoint has still to accept that this session is complete. One whose deliveries somebody
    /// holds back is not waited for: it cannot.
    pub(crate) fn awaits_acknowledgement(&self, session: &str) -> bool {
        let told = |event: &&EventRecord| {
            event.type_name == "checkout.session.completed" && event.object.id() == session
        };
        // It is among the newest: this is asked right after paying.
        let Some(event) = self.events.iter().rev().take(1_000).find(told) else { return false };
        self.deliveries_of(&event.id).any(|delivery| {
            let held = self.endpoints.get(&delivery.endpoint).is_none_or(|endpoint| endpoint.held);
            matches!(delivery.state, DeliveryState::Waiting { .. }) && !held
        })
    }

    /// The clock goes on as it did before it was turned; nothing happens to one that nobody turns.
    pub(crate) fn let_go(&mut self, wall_ms: i64) {
        if let Some(kind) = self.clock_after_advance.take() {
            self.clock = kind.set(self.now_ms, wall_ms);
        }
    }

    /// What was planned for this object is not going to happen.
    pub(crate) fn drop_plans(&mut self, object: &str) {
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
