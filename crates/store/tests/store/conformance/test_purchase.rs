//! Fixtures: a purchase with the facts about it, and helpers to ingest and apply events.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::claim::{ClaimSource, ClaimedTerms};
use ledger::knowledge::{ChargeFacts, DisputeFacts, DisputeOutcome, RefundFacts, RefundRank};
use ledger::{
    EventId, EventRef, Fact, Knowledge, Minor, Now, ObjectId, Outcome, Policy, TenantId, Timestamp,
};
use store::{AppliedEvent, EventToApply, IncomingEvent, PageRequest, PaymentRow, Reading, Store, body};
use uuid::Uuid;

/// The time of all events, unless a case says otherwise.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

/// All rows on one page, oldest first.
pub(crate) const ALL: PageRequest = PageRequest { number: 1, size: 1000, ascending: true };

/// The tenant with this number.
pub(crate) fn tenant(number: u128) -> TenantId {
    TenantId(Uuid::from_u128(number))
}

/// A purchase: by default 10 credits for 10.00 by tenant 1. Its objects are named after it.
#[derive(Clone)]
pub(crate) struct TestPurchase {
    pub(crate) name: String,
    pub(crate) tenant: TenantId,
    pub(crate) credits: i64,
    pub(crate) price: i64,
}

impl TestPurchase {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), tenant: tenant(1), credits: 10, price: 1000 }
    }

    pub(crate) fn for_tenant(self, number: u128) -> Self {
        Self { tenant: tenant(number), ..self }
    }

    pub(crate) fn with_credits(self, credits: i64) -> Self {
        Self { credits, ..self }
    }

    /// `pi_NAME`, `cs_NAME`, `ch_NAME`, …
    pub(crate) fn object(&self, kind: &str) -> ObjectId {
        format!("{kind}_{}", self.name).into()
    }

    /// The event `evt_NAME_WHAT` with `knowledge` about this purchase's payment intent.
    pub(crate) fn fact(&self, what: &str, knowledge: Knowledge) -> Fact {
        let payment_intents = BTreeSet::from([self.object("pi")]);
        self.fact_without_intent(what, Knowledge { payment_intents, ..knowledge })
    }

    /// The same without the payment intent.
    pub(crate) fn fact_without_intent(&self, what: &str, knowledge: Knowledge) -> Fact {
        let event = EventRef { created: NOW.seconds(), id: format!("evt_{}_{what}", self.name).into() };
        Fact { event, knowledge, claimed: None }
    }

    fn session(&self, what: &str, paid: bool) -> Fact {
        let sessions = BTreeSet::from([self.object("cs")]);
        let terms = self.terms(ClaimSource::Session);
        let knowledge = Knowledge { sessions, paid, completed: true, ..Knowledge::default() };
        Fact { claimed: Some(terms), ..self.fact(what, knowledge) }
    }

    fn terms(&self, source: ClaimSource) -> ClaimedTerms {
        ClaimedTerms {
            tenant: Some(self.tenant.to_string()),
            package: Some("ten".to_owned()),
            credits: Some(self.credits.to_string()),
            currency: Some("eur".to_owned()),
            amount: Some(Minor(self.price)),
            ..ClaimedTerms::none(source)
        }
    }

    /// The payment intent received the money and carries the metadata.
    pub(crate) fn paid_by_intent(&self) -> Fact {
        let received = BTreeMap::from([(self.object("pi"), Minor(self.price))]);
        let knowledge = Knowledge { received, ..Knowledge::default() };
        Fact { claimed: Some(self.terms(ClaimSource::PaymentIntent)), ..self.fact("intent", knowledge) }
    }

    /// An invoice was paid, which no other object refers to.
    pub(crate) fn invoice_paid(&self) -> Fact {
        let invoices = BTreeSet::from([self.object("in")]);
        let knowledge = Knowledge { invoices, invoice_paid: true, ..Knowledge::default() };
        let terms = ClaimedTerms { recurring: true, ..self.terms(ClaimSource::Invoice) };
        Fact { claimed: Some(terms), ..self.fact_without_intent("invoiced", knowledge) }
    }

    /// The session was completed and paid.
    pub(crate) fn bought(&self) -> Fact {
        self.session("bought", true)
    }

    /// The session was completed; the payment is pending.
    pub(crate) fn completed_unpaid(&self) -> Fact {
        self.session("ordered", false)
    }

    /// The session was completed and paid, but its tenant is not a UUID.
    pub(crate) fn bought_with_invalid_tenant(&self) -> Fact {
        let mut fact = self.session("nobody", true);
        fact.claimed.as_mut().unwrap().tenant = Some("nobody".to_owned());
        fact
    }

    /// The charge succeeded.
    pub(crate) fn charged(&self) -> Fact {
        self.charge(
            "charged",
            ChargeFacts { captured: Minor(self.price), succeeded: true, ..ChargeFacts::default() },
        )
    }

    /// The charge reports this total refunded amount, in minor units.
    pub(crate) fn refunded(&self, amount: i64) -> Fact {
        let (captured, refunded) = (Minor(self.price), Minor(amount));
        let charge = ChargeFacts { captured, refunded, succeeded: true, ..ChargeFacts::default() };
        self.charge(&format!("refunded_{amount}"), charge)
    }

    fn charge(&self, what: &str, charge: ChargeFacts) -> Fact {
        let charges = BTreeMap::from([(self.object("ch"), charge)]);
        self.fact(what, Knowledge { charges, ..Knowledge::default() })
    }

    /// The only refund of this purchase has this state.
    pub(crate) fn refund(&self, amount: i64, rank: RefundRank) -> Fact {
        let refunds = BTreeMap::from([(self.object("re"), RefundFacts { amount: Minor(amount), rank })]);
        self.fact(&format!("refund_{rank:?}"), Knowledge { refunds, ..Knowledge::default() })
    }

    /// The only dispute of this purchase, about the full amount, has this state; its funds are withdrawn.
    pub(crate) fn disputed(&self, outcome: DisputeOutcome) -> Fact {
        let dispute =
            DisputeFacts { amount: Minor(self.price), outcome, withdrawn: true, ..DisputeFacts::default() };
        let disputes = BTreeMap::from([(self.object("dp"), dispute)]);
        self.fact(&format!("dispute_{outcome:?}"), Knowledge { disputes, ..Knowledge::default() })
    }

    /// A fact about no payment, which no reader produces: deciding it panics.
    pub(crate) fn causing_panic(&self) -> Fact {
        self.fact_without_intent("impossible", Knowledge::default())
    }
}

