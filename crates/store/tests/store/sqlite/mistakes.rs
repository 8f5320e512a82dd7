//! What operators do to the files by mistake, while they are in use and while they are not: nothing of it is
//! acknowledged into a file that nobody will open again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use store::{ClosedBecause, FileChange, Mode, OpenError, Safe, Store, StoreError, sqlite};

use super::{open, raw};
use crate::conformance::sale::{NOW, Sale, balance, delivery, learn};
use crate::folder::Folder;

fn with(path: &Path, suffix: &str) -> PathBuf {
    format!("{}{suffix}", path.display()).into()
}

/// A database with a past, open.
async fn in_use(folder: &Folder) -> (Store, PathBuf) {
    let path = folder.file("a.db");
    let store = open(&path);
    learn(&store, &[Sale::new("a").bought(), Sale::new("b").bought()]).await;
    (store, path)
}

/// The next write is not acknowledged, nor is any later one; answers why it closed.
async fn closes(store: &Store) -> ClosedBecause {
    let refused = store.ingest(delivery("evt_late"), NOW).await.unwrap_err();
    assert!(matches!(refused, StoreError::FileChanged(_)), "{refused:?}");
    let because = store.closed().await;
    let refused = store.ingest(delivery("evt_later"), NOW).await.unwrap_err();
    assert!(matches!(refused, StoreError::Closed), "{refused:?}");
    because
}

/// Where the copy is, which holds everything that was acknowledged.
async fn copied(because: &ClosedBecause) -> PathBuf {
    let ClosedBecause::FileChanged { safe: Safe::Copied(copy), .. } = because else { panic!("{because:?}") };
    assert!(because.to_string().contains(&format!("`faireplace restore {}`", copy.display())), "{because}");
    assert_eq!(fs::metadata(copy).unwrap().permissions().mode() & 0o777, 0o600);
    let saved = open(copy);
    assert_eq!(balance(&saved, 1).await, [20, 0, 0, 0]);
    assert_eq!(saved.audit().await.unwrap().faults, [""; 0]);
    copy.clone()
}

#[tokio::test]
async fn a_database_that_was_removed_acknowledges_nothing_and_is_saved() {
    let folder = Folder::new();
    let (store, path) = in_use(&folder).await;
    fs::remove_file(&path).unwrap();
    let copy = copied(&closes(&store).await).await;
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
        // The log of a database that is not there, or of an empty file in its place.
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        let refused = Store::open_sqlite(&path, Mode::Test).unwrap_err();
        assert!(matches!(refused, OpenError::LogWithoutDatabase { .. }), "{refused:?}");
        assert_eq!(sqlite::mode_of(&path), None);
        sqlite::backup(&path, &folder.file("copy.db")).unwrap_err();
        assert!(with(&path, "-wal").exists(), "a look has deleted all that is left");
        assert_eq!(path.exists(), content.is_some(), "nothing was made");
    }
    fs::remove_file(with(&path, "-wal")).unwrap();
    open(&path);
}

#[tokio::test]
async fn another_file_in_its_place_is_left_as_it_is() {
    let folder = Folder::new();
    let (store, path) = in_use(&folder).await;
    let other = folder.file("other.db");
    drop(open(&other));
    let content = fs::read(&other).unwrap();
    fs::rename(&other, &path).unwrap();
    copied(&closes(&store).await).await;
    drop(store);
    assert!(fs::read(&path).unwrap() == content, "the other file was written to");
}

#[tokio::test]
async fn a_folder_that_was_moved_is_made_again_for_what_is_saved_of_it() {
    let folder = Folder::new();
    fs::create_dir(folder.file("data")).unwrap();
    let path = folder.file("data/a.db");
    let store = open(&path);
    learn(&store, &[Sale::new("a").bought()]).await;
    fs::rename(folder.file("data"), folder.file("moved")).unwrap();
    let because = closes(&store).await;
    assert!(matches!(&because, ClosedBecause::FileChanged { safe: Safe::Copied(_), .. }), "{because:?}");
    drop(store);
    let refused = Store::open_sqlite(&path, Mode::Test).unwrap_err();
    assert!(matches!(refused, OpenError::RescuedCopy { .. }), "{refused:?}");
    assert_eq!(balance(&open(&folder.file("moved/a.db")), 1).await, [10, 0, 0, 0]);
}

