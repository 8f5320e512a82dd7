//! The plain data types that verbs take and return.

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
pub(crate) use idempotency::ScopedKey;
pub use idempotency::{IdempotencyKey, Scope};
pub use keys::{Access, KeyHolder, KeyKind, KeyRow, PersonRow, Recovery};
pub use notices::*;
pub use operators::{
    ActionTotals, LotPosition, StatementRange, TenantChange, TenantDetail, TenantFilter, TenantPosition,
    TenantRow,
};
pub use purchases::{BegunPurchase, NewPurchase, PurchaseOrder, PurchaseRow, PurchaseSession};
pub use restores::RestoreRow;

/// A verified event from Stripe, ready to be stored.
#[derive(Clone, Debug)]
pub struct IncomingEvent {
    /// The event's id, or an id derived from the body if none could be read.
    pub id: EventId,
    /// Its type; empty if it could not be read.
    pub kind: String,
    /// Seconds, by Stripe's clock.
    pub created: i64,
    /// Live or test, if it says.
    pub livemode: Option<bool>,
    /// The raw body, packed with [`crate::body::pack`].
    pub body: Vec<u8>,
}

/// The result of storing an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ingested {
    /// The event's place in order of arrival.
    pub seq: i64,
    /// How often the event has been delivered, this time included.
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

/// How an event was read, for it to be applied.
#[derive(Clone, Debug)]
pub enum Reading {
    /// It concerns a payment.
    Fact(Box<Fact>),
    /// It concerns a payment, but part of it could not be read. The rest is applied, and the event is
    /// quarantined.
    Partial {
        /// The readable part.
        fact: Box<Fact>,
        /// An explanation for the person who reviews it. It never contains text of the body.
        detail: String,
    },
    /// It does not concern credits.
    Ignored,
    /// The event itself is quarantined.
    Quarantined {
        /// The reason.
        reason: Reason,
        /// An explanation for the person who reviews it. It never contains text of the body.
        detail: String,
    },
}

/// One event to apply.
#[derive(Clone, Debug)]
pub struct EventToApply {
    /// The event's place in order of arrival.
    pub seq: i64,
    /// How it was read.
    pub reading: Reading,
}

/// The outcome of one event or one ended wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedEvent {
    /// The event's place in order of arrival; 0 for an ended wait.
    pub seq: i64,
    /// The outcome.
    pub outcome: Outcome,
    /// The new reason for a review, if there is one.
    pub review: Option<Review>,
}

/// A reason for a person to review a payment or an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// The reason.
    pub reason: Reason,
    /// The payment's key, if it is about a payment.
    pub payment: Option<String>,
    /// The purchase, as far as it is known.
    pub purchase: PurchaseFigures,
}

/// What is known about a purchase, whether or not its terms were accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PurchaseFigures {
    /// The tenant.
    pub tenant: Option<TenantId>,
    /// The number of credits.
    pub credits: Option<Credits>,
    /// The package's name.
    pub package: Option<String>,
    /// Lower-case ISO 4217 code.
    pub currency: Option<String>,
    /// The amount paid or due, in minor units.
    pub amount: Option<Minor>,
}

impl PurchaseFigures {
    /// Takes the figures from what is known about a payment.
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

/// Payments in one currency that are unrelated to credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnrelatedMoney {
    /// Lower-case ISO 4217 code; `None` if no event has named it.
    pub currency: Option<String>,
    /// How many payments.
    pub payments: i64,
    /// The sum, in minor units.
    pub amount: Minor,
}

/// A failed attempt to apply an event.
#[derive(Clone, Debug)]
pub struct Postponed {
    /// The event's place in order of arrival.
    pub seq: i64,
    /// When to retry; `None` quarantines the event.
    pub due_at: Option<Timestamp>,
    /// Why it failed.
    pub error: String,
}

/// An event as listed.
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
    /// When it is applied next; `None` once it has an outcome.
    pub due_at: Option<Timestamp>,
    /// The outcome.
    pub outcome: Option<Outcome>,
    /// Why it is quarantined, or why the last attempt failed.
    pub reason: Option<String>,
    /// The key of the payment that it concerns.
    pub payment: Option<String>,
}

