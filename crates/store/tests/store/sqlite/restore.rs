//! Restores: an unusable backup changes nothing, an interruption loses nothing, and nothing moves until the
//! restore is confirmed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::{HoldState, Now, Timestamp};
use rusqlite::Connection;
use store::sqlite::{RestoreError, Restored, backup, restore};
use store::{
    ActionRequest, ActionVerdict, BegunPurchase, IdempotencyKey, KeyHolder, Mode, OpenError, PurchaseOrder,
    RequestedAction, Scope, Store, StoreError,
};

use super::{open, raw};
use crate::conformance::action_requests;
use crate::conformance::command_requests::{execute, hold_for, request, spend};
use crate::conformance::endpoints::{create, endpoint, unlimited_budget};
use crate::conformance::test_purchase::{
    ALL, NOW, TestPurchase, apply, balance, delivery, event_to_apply, ingest,
};
use crate::folder::Folder;

const RESTORED: Timestamp = Timestamp::from_seconds(NOW.seconds() + 1000);

fn with(path: &Path, suffix: &str) -> PathBuf {
    format!("{}{suffix}", path.display()).into()
}

/// A closed database and an older backup of it: without the second purchase and with a key that was revoked
/// later.
async fn database_and_backup(folder: &Folder) -> (PathBuf, PathBuf) {
    let (path, copy) = (folder.file("a.db"), folder.file("backup.db"));
    let store = open(&path);
    action_requests::register_ann(&store).await;
    store.create_key(action_requests::key("shop", KeyHolder::Service), [9; 32]).await.unwrap();
    store.create_key(action_requests::key("till", KeyHolder::Service), [8; 32]).await.unwrap();
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    backup(&path, &copy).unwrap();
    apply(&store, &[TestPurchase::new("b").bought()]).await;
    action_requests::recorded(&store, "ann", ActionRequest::KeyRevoke { id: "shop".to_owned() }).await;
    (path, copy)
}

fn restored(from: &Path, to: &Path) -> Result<Restored, RestoreError> {
    restore(from, to, Mode::Test, |_| RESTORED)
}

async fn confirm(store: &Store) -> RequestedAction {
    let request = ActionRequest::RestoreConfirm { restored_at: RESTORED, source: "backup.db".to_owned() };
    action_requests::submit(store, action_requests::new_action("ann", request), RESTORED).await
}