#[tokio::test]
async fn where_not_even_the_marker_can_be_left_it_says_so() {
    let folder = Folder::new();
    fs::create_dir(folder.file("data")).unwrap();
    let path = folder.file("data/a.db");
    let store = open(&path);
    fs::rename(folder.file("data"), folder.file("moved")).unwrap();
    fs::write(folder.file("data"), "no folder").unwrap();
    let because = closes(&store).await;
    let ClosedBecause::FileChanged { safe: Safe::Nowhere { unmarked, .. }, .. } = &because else {
        panic!("{because:?}")
    };
    assert!(unmarked.is_some(), "{because:?}");
    assert!(because.to_string().contains("could NOT be saved"), "{because}");
    assert!(because.to_string().contains("Do NOT start it again before a restore"), "{because}");
    drop(store);
    Store::open_sqlite(&path, Mode::Test).unwrap_err();
}

/// A path so long that SQLite opens the database and what a restore makes, and not what is saved of it.
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
async fn where_no_copy_can_be_saved_nothing_starts_before_a_restore() {
    let folder = Folder::new();
    let (backup, path) = (folder.file("backup.db"), long_path(&folder));
    let store = open(&path);
    learn(&store, &[Sale::new("a").bought()]).await;
    sqlite::backup(&path, &backup).unwrap();
    for suffix in ["", "-wal", "-shm"] {
        fs::rename(with(&path, suffix), with(&folder.file("taken.db"), suffix)).unwrap();
    }
    let because = closes(&store).await;
    let ClosedBecause::FileChanged { safe: Safe::Nowhere { unmarked: None, .. }, .. } = &because else {
        panic!("{because:?}")
    };
    drop(store);
    let marker = with(&path, ".must-restore");
    let words = fs::read_to_string(&marker).unwrap();
    assert!(words.contains("could NOT be saved") && words.contains("`faireplace restore FILE`"), "{words}");
    fn refused(path: &Path) {
        let refused = Store::open_sqlite(path, Mode::Test).unwrap_err();
        assert!(matches!(refused, OpenError::MustRestore { .. }), "{refused:?}");
        assert!(refused.to_string().contains("`faireplace restore FILE`"), "{refused}");
    }
    refused(&path);
    assert!(!path.exists(), "nothing was made");
    fs::write(&path, "").unwrap();
    refused(&path);
    // Another database in its place is not what was acknowledged either.
    fs::copy(&backup, &path).unwrap();
    refused(&path);
    let done = sqlite::restore(&folder.file("taken.db"), &path, Mode::Test, |_| NOW).unwrap();
    assert_eq!(done.restore.revoked_keys, None, "what is there does not know it");
    assert!(!marker.exists());
    assert_eq!(balance(&open(&path), 1).await, [10, 0, 0, 0]);
}

/// Somebody reads the database as it was, so that the log cannot be moved into the file.
async fn a_log_that_cannot_be_emptied(suffix: &str) {
    let folder = Folder::new();
    let (store, path) = in_use(&folder).await;
    let reader = raw(&path);
    reader.execute_batch("BEGIN").unwrap();
    reader.query_row("SELECT count(*) FROM tenants", [], |_| Ok(())).unwrap();
    learn(&store, &[Sale::new("c").bought()]).await;
    fs::remove_file(with(&path, suffix)).unwrap();
    let because = closes(&store).await;
    let ClosedBecause::FileChanged { safe: Safe::Copied(copy), .. } = &because else { panic!("{because:?}") };
    let words = fs::read_to_string(with(&path, ".must-restore")).unwrap();
    assert!(words.contains(&copy.display().to_string()), "{words}");
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
async fn a_lost_log_that_cannot_be_moved_into_the_file_is_not_forgotten() {
    a_log_that_cannot_be_emptied("-wal").await;
}

#[tokio::test]
async fn a_lost_index_of_a_log_that_cannot_be_moved_into_the_file_is_not_forgotten() {
    a_log_that_cannot_be_emptied("-shm").await;
}

#[tokio::test]
async fn a_write_ahead_log_or_index_that_was_removed_is_noticed_and_all_of_it_is_in_the_file() {
    for suffix in ["-wal", "-shm"] {
        let folder = Folder::new();
        let (store, path) = in_use(&folder).await;
        fs::remove_file(with(&path, suffix)).unwrap();
        let because = closes(&store).await;
        let ClosedBecause::FileChanged { change, safe, .. } = &because else { panic!("{because:?}") };
        let expected =
            FileChange::CompanionMoved { path: fs::canonicalize(&path).map(|p| with(&p, suffix)).unwrap() };
        assert_eq!((change, safe), (&expected, &Safe::InPlace));
        drop(store);
        sqlite::examine(&path).unwrap();
        let left = fs::read_dir(folder.file("")).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = left.filter(|name| name.to_string_lossy().contains("resc")).collect();
        assert!(left.is_empty() && !with(&path, ".must-restore").exists(), "{left:?}");
        assert_eq!(balance(&open(&path), 1).await, [20, 0, 0, 0], "{suffix}");
    }
}

#[tokio::test]
async fn an_idle_service_notices_when_it_looks() {
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
        assert!(matches!(store.closed().await, ClosedBecause::FileChanged { .. }), "{looks}");
    }
}

