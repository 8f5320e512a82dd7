//! What SQLite really leaves behind, told apart: logs that belong to the file beside them in every state that
//! a kill can leave, and logs that do not.
//!
//! A kill is a copy of the files while they are open: what is in the copy is what a killed process leaves.

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

/// One commit, as the writer makes them.
fn commit(c: &Connection, pages: u32) {
    let sql = format!(
        "BEGIN IMMEDIATE;
         INSERT OR REPLACE INTO write_probe VALUES (1, randomblob({pages} * 4096));
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

/// A killed process's files, under another name: the file of one, the log of another.
fn left_behind(file: &Path, log: &Path, to: &Path) {
    std::fs::copy(file, to).unwrap();
    std::fs::copy(log_of(log), log_of(to)).unwrap();
}

fn verdict(path: &Path) -> Result<bool, OpenError> {
    check(DatabaseFile::open(path).unwrap().path())
}

fn belongs(path: &Path, when: &str) {
    assert!(matches!(verdict(path), Ok(true)), "{when}: {:?}", verdict(path));
    let (connection, _file) = open(path);
    let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok", "{when}");
}

fn is_refused(path: &Path, when: &str) {
    let before = (std::fs::read(path).unwrap(), std::fs::read(log_of(path)).unwrap());
    assert!(matches!(verdict(path), Err(OpenError::StaleLog { .. })), "{when}: {:?}", verdict(path));
    assert_eq!((std::fs::read(path).unwrap(), std::fs::read(log_of(path)).unwrap()), before, "{when}");
}

#[test]
fn a_log_belongs_to_its_file_in_every_state_that_a_kill_leaves() {
    let folder = Folder::new("belongs");
    let path = folder.file("a.db");
    let (c, file) = open(&path);
    let killed = folder.file("killed.db");
    let mut kills = 0;
    let mut kill = |when: &str| {
        left_behind(&path, &path, &killed);
        belongs(&killed, when);
        kills += 1;
    };
    kill("just opened, and nothing written");
    commit(&c, 4);
    kill("one commit");
    for _ in 0..5 {
        commit(&c, 4);
    }
    kill("several commits");
    assert_eq!(checkpoint(&c, "PASSIVE").0, checkpoint(&c, "PASSIVE").1);
    kill("all of the log in the file, and the log still there");
    commit(&c, 1);
    let generation = Wal::open(&log_of(&path)).unwrap().unwrap().salts;
    kill("a new generation over what an earlier one left");
    let reading = reader(&path).unwrap();
    reading.execute_batch("BEGIN; SELECT count(*) FROM events").unwrap();
    for _ in 0..5 {
        commit(&c, 4);
    }
    let (in_log, in_file) = checkpoint(&c, "PASSIVE");
    assert!(in_file < in_log, "a reader keeps {in_log} from the file, which has {in_file}");
    kill("a part of the log in the file");
    commit(&c, 1);
    kill("and then another commit");
    assert_eq!(Wal::open(&log_of(&path)).unwrap().unwrap().salts, generation);
    reading.execute_batch("COMMIT").unwrap();
    checkpoint(&c, "TRUNCATE");
    kill("an empty log");
    c.execute_batch("BEGIN IMMEDIATE; INSERT INTO write_probe VALUES (2, zeroblob(9))").unwrap_err();
    c.execute_batch("ROLLBACK").unwrap();
    kill("nothing committed after that");
    assert_eq!(kills, 9);
    drop((reading, c, file));
    let (_c, _file) = open(&path);
    left_behind(&path, &path, &killed);
    belongs(&killed, "opened again, and nothing written");
}

#[test]
fn a_page_in_the_file_may_be_of_any_commit_of_the_log() {
    let folder = Folder::new("torn");
    let path = folder.file("a.db");
    let (c, _file) = open(&path);
    let (root, before) = of_file_alone(&path).unwrap().unwrap();
    let killed = folder.file("killed.db");
    let mut states = vec![std::fs::read(&path).unwrap()];
    commit(&c, 2);
    let mut _last = None;
    for _ in 0..3 {
        // Who reads from the log keeps it from being begun anew, though all of it is in the file.
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
    // A checkpoint that was cut short: the file's pages are of two moments, the token's page of either.
    let (page, last) = (4096 * (root as usize - 1), states.last().unwrap());
    let mut torn = last.clone();
    let earlier = &states[states.len() - 2];
    torn[page..page + 4096].copy_from_slice(&earlier[page..page + 4096]);
    for state in [last, &torn] {
        std::fs::write(&killed, state).unwrap();
        std::fs::copy(log_of(&path), log_of(&killed)).unwrap();
        assert!(matches!(verdict(&killed), Ok(true)), "{:?}", verdict(&killed));
    }
    for state in states {
        left_behind(&path, &path, &killed);
        std::fs::write(&killed, state).unwrap();
        belongs(&killed, "so much of the log in the file");
    }
}

#[test]
fn the_log_of_another_database_or_of_another_time_is_refused() {
    let folder = Folder::new("refused");
    let (path, other) = (folder.file("a.db"), folder.file("other.db"));
    let (a, _held_a) = open(&path);
    let (b, _held_b) = open(&other);
    commit(&a, 3);
    commit(&b, 3);
    let copy = folder.file("backup.db");
    backup(&path, &copy).unwrap();
    commit(&a, 3);
    let place = folder.file("place.db");
    left_behind(&copy, &path, &place);
    is_refused(&place, "a backup beside the log of the database that it is a copy of");
    left_behind(&other, &path, &place);
    is_refused(&place, "another database");
    checkpoint(&a, "TRUNCATE");
    commit(&a, 3);
    let old = folder.file("old.db");
    std::fs::copy(&path, &old).unwrap();
    checkpoint(&a, "TRUNCATE");
    commit(&a, 3);
    left_behind(&old, &path, &place);
    is_refused(&place, "the file as it was before the log was emptied");
    // Put in its own place again, it is what it was.
    left_behind(&path, &path, &place);
    belongs(&place, "the database itself");
}

#[test]
fn what_sqlite_takes_for_no_log_is_none() {
    let folder = Folder::new("none");
    let path = folder.file("a.db");
    let (c, file) = open(&path);
    commit(&c, 3);
    checkpoint(&c, "TRUNCATE");
    drop((c, file));
    let log = log_of(&path);
    for content in [&b""[..], b"short", &[7; 200], &[0; 5000]] {
        std::fs::write(&log, content).unwrap();
        assert!(matches!(verdict(&path), Ok(true)), "{} bytes: {:?}", content.len(), verdict(&path));
    }
}

#[test]
fn a_name_with_every_kind_of_character_is_found() {
    let folder = Folder::new("name");
    let path = folder.file("a b?c#d%e&ü.db");
    let (c, file) = open(&path);
    commit(&c, 1);
    assert!(of_file_alone(&path).unwrap().is_some());
    drop((c, file));
    assert!(matches!(verdict(&path), Ok(true)));
}
