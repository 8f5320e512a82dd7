//! A deployment in a temporary folder, which is removed with it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine::Next;
use engine::{Applier, DeploymentScope, Intake, MetadataKeys, read};
use ledger::{Balance, EventId, Now, Policy, TenantId, Timestamp};
use rusqlite::Connection;
use store::{EventRow, Mode, PageRequest, QuarantineFilter, QuarantineRow, Store};
use stripe::retry::Schedule;

pub(crate) struct Deployment {
    pub(crate) applier: Applier,
    pub(crate) intake: Intake,
    folder: PathBuf,
}

impl Deployment {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("faireplace-apply-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let store = Store::open_sqlite(&folder.join("test.db"), Mode::Test).unwrap();
        let scope = DeploymentScope { mode: Mode::Test, account: None, metadata: MetadataKeys::default() };
        Self {
            intake: Intake::new(store.clone()),
            applier: Applier {
                store,
                policy: Arc::new(Policy::default()),
                scope: Arc::new(scope),
                schedule: Schedule::default(),
                reader: read,
            },
            folder,
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.applier.store
    }

    /// A second connection to the database, for operations that the store does not offer.
    pub(crate) fn backdoor(&self) -> Connection {
        Connection::open(self.folder.join("test.db")).unwrap()
    }

    /// Makes the database refuse every posting that this event causes.
    pub(crate) fn poison(&self, event: &str) {
        let sql = format!(
            "CREATE TRIGGER poison BEFORE INSERT ON transactions WHEN NEW.cause = '{event}'
             BEGIN SELECT RAISE(ABORT, 'poisoned'); END"
        );
        self.backdoor().execute_batch(&sql).unwrap();
    }

    pub(crate) fn heal(&self) {
        self.backdoor().execute_batch("DROP TRIGGER poison").unwrap();
    }

    pub(crate) async fn keep(&self, body: &str, now: Timestamp) {
        self.intake.keep(body.as_bytes(), now).await.unwrap();
    }

    /// Steps until nothing is due at `now`, and returns the result of the last step.
    pub(crate) async fn apply(&self, now: Timestamp) -> Next {
        for _ in 0..100 {
            match self.applier.step(Now::trusted(now)).await.unwrap() {
                Next::Now => {}
                Next::At(at) if at <= now => panic!("the next step at {at} is already due at {now}"),
                rest => return rest,
            }
        }
        panic!("something is still due after a hundred steps")
    }

    pub(crate) async fn balance(&self, tenant: u128) -> Balance {
        let id = TenantId(uuid::Uuid::from_u128(tenant));
        self.store().tenant(id).await.unwrap().map(|tenant| tenant.balance).unwrap_or_default()
    }

    pub(crate) async fn event(&self, id: &str) -> EventRow {
        self.store().event(EventId::from(id)).await.unwrap().unwrap_or_else(|| panic!("no event {id}")).0
    }

    pub(crate) async fn quarantine(&self) -> Vec<QuarantineRow> {
        self.store()
            .quarantine(QuarantineFilter::default(), PageRequest { number: 1, size: 100, ascending: true })
            .await
            .unwrap()
            .rows
    }

    /// Checks that every event is applied, and that the audit finds no fault.
    pub(crate) async fn check_settled(&self) {
        let health = self.store().health().await.unwrap();
        assert_eq!((health.pending, health.quarantined), (0, 0), "{:?}", self.quarantine().await);
        assert_eq!(self.store().audit().await.unwrap().faults, Vec::<String>::new());
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        // A failure leaves files in the system's temporary folder only.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
