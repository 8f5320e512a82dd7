//! A backup in the place of the database: nothing is changed by one that is not in order, nothing is lost
//! when it is interrupted, and nothing moves until somebody confirms it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::{HoldState, Now, Timestamp};
use rusqlite::Connection;
use store::sqlite::{RestoreError, Restored, backup, restore};
use store::{
    ActionRequest, ActionVerdict, Asked, BegunPurchase, IdempotencyKey, KeyHolder, Mode, OpenError,
    PurchaseOrder, Scope, Store, StoreError,
};

use super::{open, raw};
use crate::conformance::endpoints::{create, endpoint, room};
use crate::conformance::office;
use crate::conformance::requests::{ask, hold_for, order, spend};
use crate::conformance::sale::{ALL, NOW, Sale, arrive, balance, delivery, learn, told};
use crate::folder::Folder;

const RESTORED: Timestamp = Timestamp::from_seconds(NOW.seconds() + 1000);

fn with(path: &Path, suffix: &str) -> PathBuf {
    format!("{}{suffix}", path.display()).into()
}

/// A database, closed, and a backup of it that knows less: one purchase of two, and a key that was revoked
/// since.
async fn past(folder: &Folder) -> (PathBuf, PathBuf) {
    let (path, copy) = (folder.file("a.db"), folder.file("backup.db"));
    let store = open(&path);
    office::open(&store).await;
    store.create_key(office::key("shop", KeyHolder::Service), [9; 32]).await.unwrap();
    store.create_key(office::key("till", KeyHolder::Service), [8; 32]).await.unwrap();
    learn(&store, &[Sale::new("a").bought()]).await;
    backup(&path, &copy).unwrap();
    learn(&store, &[Sale::new("b").bought()]).await;
    office::kept(&store, "ann", ActionRequest::KeyRevoke { id: "shop".to_owned() }).await;
    (path, copy)
}

fn restored(from: &Path, to: &Path) -> Result<Restored, RestoreError> {
    restore(from, to, Mode::Test, |_| RESTORED)
}

async fn confirm(store: &Store) -> Asked {
    let request = ActionRequest::RestoreConfirm { restored_at: RESTORED, source: "backup.db".to_owned() };
    office::ask(store, office::new("ann", request), RESTORED).await
}

