//! Durable storage. [`Store`] offers a closed list of verbs. Every driver must implement each of them with
//! the same behaviour, which the conformance suite in `tests/store/conformance` defines; a verb without a
//! test case fails the suite.
//!
//! Only [`Store::apply_events`], [`Store::review`], [`Store::execute_commands`], [`Store::request_action`],
//! [`Store::decide_action`] and [`Store::expire_due`] write postings. All of them load what a batch touches,
//! decide in memory, and write the decisions.
//!
//! The rules of the ledger are in `ledger`, the scheduling is in `engine`, and the current time is always an
//! argument.

pub mod body;
pub mod error;
pub mod model;
pub mod sqlite;

use std::path::Path;
use std::sync::Arc;

use ledger::{EventId, Hold, HoldId, HoldState, Now, PaymentStatus, Policy, Tenant, TenantId, Timestamp};
use tokio::sync::watch;

pub use error::{CloseReason, FileChange, OpenError, Rescue, StoreError};
pub use model::*;
pub use sqlite::Mode;

/// An open database. Cheap to clone; closed when the last clone is gone.
#[derive(Clone, Debug)]
pub enum Store {
    /// One SQLite file on this machine.
    Sqlite(sqlite::Sqlite),
}

/// Forwards each verb to the driver.
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

            /// The name of every verb, for the conformance suite.
            pub const VERBS: &[&str] = &[$(stringify!($verb)),+];
        }
    };
}

impl Store {
    /// Opens a SQLite file, creates it if it is missing, and migrates it if its schema is older.
    ///
    /// # Errors
    /// [`OpenError`]: another process has the file open, it is not a faireplace database, its schema is
    /// newer, it belongs to the other mode, it has more than one hard link, or opening it would lose data
    /// that lies beside it.
    pub fn open_sqlite(path: &Path, mode: Mode) -> Result<Self, OpenError> {
        sqlite::Sqlite::open(path, mode).map(Self::Sqlite)
    }

    /// Resolves when the database stops accepting writes, with the reason. The process should then exit: only
    /// reopening the file shows what it contains.
    pub async fn closed(&self) -> CloseReason {
        match self {
            Self::Sqlite(database) => database.closed().await,
        }
    }

    /// A signal after each commit that may have written transactions or notices, or made deliveries due. It
    /// begins with the next commit.
    pub fn changes(&self) -> watch::Receiver<()> {
        match self {
            Self::Sqlite(database) => database.changes(),
        }
    }

    /// A signal after each commit that may have stored an event or made one due again. It begins with the
    /// next commit.
    pub fn arrivals(&self) -> watch::Receiver<()> {
        match self {
            Self::Sqlite(database) => database.arrivals(),
        }
    }

    /// Writes a description of this process to the lock file, for other processes to show.
    ///
    /// # Errors
    /// The lock file cannot be written.
    pub fn describe_holder(&self, text: &str) -> std::io::Result<()> {
        match self {
            Self::Sqlite(database) => database.describe_holder(text),
        }
    }
}

