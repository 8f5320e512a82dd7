//! Durable memory. [`Store`] is one closed list of verbs; every database must do each of them in the same
//! way, and the suite in `tests/store/conformance` says what that is: a verb without a case fails a test.
//!
//! One verb writes money: [`Store::settle`] (and [`Store::rule`], the same for a person's word). Nothing else
//! can insert a posting.
//!
//! Deliberately not here: what anything means (`ledger`), when it happens (`engine`), and the clock, which
//! is an argument.

pub mod body;
pub mod error;
pub mod model;
pub mod sqlite;

use std::path::Path;
use std::sync::Arc;

use ledger::knowledge::Ruling;
use ledger::{EventId, PaymentId, PaymentStatus, Policy, Tenant, TenantId, Timestamp};

pub use error::{OpenError, StoreError};
pub use model::*;
pub use sqlite::Mode;

/// An open database. Cheap to clone; closed when the last clone is gone.
#[derive(Clone, Debug)]
pub enum Store {
    /// One SQLite file on this machine.
    Sqlite(sqlite::Sqlite),
}

/// Hands each verb to the driver.
macro_rules! verbs {
    ($($(#[$doc:meta])* $verb:ident ( $($name:ident : $type:ty),* ) -> $answer:ty;)+) => {
        impl Store {
            $($(#[$doc])*
            pub async fn $verb(&self, $($name: $type),*) -> Result<$answer, StoreError> {
                match self {
                    Self::Sqlite(database) => database.$verb($($name),*).await,
                }
            }
            )+

            /// The name of every verb, so that the conformance suite can be held against the list.
            pub const VERBS: &[&str] = &[$(stringify!($verb)),+];
        }
    };
}

impl Store {
    /// Opens a SQLite file, creating it where it is missing and migrating it where it is older.
    ///
    /// # Errors
    /// [`OpenError`]: another process has it, it is not ours, its schema is newer, it is of the other mode.
    pub fn open_sqlite(path: &Path, mode: Mode) -> Result<Self, OpenError> {
        sqlite::Sqlite::open(path, mode).map(Self::Sqlite)
    }

    /// Resolves when the database takes no more writes, because the disk failed. The process should end then:
    /// only opening the file again finds out what it holds.
    pub async fn closed(&self) {
        match self {
            Self::Sqlite(database) => database.closed().await,
        }
    }

    /// Tells other processes who has the database, for as long as this one has it.
    ///
    /// # Errors
    /// When the lock file cannot be written.
    pub fn describe_holder(&self, text: &str) -> std::io::Result<()> {
        match self {
            Self::Sqlite(database) => database.describe_holder(text),
        }
    }
}

verbs! {
    /// Keeps a delivery and answers when it is durable. The same event again counts as a further delivery,
    /// and its answer waits for the same durability.
    ingest(delivery: Delivery, now: Timestamp) -> Receipt;
    /// The events that are due to be applied, the longest due first.
    due(now: Timestamp, limit: u32) -> Vec<DueEvent>;
    /// When the next event falls due; none when nothing waits.
    next_due() -> Option<Timestamp>;
    /// Decides and writes a batch of events in one commit. An event that is no longer due is left out of the
    /// answer; one on which deciding panics is quarantined alone. If the batch as a whole fails, nothing of
    /// it was written.
    settle(batch: Vec<Settlement>, policy: Arc<Policy>, now: Timestamp) -> Vec<Settled>;
    /// Decides and writes a person's word about a payment. None when there is no such payment, or
    /// when the quarantine item that `asked` for the word is closed: somebody else was quicker.
    rule(payment: PaymentId, asked: Option<i64>, ruling: Ruling, policy: Arc<Policy>) -> Option<Settled>;
    /// Books failed attempts to apply events: tried again later, or given up and quarantined.
    postpone(failed: Vec<Postponed>, now: Timestamp) -> ();
    /// Makes events due again; answers how many there were.
    replay(ids: Vec<EventId>, now: Timestamp) -> u64;
    /// A person mended what was wrong with an event: its question is closed with their word, and it is read
    /// again; if it still cannot count, it is asked anew. False when nothing was asked.
    resolve_event(event: EventId, by: String, note: String, now: Timestamp) -> bool;
    /// Closes the open question about an event; false when there was none.
    dismiss_event(event: EventId, by: String, note: String, now: Timestamp) -> bool;
    /// Adds an API key by the hash of its secret.
    create_key(key: KeyRow, hash: [u8; 32]) -> ();
    /// Revokes an API key at once; false when none of this name works.
    revoke_key(id: String, now: Timestamp) -> bool;
    /// All API keys, revoked ones too, the oldest first.
    keys() -> Vec<KeyRow>;
    /// The API key with this hash, whether or not it still works.
    find_key(hash: [u8; 32]) -> Option<KeyRow>;
    /// What a tenant has and owes; none when nobody heard of it.
    tenant(id: TenantId) -> Option<Tenant>;
    /// Lines of the journal.
    transactions(filter: TransactionFilter, page: Page) -> Listing<TransactionRow>;
    /// A tenant's lots.
    lots(tenant: TenantId, page: Page) -> Listing<LotRow>;
    /// Payments, of one tenant or all, of one status or all.
    payments(tenant: Option<TenantId>, status: Option<PaymentStatus>, page: Page) -> Listing<PaymentRow>;
    /// The payment that any of its Stripe ids names.
    payment(object: String) -> Option<PaymentRow>;
    /// Events, in order of arrival.
    events(filter: EventFilter, page: Page) -> Listing<EventRow>;
    /// One event with its packed body ([`body::unpack`]).
    event(id: EventId) -> Option<(EventRow, Vec<u8>)>;
    /// What needs a person; with `all`, also what needed one.
    quarantine(all: bool, page: Page) -> Listing<QuarantineRow>;
    /// One quarantine item by its number.
    quarantine_item(id: i64) -> Option<QuarantineRow>;
    /// How the store is doing.
    health() -> Health;
    /// Reads the whole journal and reports what does not add up.
    audit() -> Audit;
}
