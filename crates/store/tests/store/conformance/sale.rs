//! The words that the cases are written in: a sale and the facts about it, and the two steps that every
//! event takes, arriving and being settled.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger::claim::{ClaimSource, ClaimedTerms};
use ledger::knowledge::{ChargeFacts, DisputeFacts, DisputeOutcome, RefundFacts, RefundRank};
use ledger::{
    EventId, EventRef, Fact, Knowledge, Minor, Now, ObjectId, Outcome, Policy, TenantId, Timestamp,
};
use store::{AppliedEvent, EventToApply, IncomingEvent, Page, PaymentRow, Reading, Store, body};
use uuid::Uuid;

/// When everything happens, unless a case says otherwise.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);

/// Everything on one page, the oldest first.
pub(crate) const ALL: Page = Page { number: 1, size: 1000, ascending: true };

/// The tenant of this number.
pub(crate) fn tenant(number: u128) -> TenantId {
    TenantId(Uuid::from_u128(number))
}

/// One purchase: 10 credits for 10.00 to tenant 1, unless said otherwise. Its objects are named after it.
#[derive(Clone)]
pub(crate) struct Sale {
    pub(crate) name: String,
    pub(crate) tenant: TenantId,
    pub(crate) credits: i64,
    pub(crate) price: i64,
}

impl Sale {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), tenant: tenant(1), credits: 10, price: 1000 }
    }

    pub(crate) fn to(self, number: u128) -> Self {
        Self { tenant: tenant(number), ..self }
    }

    pub(crate) fn of(self, credits: i64) -> Self {
        Self { credits, ..self }
    }

    /// `pi_NAME`, `cs_NAME`, `ch_NAME`, …
    pub(crate) fn object(&self, kind: &str) -> ObjectId {
        format!("{kind}_{}", self.name).into()
    }

    /// The event `evt_NAME_WHAT`, which says `knowledge` and that it is about this sale's payment intent.
    pub(crate) fn fact(&self, what: &str, knowledge: Knowledge) -> Fact {
        let payment_intents = BTreeSet::from([self.object("pi")]);
        self.detached(what, Knowledge { payment_intents, ..knowledge })
    }

    /// The same, without the payment intent.
    pub(crate) fn detached(&self, what: &str, knowledge: Knowledge) -> Fact {
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

    /// The payment intent received the money, and carries the metadata.
    pub(crate) fn paid_by_intent(&self) -> Fact {
        let received = BTreeMap::from([(self.object("pi"), Minor(self.price))]);
        let knowledge = Knowledge { received, ..Knowledge::default() };
        Fact { claimed: Some(self.terms(ClaimSource::PaymentIntent)), ..self.fact("intent", knowledge) }
    }

    /// An invoice was paid; nothing but itself names it.
    pub(crate) fn invoiced(&self) -> Fact {
        let invoices = BTreeSet::from([self.object("in")]);
        let knowledge = Knowledge { invoices, invoice_paid: true, ..Knowledge::default() };
        let terms = ClaimedTerms { recurring: true, ..self.terms(ClaimSource::Invoice) };
        Fact { claimed: Some(terms), ..self.detached("invoiced", knowledge) }
    }

    /// The session was completed and paid.
    pub(crate) fn bought(&self) -> Fact {
        self.session("bought", true)
    }

    /// The session was completed; the money is on its way.
    pub(crate) fn ordered(&self) -> Fact {
        self.session("ordered", false)
    }

    /// The session was completed and paid, and its tenant is not a UUID.
    pub(crate) fn bought_by_nobody(&self) -> Fact {
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

    /// The charge says that so much, in minor units, was refunded in all.
    pub(crate) fn refunded(&self, amount: i64) -> Fact {
        let (captured, refunded) = (Minor(self.price), Minor(amount));
        let charge = ChargeFacts { captured, refunded, succeeded: true, ..ChargeFacts::default() };
        self.charge(&format!("refunded_{amount}"), charge)
    }

    fn charge(&self, what: &str, charge: ChargeFacts) -> Fact {
        let charges = BTreeMap::from([(self.object("ch"), charge)]);
        self.fact(what, Knowledge { charges, ..Knowledge::default() })
    }

    /// The one refund of this sale has come so far.
    pub(crate) fn refund(&self, amount: i64, rank: RefundRank) -> Fact {
        let refunds = BTreeMap::from([(self.object("re"), RefundFacts { amount: Minor(amount), rank })]);
        self.fact(&format!("refund_{rank:?}"), Knowledge { refunds, ..Knowledge::default() })
    }

    /// The one dispute of this sale, about all of it, stands like this; its funds are withdrawn.
    pub(crate) fn disputed(&self, outcome: DisputeOutcome) -> Fact {
        let dispute =
            DisputeFacts { amount: Minor(self.price), outcome, withdrawn: true, ..DisputeFacts::default() };
        let disputes = BTreeMap::from([(self.object("dp"), dispute)]);
        self.fact(&format!("dispute_{outcome:?}"), Knowledge { disputes, ..Knowledge::default() })
    }

    /// About no payment at all, which no reader lets through: on it, deciding panics.
    pub(crate) fn impossible(&self) -> Fact {
        self.detached("impossible", Knowledge::default())
    }
}

/// A delivery of the event with this id.
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

/// The event arrives; its place in order of arrival.
pub(crate) async fn arrive(store: &Store, id: &EventId) -> i64 {
    store.ingest(delivery(id.as_str()), NOW).await.unwrap().seq
}

/// The events arrive and are settled in one batch; what became of each.
pub(crate) async fn learn(store: &Store, facts: &[Fact]) -> Vec<Outcome> {
    learn_under(store, &Policy::default(), facts).await
}

/// The same, at another time.
pub(crate) async fn learn_at(store: &Store, facts: &[Fact], now: Now) {
    let mut batch = Vec::new();
    for fact in facts {
        batch.push(told(arrive(store, &fact.event.id).await, fact));
    }
    store.apply_events(batch, Arc::default(), now).await.unwrap();
}

/// The same, under other rules.
pub(crate) async fn learn_under(store: &Store, policy: &Policy, facts: &[Fact]) -> Vec<Outcome> {
    let mut batch = Vec::new();
    for fact in facts {
        batch.push(told(arrive(store, &fact.event.id).await, fact));
    }
    settle(store, policy, batch).await.into_iter().map(|settled| settled.outcome).collect()
}

/// The event in this place turned out to be this fact.
pub(crate) fn told(seq: i64, fact: &Fact) -> EventToApply {
    EventToApply { seq, reading: Reading::Fact(Box::new(fact.clone())) }
}

/// Settles one batch.
pub(crate) async fn settle(store: &Store, policy: &Policy, batch: Vec<EventToApply>) -> Vec<AppliedEvent> {
    store.apply_events(batch, Arc::new(policy.clone()), Now::trusted(NOW)).await.unwrap()
}

/// What the tenant has and owes: available, held, frozen, debt.
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
