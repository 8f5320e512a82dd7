//! The SQLite driver: one file, one writer thread, a few readers. Each verb is one line here; the SQL is in
//! the module of its subject.

mod actions;
mod apply;
mod audit;
mod backup;
mod book;
mod clock;
mod commands;
mod database_file;
mod decisions;
mod deliveries;
mod endpoints;
mod events;
mod expire;
mod files;
mod holds;
mod idempotency;
mod ingest;
mod journal;
mod key_cache;
mod keys;
mod migrate;
mod notice_log;
mod notices;
mod obstacles;
mod open;
mod operators;
mod paging;
mod payments;
mod people;
mod purchases;
mod quarantine;
mod reader;
mod reports;
mod restore;
mod signals;
mod statement;
mod tenants;
mod unconfirmed;
mod waits;
mod wal_link;
mod write_check;
mod write_set;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ledger::{EventId, Hold, HoldId, HoldState, Now, PaymentStatus, Policy, Tenant, TenantId, Timestamp};
use rusqlite::Connection;
use tokio::sync::watch;

pub use backup::backup;
pub use migrate::NEWEST as SCHEMA_NEWEST;
pub use obstacles::examine;
pub use open::{Mode, holder, mode_of};
pub use restore::{RestoreError, Restored, restore};
pub use writer::{MAX_COMMIT_JOBS, MAX_QUEUE_JOBS};

use crate::error::{CloseReason, OpenError, StoreError};
use crate::model::{
    AppliedEvent, AuditReport, BegunPurchase, ClockMark, ClockRecord, CommandOutcome, CommandRequest,
    DeliveryHealth, DeliveryRow, DeliveryState, Disabled, DispatchBudget, DueDelivery, DueEvent, EndpointRow,
    EventFilter, EventRow, EventToApply, Expired, FinishedAttempt, IncomingEvent, Ingested, KeyRow, LotRow,
    NoticeRange, NoticeRow, PageRequest, PaymentRow, Postponed, PurchaseOrder, PurchaseRow, PurchaseSession,
    QuarantineFilter, QuarantineRow, RestoreRow, RowPage, SigningSecret, StoreHealth, TransactionFilter,
    TransactionRow, UnrelatedMoney,
};

/// The bundled SQLite version.
pub fn version() -> &'static str {
    rusqlite::version()
}

type StoreResult<T> = Result<T, StoreError>;

/// Ended waits that are reviewed with each batch of events.
const REVIEWS_PER_BATCH: u32 = 16;

/// One open SQLite database.
#[derive(Clone, Debug)]
pub struct Sqlite {
    // Dropped in this order. The writer's connection must be the last to close, which moves the write-ahead
    // log into the file. The lock is released when nothing in this process has the file open. Each of them
    // keeps the file open for longer than its connections.
    readers: reader::Readers,
    // For keys and balances: no list query delays these lookups.
    lookup_readers: reader::Readers,
    // For the background loops: no list query and no long audit delays them.
    loop_readers: reader::Readers,
    // For the health check.
    health_readers: reader::Readers,
    writer: writer::WriterHandle,
    signals: signals::Signals,
    key_cache: key_cache::KeyCache,
    lock: Arc<Mutex<open::Lock>>,
}

impl Sqlite {
    /// Opens `path`, creates it if it is missing, and migrates it if its schema is older.
    pub fn open(path: &Path, mode: Mode) -> Result<Self, OpenError> {
        let lock = open::Lock::take(path)?;
        let mut file = database_file::DatabaseFile::open(path)?;
        let connection = open::writer(&file, mode)?;
        file.remember_companions()?;
        let file = Arc::new(file);
        let readers = reader::Readers::open(&file, reader::READERS)?;
        let lookup_readers = reader::Readers::open(&file, reader::LOOKUP_READERS)?;
        let loop_readers = reader::Readers::open(&file, 1)?;
        let health_readers = reader::Readers::open(&file, 1)?;
        let signals = signals::Signals::default();
        let writer = writer::WriterHandle::start(connection, file, signals.clone())
            .map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        let key_cache = key_cache::KeyCache::default();
        Ok(Self {
            readers,
            lookup_readers,
            loop_readers,
            health_readers,
            writer,
            signals,
            key_cache,
            lock: Arc::new(Mutex::new(lock)),
        })
    }

