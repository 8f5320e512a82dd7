//! Logs that SQLite really leaves behind: those that belong to the file beside them, in every state after a
//! kill, and those that do not.
//!
//! A kill is simulated by copying the files while they are open.

use std::path::{Path, PathBuf};

use super::{ADVANCE, Wal, check, of_file_alone};
use crate::error::OpenError;
use crate::sqlite::Mode;
use crate::sqlite::backup::backup;
use crate::sqlite::database_file::DatabaseFile;
use crate::sqlite::open::{reader, writer};
use rusqlite::Connection;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("store-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn open(path: &Path) -> (Connection, DatabaseFile) {
    let file = DatabaseFile::open(path).unwrap();
    (writer(&file, Mode::Test).unwrap(), file)
}

/// Commits as the writer does.
fn commit(c: &Connection, pages: u32) {
    let sql = format!(
        "BEGIN IMMEDIATE;
         INSERT OR REPLACE INTO write_check VALUES (1, randomblob({pages} * 4096));
         {ADVANCE}; COMMIT;"
    );
    c.execute_batch(&sql).unwrap();
}

fn checkpoint(c: &Connection, how: &str) -> (i64, i64) {
    c.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |row| Ok((row.get(1)?, row.get(2)?))).unwrap()
}

fn log_of(path: &Path) -> PathBuf {
    format!("{}-wal", path.display()).into()
}

/// Copies the file of one database and the log of another to a new path.
fn copy_file_and_log(file: &Path, log: &Path, to: &Path) {
    std::fs::copy(file, to).unwrap();
    std::fs::copy(log_of(log), log_of(to)).unwrap();
}

fn check_result(path: &Path) -> Result<bool, OpenError> {
    check(DatabaseFile::open(path).unwrap().path())
}

fn check_accepted(path: &Path, when: &str) {
    assert!(matches!(check_result(path), Ok(true)), "{when}: {:?}", check_result(path));
    let (connection, _file) = open(path);
    let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok", "{when}");
}

fn check_refused(path: &Path, when: &str) {
    let before = (std::fs::read(path).unwrap(), std::fs::read(log_of(path)).unwrap());
    assert!(
        matches!(check_result(path), Err(OpenError::StaleLog { .. })),
        "{when}: {:?}",
        check_result(path)
    );
    assert_eq!((std::fs::read(path).unwrap(), std::fs::read(log_of(path)).unwrap()), before, "{when}");
}

#[test]
fn a_log_matches_its_file_in_every_state_after_a_kill() {
    let folder = Folder::new("belongs");
    let path = folder.file("a.db");
    let (c, file) = open(&path);
    let killed = folder.file("killed.db");
    let mut kills = 0;
    let mut kill = |when: &str| {
        copy_file_and_log(&path, &path, &killed);
        check_accepted(&killed, when);
        kills += 1;
    };
    kill("just opened, nothing written");
    commit(&c, 4);
    kill("one commit");
    for _ in 0..5 {
        commit(&c, 4);
    }
    kill("several commits");
    assert_eq!(checkpoint(&c, "PASSIVE").0, checkpoint(&c, "PASSIVE").1);
    kill("the whole log in the file, and the log still present");
    commit(&c, 1);
    let generation = Wal::open(&log_of(&path)).unwrap().unwrap().salts;
    kill("a new generation over an earlier one");
    let reading = reader(&path).unwrap();
    reading.execute_batch("BEGIN; SELECT count(*) FROM events").unwrap();
    for _ in 0..5 {
        commit(&c, 4);
    }
    let (in_log, in_file) = checkpoint(&c, "PASSIVE");
    assert!(in_file < in_log, "a reader keeps {in_log} from the file, which has {in_file}");
    kill("a part of the log in the file");
    commit(&c, 1);
    kill("then another commit");
    assert_eq!(Wal::open(&log_of(&path)).unwrap().unwrap().salts, generation);
    reading.execute_batch("COMMIT").unwrap();
    checkpoint(&c, "TRUNCATE");
    kill("an empty log");
    c.execute_batch("BEGIN IMMEDIATE; INSERT INTO write_check VALUES (2, zeroblob(9))").unwrap_err();
    c.execute_batch("ROLLBACK").unwrap();
    kill("a rolled-back transaction");
    assert_eq!(kills, 9);
    drop((reading, c, file));
    let (_c, _file) = open(&path);
    copy_file_and_log(&path, &path, &killed);
    check_accepted(&killed, "opened again, nothing written");
}

