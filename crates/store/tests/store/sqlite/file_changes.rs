//! Changes to the files while they are in use or closed: nothing is acknowledged into a file that no start
//! would find.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use store::{CloseReason, FileChange, Mode, OpenError, Rescue, Store, StoreError, sqlite};

use super::{open, raw};
use crate::conformance::test_purchase::{NOW, TestPurchase, apply, balance, delivery};
use crate::folder::Folder;

fn with(path: &Path, suffix: &str) -> PathBuf {
    format!("{}{suffix}", path.display()).into()
}

/// An open database with some data.
async fn open_database(folder: &Folder) -> (Store, PathBuf) {
    let path = folder.file("a.db");
    let store = open(&path);
    apply(&store, &[TestPurchase::new("a").bought(), TestPurchase::new("b").bought()]).await;
    (store, path)
}

/// Expects that the next write and all later ones are refused, and returns why the store closed.
async fn expect_close(store: &Store) -> CloseReason {
    let refused = store.ingest(delivery("evt_late"), NOW).await.unwrap_err();
    assert!(matches!(refused, StoreError::FileChanged(_)), "{refused:?}");
    let reason = store.closed().await;
    let refused = store.ingest(delivery("evt_later"), NOW).await.unwrap_err();
    assert!(matches!(refused, StoreError::Closed), "{refused:?}");
    reason
}

/// Checks that the rescued copy contains all acknowledged data, and returns its path.
async fn check_rescued(reason: &CloseReason) -> PathBuf {
    let CloseReason::FileChanged { rescue: Rescue::Copied(copy), .. } = reason else { panic!("{reason:?}") };
    assert!(reason.to_string().contains(&format!("`faireplace restore {}`", copy.display())), "{reason}");
    assert_eq!(fs::metadata(copy).unwrap().permissions().mode() & 0o777, 0o600);
    let saved = open(copy);
    assert_eq!(balance(&saved, 1).await, [20, 0, 0, 0]);
    assert_eq!(saved.audit().await.unwrap().faults, [""; 0]);
    copy.clone()
}

#[tokio::test]
async fn a_removed_database_acknowledges_nothing_and_is_rescued() {
    let folder = Folder::new();
    let (store, path) = open_database(&folder).await;
    fs::remove_file(&path).unwrap();
    let copy = check_rescued(&expect_close(&store).await).await;
    drop(store);
    let refused = Store::open_sqlite(&path, Mode::Test).unwrap_err();
    assert!(matches!(&refused, OpenError::RescuedCopy { copy: found, .. } if *found == copy), "{refused:?}");
    fs::rename(copy, folder.file("elsewhere.db")).unwrap();
    let marker = with(&path, ".must-restore");
    for content in [None, Some("")] {
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        let refused = Store::open_sqlite(&path, Mode::Test).unwrap_err();
        assert!(
            matches!(&refused, OpenError::MustRestore { marker: found, .. } if *found == marker),
            "{refused:?}"
        );
    }
    fs::remove_file(&path).unwrap();
    fs::remove_file(marker).unwrap();
    for content in [None, Some("")] {
        // The log of a missing database, or of an empty file in its place.
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        let refused = Store::open_sqlite(&path, Mode::Test).unwrap_err();
        assert!(matches!(refused, OpenError::LogWithoutDatabase { .. }), "{refused:?}");
        assert_eq!(sqlite::mode_of(&path), None);
        sqlite::backup(&path, &folder.file("copy.db")).unwrap_err();
        assert!(with(&path, "-wal").exists(), "checking has deleted the log");
        assert_eq!(path.exists(), content.is_some(), "no file was created");
    }
    fs::remove_file(with(&path, "-wal")).unwrap();
    open(&path);
}

#[tokio::test]
async fn a_file_that_replaced_the_database_is_left_unchanged() {
    let folder = Folder::new();
    let (store, path) = open_database(&folder).await;
    let other = folder.file("other.db");
    drop(open(&other));
    let content = fs::read(&other).unwrap();
    fs::rename(&other, &path).unwrap();
    check_rescued(&expect_close(&store).await).await;
    drop(store);
    assert!(fs::read(&path).unwrap() == content, "the other file was written to");
}

