//! What crosses the border of the store: deliveries in, rows out. Plain data; no row knows where it is kept.

mod actions;
mod clock;
mod commands;
mod idempotency;
mod keys;
mod notices;
mod operators;
mod purchases;
mod restores;

use ledger::posting::Transaction;
use ledger::{
    Credits, EventId, Fact, Knowledge, Lot, Minor, Outcome, PaymentId, PaymentStatus, Reason, TenantId,
    Timestamp,
};

pub use actions::*;
pub use clock::{ClockMark, ClockRecord};
pub use commands::{CommandOutcome, CommandRequest, Expired};
pub(crate) use idempotency::KeyName;
pub use idempotency::{IdempotencyKey, Scope};
pub use keys::{Access, KeyHolder, KeyKind, KeyRow, PersonRow, Recovery};
pub use notices::*;
pub use operators::{
    ActionTotals, LotPosition, StatementRange, TenantChange, TenantDetail, TenantFilter, TenantPosition,
    TenantRow,
};
pub use purchases::{BegunPurchase, NewPurchase, Purchase, PurchaseOrder, PurchaseSession};
pub use restores::Restore;

/// One delivery, verified and ready to be kept.
#[derive(Clone, Debug)]
pub struct IncomingEvent {
    /// The event's id, or a name made from the body where none could be read.
    pub id: EventId,
    /// Its type, or empty.
    pub kind: String,
    /// Seconds, by Stripe's clock.
    pub created: i64,
    /// Live or test, if it says.
    pub livemode: Option<bool>,
    /// The raw bytes, packed with [`crate::body::pack`].
    pub body: Vec<u8>,
}

/// The delivery is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ingested {
    /// The event's place in order of arrival.
    pub seq: i64,
    /// How often it has been delivered; 1 for the first time.
    pub deliveries: i64,
}

/// An event that is due to be applied.
#[derive(Clone, Debug)]
pub struct DueEvent {
    /// Its place in order of arrival.
    pub seq: i64,
    /// Its id.
    pub id: EventId,
    /// Failed attempts so far.
    pub attempts: u32,
    /// The packed body.
    pub body: Vec<u8>,
}

/// What an event turned out to be, ready to be settled.
#[derive(Clone, Debug)]
pub enum Reading {
    /// It is about a payment.
    Fact(Box<Fact>),
    /// It is about a payment, and a part of it could not be read: the rest counts, and a person must look.
    Partial {
        /// The rest.
        fact: Box<Fact>,
        /// In words, for that person. Never content of the body.
        detail: String,
    },
    /// It is not about credits.
    Ignored,
    /// A person must look at the event itself.
    Quarantined {
        /// Why.
        reason: Reason,
        /// In words, for that person. Never content of the body.
        detail: String,
    },
}

/// One event to settle.
#[derive(Clone, Debug)]
pub struct EventToApply {
    /// The event's place in order of arrival.
    pub seq: i64,
    /// What it turned out to be.
    pub reading: Reading,
}

/// What became of one event or wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedEvent {
    /// The event's place in order of arrival; 0 for a wait.
    pub seq: i64,
    /// What became of it.
    pub outcome: Outcome,
    /// What a person must look at, if this brought it up.
    pub review: Option<Review>,
}

/// What a person must look at, in figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Why.
    pub reason: Reason,
    /// The payment's key, if it is about a payment.
    pub payment: Option<String>,
    /// What was bought, as far as it is known.
    pub purchase: PurchaseFigures,
}

/// What is known of a purchase, accepted or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PurchaseFigures {
    /// Whose.
    pub tenant: Option<TenantId>,
    /// How many credits.
    pub credits: Option<Credits>,
    /// The package's name.
    pub package: Option<String>,
    /// Three letters, lower case.
    pub currency: Option<String>,
    /// What was paid or is due, in minor units.
    pub amount: Option<Minor>,
}

impl PurchaseFigures {
    /// Reads them off what is known of a payment.
    pub fn of(known: &Knowledge) -> Self {
        Self {
            tenant: known.tenant(),
            credits: known.credits(),
            package: known.package().map(str::to_owned),
            currency: known.currency().map(str::to_owned),
            amount: Some(known.amount_paid()).filter(|amount| *amount > Minor::ZERO),
        }
    }
}

/// Money that was taken for something else, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnrelatedMoney {
    /// Three letters, lower case; none where no event has said.
    pub currency: Option<String>,
    /// How many payments.
    pub payments: i64,
    /// What was taken, in minor units.
    pub amount: Minor,
}

/// An event that could not be applied, to be tried again or given up.
#[derive(Clone, Debug)]
pub struct Postponed {
    /// The event's place in order of arrival.
    pub seq: i64,
    /// When to try again; never, and quarantined, where there is none.
    pub due_at: Option<Timestamp>,
    /// Why it failed.
    pub error: String,
}