#[test]
fn a_page_in_the_file_may_belong_to_any_commit_in_the_log() {
    let folder = Folder::new("torn");
    let path = folder.file("a.db");
    let (c, _file) = open(&path);
    let (root, before) = of_file_alone(&path).unwrap().unwrap();
    let killed = folder.file("killed.db");
    let mut states = vec![std::fs::read(&path).unwrap()];
    commit(&c, 2);
    let mut _last = None;
    for _ in 0..3 {
        // A reader keeps the log from being restarted, although all of it is in the file.
        let reading = reader(&path).unwrap();
        reading.execute_batch("BEGIN; SELECT count(*) FROM events").unwrap();
        _last = Some(reading);
        let (in_log, in_file) = checkpoint(&c, "PASSIVE");
        assert_eq!(in_log, in_file);
        states.push(std::fs::read(&path).unwrap());
        commit(&c, 2);
    }
    let (_, now) = of_file_alone(&path).unwrap().unwrap();
    assert_ne!(before, now);
    // An interrupted checkpoint: the file's pages are from two states, and the token's page from either.
    let (page, last) = (4096 * (root as usize - 1), states.last().unwrap());
    let mut torn = last.clone();
    let earlier = &states[states.len() - 2];
    torn[page..page + 4096].copy_from_slice(&earlier[page..page + 4096]);
    for state in [last, &torn] {
        std::fs::write(&killed, state).unwrap();
        std::fs::copy(log_of(&path), log_of(&killed)).unwrap();
        assert!(matches!(check_result(&killed), Ok(true)), "{:?}", check_result(&killed));
    }
    for state in states {
        copy_file_and_log(&path, &path, &killed);
        std::fs::write(&killed, state).unwrap();
        check_accepted(&killed, "part of the log in the file");
    }
}

#[test]
fn the_log_of_another_database_or_state_is_refused() {
    let folder = Folder::new("refused");
    let (path, other) = (folder.file("a.db"), folder.file("other.db"));
    let (a, _held_a) = open(&path);
    let (b, _held_b) = open(&other);
    commit(&a, 3);
    commit(&b, 3);
    let copy = folder.file("backup.db");
    backup(&path, &copy).unwrap();
    commit(&a, 3);
    let target = folder.file("target.db");
    copy_file_and_log(&copy, &path, &target);
    check_refused(&target, "a backup beside the log of its original");
    copy_file_and_log(&other, &path, &target);
    check_refused(&target, "another database");
    checkpoint(&a, "TRUNCATE");
    commit(&a, 3);
    let old = folder.file("old.db");
    std::fs::copy(&path, &old).unwrap();
    checkpoint(&a, "TRUNCATE");
    commit(&a, 3);
    copy_file_and_log(&old, &path, &target);
    check_refused(&target, "the file before the log was truncated");
    // At its own path it is accepted again.
    copy_file_and_log(&path, &path, &target);
    check_accepted(&target, "the database itself");
}

#[test]
fn a_file_that_sqlite_does_not_accept_as_a_log_is_ignored() {
    let folder = Folder::new("none");
    let path = folder.file("a.db");
    let (c, file) = open(&path);
    commit(&c, 3);
    checkpoint(&c, "TRUNCATE");
    drop((c, file));
    let log = log_of(&path);
    for content in [&b""[..], b"short", &[7; 200], &[0; 5000]] {
        std::fs::write(&log, content).unwrap();
        assert!(
            matches!(check_result(&path), Ok(true)),
            "{} bytes: {:?}",
            content.len(),
            check_result(&path)
        );
    }
}

#[test]
fn a_path_with_special_characters_is_found() {
    let folder = Folder::new("name");
    let path = folder.file("a b?c#d%e&ü.db");
    let (c, file) = open(&path);
    commit(&c, 1);
    assert!(of_file_alone(&path).unwrap().is_some());
    drop((c, file));
    assert!(matches!(check_result(&path), Ok(true)));
}