#[tokio::test]
async fn a_moved_directory_is_recreated_for_the_rescued_copy() {
    let folder = Folder::new();
    fs::create_dir(folder.file("data")).unwrap();
    let path = folder.file("data/a.db");
    let store = open(&path);
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    fs::rename(folder.file("data"), folder.file("moved")).unwrap();
    let reason = expect_close(&store).await;
    assert!(matches!(&reason, CloseReason::FileChanged { rescue: Rescue::Copied(_), .. }), "{reason:?}");
    drop(store);
    let refused = Store::open_sqlite(&path, Mode::Test).unwrap_err();
    assert!(matches!(refused, OpenError::RescuedCopy { .. }), "{refused:?}");
    assert_eq!(balance(&open(&folder.file("moved/a.db")), 1).await, [10, 0, 0, 0]);
}

#[tokio::test]
async fn a_marker_that_cannot_be_written_is_reported() {
    let folder = Folder::new();
    fs::create_dir(folder.file("data")).unwrap();
    let path = folder.file("data/a.db");
    let store = open(&path);
    fs::rename(folder.file("data"), folder.file("moved")).unwrap();
    fs::write(folder.file("data"), "no folder").unwrap();
    let reason = expect_close(&store).await;
    let CloseReason::FileChanged { rescue: Rescue::NotSaved { unmarked, .. }, .. } = &reason else {
        panic!("{reason:?}")
    };
    assert!(unmarked.is_some(), "{reason:?}");
    assert!(reason.to_string().contains("could NOT be saved"), "{reason}");
    assert!(reason.to_string().contains("Do NOT start it again before a restore"), "{reason}");
    drop(store);
    Store::open_sqlite(&path, Mode::Test).unwrap_err();
}

/// A path that is short enough for the database and for a restore, but too long for a rescued copy.
fn long_path(folder: &Folder) -> PathBuf {
    const LENGTH: usize = 476;
    let mut path = fs::canonicalize(folder.file("")).unwrap();
    while path.as_os_str().len() < LENGTH - 200 {
        path.push("d".repeat(100));
    }
    let rest = LENGTH - path.as_os_str().len() - "///a.db".len();
    path.push("d".repeat(rest / 2));
    path.push("d".repeat(rest - rest / 2));
    fs::create_dir_all(&path).unwrap();
    let path = path.join("a.db");
    assert_eq!(path.as_os_str().len(), LENGTH);
    path
}

#[tokio::test]
async fn without_a_rescued_copy_nothing_starts_before_a_restore() {
    let folder = Folder::new();
    let (backup, path) = (folder.file("backup.db"), long_path(&folder));
    let store = open(&path);
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    sqlite::backup(&path, &backup).unwrap();
    for suffix in ["", "-wal", "-shm"] {
        fs::rename(with(&path, suffix), with(&folder.file("taken.db"), suffix)).unwrap();
    }
    let reason = expect_close(&store).await;
    let CloseReason::FileChanged { rescue: Rescue::NotSaved { unmarked: None, .. }, .. } = &reason else {
        panic!("{reason:?}")
    };
    drop(store);
    let marker = with(&path, ".must-restore");
    let text = fs::read_to_string(&marker).unwrap();
    assert!(text.contains("could NOT be saved") && text.contains("`faireplace restore FILE`"), "{text}");
    fn refused(path: &Path) {
        let refused = Store::open_sqlite(path, Mode::Test).unwrap_err();
        assert!(matches!(refused, OpenError::MustRestore { .. }), "{refused:?}");
        assert!(refused.to_string().contains("`faireplace restore FILE`"), "{refused}");
    }
    refused(&path);
    assert!(!path.exists(), "no file was created");
    fs::write(&path, "").unwrap();
    refused(&path);
    // Another database at the path does not contain what was acknowledged either.
    fs::copy(&backup, &path).unwrap();
    refused(&path);
    let done = sqlite::restore(&folder.file("taken.db"), &path, Mode::Test, |_| NOW).unwrap();
    assert_eq!(done.restore.revoked_keys, None, "the file at the path does not know it");
    assert!(!marker.exists());
    assert_eq!(balance(&open(&path), 1).await, [10, 0, 0, 0]);
}