    /// Writes a description of this process to the lock file.
    pub fn describe_holder(&self, text: &str) -> std::io::Result<()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).describe(text)
    }

    /// Writes something that moves credits, unless a restore is unconfirmed.
    async fn move_credits<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        self.signal_changes(move |c| unconfirmed::ensure_none(c).and_then(|()| work(c))).await
    }

    /// Writes, and signals [`Sqlite::changes`] after the commit.
    async fn signal_changes<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        self.writer.write(self.signals.changes.raised_by(work)).await
    }

    /// Runs a query for a background loop, which finds nothing while a restore is unconfirmed.
    async fn find_work<T: Default + Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        self.loop_readers
            .read(move |c| if unconfirmed::exists(c)? { Ok(T::default()) } else { query(c) })
            .await
    }

    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.signals.changes.subscribe()
    }

    pub(crate) fn arrivals(&self) -> watch::Receiver<()> {
        self.signals.arrivals.subscribe()
    }

    pub(crate) async fn closed(&self) -> CloseReason {
        self.writer.closed().await
    }

    pub(crate) async fn check_file(&self) -> StoreResult<()> {
        // An empty commit: the file is checked after every commit.
        self.writer.write_statement(|_| Ok(())).await
    }

    pub(crate) async fn check_writable(&self) -> StoreResult<()> {
        self.writer.write_statement(write_check::write).await
    }

    pub(crate) async fn ingest(&self, delivery: IncomingEvent, now: Timestamp) -> StoreResult<Ingested> {
        let ingest = move |c: &_| ingest::ingest(c, &delivery, now);
        self.writer.write_statement(self.signals.arrivals.raised_by(ingest)).await
    }

    pub(crate) async fn due(&self, now: Timestamp, limit: u32) -> StoreResult<Vec<DueEvent>> {
        self.find_work(move |c| ingest::due(c, now, limit)).await
    }

    pub(crate) async fn next_due(&self) -> StoreResult<Option<Timestamp>> {
        self.find_work(ingest::next_due).await
    }

    pub(crate) async fn apply_events(
        &self,
        batch: Vec<EventToApply>,
        policy: Arc<Policy>,
        now: Now,
    ) -> StoreResult<Vec<AppliedEvent>> {
        let work = move |c: &_| {
            let mut applied = apply::apply_events(c, &batch, &policy, now)?;
            // So that waits are reviewed in time even under load.
            applied.extend(waits::review(c, &policy, now, REVIEWS_PER_BATCH)?);
            Ok(applied)
        };
        self.move_credits(work).await
    }

    pub(crate) async fn review(
        &self,
        policy: Arc<Policy>,
        now: Now,
        limit: u32,
    ) -> StoreResult<Vec<AppliedEvent>> {
        self.move_credits(move |c| waits::review(c, &policy, now, limit)).await
    }

    pub(crate) async fn execute_commands(
        &self,
        requests: Vec<CommandRequest>,
        now: Now,
    ) -> StoreResult<Vec<StoreResult<CommandOutcome>>> {
        self.move_credits(move |c| commands::execute_commands(c, &requests, now)).await
    }

    pub(crate) async fn expire_due(&self, now: Now, limit: u32) -> StoreResult<Expired> {
        self.move_credits(move |c| expire::expire_due(c, now, limit)).await
    }

    pub(crate) async fn next_expiry(&self) -> StoreResult<Option<Timestamp>> {
        self.find_work(expire::next).await
    }

    pub(crate) async fn postpone(&self, failed: Vec<Postponed>, now: Timestamp) -> StoreResult<()> {
        self.writer.write(move |c| ingest::postpone(c, &failed, now)).await
    }

    pub(crate) async fn replay(&self, ids: Vec<EventId>, now: Timestamp) -> StoreResult<u64> {
        let replay = move |c: &_| ingest::replay(c, &ids, now);
        self.writer.write(self.signals.arrivals.raised_by(replay)).await
    }

    pub(crate) async fn create_key(&self, key: KeyRow, hash: [u8; 32]) -> StoreResult<()> {
        self.writer.write(move |c| keys::create(c, &key, &hash)).await
    }

    pub(crate) async fn keys(&self) -> StoreResult<Vec<KeyRow>> {
        self.readers.read(keys::list).await
    }

    pub(crate) async fn find_key(&self, hash: [u8; 32]) -> StoreResult<Option<KeyRow>> {
        let version = match self.key_cache.find(&hash) {
            Ok(key) => return Ok(Some(key)),
            Err(version) => version,
        };
        let found = self.lookup_readers.read(move |c| keys::find(c, &hash)).await?;
        if let Some(key) = &found {
            self.key_cache.insert(&version, hash, key);
        }
        Ok(found)
    }

    pub(crate) async fn tenant(&self, id: TenantId) -> StoreResult<Option<Tenant>> {
        self.lookup_readers.read(move |c| book::find_tenant(c, id)).await
    }

    pub(crate) async fn hold(&self, tenant: TenantId, id: HoldId, now: Now) -> StoreResult<Option<Hold>> {
        self.readers.read(move |c| holds::show(c, tenant, id, unconfirmed::effective_now(c, now)?)).await
    }

    pub(crate) async fn holds(
        &self,
        tenant: TenantId,
        state: Option<HoldState>,
        now: Now,
        page: PageRequest,
    ) -> StoreResult<RowPage<Hold>> {
        self.readers
            .read(move |c| holds::list(c, tenant, state, unconfirmed::effective_now(c, now)?, page))
            .await
    }

    pub(crate) async fn transactions(
        &self,
        filter: TransactionFilter,
        page: PageRequest,
    ) -> StoreResult<RowPage<TransactionRow>> {
        self.readers.read(move |c| journal::list(c, &filter, page)).await
    }

    pub(crate) async fn lots(&self, tenant: TenantId, page: PageRequest) -> StoreResult<RowPage<LotRow>> {
        self.readers.read(move |c| journal::lots(c, tenant, page)).await
    }

    pub(crate) async fn payments(
        &self,
        tenant: Option<TenantId>,
        status: Option<PaymentStatus>,
        page: PageRequest,
    ) -> StoreResult<RowPage<PaymentRow>> {
        self.readers.read(move |c| payments::list(c, tenant, status, page)).await
    }

    pub(crate) async fn payment(&self, object: String) -> StoreResult<Option<PaymentRow>> {
        self.readers.read(move |c| payments::show(c, &object)).await
    }

    pub(crate) async fn events(
        &self,
        filter: EventFilter,
        page: PageRequest,
    ) -> StoreResult<RowPage<EventRow>> {
        self.readers.read(move |c| events::list(c, &filter, page)).await
    }

    pub(crate) async fn event(&self, id: EventId) -> StoreResult<Option<(EventRow, Vec<u8>)>> {
        self.readers.read(move |c| events::show(c, &id)).await
    }

    pub(crate) async fn quarantine(
        &self,
        filter: QuarantineFilter,
        page: PageRequest,
    ) -> StoreResult<RowPage<QuarantineRow>> {
        self.readers.read(move |c| quarantine::list(c, &filter, page)).await
    }

    pub(crate) async fn quarantine_item(&self, id: i64) -> StoreResult<Option<QuarantineRow>> {
        self.readers.read(move |c| quarantine::show(c, id)).await
    }

    pub(crate) async fn create_endpoint(
        &self,
        endpoint: EndpointRow,
        secret: SigningSecret,
        limit: u32,
    ) -> StoreResult<bool> {
        self.writer.write(move |c| endpoints::create(c, &endpoint, &secret, limit)).await
    }

    pub(crate) async fn endpoints(
        &self,
        tenant: Option<TenantId>,
        page: PageRequest,
    ) -> StoreResult<RowPage<EndpointRow>> {
        self.readers.read(move |c| endpoints::list(c, tenant, page)).await
    }

    pub(crate) async fn endpoint(&self, id: String) -> StoreResult<Option<EndpointRow>> {
        self.readers.read(move |c| endpoints::show(c, &id)).await
    }

    pub(crate) async fn delete_endpoint(&self, id: String) -> StoreResult<bool> {
        self.writer.write(move |c| endpoints::delete(c, &id)).await
    }

    pub(crate) async fn rotate_endpoint_secret(
        &self,
        id: String,
        secret: SigningSecret,
        old_until: Timestamp,
    ) -> StoreResult<bool> {
        self.writer.write(move |c| endpoints::rotate_secret(c, &id, &secret, old_until)).await
    }

    pub(crate) async fn enable_endpoint(&self, id: String) -> StoreResult<bool> {
        self.signal_changes(move |c| endpoints::enable(c, &id)).await
    }

    pub(crate) async fn due_deliveries(
        &self,
        now: Timestamp,
        budget: DispatchBudget,
    ) -> StoreResult<Vec<DueDelivery>> {
        self.find_work(move |c| deliveries::due(c, now, &budget)).await
    }

    pub(crate) async fn due_delivery(
        &self,
        endpoint: String,
        notice: i64,
        now: Timestamp,
    ) -> StoreResult<Option<DueDelivery>> {
        self.find_work(move |c| deliveries::find(c, &endpoint, notice, now)).await
    }

    pub(crate) async fn next_delivery(&self, now: Timestamp) -> StoreResult<Option<Timestamp>> {
        self.find_work(move |c| deliveries::next(c, now)).await
    }

    pub(crate) async fn record_attempts(
        &self,
        attempts: Vec<FinishedAttempt>,
        disable_before: Timestamp,
        now: Timestamp,
    ) -> StoreResult<Vec<Disabled>> {
        self.writer.write(move |c| deliveries::record(c, &attempts, disable_before, now)).await
    }

    pub(crate) async fn resend(&self, endpoint: String, notice: String, now: Timestamp) -> StoreResult<bool> {
        self.signal_changes(move |c| deliveries::resend(c, &endpoint, &notice, now)).await
    }

    pub(crate) async fn deliveries(
        &self,
        endpoint: String,
        state: Option<DeliveryState>,
        page: PageRequest,
    ) -> StoreResult<RowPage<DeliveryRow>> {
        self.readers.read(move |c| deliveries::list(c, &endpoint, state, page)).await
    }

    pub(crate) async fn notices(
        &self,
        tenant: Option<TenantId>,
        after: i64,
        limit: u32,
    ) -> StoreResult<Vec<NoticeRow>> {
        self.readers.read(move |c| notice_log::after(c, tenant, after, limit)).await
    }

    pub(crate) async fn notice_range(&self) -> StoreResult<NoticeRange> {
        self.readers.read(notice_log::range).await
    }

    pub(crate) async fn prune_notices(&self, before: Timestamp, limit: u32) -> StoreResult<u64> {
        self.writer
            .write(move |c| if unconfirmed::exists(c)? { Ok(0) } else { notice_log::prune(c, before, limit) })
            .await
    }

    pub(crate) async fn delivery_health(&self) -> StoreResult<DeliveryHealth> {
        self.readers.read(notice_log::health).await
    }

    pub(crate) async fn begin_purchase(
        &self,
        order: PurchaseOrder,
        now: Timestamp,
    ) -> StoreResult<BegunPurchase> {
        self.move_credits(move |c| purchases::begin(c, &order, now)).await
    }

    pub(crate) async fn finish_purchase(
        &self,
        id: String,
        session: PurchaseSession,
    ) -> StoreResult<Option<PurchaseRow>> {
        self.writer.write(move |c| purchases::finish(c, &id, &session)).await
    }

    pub(crate) async fn abandon_purchase(&self, id: String) -> StoreResult<bool> {
        self.writer.write_statement(move |c| purchases::abandon(c, &id)).await
    }

    pub(crate) async fn purchase(&self, name: String) -> StoreResult<Option<PurchaseRow>> {
        self.readers.read(move |c| purchases::find(c, &name)).await
    }

    pub(crate) async fn unrelated_money(&self) -> StoreResult<Vec<UnrelatedMoney>> {
        self.readers.read(reports::unrelated).await
    }

    pub(crate) async fn remember_clock(&self, mark: ClockMark, due_by: Timestamp) -> StoreResult<()> {
        self.writer.write(move |c| clock::remember(c, &mark, due_by)).await
    }

    pub(crate) async fn clock_record(&self) -> StoreResult<ClockRecord> {
        self.readers.read(clock::record).await
    }

    pub(crate) async fn unconfirmed_restore(&self) -> StoreResult<Option<RestoreRow>> {
        self.readers.read(unconfirmed::find).await
    }

    pub(crate) async fn health(&self) -> StoreResult<StoreHealth> {
        self.health_readers.read(audit::health).await
    }

    pub(crate) async fn audit(&self) -> StoreResult<AuditReport> {
        self.readers.read(audit::audit).await
    }
}

#[cfg(test)]
mod tests;