#[tokio::test]
async fn the_backup_takes_the_place_and_what_was_there_still_opens() {
    let folder = Folder::new();
    let (path, copy) = past(&folder).await;
    let content = fs::read(&copy).unwrap();
    let done = restored(&copy, &path).unwrap();
    assert_eq!((done.audit.transactions, done.events), (1, 1));
    assert!(fs::read(&copy).unwrap() == content, "the backup stays as it is");
    let aside = PathBuf::from(done.restore.replaced.clone().unwrap());
    assert_eq!(aside, with(&path, ".replaced-20260921T143000Z"));
    assert_eq!(balance(&open(&aside), 1).await, [20, 0, 0, 0]);
    let store = open(&path);
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    let known = store.restore().await.unwrap().unwrap();
    assert_eq!((known.restored_at, known.newest), (RESTORED, Some(NOW)));
    assert_eq!((known.source, known.replaced), (copy.display().to_string(), done.restore.replaced));
    assert_eq!(known.revoked_keys, Some(vec!["shop".to_owned()]), "it works again");
    let leftovers = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
    let leftovers: Vec<_> = leftovers.filter(|name| name.to_string_lossy().contains(".restor")).collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

#[tokio::test]
async fn nothing_moves_until_it_is_confirmed() {
    let folder = Folder::new();
    let (path, copy) = (folder.file("a.db"), folder.file("backup.db"));
    let store = open(&path);
    office::open_for_two(&store).await;
    create(&store, &[endpoint("ep_a", None)]).await;
    let seq = arrive(&store, &Sale::new("b").bought().event.id).await;
    learn(&store, &[Sale::new("a").bought(), Sale::new("c").bought_by_nobody()]).await;
    ask(&store, order("hold", hold_for(1, 4, 60)), NOW).await.unwrap();
    open_holds(&store, 0).await;
    let waiting = office::kept(&store, "ann", office::give(1, 200)).await;
    backup(&path, &copy).unwrap();
    drop(store);
    restored(&copy, &path).unwrap();
    for _ in 0..2 {
        // Also after a restart.
        let store = open(&path);
        stands_still(&store, seq, &waiting.id).await;
        open_holds(&store, 1).await;
    }
    let store = open(&path);
    assert_eq!(store.restore().await.unwrap().unwrap().events_since, 1);
    let confirmed = confirm(&store).await;
    assert!(matches!(&confirmed, Asked::Kept { action, .. } if !action.alone), "{confirmed:?}");
    assert_eq!(
        (store.restore().await.unwrap(), store.health().await.unwrap().restore_unconfirmed),
        (None, false)
    );
    let later = Now::trusted(RESTORED);
    open_holds(&store, 0).await;
    assert_eq!(store.sweep(later, 9).await.unwrap().expired, 1);
    assert_eq!(store.due(RESTORED, 9).await.unwrap().len(), 2);
    let settled =
        store.apply_events(vec![told(seq, &Sale::new("b").bought())], Arc::default(), later).await.unwrap();
    assert_eq!(settled.len(), 1);
    assert!(!store.due_deliveries(RESTORED, room()).await.unwrap().is_empty());
    ask(&store, order("late", spend(1)), RESTORED).await.unwrap();
    assert_eq!(balance(&store, 1).await, [19, 0, 0, 0]);
    assert_eq!(office::approve(&store, &waiting.id, "bob").await, "counted: done");
    assert_eq!(store.audit().await.unwrap().faults, [""; 0]);
    assert!(matches!(confirm(&store).await, Asked::Refused(store::ActionRefusal::NoRestore)));
}

/// By every read, that many holds are open after the one hold's time is up.
async fn open_holds(store: &Store, open: u64) {
    let (tenant, later) = (crate::conformance::sale::tenant(1), Now::trusted(RESTORED));
    for (state, expected) in [(HoldState::Open, open), (HoldState::Expired, 1 - open)] {
        let found = store.holds(tenant, Some(state), later, ALL).await.unwrap().rows;
        assert_eq!(found.len() as u64, expected, "{state:?}");
        for hold in found {
            assert_eq!(hold.state, state);
            assert_eq!(store.hold(tenant, hold.id, later).await.unwrap().unwrap().state, state);
        }
    }
    let detail = store.tenant_detail(tenant, later).await.unwrap().unwrap();
    assert_eq!(detail.open_holds.unsigned_abs(), open);
}

async fn stands_still(store: &Store, seq: i64, waiting: &str) {
    let before = (balance(store, 1).await, store.audit().await.unwrap(), store.notice_range().await.unwrap());
    let later = Now::trusted(RESTORED);
    store.ingest(delivery("evt_meanwhile"), RESTORED).await.unwrap();
    assert!(store.health().await.unwrap().restore_unconfirmed);
    assert_eq!(store.health().await.unwrap().pending, 2, "they wait");
    assert!(store.due(RESTORED, 9).await.unwrap().is_empty());
    assert_eq!(store.next_due().await.unwrap(), None);
    assert_eq!(store.next_expiry().await.unwrap(), None);
    assert!(store.due_deliveries(RESTORED, room()).await.unwrap().is_empty());
    assert_eq!(store.next_delivery(RESTORED).await.unwrap(), None);
    assert_eq!(store.prune_notices(RESTORED, 9).await.unwrap(), 0);
    let mut refused = Vec::new();
    let fact = told(seq, &Sale::new("b").bought());
    refused.push(store.apply_events(vec![fact], Arc::default(), later).await.map(drop));
    refused.push(store.review(Arc::default(), later, 9).await.map(drop));
    refused.push(store.execute_commands(vec![order("new", spend(1))], later).await.map(drop));
    refused.push(store.sweep(later, 9).await.map(drop));
    let pin = IdempotencyKey { scope: Scope::Tenant, key: "buy".to_owned(), fingerprint: [1; 32] };
    let purchase = PurchaseOrder { tenant: crate::conformance::sale::tenant(1), pin, new: None };
    refused.push(store.begin_purchase(purchase, RESTORED).await.map(|_: BegunPurchase| ()));
    for request in [office::give(1, 1), office::resolve(1), office::dismiss(1)] {
        let new = office::new("ann", request);
        refused.push(store.ask_action(new, office::LIMITS, Arc::default(), later).await.map(drop));
    }
    let (id, bob) = (waiting.to_owned(), "bob".to_owned());
    let decided = store.decide_action(id, ActionVerdict::Approve, bob, Arc::default(), later).await;
    refused.push(decided.map(drop));
    for (number, refused) in refused.iter().enumerate() {
        assert!(matches!(refused, Err(StoreError::RestoreUnconfirmed)), "{number}: {refused:?}");
    }
    let after = (balance(store, 1).await, store.audit().await.unwrap(), store.notice_range().await.unwrap());
    assert_eq!(after, before);
}

#[tokio::test]
async fn keys_can_be_revoked_while_nothing_moves() {
    let folder = Folder::new();
    let (path, copy) = past(&folder).await;
    restored(&copy, &path).unwrap();
    let store = open(&path);
    office::kept(&store, "ann", ActionRequest::KeyRevoke { id: "shop".to_owned() }).await;
    let rotation = ActionRequest::KeyRotate {
        id: "ann".to_owned(),
        new_id: "ann2".to_owned(),
        hash: [3; 32],
        grace_seconds: 0,
    };
    office::kept(&store, "ann", rotation).await;
    let keys = store.keys().await.unwrap();
    let working: Vec<_> = keys.iter().filter(|key| key.works(RESTORED)).map(|key| &*key.id).collect();
    assert_eq!(working, ["ann2", "till"]);
}

/// Restored once more before anybody confirmed: what worked again the first time still does.
#[tokio::test]
async fn a_second_restore_shows_the_keys_of_the_first() {
    let folder = Folder::new();
    let (path, copy) = past(&folder).await;
    assert_eq!(restored(&copy, &path).unwrap().restore.revoked_keys, Some(vec!["shop".to_owned()]));
    assert_eq!(restored(&copy, &path).unwrap().restore.revoked_keys, Some(vec!["shop".to_owned()]));
    let confirmed = confirm(&open(&path)).await;
    assert!(matches!(confirmed, Asked::Kept { .. }), "{confirmed:?}");
    assert_eq!(
        restored(&copy, &path).unwrap().restore.revoked_keys,
        Some(Vec::new()),
        "somebody has seen them"
    );
}

type Breaks = fn(&Path);

#[tokio::test]
async fn a_backup_that_is_not_in_order_changes_nothing() {
    let folder = Folder::new();
    let (path, copy) = past(&folder).await;
    fn sql(path: &Path, sql: &str) {
        raw(path).execute_batch(sql).unwrap();
    }
    let table: [(&str, Breaks, &str); 9] = [
        ("missing", |path| fs::remove_file(path).unwrap(), "cannot be restored, and nothing was changed"),
        ("empty", |path| fs::write(path, "").unwrap(), "is no database of this program"),
        ("text", |path| fs::write(path, "hello ".repeat(9999)).unwrap(), "is no database of this program"),
        ("foreign", |path| sql(path, "PRAGMA application_id = 7"), "is no database of this program"),
        (
            "live",
            |path| sql(path, "UPDATE meta SET value = 'live' WHERE key = 'mode'"),
            "is of live mode, and this deployment is of test mode",
        ),
        ("newer", |path| sql(path, "INSERT INTO migrations VALUES (99, 'x')"), "has schema 99"),
        (
            "damaged",
            |path| {
                let mut content = fs::read(path).unwrap();
                let half = content.len() / 2;
                content[half..].fill(0xff);
                fs::write(path, content).unwrap();
            },
            "is damaged",
        ),
        (
            "changed",
            |path| sql(path, "UPDATE tenants SET available = 11"),
            "is damaged, so nothing was changed; restore an older backup",
        ),
        (
            "beside another's log",
            |path| {
                fs::copy(path.with_file_name("killed-wal"), with(path, "-wal")).unwrap();
            },
            "does not belong to",
        ),
    ];
    // What another database left when it was killed.
    let other = folder.file("other.db");
    let store = open(&other);
    learn(&store, &[Sale::new("x").bought()]).await;
    fs::copy(with(&other, "-wal"), folder.file("killed-wal")).unwrap();
    let content = fs::read(&path).unwrap();
    let names = || {
        let names = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with("a.db.")).collect::<Vec<_>>().len()
    };
    let files = names();
    for (what, breaks, words) in table {
        let bad = folder.file(&format!("{what}.db"));
        fs::copy(&copy, &bad).unwrap();
        breaks(&bad);
        let refused = restored(&bad, &path).unwrap_err().to_string();
        assert!(refused.contains(words), "{what}: {refused}");
        assert!(
            refused.to_lowercase().contains("nothing was changed") || what == "newer",
            "{what}: {refused}"
        );
        assert!(fs::read(&path).unwrap() == content, "{what}: the database was changed");
        assert_eq!(names(), files, "{what}: something was left behind");
    }
    let refused = restored(&path, &path).unwrap_err();
    assert!(matches!(refused, RestoreError::Same { .. }), "{refused:?}");
    let refused = restored(&other, &path).unwrap_err();
    assert!(matches!(refused, RestoreError::BackupInUse { .. }), "{refused:?}");
    let live = folder.file("nowhere.db");
    let refused = restore(&copy, &live, Mode::Live, |_| RESTORED).unwrap_err();
    assert!(matches!(refused, RestoreError::OtherMode { .. }), "{refused:?}");
    assert!(!live.exists());
}