/// An incoming event with this id.
pub(crate) fn delivery(id: &str) -> IncomingEvent {
    let content = format!("{{\"id\":\"{id}\"}}");
    IncomingEvent {
        id: id.into(),
        kind: "test".to_owned(),
        created: NOW.seconds(),
        livemode: Some(false),
        body: body::pack(content.as_bytes()),
    }
}

/// Ingests an event and returns its place in order of arrival.
pub(crate) async fn ingest(store: &Store, id: &EventId) -> i64 {
    store.ingest(delivery(id.as_str()), NOW).await.unwrap().seq
}

/// Ingests the events, applies them in one batch, and returns their outcomes.
pub(crate) async fn apply(store: &Store, facts: &[Fact]) -> Vec<Outcome> {
    apply_with_policy(store, &Policy::default(), facts).await
}

/// The same at another time.
pub(crate) async fn apply_at(store: &Store, facts: &[Fact], now: Now) {
    let mut batch = Vec::new();
    for fact in facts {
        batch.push(event_to_apply(ingest(store, &fact.event.id).await, fact));
    }
    store.apply_events(batch, Arc::default(), now).await.unwrap();
}

/// The same with another policy.
pub(crate) async fn apply_with_policy(store: &Store, policy: &Policy, facts: &[Fact]) -> Vec<Outcome> {
    let mut batch = Vec::new();
    for fact in facts {
        batch.push(event_to_apply(ingest(store, &fact.event.id).await, fact));
    }
    apply_batch(store, policy, batch).await.into_iter().map(|applied| applied.outcome).collect()
}

/// The event at this place, read as this fact.
pub(crate) fn event_to_apply(seq: i64, fact: &Fact) -> EventToApply {
    EventToApply { seq, reading: Reading::Fact(Box::new(fact.clone())) }
}

/// Applies one batch.
pub(crate) async fn apply_batch(
    store: &Store,
    policy: &Policy,
    batch: Vec<EventToApply>,
) -> Vec<AppliedEvent> {
    store.apply_events(batch, Arc::new(policy.clone()), Now::trusted(NOW)).await.unwrap()
}

/// The tenant's balance: available, held, frozen, debt.
pub(crate) async fn balance(store: &Store, number: u128) -> [i64; 4] {
    let tenant = store.tenant(tenant(number)).await.unwrap().expect("a known tenant");
    let balance = tenant.balance;
    [balance.available, balance.held, balance.frozen, balance.debt].map(|credits| credits.0)
}

/// The payment of this object.
pub(crate) async fn payment(store: &Store, object: &ObjectId) -> PaymentRow {
    let found = store.payment(object.to_string()).await.unwrap();
    found.unwrap_or_else(|| panic!("no payment for {object}"))
}