/// A transaction with its payment's key.
#[derive(Clone, Debug)]
pub struct TransactionRow {
    /// The journal's entry.
    pub transaction: Transaction,
    /// The payment's key.
    pub payment_key: Option<String>,
}

/// A lot with its payment's key.
#[derive(Clone, Debug)]
pub struct LotRow {
    /// The lot.
    pub lot: Lot,
    /// The payment's key; `None` for an operator's grant.
    pub payment_key: Option<String>,
}

/// A payment as listed.
#[derive(Clone, Debug)]
pub struct PaymentRow {
    /// Its number in the store.
    pub id: PaymentId,
    /// The id of its payment intent, else session, else charge.
    pub key: String,
    /// The tenant, once known.
    pub tenant: Option<TenantId>,
    /// Its status.
    pub status: PaymentStatus,
    /// Everything known about it.
    pub knowledge: Knowledge,
    /// When its first event was applied.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A quarantine item.
#[derive(Clone, Debug)]
pub struct QuarantineRow {
    /// Its number.
    pub id: i64,
    /// The event's id, for an item about an event.
    pub event: Option<EventId>,
    /// The payment's key, if it is about a payment.
    pub payment: Option<String>,
    /// The reason.
    pub reason: Reason,
    /// An explanation.
    pub detail: String,
    /// The purchase, as far as it is known.
    pub purchase: PurchaseFigures,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// `resolved`, `dismissed`, or `cleared` when later facts settled it.
    pub resolution: Option<String>,
    /// Who closed it.
    pub closed_by: Option<String>,
    /// The reason for the decision.
    pub note: Option<String>,
}

/// A filter for events.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Only this type.
    pub kind: Option<String>,
    /// Only this outcome.
    pub outcome: Option<Outcome>,
    /// Only those about this payment.
    pub payment: Option<PaymentId>,
    /// Only those that are not applied yet.
    pub pending: bool,
}

/// A filter for transactions. All conditions must hold.
#[derive(Clone, Debug, Default)]
pub struct TransactionFilter {
    /// Only this tenant's.
    pub tenant: Option<TenantId>,
    /// Only this payment's.
    pub payment: Option<PaymentId>,
    /// Only this kind.
    pub kind: Option<ledger::TransactionKind>,
    /// Only those at or after this time.
    pub from: Option<Timestamp>,
    /// Only those at or before this time.
    pub to: Option<Timestamp>,
}

/// Which page of a list to return.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    /// The page number, from 1.
    pub number: u32,
    /// Rows per page.
    pub size: u32,
    /// Oldest first instead of newest first.
    pub ascending: bool,
}

/// One page of rows, with the total number of rows.
#[derive(Clone, Debug)]
pub struct RowPage<T> {
    /// The rows of this page.
    pub rows: Vec<T>,
    /// The number of rows on all pages.
    pub total: i64,
}

/// Counts and times for the health check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreHealth {
    /// Stored events.
    pub events: i64,
    /// Events without an outcome.
    pub pending: i64,
    /// When the oldest of them arrived.
    pub oldest_pending: Option<Timestamp>,
    /// Open quarantine items.
    pub quarantined: i64,
    /// When the newest event first arrived.
    pub last_event: Option<Timestamp>,
    /// Transactions in the journal.
    pub transactions: i64,
    /// Disabled endpoints; at most 100 are counted.
    pub endpoints_disabled: i64,
    /// The database was restored from a backup, and the restore is not confirmed.
    pub restore_unconfirmed: bool,
}

/// The result of an audit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// Transactions read.
    pub transactions: i64,
    /// Tenants compared.
    pub tenants: i64,
    /// Lots compared.
    pub lots: i64,
    /// The hash of the last transaction, in hexadecimal.
    pub head: String,
    /// The inconsistencies that were found, as text. Empty if the journal is consistent.
    pub faults: Vec<String>,
}