verbs! {
    /// Stores a delivery and returns when it is durable. A repeated event only increases its delivery count,
    /// with the same durability.
    ingest(delivery: IncomingEvent, now: Timestamp) -> Ingested;
    /// The events that are due to be applied, the longest due first.
    due(now: Timestamp, limit: u32) -> Vec<DueEvent>;
    /// When the next event falls due or the next payment's wait ends; `None` if neither is pending.
    next_due() -> Option<Timestamp>;
    /// Decides and writes a batch of events in one commit. Events that are no longer due are left out of the
    /// result. If deciding an event panics, only that event is quarantined. If the whole batch fails, none of
    /// it was written.
    apply_events(batch: Vec<EventToApply>, policy: Arc<Policy>, now: Now) -> Vec<AppliedEvent>;
    /// Decides up to `limit` payments whose wait for a session or a purchase has ended.
    review(policy: Arc<Policy>, now: Now, limit: u32) -> Vec<AppliedEvent>;
    /// Decides and writes a batch of commands in one commit, and returns the results in the order of the
    /// requests. The first request with an idempotency key determines the answer for that key permanently. A
    /// command fails alone, without effect, if deciding it panics or if its tenant has too many expirations
    /// pending ([`StoreError::Busy`]). If the whole batch fails, none of it was written.
    execute_commands(requests: Vec<CommandRequest>, now: Now) -> Vec<Result<CommandOutcome, StoreError>>;
    /// Expires up to `limit` holds and up to `limit` lots, the longest due first. Does nothing while the
    /// clock is in doubt.
    expire_due(now: Now, limit: u32) -> Expired;
    /// When the next hold or lot expires; `None` if none will.
    next_expiry() -> Option<Timestamp>;
    /// Records failed attempts to apply events: each is retried at its next due time or, without one,
    /// quarantined.
    postpone(failed: Vec<Postponed>, now: Timestamp) -> ();
    /// Makes events due again, and returns how many exist.
    replay(ids: Vec<EventId>, now: Timestamp) -> u64;
    /// Adds an API key, identified by the hash of its secret.
    create_key(key: KeyRow, hash: [u8; 32]) -> ();
    /// All API keys including revoked ones, oldest first.
    keys() -> Vec<KeyRow>;
    /// The API key with this hash, whether or not it is still valid.
    find_key(hash: [u8; 32]) -> Option<KeyRow>;
    /// A tenant with its balance; `None` if it is unknown. Holds and lots that have ended count until
    /// [`Store::expire_due`] or a command expires them.
    tenant(id: TenantId) -> Option<Tenant>;
    /// A tenant's hold. It is shown as expired from its end time on, even before its credits have returned.
    hold(tenant: TenantId, id: HoldId, now: Now) -> Option<Hold>;
    /// A tenant's holds by creation time, optionally only those in one state. A hold counts as expired from
    /// its end time on.
    holds(tenant: TenantId, state: Option<HoldState>, now: Now, page: PageRequest) -> RowPage<Hold>;
    /// Transactions in the journal.
    transactions(filter: TransactionFilter, page: PageRequest) -> RowPage<TransactionRow>;
    /// A tenant's lots.
    lots(tenant: TenantId, page: PageRequest) -> RowPage<LotRow>;
    /// Payments, optionally of one tenant and of one status.
    payments(
        tenant: Option<TenantId>, status: Option<PaymentStatus>, page: PageRequest
    ) -> RowPage<PaymentRow>;
    /// The payment to which this Stripe object id belongs.
    payment(object: String) -> Option<PaymentRow>;
    /// Events in order of arrival.
    events(filter: EventFilter, page: PageRequest) -> RowPage<EventRow>;
    /// One event and its packed body ([`body::unpack`]).
    event(id: EventId) -> Option<(EventRow, Vec<u8>)>;
    /// Open quarantine items; with `all` in the filter also closed ones.
    quarantine(filter: QuarantineFilter, page: PageRequest) -> RowPage<QuarantineRow>;
    /// One quarantine item by its number.
    quarantine_item(id: i64) -> Option<QuarantineRow>;
    /// Adds a webhook endpoint and its secret. Returns `false` if its tenant already has `limit` endpoints.
    create_endpoint(endpoint: EndpointRow, secret: SigningSecret, limit: u32) -> bool;
    /// The endpoints of one tenant, or with `None` the endpoints that receive notices of all tenants.
    endpoints(tenant: Option<TenantId>, page: PageRequest) -> RowPage<EndpointRow>;
    /// One endpoint.
    endpoint(id: String) -> Option<EndpointRow>;
    /// Removes an endpoint and its deliveries; `false` if it does not exist.
    delete_endpoint(id: String) -> bool;
    /// Gives an endpoint a new secret. The previous one also signs until `old_until`. Returns `false` if the
    /// endpoint does not exist.
    rotate_endpoint_secret(id: String, secret: SigningSecret, old_until: Timestamp) -> bool;
    /// Re-enables a disabled endpoint and clears its failures; `false` if it does not exist.
    enable_endpoint(id: String) -> bool;
    /// The deliveries that are due and fit the budget, in order within each queue.
    due_deliveries(now: Timestamp, budget: DispatchBudget) -> Vec<DueDelivery>;
    /// One due delivery with its current data; `None` if it is no longer due, or if its endpoint was deleted
    /// or disabled.
    due_delivery(endpoint: String, notice: i64, now: Timestamp) -> Option<DueDelivery>;
    /// When the next delivery falls due after `now`; `None` if none will.
    next_delivery(now: Timestamp) -> Option<Timestamp>;
    /// Records delivery attempts. If a notice was requested again during the attempt, it stays due. Disables
    /// endpoints that are gone, or whose attempts have all failed since `disable_before` or longer, and
    /// returns those that it disabled.
    record_attempts(
        attempts: Vec<FinishedAttempt>, disable_before: Timestamp, now: Timestamp
    ) -> Vec<Disabled>;
    /// Makes a notice, by its id, due at an endpoint, whatever became of it before. Returns `false` if either
    /// does not exist, or if they belong to different tenants.
    resend(endpoint: String, notice: String, now: Timestamp) -> bool;
    /// An endpoint's deliveries, in the order of their notices.
    deliveries(endpoint: String, state: Option<DeliveryState>, page: PageRequest) -> RowPage<DeliveryRow>;
    /// The notices after a sequence number, in order, optionally of one tenant.
    notices(tenant: Option<TenantId>, after: i64, limit: u32) -> Vec<NoticeRow>;
    /// The sequence numbers of the stored notices.
    notice_range() -> NoticeRange;
    /// Removes notices older than `before` and their deliveries, except those still due at an enabled
    /// endpoint, and deliveries of deleted endpoints. Returns how many were removed; 0 when nothing is left
    /// to prune.
    prune_notices(before: Timestamp, limit: u32) -> u64;
    /// The state of endpoints and deliveries.
    delivery_health() -> DeliveryHealth;
    /// Stores a purchase under its idempotency key before Stripe is called. If the key is already in use,
    /// returns what is stored under it: the same request always gets the same purchase.
    begin_purchase(order: PurchaseOrder, now: Timestamp) -> BegunPurchase;
    /// Stores the checkout session that Stripe created for a purchase. The first session stays. `None` if the
    /// purchase was abandoned.
    finish_purchase(id: String, session: PurchaseSession) -> Option<PurchaseRow>;
    /// Removes a purchase that Stripe refused, and frees its idempotency key. Returns `false` if it does not
    /// exist or already has a session.
    abandon_purchase(id: String) -> bool;
    /// The purchase with this purchase id or checkout session id.
    purchase(name: String) -> Option<PurchaseRow>;
    /// Tenants by creation time.
    tenants(filter: TenantFilter, page: PageRequest) -> RowPage<TenantRow>;
    /// One tenant with counts of what belongs to it at this moment; `None` if it is unknown.
    tenant_detail(id: TenantId, now: Now) -> Option<TenantDetail>;
    /// Changes what operators set for a tenant; `None` if the tenant is unknown.
    set_tenant(id: TenantId, change: TenantChange) -> Option<TenantRow>;
    /// Executes an operator's action, or stores it as waiting if it needs a second person: because it exceeds
    /// these limits or because it grants access. The limit check and the execution share one commit. A
    /// repeated idempotency key returns the same action.
    request_action(new: NewAction, limits: OperatorLimits, policy: Arc<Policy>, now: Now) -> RequestedAction;
    /// What an action would do. Nothing is written.
    preview_action(new: NewAction, limits: OperatorLimits, policy: Arc<Policy>, now: Now)
        -> Result<Preview, ActionRefusal>;
    /// Approves or rejects a waiting action in the name of the person who holds the API key `key`, and
    /// executes it if approved, in one commit. `None` if there is no such action.
    decide_action(
        id: String, verdict: ActionVerdict, key: String, policy: Arc<Policy>, now: Now
    ) -> Option<DecidedAction>;
    /// Operators' actions by request time, including waiting ones.
    actions(filter: ActionFilter, page: PageRequest) -> RowPage<ActionRow>;
    /// One action.
    action(id: String) -> Option<ActionRow>;
    /// Totals of completed actions for each person and kind between two times, both included.
    action_totals(from: Timestamp, to: Timestamp) -> Vec<ActionTotals>;
    /// All people who are or were registered, oldest first.
    people() -> Vec<PersonRow>;
    /// Registers the first person. If people are already registered, returns the first of them.
    register_first(person: PersonRow) -> PersonRow;
    /// Replaces people who have lost access, without any approval, and records that as an action.
    recover(recovery: Recovery, now: Timestamp) -> Result<ActionRow, ActionRefusal>;
    /// The range of a tenant's transactions between two times, both included, with the balances before and
    /// after.
    statement(tenant: TenantId, from: Option<Timestamp>, to: Option<Timestamp>) -> StatementRange;
    /// A tenant's transactions after one sequence number and up to another.
    statement_lines(tenant: TenantId, after: i64, through: i64, limit: u32) -> Vec<TransactionRow>;
    /// The sequence number of the last transaction up to this time; 0 if there was none.
    journal_end(at: Timestamp) -> i64;
    /// The lots and the debt of the next tenants, by id, as of transaction `through`.
    positions(through: i64, after: Option<TenantId>, limit: u32) -> Vec<TenantPosition>;
    /// Payments that are unrelated to credits, summed by currency.
    unrelated_money() -> Vec<UnrelatedMoney>;
    /// Stores a time from a trusted clock for the next start. Events, payments and deliveries that are due
    /// later than `due_by` become due now: no retry waits that long, so a clock that ran ahead must have
    /// dated them.
    remember_clock(mark: ClockMark, due_by: Timestamp) -> ();
    /// The stored clock mark and the newest timestamps in the database.
    clock_record() -> ClockRecord;
    /// Fails if the path of the database no longer names the open file; the database then closes
    /// ([`Store::closed`]). Writes nothing.
    check_file() -> ();
    /// Fails if nothing can be stored: writes a small row durably, and checks the file as
    /// [`Store::check_file`] does.
    check_writable() -> ();
    /// The restore that still has to be confirmed, if any. While there is one, the verbs that move credits
    /// return [`StoreError::RestoreUnconfirmed`], and nothing is due.
    unconfirmed_restore() -> Option<RestoreRow>;
    /// Counts and times for the health check.
    health() -> StoreHealth;
    /// Reads the whole journal and reports inconsistencies.
    audit() -> AuditReport;
}
