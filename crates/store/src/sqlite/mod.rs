//! The SQLite driver: one file, one writer thread, a few readers. Each verb of the store is one line here;
//! the SQL stands in the file named after its subject.

mod actions;
mod apply;
mod audit;
mod backup;
mod book;
mod clock;
mod commands;
mod database_file;
mod deliveries;
mod endpoints;
mod events;
mod feed;
mod files;
mod holds;
mod idempotency;
mod ingest;
mod journal;
mod key_cache;
mod keys;
mod migrate;
mod notices;
mod obstacles;
mod open;
mod operators;
mod paging;
mod payments;
mod people;
mod probe;
mod purchases;
mod quarantine;
mod reader;
mod record;
mod reports;
mod restore;
mod signals;
mod statement;
mod sweep;
mod tenants;
mod unconfirmed;
mod waits;
mod wal_link;
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

use crate::error::{ClosedBecause, OpenError, StoreError};
use crate::model::{
    AppliedEvent, Attempt, Audit, BegunPurchase, ClockMark, ClockRecord, CommandOutcome, CommandRequest,
    DeliveryRow, DeliveryState, Disabled, DispatchBudget, DueDelivery, DueEvent, EndpointRow, EventFilter,
    EventRow, EventToApply, Expired, Health, IncomingEvent, Ingested, KeyRow, Listing, LotRow, NoticeHealth,
    NoticeRange, NoticeRow, Page, PaymentRow, Postponed, Purchase, PurchaseOrder, PurchaseSession,
    QuarantineFilter, QuarantineRow, Restore, SigningSecret, TransactionFilter, TransactionRow,
    UnrelatedMoney,
};

/// The version of SQLite inside this program.
pub fn version() -> &'static str {
    rusqlite::version()
}

type Answer<T> = Result<T, StoreError>;

/// Payments that have waited long enough and are reviewed beside a batch of events.
const REVIEWS_PER_BATCH: u32 = 16;

/// One open SQLite database.
#[derive(Clone, Debug)]
pub struct Sqlite {
    // Dropped in this order. The writer's connection is the last to close, which moves the write-ahead log
    // into the file: no reader may. The lock goes when nothing of ours has the file open any more. Each of
    // them keeps the file itself open for longer than its connections.
    readers: reader::Readers,
    // Who asks, and what they have: no listing holds up either.
    lookup_readers: reader::Readers,
    // The loops have one of their own: no listing, and no audit of minutes, holds up what is due.
    loops: reader::Readers,
    // So has health: nothing that people ask for holds it up.
    health: reader::Readers,
    writer: writer::Writer,
    signals: signals::Signals,
    key_cache: key_cache::KeyCache,
    lock: Arc<Mutex<open::Lock>>,
}

impl Sqlite {
    /// Opens `path`, creating it where it is missing and migrating it where it is older.
    pub fn open(path: &Path, mode: Mode) -> Result<Self, OpenError> {
        let lock = open::Lock::take(path)?;
        let mut file = database_file::DatabaseFile::open(path)?;
        let connection = open::writer(&file, mode)?;
        file.remember_companions()?;
        let file = Arc::new(file);
        let readers = reader::Readers::open(&file, reader::READERS)?;
        let lookup_readers = reader::Readers::open(&file, reader::LOOKUP_READERS)?;
        let loops = reader::Readers::open(&file, 1)?;
        let health = reader::Readers::open(&file, 1)?;
        let signals = signals::Signals::default();
        let writer = writer::Writer::start(connection, file, signals.clone())
            .map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        let key_cache = key_cache::KeyCache::default();
        Ok(Self {
            readers,
            lookup_readers,
            loops,
            health,
            writer,
            signals,
            key_cache,
            lock: Arc::new(Mutex::new(lock)),
        })
    }