/// A reader on an old state, so that the log cannot be moved into the file.
async fn check_a_log_that_cannot_be_checkpointed(suffix: &str) {
    let folder = Folder::new();
    let (store, path) = open_database(&folder).await;
    let reader = raw(&path);
    reader.execute_batch("BEGIN").unwrap();
    reader.query_row("SELECT count(*) FROM tenants", [], |_| Ok(())).unwrap();
    apply(&store, &[TestPurchase::new("c").bought()]).await;
    fs::remove_file(with(&path, suffix)).unwrap();
    let reason = expect_close(&store).await;
    let CloseReason::FileChanged { rescue: Rescue::Copied(copy), .. } = &reason else { panic!("{reason:?}") };
    let text = fs::read_to_string(with(&path, ".must-restore")).unwrap();
    assert!(text.contains(&copy.display().to_string()), "{text}");
    drop(store);
    let refused = Store::open_sqlite(&path, Mode::Test).unwrap_err();
    assert!(matches!(&refused, OpenError::RescuedCopy { copy: found, .. } if found == copy), "{refused:?}");
    assert!(sqlite::examine(&path).is_err());
    drop(reader);
    let done = sqlite::restore(copy, &path, Mode::Test, |_| NOW).unwrap();
    assert_eq!(done.cleared, [with(copy, ".resolved")]);
    assert!(done.cleared[0].exists() && !copy.exists());
    let store = open(&path);
    assert_eq!(balance(&store, 1).await, [30, 0, 0, 0]);
    assert_eq!(store.audit().await.unwrap().faults, [""; 0]);
}

#[tokio::test]
async fn a_lost_log_that_cannot_be_checkpointed_requires_a_restore() {
    check_a_log_that_cannot_be_checkpointed("-wal").await;
}

#[tokio::test]
async fn a_lost_index_of_a_log_that_cannot_be_checkpointed_requires_a_restore() {
    check_a_log_that_cannot_be_checkpointed("-shm").await;
}

#[tokio::test]
async fn a_removed_write_ahead_log_or_index_is_noticed_and_nothing_is_lost() {
    for suffix in ["-wal", "-shm"] {
        let folder = Folder::new();
        let (store, path) = open_database(&folder).await;
        fs::remove_file(with(&path, suffix)).unwrap();
        let reason = expect_close(&store).await;
        let CloseReason::FileChanged { change, rescue, .. } = &reason else { panic!("{reason:?}") };
        let expected =
            FileChange::CompanionMoved { path: fs::canonicalize(&path).map(|p| with(&p, suffix)).unwrap() };
        assert_eq!((change, rescue), (&expected, &Rescue::InPlace));
        drop(store);
        sqlite::examine(&path).unwrap();
        let left = fs::read_dir(folder.file("")).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains("resc")).collect();
        assert!(left.is_empty() && !with(&path, ".must-restore").exists(), "{left:?}");
        assert_eq!(balance(&open(&path), 1).await, [20, 0, 0, 0], "{suffix}");
    }
}

#[tokio::test]
async fn an_idle_service_notices_the_removal_when_it_checks() {
    let folder = Folder::new();
    for looks in ["file", "writable"] {
        let path = folder.file(looks);
        let store = open(&path);
        store.check_writable().await.unwrap();
        fs::remove_file(&path).unwrap();
        let refused = match looks {
            "file" => store.check_file().await,
            _ => store.check_writable().await,
        };
        assert!(matches!(refused, Err(StoreError::FileChanged(_))), "{looks}: {refused:?}");
        assert!(matches!(store.closed().await, CloseReason::FileChanged { .. }), "{looks}");
    }
}