#[tokio::test]
async fn a_restore_replaces_the_database_and_the_old_one_still_opens() {
    let folder = Folder::new();
    let (path, copy) = database_and_backup(&folder).await;
    let content = fs::read(&copy).unwrap();
    let done = restored(&copy, &path).unwrap();
    assert_eq!((done.audit.transactions, done.events), (1, 1));
    assert!(fs::read(&copy).unwrap() == content, "the backup is unchanged");
    let aside = PathBuf::from(done.restore.replaced.clone().unwrap());
    assert_eq!(aside, with(&path, ".replaced-20260921T143000Z"));
    assert_eq!(balance(&open(&aside), 1).await, [20, 0, 0, 0]);
    let store = open(&path);
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    let known = store.unconfirmed_restore().await.unwrap().unwrap();
    assert_eq!((known.restored_at, known.newest), (RESTORED, Some(NOW)));
    assert_eq!((known.source, known.replaced), (copy.display().to_string(), done.restore.replaced));
    assert_eq!(known.revoked_keys, Some(vec!["shop".to_owned()]), "it is valid again");
    let leftovers = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
    let leftovers: Vec<_> = leftovers.filter(|name| name.to_string_lossy().contains(".restor")).collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

#[tokio::test]
async fn nothing_moves_until_the_restore_is_confirmed() {
    let folder = Folder::new();
    let (path, copy) = (folder.file("a.db"), folder.file("backup.db"));
    let store = open(&path);
    action_requests::register_ann_and_bob(&store).await;
    create(&store, &[endpoint("ep_a", None)]).await;
    let seq = ingest(&store, &TestPurchase::new("b").bought().event.id).await;
    apply(&store, &[TestPurchase::new("a").bought(), TestPurchase::new("c").bought_with_invalid_tenant()])
        .await;
    execute(&store, request("hold", hold_for(1, 4, 60)), NOW).await.unwrap();
    check_open_holds(&store, 0).await;
    let waiting = action_requests::recorded(&store, "ann", action_requests::adjustment(1, 200)).await;
    backup(&path, &copy).unwrap();
    drop(store);
    restored(&copy, &path).unwrap();
    for _ in 0..2 {
        // Also after a restart.
        let store = open(&path);
        check_frozen(&store, seq, &waiting.id).await;
        check_open_holds(&store, 1).await;
    }
    let store = open(&path);
    assert_eq!(store.unconfirmed_restore().await.unwrap().unwrap().events_since, 1);
    let confirmed = confirm(&store).await;
    assert!(matches!(&confirmed, RequestedAction::Recorded { action, .. } if !action.alone), "{confirmed:?}");
    assert_eq!(
        (store.unconfirmed_restore().await.unwrap(), store.health().await.unwrap().restore_unconfirmed),
        (None, false)
    );
    let later = Now::trusted(RESTORED);
    check_open_holds(&store, 0).await;
    assert_eq!(store.expire_due(later, 9).await.unwrap().expired, 1);
    assert_eq!(store.due(RESTORED, 9).await.unwrap().len(), 2);
    let applied = store
        .apply_events(vec![event_to_apply(seq, &TestPurchase::new("b").bought())], Arc::default(), later)
        .await
        .unwrap();
    assert_eq!(applied.len(), 1);
    assert!(!store.due_deliveries(RESTORED, unlimited_budget()).await.unwrap().is_empty());
    execute(&store, request("late", spend(1)), RESTORED).await.unwrap();
    assert_eq!(balance(&store, 1).await, [19, 0, 0, 0]);
    assert_eq!(action_requests::approve(&store, &waiting.id, "bob").await, "decided: done");
    assert_eq!(store.audit().await.unwrap().faults, [""; 0]);
    assert!(matches!(confirm(&store).await, RequestedAction::Refused(store::ActionRefusal::NoRestore)));
}

/// Checks with every read how many holds are open after the only hold has ended.
async fn check_open_holds(store: &Store, open: u64) {
    let (tenant, later) = (crate::conformance::test_purchase::tenant(1), Now::trusted(RESTORED));
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

async fn check_frozen(store: &Store, seq: i64, waiting: &str) {
    let before = (balance(store, 1).await, store.audit().await.unwrap(), store.notice_range().await.unwrap());
    let later = Now::trusted(RESTORED);
    store.ingest(delivery("evt_meanwhile"), RESTORED).await.unwrap();
    assert!(store.health().await.unwrap().restore_unconfirmed);
    assert_eq!(store.health().await.unwrap().pending, 2, "they are pending");
    assert!(store.due(RESTORED, 9).await.unwrap().is_empty());
    assert_eq!(store.next_due().await.unwrap(), None);
    assert_eq!(store.next_expiry().await.unwrap(), None);
    assert!(store.due_deliveries(RESTORED, unlimited_budget()).await.unwrap().is_empty());
    assert_eq!(store.next_delivery(RESTORED).await.unwrap(), None);
    assert_eq!(store.prune_notices(RESTORED, 9).await.unwrap(), 0);
    let mut refused = Vec::new();
    let fact = event_to_apply(seq, &TestPurchase::new("b").bought());
    refused.push(store.apply_events(vec![fact], Arc::default(), later).await.map(drop));
    refused.push(store.review(Arc::default(), later, 9).await.map(drop));
    refused.push(store.execute_commands(vec![request("new", spend(1))], later).await.map(drop));
    refused.push(store.expire_due(later, 9).await.map(drop));
    let idempotency_key =
        IdempotencyKey { scope: Scope::Tenant, key: "buy".to_owned(), fingerprint: [1; 32] };
    let purchase =
        PurchaseOrder { tenant: crate::conformance::test_purchase::tenant(1), idempotency_key, new: None };
    refused.push(store.begin_purchase(purchase, RESTORED).await.map(|_: BegunPurchase| ()));
    for request in
        [action_requests::adjustment(1, 1), action_requests::resolve(1), action_requests::dismiss(1)]
    {
        let new = action_requests::new_action("ann", request);
        refused
            .push(store.request_action(new, action_requests::LIMITS, Arc::default(), later).await.map(drop));
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
async fn keys_can_be_revoked_while_a_restore_is_unconfirmed() {
    let folder = Folder::new();
    let (path, copy) = database_and_backup(&folder).await;
    restored(&copy, &path).unwrap();
    let store = open(&path);
    action_requests::recorded(&store, "ann", ActionRequest::KeyRevoke { id: "shop".to_owned() }).await;
    let rotation = ActionRequest::KeyRotate {
        id: "ann".to_owned(),
        new_id: "ann2".to_owned(),
        hash: [3; 32],
        grace_seconds: 0,
    };
    action_requests::recorded(&store, "ann", rotation).await;
    let keys = store.keys().await.unwrap();
    let working: Vec<_> = keys.iter().filter(|key| key.works(RESTORED)).map(|key| &*key.id).collect();
    assert_eq!(working, ["ann2", "till"]);
}

/// Restored again before the confirmation: the key that became valid the first time is still listed.
#[tokio::test]
async fn a_second_restore_shows_the_keys_of_the_first() {
    let folder = Folder::new();
    let (path, copy) = database_and_backup(&folder).await;
    assert_eq!(restored(&copy, &path).unwrap().restore.revoked_keys, Some(vec!["shop".to_owned()]));
    assert_eq!(restored(&copy, &path).unwrap().restore.revoked_keys, Some(vec!["shop".to_owned()]));
    let confirmed = confirm(&open(&path)).await;
    assert!(matches!(confirmed, RequestedAction::Recorded { .. }), "{confirmed:?}");
    assert_eq!(restored(&copy, &path).unwrap().restore.revoked_keys, Some(Vec::new()), "they were confirmed");
}

type Breaks = fn(&Path);

#[tokio::test]
async fn an_unusable_backup_changes_nothing() {
    let folder = Folder::new();
    let (path, copy) = database_and_backup(&folder).await;
    fn sql(path: &Path, sql: &str) {
        raw(path).execute_batch(sql).unwrap();
    }
    let table: [(&str, Breaks, &str); 9] = [
        ("missing", |path| fs::remove_file(path).unwrap(), "cannot be restored, and nothing was changed"),
        ("empty", |path| fs::write(path, "").unwrap(), "is not a database of this program"),
        ("text", |path| fs::write(path, "hello ".repeat(9999)).unwrap(), "is not a database of this program"),
        ("foreign", |path| sql(path, "PRAGMA application_id = 7"), "is not a database of this program"),
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
    // The log of another database after a kill.
    let other = folder.file("other.db");
    let store = open(&other);
    apply(&store, &[TestPurchase::new("x").bought()]).await;
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
    let (path, copy) = database_and_backup(&folder).await;
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
    assert!(refused.contains("the existing database is of live mode"), "{refused}");
}

#[tokio::test]
async fn a_backup_is_restored_where_there_is_no_database() {
    let folder = Folder::new();
    let (_, copy) = database_and_backup(&folder).await;
    let path = folder.file("new.db");
    let done = restored(&copy, &path).unwrap();
    assert_eq!((done.restore.replaced, done.restore.revoked_keys), (None, None));
    assert_eq!(balance(&open(&path), 1).await, [10, 0, 0, 0]);
}

/// Copies the files of an open database, as a kill leaves them.
fn copy_as_after_kill(path: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        fs::copy(with(path, suffix), with(to, suffix)).unwrap();
    }
}

#[tokio::test]
async fn a_database_is_restored_and_replaced_with_its_write_ahead_log() {
    let folder = Folder::new();
    let (path, copy) = database_and_backup(&folder).await;
    let store = open(&path);
    apply(&store, &[TestPurchase::new("c").bought()]).await;
    action_requests::recorded(&store, "ann", ActionRequest::KeyRevoke { id: "till".to_owned() }).await;
    let (left, again) = (folder.file("left.db"), folder.file("again.db"));
    copy_as_after_kill(&path, &left);
    copy_as_after_kill(&path, &again);
    drop(store);
    let done = restored(&copy, &left).unwrap();
    let aside = PathBuf::from(done.restore.replaced.unwrap());
    assert_eq!(balance(&open(&left), 1).await, [10, 0, 0, 0]);
    let mut known = done.restore.revoked_keys.unwrap();
    known.sort();
    assert_eq!(known, ["shop", "till"], "even if only its log says so");
    assert_eq!(balance(&open(&aside), 1).await, [30, 0, 0, 0], "with its log");
    restored(&again, &left).unwrap();
    assert_eq!(balance(&open(&left), 1).await, [30, 0, 0, 0], "with its log");
}

/// Every state in which a restore can be interrupted, created by hand. Only the log contains the last
/// revocation.
#[tokio::test]
async fn an_interrupted_restore_loses_nothing_and_can_be_repeated() {
    let folder = Folder::new();
    let (path, copy) = database_and_backup(&folder).await;
    let store = open(&path);
    apply(&store, &[TestPurchase::new("c").bought()]).await;
    action_requests::recorded(&store, "ann", ActionRequest::KeyRevoke { id: "till".to_owned() }).await;
    let finished = folder.file("finished.db");
    copy_as_after_kill(&path, &finished);
    let replaced = PathBuf::from(restored(&copy, &finished).unwrap().restore.replaced.unwrap());
    let states = [(&[][..], false), (&[""], false), (&[""], true), (&["", "-wal"], false)];
    for (number, (moved, made)) in states.into_iter().enumerate() {
        let target = folder.file(&format!("target{number}.db"));
        let aside = with(&target, ".replaced-20260921T143000Z");
        copy_as_after_kill(&path, &target);
        // The finished copy names the path of the replaced database.
        fs::copy(&finished, with(&target, ".restoring")).unwrap();
        let rename = "UPDATE restores SET replaced = ?1";
        raw(&with(&target, ".restoring")).execute(rename, [aside.display().to_string()]).unwrap();
        for suffix in moved {
            fs::rename(with(&target, suffix), with(&aside, suffix)).unwrap();
        }
        if moved.is_empty() {
            assert_eq!(balance(&open(&target), 1).await, [30, 0, 0, 0], "nothing was moved yet");
        } else {
            let refused = Store::open_sqlite(&target, Mode::Test).unwrap_err();
            assert!(matches!(refused, OpenError::RestoreInterrupted { .. }), "{refused:?}");
            assert!(!target.exists());
        }
        if made {
            // Something creates its files before it starts.
            fs::write(&target, "").unwrap();
        }
        let done = restored(&copy, &target).unwrap();
        assert_eq!(done.restore.replaced.as_deref(), aside.to_str());
        let mut valid_again = done.restore.revoked_keys.unwrap_or_default();
        valid_again.sort();
        assert_eq!(valid_again, ["shop", "till"], "{moved:?}");
        assert_eq!(balance(&open(&target), 1).await, [10, 0, 0, 0]);
        assert_eq!(balance(&open(&aside), 1).await, [30, 0, 0, 0], "it is complete");
        assert!(!with(&target, ".restoring").exists());
    }
    assert_eq!(balance(&open(&replaced), 1).await, [30, 0, 0, 0]);
}

#[tokio::test]
async fn a_rescued_copy_is_restored() {
    let folder = Folder::new();
    let (path, _) = database_and_backup(&folder).await;
    let store = open(&path);
    fs::remove_file(&path).unwrap();
    store.check_file().await.unwrap_err();
    let store::CloseReason::FileChanged { rescue: store::Rescue::Copied(saved), .. } = store.closed().await
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

/// The rescued copy contains the revocations, even if the database is missing.
#[tokio::test]
async fn a_backup_restored_instead_of_the_rescued_copy_lists_the_keys_that_are_valid_again() {
    let folder = Folder::new();
    let (path, copy) = database_and_backup(&folder).await;
    let store = open(&path);
    action_requests::recorded(&store, "ann", ActionRequest::KeyRevoke { id: "till".to_owned() }).await;
    fs::remove_file(&path).unwrap();
    store.check_file().await.unwrap_err();
    store.closed().await;
    drop(store);
    let done = restored(&copy, &path).unwrap();
    let mut valid_again = done.restore.revoked_keys.unwrap();
    valid_again.sort();
    assert_eq!(valid_again, ["shop", "till"]);
    let [kept] = &done.cleared[..] else { panic!("{:?}", done.cleared) };
    assert_eq!(balance(&open(&path), 1).await, [10, 0, 0, 0]);
    assert_eq!(balance(&open(kept), 1).await, [20, 0, 0, 0], "nothing is lost");
}