#[tokio::test]
async fn a_database_in_use_and_one_of_the_other_mode_are_not_replaced() {
    let folder = Folder::new();
    let (path, copy) = past(&folder).await;
    let store = open(&path);
    let refused = restored(&copy, &path).unwrap_err();
    assert!(matches!(refused, RestoreError::Database(OpenError::InUse { .. })), "{refused:?}");
    fs::remove_file(with(&path, ".lock")).unwrap();
    let refused = restored(&copy, &path).unwrap_err();
    assert!(matches!(refused, RestoreError::Database(OpenError::InUse { .. })), "{refused:?}");
    drop(store);
    let live = folder.file("live.db");
    drop(Store::open_sqlite(&live, Mode::Live).unwrap());
    let refused = restored(&copy, &live).unwrap_err().to_string();
    assert!(refused.contains("the database in its place is of live mode"), "{refused}");
}

#[tokio::test]
async fn a_backup_may_be_restored_where_nothing_is() {
    let folder = Folder::new();
    let (_, copy) = past(&folder).await;
    let path = folder.file("new.db");
    let done = restored(&copy, &path).unwrap();
    assert_eq!((done.restore.replaced, done.restore.revoked_keys), (None, None));
    assert_eq!(balance(&open(&path), 1).await, [10, 0, 0, 0]);
}