#[tokio::test]
async fn a_hard_link_is_refused_at_the_start_and_noticed_later() {
    let folder = Folder::new();
    let (store, path) = open_database(&folder).await;
    let second = folder.file("second.db");
    fs::hard_link(&path, &second).unwrap();
    let refused = Store::open_sqlite(&second, Mode::Test).unwrap_err();
    assert!(matches!(refused, OpenError::Linked { names: 2, .. }), "{refused:?}");
    let reason = expect_close(&store).await;
    let CloseReason::FileChanged { change, rescue, .. } = &reason else { panic!("{reason:?}") };
    assert!(matches!((change, rescue), (FileChange::Linked { .. }, Rescue::InPlace)), "{reason:?}");
    drop(store);
    let refused = Store::open_sqlite(&path, Mode::Test).unwrap_err().to_string();
    assert!(refused.contains("has 2 names (hard links)"), "{refused}");
    fs::remove_file(&second).unwrap();
    assert_eq!(balance(&open(&path), 1).await, [20, 0, 0, 0]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_database_without_its_lock_file_is_still_in_use() {
    let folder = Folder::new();
    let (store, path) = open_database(&folder).await;
    fs::remove_file(with(&path, ".lock")).unwrap();
    let refused = Store::open_sqlite(&path, Mode::Test).unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused:?}");
    assert!(refused.to_string().contains("whose lock file is missing"), "{refused}");
    store.ingest(delivery("evt_1"), NOW).await.unwrap();
}

#[tokio::test]
async fn a_symbolic_link_is_followed_and_its_removal_is_noticed() {
    let folder = Folder::new();
    fs::create_dir(folder.file("data")).unwrap();
    let (real, path) = (folder.file("data/real.db"), folder.file("link.db"));
    drop(open(&real));
    std::os::unix::fs::symlink(&real, &path).unwrap();
    let store = open(&path);
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    fs::remove_file(&path).unwrap();
    let reason = expect_close(&store).await;
    assert!(matches!(&reason, CloseReason::FileChanged { change: FileChange::Moved { .. }, .. }));
    drop(store);
    // Neither path opens until a restore through the link has resolved it.
    let copy = match Store::open_sqlite(&path, Mode::Test).unwrap_err() {
        OpenError::RescuedCopy { copy, .. } => copy,
        refused => panic!("{refused:?}"),
    };
    let refused = Store::open_sqlite(&real, Mode::Test).unwrap_err();
    assert!(matches!(refused, OpenError::MustRestore { .. }), "{refused:?}");
    std::os::unix::fs::symlink(&real, &path).unwrap();
    sqlite::restore(&copy, &path, Mode::Test, |_| NOW).unwrap();
    assert_eq!(balance(&open(&real), 1).await, [10, 0, 0, 0]);
    assert_eq!(balance(&open(&path), 1).await, [10, 0, 0, 0]);
}

#[tokio::test]
async fn a_backup_beside_the_old_write_ahead_log_is_refused_unchanged() {
    let folder = Folder::new();
    let (store, path) = open_database(&folder).await;
    let backup = folder.file("backup.db");
    sqlite::backup(&path, &backup).unwrap();
    apply(&store, &[TestPurchase::new("c").bought()]).await;
    // The files after a kill, with the backup over the database.
    let target = folder.file("target.db");
    fs::copy(with(&path, "-wal"), with(&target, "-wal")).unwrap();
    fs::copy(&backup, &target).unwrap();
    let files = || (fs::read(&target).unwrap(), fs::read(with(&target, "-wal")).unwrap());
    let before = files();
    assert_eq!(sqlite::mode_of(&target), Some(Mode::Test));
    let refused = Store::open_sqlite(&target, Mode::Test).unwrap_err();
    assert!(matches!(refused, OpenError::StaleLog { .. }), "{refused:?}");
    let refused = sqlite::backup(&target, &folder.file("copy.db")).unwrap_err();
    assert!(matches!(refused, OpenError::StaleLog { .. }), "{refused:?}");
    assert!(files() == before, "{refused}");
    fs::remove_file(with(&target, "-wal")).unwrap();
    assert_eq!(balance(&open(&target), 1).await, [20, 0, 0, 0]);
}

#[tokio::test]
async fn an_interrupted_backup_is_overwritten_and_concurrent_ones_are_refused() {
    let folder = Folder::new();
    let (_store, path) = open_database(&folder).await;
    let backup = folder.file("backup.db");
    let partial = with(&backup, ".partial");
    fs::write(&partial, "half a database".repeat(1000)).unwrap();
    fs::write(with(&partial, "-journal"), "of another time").unwrap();
    let other = fs::File::open(&partial).unwrap();
    other.lock().unwrap();
    let refused = sqlite::backup(&path, &backup).unwrap_err();
    assert!(matches!(refused, OpenError::CopyUnderWay { .. }), "{refused:?}");
    assert!(!backup.exists());
    drop(other);
    sqlite::backup(&path, &backup).unwrap();
    assert!(!partial.exists() && !with(&partial, "-journal").exists());
    assert_eq!(balance(&open(&backup), 1).await, [20, 0, 0, 0]);
    let refused = sqlite::backup(&path, &backup).unwrap_err();
    assert!(refused.to_string().contains("exists"), "{refused}");
}
