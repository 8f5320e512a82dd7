//! A deployment in a folder of its own, which goes away with it.

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

    /// A second connection, for what no verb of the store can do.
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

    /// Steps until nothing is due at `now`, and answers what the last step asked for.
    pub(crate) async fn apply(&self, now: Timestamp) -> Next {
        for _ in 0..100 {
            match self.applier.step(Now::trusted(now)).await.unwrap() {
                Next::Now => {}
                Next::At(at) if at <= now => panic!("a step that rests until {at} at {now} spins"),
                rest => return rest,
            }
        }
        panic!("a hundred steps, and still something is due")
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

    /// Everything was applied, and the books add up.
    pub(crate) async fn check_settled(&self) {
        let health = self.store().health().await.unwrap();
        assert_eq!((health.pending, health.quarantined), (0, 0), "{:?}", self.quarantine().await);
        assert_eq!(self.store().audit().await.unwrap().faults, Vec::<String>::new());
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        // What is left over is in the system's folder for such things.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