#[tokio::test]
async fn a_second_name_is_refused_at_the_start_and_noticed_later() {
    let folder = Folder::new();
    let (store, path) = in_use(&folder).await;
    let second = folder.file("second.db");
    fs::hard_link(&path, &second).unwrap();
    let refused = Store::open_sqlite(&second, Mode::Test).unwrap_err();
    assert!(matches!(refused, OpenError::Linked { names: 2, .. }), "{refused:?}");
    let because = closes(&store).await;
    let ClosedBecause::FileChanged { change, safe, .. } = &because else { panic!("{because:?}") };
    assert!(matches!((change, safe), (FileChange::Linked { .. }, Safe::InPlace)), "{because:?}");
    drop(store);
    let refused = Store::open_sqlite(&path, Mode::Test).unwrap_err().to_string();
    assert!(refused.contains("has 2 names (hard links)"), "{refused}");
    fs::remove_file(&second).unwrap();
    assert_eq!(balance(&open(&path), 1).await, [20, 0, 0, 0]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn without_its_lock_file_it_is_still_in_use() {
    let folder = Folder::new();
    let (store, path) = in_use(&folder).await;
    fs::remove_file(with(&path, ".lock")).unwrap();
    let refused = Store::open_sqlite(&path, Mode::Test).unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused:?}");
    assert!(refused.to_string().contains("whose lock file is gone"), "{refused}");
    store.ingest(delivery("evt_1"), NOW).await.unwrap();
}

#[tokio::test]
async fn a_symbolic_link_is_followed_and_noticed_when_it_leads_elsewhere() {
    let folder = Folder::new();
    fs::create_dir(folder.file("data")).unwrap();
    let (real, path) = (folder.file("data/real.db"), folder.file("link.db"));
    drop(open(&real));
    std::os::unix::fs::symlink(&real, &path).unwrap();
    let store = open(&path);
    learn(&store, &[Sale::new("a").bought()]).await;
    fs::remove_file(&path).unwrap();
    let because = closes(&store).await;
    assert!(matches!(&because, ClosedBecause::FileChanged { change: FileChange::Moved { .. }, .. }));
    drop(store);
    // By neither name does one start, until a restore through the link has settled it.
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
async fn a_backup_put_beside_the_old_write_ahead_log_is_refused_and_nothing_is_changed() {
    let folder = Folder::new();
    let (store, path) = in_use(&folder).await;
    let backup = folder.file("backup.db");
    sqlite::backup(&path, &backup).unwrap();
    learn(&store, &[Sale::new("c").bought()]).await;
    // What a kill leaves, and the backup over it.
    let place = folder.file("place.db");
    fs::copy(with(&path, "-wal"), with(&place, "-wal")).unwrap();
    fs::copy(&backup, &place).unwrap();
    let files = || (fs::read(&place).unwrap(), fs::read(with(&place, "-wal")).unwrap());
    let before = files();
    assert_eq!(sqlite::mode_of(&place), Some(Mode::Test));
    let refused = Store::open_sqlite(&place, Mode::Test).unwrap_err();
    assert!(matches!(refused, OpenError::StaleLog { .. }), "{refused:?}");
    let refused = sqlite::backup(&place, &folder.file("copy.db")).unwrap_err();
    assert!(matches!(refused, OpenError::StaleLog { .. }), "{refused:?}");
    assert!(files() == before, "{refused}");
    fs::remove_file(with(&place, "-wal")).unwrap();
    assert_eq!(balance(&open(&place), 1).await, [20, 0, 0, 0]);
}

#[tokio::test]
async fn what_an_interrupted_backup_left_is_overwritten_and_two_at_once_do_not_meet() {
    let folder = Folder::new();
    let (_store, path) = in_use(&folder).await;
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
