//! The SQLite driver: one file, one writer thread, a few readers. Each verb of the store is one line here;
//! the SQL stands in the file named after its subject.

mod audit;
mod backup;
mod book;
mod events;
mod ingest;
mod journal;
mod keys;
mod migrate;
mod open;
mod paging;
mod payments;
mod quarantine;
mod reader;
mod settle;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use ledger::knowledge::Ruling;
use ledger::{EventId, PaymentId, PaymentStatus, Policy, Tenant, TenantId, Timestamp};

pub use backup::backup;
pub use migrate::NEWEST as SCHEMA_NEWEST;
pub use open::{Mode, holder, mode_of};
pub use writer::{COMMIT_JOBS_MAX, QUEUE_JOBS_MAX};

use crate::error::{OpenError, StoreError};
use crate::model::{
    Audit, Delivery, DueEvent, EventFilter, EventRow, Health, KeyRow, Listing, LotRow, Page, PaymentRow,
    Postponed, QuarantineRow, Receipt, Settled, Settlement, TransactionFilter, TransactionRow,
};

/// The version of SQLite inside this program.
pub fn version() -> &'static str {
    rusqlite::version()
}

type Answer<T> = Result<T, StoreError>;

/// One open SQLite database.
#[derive(Clone, Debug)]
pub struct Sqlite {
    // Dropped in this order. The writer's connection is the last to close, which moves the write-ahead log
    // into the file: no reader may. The lock goes when nothing of ours has the file open any more.
    readers: reader::Readers,
    // The loops have one of their own: no listing, and no audit of minutes, holds up what is due.
    loops: reader::Readers,
    writer: writer::Writer,
    lock: Arc<Mutex<open::Lock>>,
}

impl Sqlite {
    /// Opens `path`, creating it where it is missing and migrating it where it is older.
    pub fn open(path: &Path, mode: Mode) -> Result<Self, OpenError> {
        let lock = open::Lock::take(path)?;
        let connection = open::writer(path, mode)?;
        let readers = reader::Readers::open(path, reader::READERS)?;
        let loops = reader::Readers::open(path, 1)?;
        let writer = writer::Writer::start(connection)
            .map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        Ok(Self { readers, loops, writer, lock: Arc::new(Mutex::new(lock)) })
    }

    /// Tells other processes who has the database, and where it can be reached.
    pub fn describe_holder(&self, text: &str) -> std::io::Result<()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).describe(text)
    }

    pub(crate) async fn closed(&self) {
        self.writer.closed().await;
    }

    pub(crate) async fn ingest(&self, delivery: Delivery, now: Timestamp) -> Answer<Receipt> {
        self.writer.write_statement(move |c| ingest::ingest(c, &delivery, now)).await
    }

    pub(crate) async fn due(&self, now: Timestamp, limit: u32) -> Answer<Vec<DueEvent>> {
        self.loops.read(move |c| ingest::due(c, now, limit)).await
    }

    pub(crate) async fn next_due(&self) -> Answer<Option<Timestamp>> {
        self.loops.read(ingest::next_due).await
    }

    pub(crate) async fn settle(
        &self,
        batch: Vec<Settlement>,
        policy: Arc<Policy>,
        now: Timestamp,
    ) -> Answer<Vec<Settled>> {
        self.writer.write(move |c| settle::settle(c, &batch, &policy, now)).await
    }

    pub(crate) async fn rule(
        &self,
        payment: PaymentId,
        asked: Option<i64>,
        ruling: Ruling,
        policy: Arc<Policy>,
    ) -> Answer<Option<Settled>> {
        self.writer.write(move |c| settle::settle_ruling(c, payment, asked, &ruling, &policy)).await
    }

    pub(crate) async fn postpone(&self, failed: Vec<Postponed>, now: Timestamp) -> Answer<()> {
        self.writer.write(move |c| ingest::postpone(c, &failed, now)).await
    }

    pub(crate) async fn replay(&self, ids: Vec<EventId>, now: Timestamp) -> Answer<u64> {
        self.writer.write(move |c| ingest::replay(c, &ids, now)).await
    }

    pub(crate) async fn resolve_event(
        &self,
        event: EventId,
        by: String,
        note: String,
        now: Timestamp,
    ) -> Answer<bool> {
        let work = move |c: &_| {
            let asked = quarantine::answer_event(c, &event, "resolved", &by, &note, now)?;
            if asked {
                ingest::replay(c, std::slice::from_ref(&event), now)?;
            }
            Ok(asked)
        };
        self.writer.write(work).await
    }

    pub(crate) async fn dismiss_event(
        &self,
        event: EventId,
        by: String,
        note: String,
        now: Timestamp,
    ) -> Answer<bool> {
        self.writer.write(move |c| quarantine::answer_event(c, &event, "dismissed", &by, &note, now)).await
    }

    pub(crate) async fn create_key(&self, key: KeyRow, hash: [u8; 32]) -> Answer<()> {
        self.writer.write(move |c| keys::create(c, &key, &hash)).await
    }

    pub(crate) async fn revoke_key(&self, id: String, now: Timestamp) -> Answer<bool> {
        self.writer.write(move |c| keys::revoke(c, &id, now)).await
    }

    pub(crate) async fn keys(&self) -> Answer<Vec<KeyRow>> {
        self.readers.read(keys::list).await
    }

    pub(crate) async fn find_key(&self, hash: [u8; 32]) -> Answer<Option<KeyRow>> {
        self.readers.read(move |c| keys::find(c, &hash)).await
    }

    pub(crate) async fn tenant(&self, id: TenantId) -> Answer<Option<Tenant>> {
        self.readers.read(move |c| book::find_tenant(c, id)).await
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

    pub(crate) async fn quarantine(&self, all: bool, page: Page) -> Answer<Listing<QuarantineRow>> {
        self.readers.read(move |c| quarantine::list(c, all, page)).await
    }

    pub(crate) async fn quarantine_item(&self, id: i64) -> Answer<Option<QuarantineRow>> {
        self.readers.read(move |c| quarantine::show(c, id)).await
    }

    pub(crate) async fn health(&self) -> Answer<Health> {
        self.readers.read(audit::health).await
    }

    pub(crate) async fn audit(&self) -> Answer<Audit> {
        self.readers.read(audit::audit).await
    }
}