/// What a process leaves that is killed: the files as they are while it has them.
fn killed(path: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        fs::copy(with(path, suffix), with(to, suffix)).unwrap();
    }
}

#[tokio::test]
async fn a_database_with_its_log_is_restored_and_replaced_as_a_whole() {
    let folder = Folder::new();
    let (path, copy) = past(&folder).await;
    let store = open(&path);
    learn(&store, &[Sale::new("c").bought()]).await;
    office::kept(&store, "ann", ActionRequest::KeyRevoke { id: "till".to_owned() }).await;
    let (left, again) = (folder.file("left.db"), folder.file("again.db"));
    killed(&path, &left);
    killed(&path, &again);
    drop(store);
    let done = restored(&copy, &left).unwrap();
    let aside = PathBuf::from(done.restore.replaced.unwrap());
    assert_eq!(balance(&open(&left), 1).await, [10, 0, 0, 0]);
    let mut known = done.restore.revoked_keys.unwrap();
    known.sort();
    assert_eq!(known, ["shop", "till"], "also where only its log says so");
    assert_eq!(balance(&open(&aside), 1).await, [30, 0, 0, 0], "with its log");
    restored(&again, &left).unwrap();
    assert_eq!(balance(&open(&left), 1).await, [30, 0, 0, 0], "with its log");
}