/// An event as it is shown.
#[derive(Clone, Debug)]
pub struct EventRow {
    /// Its place in order of arrival.
    pub seq: i64,
    /// Its id.
    pub id: EventId,
    /// Its type.
    pub kind: String,
    /// Seconds, by Stripe's clock.
    pub created: i64,
    /// Live or test, if it says.
    pub livemode: Option<bool>,
    /// When it first arrived.
    pub received_at: Timestamp,
    /// How often it was delivered.
    pub deliveries: i64,
    /// Failed attempts to apply it.
    pub attempts: i64,
    /// When it is tried next; none once it has an outcome.
    pub due_at: Option<Timestamp>,
    /// What became of it.
    pub outcome: Option<Outcome>,
    /// Why a person must look, or why the last attempt failed.
    pub reason: Option<String>,
    /// The payment that it is about, by its key.
    pub payment: Option<String>,
}

/// A transaction as it is shown: with the payment's key.
#[derive(Clone, Debug)]
pub struct TransactionRow {
    /// The journal's entry.
    pub transaction: Transaction,
    /// The payment's key.
    pub payment_key: Option<String>,
}

/// A lot as it is shown: with the payment's key.
#[derive(Clone, Debug)]
pub struct LotRow {
    /// The lot.
    pub lot: Lot,
    /// The payment's key; none for an operator's grant.
    pub payment_key: Option<String>,
}

/// A payment as it is shown.
#[derive(Clone, Debug)]
pub struct PaymentRow {
    /// Its name in the store.
    pub id: PaymentId,
    /// Its payment intent, else session, else charge.
    pub key: String,
    /// Whose purchase it is, once known.
    pub tenant: Option<TenantId>,
    /// Where it stands.
    pub status: PaymentStatus,
    /// Everything known about it.
    pub knowledge: Knowledge,
    /// When we first heard of it.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Something that needs, or needed, a person.
#[derive(Clone, Debug)]
pub struct QuarantineRow {
    /// Its number.
    pub id: i64,
    /// The event's id, if it is about an event.
    pub event: Option<EventId>,
    /// The payment's key, if it is about a payment.
    pub payment: Option<String>,
    /// Why.
    pub reason: Reason,
    /// In words.
    pub detail: String,
    /// What was bought, as far as it is known.
    pub purchase: PurchaseFigures,
    /// Since when.
    pub opened_at: Timestamp,
    /// Until when.
    pub closed_at: Option<Timestamp>,
    /// `resolved`, `dismissed`, or `cleared` by later facts.
    pub resolution: Option<String>,
    /// By whom.
    pub closed_by: Option<String>,
    /// Why it was decided so.
    pub note: Option<String>,
}

/// Which events to list.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Of this type.
    pub kind: Option<String>,
    /// With this outcome.
    pub outcome: Option<Outcome>,
    /// About this payment.
    pub payment: Option<PaymentId>,
    /// Not applied yet.
    pub pending: bool,
}

/// Which transactions to list: a tenant's, a payment's, or a tenant's of one kind.
#[derive(Clone, Debug, Default)]
pub struct TransactionFilter {
    /// Whose.
    pub tenant: Option<TenantId>,
    /// Of which payment.
    pub payment: Option<PaymentId>,
    /// Of which kind.
    pub kind: Option<ledger::TransactionKind>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
}

/// Which page of a listing: the newest first unless asked otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// 1 for the first.
    pub number: u32,
    /// Rows on a page.
    pub size: u32,
    /// Oldest first.
    pub ascending: bool,
}

/// One page of rows, and how many there are in all.
#[derive(Clone, Debug)]
pub struct Listing<T> {
    /// The rows of this page.
    pub rows: Vec<T>,
    /// All rows that match.
    pub total: i64,
}

/// How the store is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Events kept.
    pub events: i64,
    /// Events without an outcome.
    pub pending: i64,
    /// When the oldest of these arrived.
    pub oldest_pending: Option<Timestamp>,
    /// Open quarantine items.
    pub quarantined: i64,
    /// When an event last arrived.
    pub last_event: Option<Timestamp>,
    /// Transactions in the journal.
    pub transactions: i64,
    /// Endpoints that are told nothing until somebody enables them; at most 100 are counted.
    pub endpoints_disabled: i64,
    /// It was restored from a backup and nobody has confirmed it: nothing moves.
    pub restore_unconfirmed: bool,
}

/// What an audit of the whole journal found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Transactions read.
    pub transactions: i64,
    /// Tenants compared.
    pub tenants: i64,
    /// Lots compared.
    pub lots: i64,
    /// The hash of the last transaction, in hexadecimal.
    pub head: String,
    /// Everything that does not add up, in words. Empty is good.
    pub faults: Vec<String>,
}
