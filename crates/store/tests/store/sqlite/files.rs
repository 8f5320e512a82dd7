//! Which files are opened and which are refused, with which messages; a refused file is left unchanged.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use store::{Mode, QuarantineFilter, Store, StoreError, sqlite};

use super::{open, raw};
use crate::conformance::test_purchase::{ALL, TestPurchase, apply, balance};
use crate::folder::Folder;

#[tokio::test]
async fn only_the_owner_can_read_the_files() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let store = open(&path);
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    for name in ["a.db", "a.db-wal", "a.db-shm", "a.db.lock"] {
        let mode = fs::metadata(folder.file(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name} has mode {mode:o}");
    }
}

#[tokio::test]
async fn a_closed_database_reopens_with_all_data() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let store = open(&path);
    apply(&store, &[TestPurchase::new("a").bought(), TestPurchase::new("b").bought_with_invalid_tenant()])
        .await;
    let before = store.audit().await.unwrap();
    drop(store);
    assert!(!folder.file("a.db-wal").exists(), "everything is in the one file that people copy");
    let store = open(&path);
    assert_eq!(store.audit().await.unwrap(), before);
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    assert_eq!(store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().total, 1);
    apply(&store, &[TestPurchase::new("c").bought()]).await;
    assert_eq!(balance(&store, 1).await, [20, 0, 0, 0]);
    assert_eq!(store.audit().await.unwrap().faults, [""; 0]);
}

#[test]
fn a_database_in_use_is_refused_and_names_its_holder() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    assert_eq!(sqlite::holder(&path), None, "it is not in use");
    let store = open(&path);
    assert_eq!(sqlite::holder(&path), None, "it has no description yet");
    check_refused(&path, Mode::Test, &["in use by another process", "did not describe itself"]);
    store.describe_holder("process 12 at 127.0.0.1:3000").unwrap();
    store.describe_holder("process 7").unwrap();
    assert_eq!(sqlite::holder(&path).as_deref(), Some("process 7"));
    check_refused(&path, Mode::Test, &["in use by another process", "(process 7)"]);

    let clone = store.clone();
    drop(store);
    check_refused(&path, Mode::Test, &["(process 7)"]);
    drop(clone);
    assert_eq!(sqlite::holder(&path), None);
    let _again = open(&path);
    check_refused(&path, Mode::Test, &["did not describe itself"]);
}

#[test]
fn a_foreign_file_is_refused_and_left_unchanged() {
    let folder = Folder::new();
    let database = |name: &str, sql: &str| {
        let path = folder.file(name);
        raw(&path).execute_batch(sql).unwrap();
        path
    };
    let text = folder.file("text");
    fs::write(&text, "Dear diary, this is a file of some length, and no database at all.\n".repeat(99))
        .unwrap();
    let files = [
        text,
        database("of another program", "CREATE TABLE t (a); INSERT INTO t VALUES (1);"),
        database("marked by another program", "PRAGMA application_id = 7; CREATE TABLE t (a);"),
        database("marked and empty", "PRAGMA application_id = 7;"),
        database(
            "of the same shape",
            "CREATE TABLE meta (key, value); CREATE TABLE migrations (version, checksum);",
        ),
    ];
    for path in files {
        let before = fs::read(&path).unwrap();
        check_refused(
            &path,
            Mode::Test,
            &["is not a faireplace database; nothing was changed", "DATABASE_URL"],
        );
        assert!(fs::read(&path).unwrap() == before, "{} was changed", path.display());
    }
}

#[test]
fn an_incompatible_database_is_refused_and_left_unchanged() {
    let table: [(&str, Mode, &[&str]); 4] = [
        ("INSERT INTO migrations VALUES (99, 'x')", Mode::Test, &["has schema 99", "supports up to 2"]),
        (
            "UPDATE migrations SET checksum = 'x'",
            Mode::Test,
            &["migration 1 is not the one that was applied"],
        ),
        ("SELECT 1", Mode::Live, &["belongs to test mode", "runs in live mode"]),
        ("UPDATE meta SET value = 'live' WHERE key = 'mode'", Mode::Test, &["belongs to live mode"]),
    ];
    for (sql, mode, expected) in table {
        let folder = Folder::new();
        let path = folder.file("a.db");
        drop(open(&path));
        let connection = raw(&path);
        connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).unwrap();
        connection.execute_batch(sql).unwrap();
        drop(connection);
        let before = fs::read(&path).unwrap();
        check_refused(&path, mode, expected);
        assert!(fs::read(&path).unwrap() == before, "{sql}: the file was changed");
    }
    assert_eq!(sqlite::SCHEMA_NEWEST, 2);
}

#[test]
fn the_interrupted_creation_of_a_database_is_completed() {
    let ours = format!("PRAGMA application_id = {};", 0x4650_6c63);
    let history = "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
         CREATE TABLE migrations (version INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT;";
    let stages = ["".to_owned(), "PRAGMA journal_mode = WAL;".to_owned(), ours.clone(), ours + history];
    for sql in stages {
        let folder = Folder::new();
        let path = folder.file("a.db");
        raw(&path).execute_batch(&sql).unwrap();
        drop(open(&path));
        check_refused(&path, Mode::Live, &["belongs to test mode"]);
    }
}

#[test]
fn a_path_that_cannot_hold_a_database_is_refused() {
    let folder = Folder::new();
    check_refused(&folder.file("no/such/folder/a.db"), Mode::Test, &["cannot open", "No such file"]);
    fs::create_dir(folder.file("folder")).unwrap();
    check_refused(&folder.file("folder"), Mode::Test, &["cannot open", "directory"]);
}

fn check_refused(path: &Path, mode: Mode, expected: &[&str]) {
    let refused = match Store::open_sqlite(path, mode) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error.to_string(),
    };
    for text in expected {
        assert!(refused.contains(text), "no '{text}' in: {refused}");
    }
}

#[tokio::test]
async fn a_query_on_a_damaged_file_reports_corruption() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let store = open(&path);
    let purchases = (0..100).map(|number| TestPurchase::new(format!("s{number}")).bought());
    apply(&store, &purchases.collect::<Vec<_>>()).await;
    drop(store);
    let store = open(&path);
    let mut content = fs::read(&path).unwrap();
    let half = content.len() / 2;
    content[half..].fill(0xff);
    fs::write(&path, content).unwrap();
    let error = store.audit().await.unwrap_err();
    assert!(matches!(&error, StoreError::Corrupt(what) if what.contains("malformed")), "{error:?}");
}