    /// Tells other processes who has the database, and where it can be reached.
    pub fn describe_holder(&self, text: &str) -> std::io::Result<()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).describe(text)
    }

    /// Writes what moves credits: not while a restore is unconfirmed.
    async fn move_credits<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        self.signal_changes(move |c| unconfirmed::refuse(c).and_then(|()| work(c))).await
    }

    /// Writes, and signals [`Sqlite::changes`] after the commit.
    async fn signal_changes<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        self.writer.write(self.signals.changes.raised_by(work)).await
    }

    /// Finds what a loop has to do: nothing while a restore is unconfirmed.
    async fn find_work<T: Default + Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Answer<T> + Send + 'static,
    ) -> Answer<T> {
        self.loops.read(move |c| if unconfirmed::is(c)? { Ok(T::default()) } else { query(c) }).await
    }

    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.signals.changes.subscribe()
    }

    pub(crate) fn arrivals(&self) -> watch::Receiver<()> {
        self.signals.arrivals.subscribe()
    }

    pub(crate) async fn closed(&self) -> ClosedBecause {
        self.writer.closed().await
    }

    pub(crate) async fn check_file(&self) -> Answer<()> {
        // An empty commit: the file is looked at after each.
        self.writer.write_statement(|_| Ok(())).await
    }

    pub(crate) async fn check_writable(&self) -> Answer<()> {
        self.writer.write_statement(probe::write).await
    }

    pub(crate) async fn ingest(&self, delivery: IncomingEvent, now: Timestamp) -> Answer<Ingested> {
        let ingest = move |c: &_| ingest::ingest(c, &delivery, now);
        self.writer.write_statement(self.signals.arrivals.raised_by(ingest)).await
    }

    pub(crate) async fn due(&self, now: Timestamp, limit: u32) -> Answer<Vec<DueEvent>> {
        self.find_work(move |c| ingest::due(c, now, limit)).await
    }

    pub(crate) async fn next_due(&self) -> Answer<Option<Timestamp>> {
        self.find_work(ingest::next_due).await
    }

    pub(crate) async fn apply_events(
        &self,
        batch: Vec<EventToApply>,
        policy: Arc<Policy>,
        now: Now,
    ) -> Answer<Vec<AppliedEvent>> {
        let work = move |c: &_| {
            let mut settled = apply::apply_events(c, &batch, &policy, now)?;
            // However busy it is, no payment waits much longer than it should.
            settled.extend(waits::review(c, &policy, now, REVIEWS_PER_BATCH)?);
            Ok(settled)
        };
        self.move_credits(work).await
    }

    pub(crate) async fn review(
        &self,
        policy: Arc<Policy>,
        now: Now,
        limit: u32,
    ) -> Answer<Vec<AppliedEvent>> {
        self.move_credits(move |c| waits::review(c, &policy, now, limit)).await
    }

    pub(crate) async fn execute_commands(
        &self,
        orders: Vec<CommandRequest>,
        now: Now,
    ) -> Answer<Vec<Answer<CommandOutcome>>> {
        self.move_credits(move |c| commands::execute_commands(c, &orders, now)).await
    }

    pub(crate) async fn sweep(&self, now: Now, limit: u32) -> Answer<Expired> {
        self.move_credits(move |c| sweep::sweep(c, now, limit)).await
    }

    pub(crate) async fn next_expiry(&self) -> Answer<Option<Timestamp>> {
        self.find_work(sweep::next).await
    }

    pub(crate) async fn postpone(&self, failed: Vec<Postponed>, now: Timestamp) -> Answer<()> {
        self.writer.write(move |c| ingest::postpone(c, &failed, now)).await
    }

    pub(crate) async fn replay(&self, ids: Vec<EventId>, now: Timestamp) -> Answer<u64> {
        let replay = move |c: &_| ingest::replay(c, &ids, now);
        self.writer.write(self.signals.arrivals.raised_by(replay)).await
    }

    pub(crate) async fn create_key(&self, key: KeyRow, hash: [u8; 32]) -> Answer<()> {
        self.writer.write(move |c| keys::create(c, &key, &hash)).await
    }

    pub(crate) async fn keys(&self) -> Answer<Vec<KeyRow>> {
        self.readers.read(keys::list).await
    }

    pub(crate) async fn find_key(&self, hash: [u8; 32]) -> Answer<Option<KeyRow>> {
        let moment = match self.key_cache.find(&hash) {
            Ok(key) => return Ok(Some(key)),
            Err(moment) => moment,
        };
        let found = self.lookup_readers.read(move |c| keys::find(c, &hash)).await?;
        if let Some(key) = &found {
            self.key_cache.learn(&moment, hash, key);
        }
        Ok(found)
    }

    pub(crate) async fn tenant(&self, id: TenantId) -> Answer<Option<Tenant>> {
        self.lookup_readers.read(move |c| book::find_tenant(c, id)).await
    }

    pub(crate) async fn hold(&self, tenant: TenantId, id: HoldId, now: Now) -> Answer<Option<Hold>> {
        self.readers.read(move |c| holds::show(c, tenant, id, unconfirmed::now(c, now)?)).await
    }

    pub(crate) async fn holds(
        &self,
        tenant: TenantId,
        state: Option<HoldState>,
        now: Now,
        page: Page,
    ) -> Answer<Listing<Hold>> {
        self.readers.read(move |c| holds::list(c, tenant, state, unconfirmed::now(c, now)?, page)).await
    }

    pub(crate) async fn transactions(
        &self,
        filter: TransactionFilter,
        page: Page,
    ) -> Answer<Listing<TransactionRow>> {
        self.readers.read(move |c| journal::list(c, &filter, page)).await
    }

    pub(crate) async fn lots(&self, tenant: TenantId, page: Page) -> Answer<Listing<LotRow>> {
        self.readers.read(move |c| journal::lots(c, tenant, page)).await
    }

    pub(crate) async fn payments(
        &self,
        tenant: Option<TenantId>,
        status: Option<PaymentStatus>,
        page: Page,
    ) -> Answer<Listing<PaymentRow>> {
        self.readers.read(move |c| payments::list(c, tenant, status, page)).await
    }

    pub(crate) async fn payment(&self, object: String) -> Answer<Option<PaymentRow>> {
        self.readers.read(move |c| payments::show(c, &object)).await
    }

    pub(crate) async fn events(&self, filter: EventFilter, page: Page) -> Answer<Listing<EventRow>> {
        self.readers.read(move |c| events::list(c, &filter, page)).await
    }

    pub(crate) async fn event(&self, id: EventId) -> Answer<Option<(EventRow, Vec<u8>)>> {
        self.readers.read(move |c| events::show(c, &id)).await
    }

    pub(crate) async fn quarantine(
        &self,
        filter: QuarantineFilter,
        page: Page,
    ) -> Answer<Listing<QuarantineRow>> {
        self.readers.read(move |c| quarantine::list(c, &filter, page)).await
    }

    pub(crate) async fn quarantine_item(&self, id: i64) -> Answer<Option<QuarantineRow>> {
        self.readers.read(move |c| quarantine::show(c, id)).await
    }

    pub(crate) async fn create_endpoint(
        &self,
        endpoint: EndpointRow,
        secret: SigningSecret,
        limit: u32,
    ) -> Answer<bool> {
        self.writer.write(move |c| endpoints::create(c, &endpoint, &secret, limit)).await
    }

    pub(crate) async fn endpoints(
        &self,
        tenant: Option<TenantId>,
        page: Page,
    ) -> Answer<Listing<EndpointRow>> {
        self.readers.read(move |c| endpoints::list(c, tenant, page)).await
    }

    pub(crate) async fn endpoint(&self, id: String) -> Answer<Option<EndpointRow>> {
        self.readers.read(move |c| endpoints::show(c, &id)).await
    }

    pub(crate) async fn delete_endpoint(&self, id: String) -> Answer<bool> {
        self.writer.write(move |c| endpoints::delete(c, &id)).await
    }

    pub(crate) async fn roll_endpoint_secret(
        &self,
        id: String,
        secret: SigningSecret,
        old_until: Timestamp,
    ) -> Answer<bool> {
        self.writer.write(move |c| endpoints::roll(c, &id, &secret, old_until)).await
    }

    pub(crate) async fn enable_endpoint(&self, id: String) -> Answer<bool> {
        self.signal_changes(move |c| endpoints::enable(c, &id)).await
    }

    pub(crate) async fn due_deliveries(
        &self,
        now: Timestamp,
        room: DispatchBudget,
    ) -> Answer<Vec<DueDelivery>> {
        self.find_work(move |c| deliveries::due(c, now, &room)).await
    }

    pub(crate) async fn due_delivery(
        &self,
        endpoint: String,
        notice: i64,
        now: Timestamp,
    ) -> Answer<Option<DueDelivery>> {
        self.find_work(move |c| deliveries::find(c, &endpoint, notice, now)).await
    }

    pub(crate) async fn next_delivery(&self, now: Timestamp) -> Answer<Option<Timestamp>> {
        self.find_work(move |c| deliveries::next(c, now)).await
    }

    pub(crate) async fn record_attempts(
        &self,
        attempts: Vec<Attempt>,
        disable_before: Timestamp,
        now: Timestamp,
    ) -> Answer<Vec<Disabled>> {
        self.writer.write(move |c| deliveries::record(c, &attempts, disable_before, now)).await
    }

    pub(crate) async fn resend(&self, endpoint: String, notice: String, now: Timestamp) -> Answer<bool> {
        self.signal_changes(move |c| deliveries::resend(c, &endpoint, &notice, now)).await
    }

    pub(crate) async fn deliveries(
        &self,
        endpoint: String,
        state: Option<DeliveryState>,
        page: Page,
    ) -> Answer<Listing<DeliveryRow>> {
        self.readers.read(move |c| deliveries::list(c, &endpoint, state, page)).await
    }

    pub(crate) async fn notices(
        &self,
        tenant: Option<TenantId>,
        after: i64,
        limit: u32,
    ) -> Answer<Vec<NoticeRow>> {
        self.readers.read(move |c| feed::after(c, tenant, after, limit)).await
    }

    pub(crate) async fn notice_range(&self) -> Answer<NoticeRange> {
        self.readers.read(feed::range).await
    }

    pub(crate) async fn prune_notices(&self, before: Timestamp, limit: u32) -> Answer<u64> {
        self.writer
            .write(move |c| if unconfirmed::is(c)? { Ok(0) } else { feed::prune(c, before, limit) })
            .await
    }

    pub(crate) async fn notice_health(&self) -> Answer<NoticeHealth> {
        self.readers.read(feed::health).await
    }

    pub(crate) async fn begin_purchase(&self, order: PurchaseOrder, now: Timestamp) -> Answer<BegunPurchase> {
        self.move_credits(move |c| purchases::begin(c, &order, now)).await
    }

    pub(crate) async fn finish_purchase(
        &self,
        id: String,
        session: PurchaseSession,
    ) -> Answer<Option<Purchase>> {
        self.writer.write(move |c| purchases::finish(c, &id, &session)).await
    }

    pub(crate) async fn abandon_purchase(&self, id: String) -> Answer<bool> {
        self.writer.write_statement(move |c| purchases::abandon(c, &id)).await
    }

    pub(crate) async fn purchase(&self, name: String) -> Answer<Option<Purchase>> {
        self.readers.read(move |c| purchases::find(c, &name)).await
    }

    pub(crate) async fn unrelated_money(&self) -> Answer<Vec<UnrelatedMoney>> {
        self.readers.read(reports::unrelated).await
    }

    pub(crate) async fn remember_clock(&self, mark: ClockMark, due_by: Timestamp) -> Answer<()> {
        self.writer.write(move |c| clock::remember(c, &mark, due_by)).await
    }

    pub(crate) async fn clock_record(&self) -> Answer<ClockRecord> {
        self.readers.read(clock::record).await
    }

    pub(crate) async fn restore(&self) -> Answer<Option<Restore>> {
        self.readers.read(unconfirmed::find).await
    }

    pub(crate) async fn health(&self) -> Answer<Health> {
        self.health.read(audit::health).await
    }

    pub(crate) async fn audit(&self) -> Answer<Audit> {
        self.readers.read(audit::audit).await
    }
}

#[cfg(test)]
mod tests;