/// Every state in which a restore can be cut off, made by hand. What was revoked last, the log alone knows.
#[tokio::test]
async fn an_interrupted_restore_loses_nothing_and_is_done_again() {
    let folder = Folder::new();
    let (path, copy) = past(&folder).await;
    let store = open(&path);
    learn(&store, &[Sale::new("c").bought()]).await;
    office::kept(&store, "ann", ActionRequest::KeyRevoke { id: "till".to_owned() }).await;
    let finished = folder.file("finished.db");
    killed(&path, &finished);
    let replaced = PathBuf::from(restored(&copy, &finished).unwrap().restore.replaced.unwrap());
    let states = [(&[][..], false), (&[""], false), (&[""], true), (&["", "-wal"], false)];
    for (number, (moved, made)) in states.into_iter().enumerate() {
        let place = folder.file(&format!("place{number}.db"));
        let aside = with(&place, ".replaced-20260921T143000Z");
        killed(&path, &place);
        // The finished copy says where the database before it went.
        fs::copy(&finished, with(&place, ".restoring")).unwrap();
        let rename = "UPDATE restores SET replaced = ?1";
        raw(&with(&place, ".restoring")).execute(rename, [aside.display().to_string()]).unwrap();
        for suffix in moved {
            fs::rename(with(&place, suffix), with(&aside, suffix)).unwrap();
        }
        if moved.is_empty() {
            assert_eq!(balance(&open(&place), 1).await, [30, 0, 0, 0], "nothing was moved yet");
        } else {
            let refused = Store::open_sqlite(&place, Mode::Test).unwrap_err();
            assert!(matches!(refused, OpenError::RestoreInterrupted { .. }), "{refused:?}");
            assert!(!place.exists());
        }
        if made {
            // Something that makes its files before it starts.
            fs::write(&place, "").unwrap();
        }
        let done = restored(&copy, &place).unwrap();
        assert_eq!(done.restore.replaced.as_deref(), aside.to_str());
        let mut again = done.restore.revoked_keys.unwrap_or_default();
        again.sort();
        assert_eq!(again, ["shop", "till"], "{moved:?}");
        assert_eq!(balance(&open(&place), 1).await, [10, 0, 0, 0]);
        assert_eq!(balance(&open(&aside), 1).await, [30, 0, 0, 0], "it is whole");
        assert!(!with(&place, ".restoring").exists());
    }
    assert_eq!(balance(&open(&replaced), 1).await, [30, 0, 0, 0]);
}

#[tokio::test]
async fn what_was_rescued_is_restored() {
    let folder = Folder::new();
    let (path, _) = past(&folder).await;
    let store = open(&path);
    fs::remove_file(&path).unwrap();
    store.check_file().await.unwrap_err();
    let store::ClosedBecause::FileChanged { safe: store::Safe::Copied(saved), .. } = store.closed().await
    else {
        panic!("it was not saved")
    };
    drop(store);
    restored(&saved, &path).unwrap();
    assert_eq!(balance(&open(&path), 1).await, [20, 0, 0, 0]);
    let moments: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM restores", [], |row| row.get(0))
        .unwrap();
    assert_eq!(moments, 1);
}

/// What was saved knows what was revoked, also where there is no database any more.
#[tokio::test]
async fn a_backup_restored_instead_of_what_was_rescued_says_which_keys_work_again() {
    let folder = Folder::new();
    let (path, copy) = past(&folder).await;
    let store = open(&path);
    office::kept(&store, "ann", ActionRequest::KeyRevoke { id: "till".to_owned() }).await;
    fs::remove_file(&path).unwrap();
    store.check_file().await.unwrap_err();
    store.closed().await;
    drop(store);
    let done = restored(&copy, &path).unwrap();
    let mut again = done.restore.revoked_keys.unwrap();
    again.sort();
    assert_eq!(again, ["shop", "till"]);
    let [kept] = &done.cleared[..] else { panic!("{:?}", done.cleared) };
    assert_eq!(balance(&open(&path), 1).await, [10, 0, 0, 0]);
    assert_eq!(balance(&open(kept), 1).await, [20, 0, 0, 0], "nothing of it is lost");
}
