//! What operators do to the files by mistake, while they are in use and while they are not: nothing of it is
//! acknowledged into a file that nobody will open again.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use store::{ClosedBecause, FileChange, Mode, OpenError, Safe, Store, StoreError, sqlite};

use super::open;
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
    for content in [None, Some("")] {
        // The log of a database that is not there, or of an empty file in its place.
        if let Some(content) = content {
            fs::write(&path, content).unwrap();
        }
        let refused = Store::open_sqlite(&path, Mode::Test).unwrap_err();
        assert!(matches!(refused, OpenError::LogWithoutDatabase { .. }), "{refused:?}");
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
async fn a_folder_that_was_moved_is_noticed_and_says_that_nothing_could_be_saved() {
    let folder = Folder::new();
    fs::create_dir(folder.file("data")).unwrap();
    let path = folder.file("data/a.db");
    let store = open(&path);
    learn(&store, &[Sale::new("a").bought()]).await;
    fs::rename(folder.file("data"), folder.file("moved")).unwrap();
    let because = closes(&store).await;
    assert!(matches!(&because, ClosedBecause::FileChanged { safe: Safe::Nowhere(_), .. }), "{because:?}");
    assert!(because.to_string().contains("could NOT be saved"), "{because}");
    drop(store);
    assert_eq!(balance(&open(&folder.file("moved/a.db")), 1).await, [10, 0, 0, 0]);
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
