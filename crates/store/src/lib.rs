//! Durable memory. [`Store`] is one closed list of verbs; every database must do each of them in the same
//! way, and the suite in `tests/store/conformance` says what that is: a verb without a case fails a test.
//!
//! Money is written by [`Store::apply_events`] and [`Store::review`], by [`Store::execute_commands`], by
//! [`Store::ask_action`] and [`Store::decide_action`], and by [`Store::sweep`], all in the same three steps:
//! load what a batch touches, decide in memory, write what was decided. Nothing else can insert a posting.
//!
//! Deliberately not here: what anything means (`ledger`), when it happens (`engine`), and the clock, which
//! is an argument.

pub mod body;
pub mod error;
pub mod model;
pub mod sqlite;

use std::path::Path;
use std::sync::Arc;

use ledger::{EventId, Hold, HoldId, HoldState, Now, PaymentStatus, Policy, Tenant, TenantId, Timestamp};
use tokio::sync::watch;

pub use error::{ClosedBecause, FileChange, OpenError, Safe, StoreError};
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
    /// [`OpenError`]: another process has it, it is not ours, its schema is newer, it is of the other mode,
    /// it has a second name, or what lies beside it would be lost by opening it.
    pub fn open_sqlite(path: &Path, mode: Mode) -> Result<Self, OpenError> {
        sqlite::Sqlite::open(path, mode).map(Self::Sqlite)
    }

    /// Resolves when the database takes no more writes, and says why. The process should end then: only
    /// opening the file again finds out what it holds.
    pub async fn closed(&self) -> ClosedBecause {
        match self {
            Self::Sqlite(database) => database.closed().await,
        }
    }

    /// Changes after each commit that may have written journal entries or notices, or made deliveries due. Only
    /// commits from now on count.
    pub fn changes(&self) -> watch::Receiver<()> {
        match self {
            Self::Sqlite(database) => database.changes(),
        }
    }

    /// Changes after each commit that may have stored an event or made one due again. Only commits from now on
    /// count.
    pub fn arrivals(&self) -> watch::Receiver<()> {
        match self {
            Self::Sqlite(database) => database.arrivals(),
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
    ingest(delivery: IncomingEvent, now: Timestamp) -> Ingested;
    /// The events that are due to be applied, the longest due first.
    due(now: Timestamp, limit: u32) -> Vec<DueEvent>;
    /// When the next event falls due, or the next payment has waited long enough; none when nothing waits.
    next_due() -> Option<Timestamp>;
    /// Decides and writes a batch of events in one commit. An event that is no longer due is left out of the
    /// answer; one on which deciding panics is quarantined alone. If the batch as a whole fails, nothing of
    /// it was written.
    apply_events(batch: Vec<EventToApply>, policy: Arc<Policy>, now: Now) -> Vec<AppliedEvent>;
    /// Decides, for up to `limit` payments, what it means that what they waited for did not come by now.
    review(policy: Arc<Policy>, now: Now, limit: u32) -> Vec<AppliedEvent>;
    /// Decides and writes a batch of commands in one commit, and answers each in its place. The first order
    /// under a name decides its answer for ever. One on which deciding panics, or whose tenant has too much
    /// to expire first ([`StoreError::Busy`]), fails alone and changes nothing. If the batch as a whole
    /// fails, nothing of it was written.
    execute_commands(orders: Vec<CommandRequest>, now: Now) -> Vec<Result<CommandOutcome, StoreError>>;
    /// Ends up to `limit` holds, and as many lots, whose time is up: those that are due the longest. Nothing
    /// while the clock is in doubt.
    sweep(now: Now, limit: u32) -> Expired;
    /// When the next hold or lot ends; none when nothing does.
    next_expiry() -> Option<Timestamp>;
    /// Books failed attempts to apply events: tried again later, or given up and quarantined.
    postpone(failed: Vec<Postponed>, now: Timestamp) -> ();
    /// Makes events due again; answers how many there were.
    replay(ids: Vec<EventId>, now: Timestamp) -> u64;
    /// Adds an API key by the hash of its secret.
    create_key(key: KeyRow, hash: [u8; 32]) -> ();
    /// All API keys, revoked ones too, the oldest first.
    keys() -> Vec<KeyRow>;
    /// The API key with this hash, whether or not it still works.
    find_key(hash: [u8; 32]) -> Option<KeyRow>;
    /// What a tenant has and owes; none when nobody heard of it. What ran out of time counts as it was until
    /// it is swept, which commands do not wait for.
    tenant(id: TenantId) -> Option<Tenant>;
    /// A tenant's hold. One whose time is up is shown as expired, also before its credits have returned.
    hold(tenant: TenantId, id: HoldId, now: Now) -> Option<Hold>;
    /// A tenant's holds, of one state or all, in the order in which they were made. One whose time is up
    /// counts as expired.
    holds(tenant: TenantId, state: Option<HoldState>, now: Now, page: Page) -> Listing<Hold>;
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
    /// What needs a person, and with `all` in the filter also what needed one.
    quarantine(filter: QuarantineFilter, page: Page) -> Listing<QuarantineRow>;
    /// One quarantine item by its number.
    quarantine_item(id: i64) -> Option<QuarantineRow>;
    /// Adds an endpoint with its secret. False when `limit` of its tenant are there already.
    create_endpoint(endpoint: EndpointRow, secret: SigningSecret, limit: u32) -> bool;
    /// The endpoints of one tenant, or those of all tenants.
    endpoints(tenant: Option<TenantId>, page: Page) -> Listing<EndpointRow>;
    /// One endpoint.
    endpoint(id: String) -> Option<EndpointRow>;
    /// Removes an endpoint and its deliveries; false when it is not there.
    delete_endpoint(id: String) -> bool;
    /// Gives an endpoint a new secret; the one before it signs too until then. False when it is not there.
    roll_endpoint_secret(id: String, secret: SigningSecret, old_until: Timestamp) -> bool;
    /// Tells an endpoint again that was disabled, or forgets its failures; false when it is not there.
    enable_endpoint(id: String) -> bool;
    /// The deliveries that are due and there is room for, each lane of them in order.
    due_deliveries(now: Timestamp, room: DispatchBudget) -> Vec<DueDelivery>;
    /// One of them as it is to be made now; none when it is not due any more, or its endpoint is gone or
    /// disabled.
    due_delivery(endpoint: String, notice: i64, now: Timestamp) -> Option<DueDelivery>;
    /// When a delivery falls due after `now`; none when nothing else waits.
    next_delivery(now: Timestamp) -> Option<Timestamp>;
    /// Books attempts; a notice that was asked for again meanwhile stays due. An endpoint of which every
    /// attempt has failed since `disable_before` or longer, or that is gone, is disabled, and answered.
    record_attempts(attempts: Vec<Attempt>, disable_before: Timestamp, now: Timestamp) -> Vec<Disabled>;
    /// Makes a notice (by its id) due at an endpoint, whatever became of it. False when either is not there,
    /// or the notice is another tenant's than the endpoint.
    resend(endpoint: String, notice: String, now: Timestamp) -> bool;
    /// An endpoint's deliveries, in the order of what happened.
    deliveries(endpoint: String, state: Option<DeliveryState>, page: Page) -> Listing<DeliveryRow>;
    /// The notices after a place in their order, of one tenant or of all.
    notices(tenant: Option<TenantId>, after: i64, limit: u32) -> Vec<NoticeRow>;
    /// Which notices there are.
    notice_range() -> NoticeRange;
    /// Removes notices from before that moment and their deliveries, never one that is still due at an
    /// endpoint; and what deleted endpoints left behind. 0 when nothing is left to prune.
    prune_notices(before: Timestamp, limit: u32) -> u64;
    /// How telling others is going.
    notice_health() -> NoticeHealth;
    /// Pins a checkout under its command's key before Stripe is asked for it. Under a key that is taken it
    /// answers what is pinned there; the same command gets the same purchase for ever.
    begin_purchase(order: PurchaseOrder, now: Timestamp) -> BegunPurchase;
    /// Keeps Stripe's answer to a purchase. The first answer stays; None where the purchase was abandoned.
    finish_purchase(id: String, session: PurchaseSession) -> Option<Purchase>;
    /// Forgets a purchase that Stripe refused, and frees its key; false when Stripe has answered it, or there
    /// is none.
    abandon_purchase(id: String) -> bool;
    /// The purchase of this id or of this session.
    purchase(name: String) -> Option<Purchase>;
    /// Tenants, in the order in which we heard of them.
    tenants(filter: TenantFilter, page: Page) -> Listing<TenantRow>;
    /// One tenant, with how much there is of it at this moment; none when nobody heard of it.
    tenant_detail(id: TenantId, now: Now) -> Option<TenantDetail>;
    /// Sets what operators say of a tenant; none when nobody heard of it.
    set_tenant(id: TenantId, change: TenantChange) -> Option<TenantRow>;
    /// Does what an operator asks for, or keeps it waiting where it needs a second person: above these limits
    /// or, for what gives power, always. Usage is added up, and the action done, in one commit. The same name
    /// again is the same action.
    ask_action(new: NewAction, limits: OperatorLimits, policy: Arc<Policy>, now: Now) -> Asked;
    /// What would become of it. Nothing is written.
    preview_action(new: NewAction, limits: OperatorLimits, policy: Arc<Policy>, now: Now)
        -> Result<Preview, ActionRefusal>;
    /// Takes the word of whoever acts with the key of this id on an action that waits, and does what they
    /// approve in the same commit. None when there is no such action.
    decide_action(
        id: String, verdict: ActionVerdict, key: String, policy: Arc<Policy>, now: Now
    ) -> Option<ActionDecided>;
    /// What operators did and what waits, in the order in which it was asked for.
    actions(filter: ActionFilter, page: Page) -> Listing<ActionRow>;
    /// One action.
    action(id: String) -> Option<ActionRow>;
    /// What each person did of each kind between two moments, both included.
    action_totals(from: Timestamp, to: Timestamp) -> Vec<ActionTotals>;
    /// Everybody who is or was registered, the oldest first.
    people() -> Vec<PersonRow>;
    /// Registers the first person. Answers the first of those who are registered, if there are any.
    register_first(person: PersonRow) -> PersonRow;
    /// Replaces people who are lost, without anybody's word, and writes that down as an action.
    recover(recovery: Recovery, now: Timestamp) -> Result<ActionRow, ActionRefusal>;
    /// Which lines of a tenant lie between two moments, both included, and its balances before and after.
    statement(tenant: TenantId, from: Option<Timestamp>, to: Option<Timestamp>) -> StatementRange;
    /// The next lines of a tenant, in the journal's order: after one transaction, up to another.
    statement_lines(tenant: TenantId, after: i64, through: i64, limit: u32) -> Vec<TransactionRow>;
    /// The last transaction up to this moment; 0 where there was none.
    journal_end(at: Timestamp) -> i64;
    /// What the next tenants, in the order of their ids, had bought and owed after transaction `through`.
    positions(through: i64, after: Option<TenantId>, limit: u32) -> Vec<TenantPosition>;
    /// Money that was taken for something else, by currency.
    unrelated_money() -> Vec<UnrelatedMoney>;
    /// Remembers a moment of a trusted clock, for the next start. Events, payments and deliveries that wait
    /// for a time after `due_by` become due: nothing waits that long, so a clock that was ahead has dated
    /// them.
    remember_clock(mark: ClockMark, due_by: Timestamp) -> ();
    /// What is known of the time that was last written.
    clock_record() -> ClockRecord;
    /// Fails where the path of the database does not name the open file any more: the database closes then
    /// ([`Store::closed`]), as it does after any other write. Nothing is written.
    check_file() -> ();
    /// Fails where nothing can be stored: writes a little, durably, and looks at the file as
    /// [`Store::check_file`] does.
    check_writable() -> ();
    /// The restore that nobody has confirmed; none where nothing stands still. While there is one, the verbs
    /// that move credits answer [`StoreError::RestoreUnconfirmed`], and nothing is due.
    restore() -> Option<Restore>;
    /// How the store is doing.
    health() -> Health;
    /// Reads the whole journal and reports what does not add up.
    audit() -> Audit;
}
