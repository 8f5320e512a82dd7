//! Opening a database file: ours alone, of a schema that we know, of the right mode, with the settings that
//! durability rests on. Nothing is changed before every check has passed.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::database_file::DatabaseFile;
use super::files::private;
use super::{migrate, wal_link};
use crate::error::OpenError;

/// "FPlc": marks a file as ours, in SQLite's header.
const APPLICATION_ID: i64 = 0x4650_6c63;
/// Older bundles have the WAL-reset bug (reliability: fixed in 3.51.3, March 2026).
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// Between two tries to take the lock.
const WAIT: Duration = Duration::from_millis(50);
/// Tries while a service seems to have it.
const WAITS_FOR_A_LOOK: u32 = 3;
/// Tries while a command seems to have it: three seconds.
const WAITS_FOR_A_COMMAND: u32 = 60;

/// Test and live never mix: a database belongs to one of them from its first day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Stripe's test mode or a sandbox.
    Test,
    /// Real money.
    Live,
}

impl Mode {
    /// `test` or `live`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Test, Self::Live].into_iter().find(|mode| mode.as_str() == name)
    }
}

/// Holds the file that keeps other processes out, for as long as it lives.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock beside `database`, or says who has it.
    pub(super) fn take(database: &Path) -> Result<Self, OpenError> {
        let mut waits = 0;
        loop {
            if let Some(lock) = Self::try_take(database)? {
                return Ok(lock);
            }
            let holder = holder(database);
            // A service says its name and stays. A command has no name and is gone in a moment, and so is
            // another process that only looks who has it.
            if waits >= if holder.is_some() { WAITS_FOR_A_LOOK } else { WAITS_FOR_A_COMMAND } {
                let holder = holder.unwrap_or_else(|| "which did not say its name".to_owned());
                return Err(OpenError::InUse { path: database.to_owned(), holder });
            }
            waits += 1;
            std::thread::sleep(WAIT);
        }
    }

    /// Takes the lock beside `database`; none where another has it.
    pub(super) fn try_take(database: &Path) -> Result<Option<Self>, OpenError> {
        let path = lock_path(database);
        let io = |source| OpenError::Io { path: path.clone(), source };
        let file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
            .open(&path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {
                // Whoever had it before says nothing about who has it now.
                file.set_len(0).map_err(io)?;
                Ok(Some(Self { file }))
            }
            Err(TryLockError::Error(error)) => Err(io(error)),
            Err(TryLockError::WouldBlock) => Ok(None),
        }
    }

    /// Writes who holds it, for whoever finds it taken.
    pub(super) fn describe(&mut self, text: &str) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(text.as_bytes())?;
        self.file.flush()
    }
}

/// What the process that has `database` wrote about itself, if there is one.
pub fn holder(database: &Path) -> Option<String> {
    let mut file = File::open(lock_path(database)).ok()?;
    if file.try_lock_shared().is_ok() {
        return None;
    }
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    (!text.is_empty()).then_some(text)
}

fn lock_path(database: &Path) -> PathBuf {
    // Two names of one file are one database. A file that is not there yet has only the one.
    let real = std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
    let mut name = real.into_os_string();
    name.push(".lock");
    name.into()
}

/// The mode that a database belongs to; none where there is no database of ours.
pub fn mode_of(path: &Path) -> Option<Mode> {
    let mode = reader(path).ok().and_then(|c| stored_mode(&c));
    // Beside a write-ahead log that is not its own, the file is asked alone; opening it says what is wrong.
    let mode = mode.or_else(|| stored_mode(&wal_link::without_log(path).ok()?));
    Mode::from_name(&mode?)
}

/// The mode that a database belongs to.
pub(super) fn mode_in(connection: &Connection) -> Option<Mode> {
    Mode::from_name(&stored_mode(connection)?)
}

/// Opens the one connection that writes, creating or migrating the database where that is possible.
pub(super) fn writer(file: &DatabaseFile, mode: Mode) -> Result<Connection, OpenError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(OpenError::SqliteTooOld { found: rusqlite::version().to_owned() });
    }
    let linked = wal_link::check(file.path())?;
    let path = file.path();
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let sqlite = |error: rusqlite::Error| OpenError::sqlite(path, &error);
    let id = ours(path, &connection)?;
    migrate::check(path, &connection)?;
    same_mode(path, &connection, mode)?;
    let journal: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(sqlite)?;
    if journal != "wal" {
        let message =
            format!("this file system does not allow write-ahead logging (it is in {journal} mode)");
        return Err(OpenError::Sqlite { path: path.to_owned(), message });
    }
    connection
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000;")
        .map_err(sqlite)?;
    // Before the first table, so that a file whose making was interrupted is still known as ours. Only then:
    // it would be a commit without a link.
    if id != APPLICATION_ID {
        connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(sqlite)?;
    }
    migrate::run(path, &mut connection)?;
    if stored_mode(&connection).is_none() {
        remember_mode(&mut connection, mode).map_err(sqlite)?;
    }
    if !linked {
        // From now on the file alone says which write-ahead log is its own.
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(sqlite)?;
    }
    Ok(connection)
}

/// Writes down which mode a new database belongs to.
fn remember_mode(connection: &mut Connection, mode: Mode) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute("INSERT INTO meta (key, value) VALUES ('mode', ?1)", [mode.as_str()])?;
    transaction.execute(wal_link::ADVANCE, [])?;
    transaction.commit()
}

/// Opens one of the connections that only read. An empty file holds nothing to read, and SQLite would delete
/// the write-ahead log beside it, which may be all that is left of a database.
pub(super) fn reader(path: &Path) -> Result<Connection, OpenError> {
    if std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0) {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "query_only", true).map_err(|error| OpenError::sqlite(path, &error))?;
    Ok(connection)
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, OpenError> {
    let sqlite = |error: rusqlite::Error| OpenError::sqlite(path, &error);
    let connection =
        Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(sqlite)?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(sqlite)?;
    connection.set_prepared_statement_cache_capacity(128);
    // A plan must not depend on what is bound: else a statement beside a partial index is prepared anew for
    // each value, which took a quarter of the writer's time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(sqlite)?;
    connection
        .execute_batch(
            "PRAGMA foreign_keys = ON; PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF;
             PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;",
        )
        .map_err(sqlite)?;
    Ok(connection)
}

/// An empty file becomes ours; any other must say that it is. Answers what it says.
pub(super) fn ours(path: &Path, connection: &Connection) -> Result<i64, OpenError> {
    let foreign = |_| OpenError::Foreign { path: path.to_owned() };
    let id: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(foreign)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(foreign)?;
    if id == APPLICATION_ID || (id == 0 && tables == 0) {
        Ok(id)
    } else {
        Err(OpenError::Foreign { path: path.to_owned() })
    }
}

fn same_mode(path: &Path, connection: &Connection, asked: Mode) -> Result<(), OpenError> {
    match stored_mode(connection) {
        Some(found) if found != asked.as_str() => {
            let asked = asked.as_str().to_owned();
            Err(OpenError::OtherMode { path: path.to_owned(), found, asked })
        }
        _ => Ok(()),
    }
}

fn stored_mode(connection: &Connection) -> Option<String> {
    let mode = connection.query_row("SELECT value FROM meta WHERE key = 'mode'", [], |row| row.get(0));
    // A new database has no such table yet.
    mode.optional().unwrap_or_default()
}

#[cfg(test)]
mod tests;
