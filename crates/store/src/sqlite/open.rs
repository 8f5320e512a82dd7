//! Opens a database file: exclusively, with a supported schema, in the right mode, and with the settings that
//! durability depends on. Nothing is changed before all checks have passed.

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

/// "FPlc": identifies the file as ours in SQLite's header.
const APPLICATION_ID: i64 = 0x4650_6c63;
/// Older versions have the WAL-reset bug (fixed in 3.51.3, March 2026).
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// The interval between two attempts to take the lock.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);
/// The number of attempts while a service seems to hold the lock.
const TRIES_WHILE_HELD_BY_SERVICE: u32 = 3;
/// The number of attempts while a command seems to hold the lock: three seconds.
const TRIES_WHILE_HELD_BY_COMMAND: u32 = 60;

/// The mode of a database, which never changes.
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

/// Holds the lock that keeps other processes out, for as long as this value lives.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock beside `database`, or fails with its holder.
    pub(super) fn take(database: &Path) -> Result<Self, OpenError> {
        let mut tries = 0;
        loop {
            if let Some(lock) = Self::try_take(database)? {
                return Ok(lock);
            }
            let holder = holder(database);
            // A service describes itself in the lock file and keeps the lock. A command does not, and
            // releases the lock soon, as does a process that only checks who holds it.
            if tries
                >= if holder.is_some() { TRIES_WHILE_HELD_BY_SERVICE } else { TRIES_WHILE_HELD_BY_COMMAND }
            {
                let holder = holder.unwrap_or_else(|| "which did not describe itself".to_owned());
                return Err(OpenError::InUse { path: database.to_owned(), holder });
            }
            tries += 1;
            std::thread::sleep(RETRY_INTERVAL);
        }
    }

    /// Takes the lock beside `database`; `None` if another process holds it.
    pub(super) fn try_take(database: &Path) -> Result<Option<Self>, OpenError> {
        let path = lock_path(database);
        let io = |source| OpenError::Io { path: path.clone(), source };
        let file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
            .open(&path)
            .map_err(io)?;
        match file.try_lock() {
            Ok(()) => {
                // The previous holder's description is outdated.
                file.set_len(0).map_err(io)?;
                Ok(Some(Self { file }))
            }
            Err(TryLockError::Error(error)) => Err(io(error)),
            Err(TryLockError::WouldBlock) => Ok(None),
        }
    }

    /// Writes a description of the holder, for other processes to show.
    pub(super) fn describe(&mut self, text: &str) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(text.as_bytes())?;
        self.file.flush()
    }
}

/// The description of the process that holds the lock of `database`, if there is one.
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
    // Two paths of one file are one database. A missing file has only one path.
    let real = std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
    let mut name = real.into_os_string();
    name.push(".lock");
    name.into()
}

/// The mode of a database; `None` if there is no faireplace database.
pub fn mode_of(path: &Path) -> Option<Mode> {
    let mode = reader(path).ok().and_then(|c| stored_mode(&c));
    // If the write-ahead log belongs to another database, the file is read without it; opening it reports the
    // error.
    let mode = mode.or_else(|| stored_mode(&wal_link::without_log(path).ok()?));
    Mode::from_name(&mode?)
}

/// The mode of an open database.
pub(super) fn mode_in(connection: &Connection) -> Option<Mode> {
    Mode::from_name(&stored_mode(connection)?)
}

/// Opens the connection that writes, and creates or migrates the database if necessary.
pub(super) fn writer(file: &DatabaseFile, mode: Mode) -> Result<Connection, OpenError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(OpenError::SqliteTooOld { found: rusqlite::version().to_owned() });
    }
    let linked = wal_link::check(file.path())?;
    let path = file.path();
    let mut connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let sqlite = |error: rusqlite::Error| OpenError::sqlite(path, &error);
    let id = check_application_id(path, &connection)?;
    migrate::check(path, &connection)?;
    check_mode(path, &connection, mode)?;
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
    // Before the first table, so that a file whose creation was interrupted is still recognized. Only then,
    // because this commit has no WAL link.
    if id != APPLICATION_ID {
        connection.pragma_update(None, "application_id", APPLICATION_ID).map_err(sqlite)?;
    }
    migrate::run(path, &mut connection)?;
    if stored_mode(&connection).is_none() {
        store_mode(&mut connection, mode).map_err(sqlite)?;
    }
    if !linked {
        // After this, the file itself identifies its write-ahead log.
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(sqlite)?;
    }
    Ok(connection)
}

/// Stores the mode of a new database.
fn store_mode(connection: &mut Connection, mode: Mode) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute("INSERT INTO meta (key, value) VALUES ('mode', ?1)", [mode.as_str()])?;
    transaction.execute(wal_link::ADVANCE, [])?;
    transaction.commit()
}

/// Opens a connection for reading. An empty file has nothing to read, and SQLite would delete the write-ahead
/// log beside it, which may be all that is left of a database.
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
    // Query plans must not depend on bound values: otherwise a statement that could use a partial index is
    // prepared again for each value, which took a quarter of the writer's time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(sqlite)?;
    connection
        .execute_batch(
            "PRAGMA foreign_keys = ON; PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF;
             PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384;",
        )
        .map_err(sqlite)?;
    Ok(connection)
}

/// Accepts an empty file or one with our application id. Returns its application id.
pub(super) fn check_application_id(path: &Path, connection: &Connection) -> Result<i64, OpenError> {
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

fn check_mode(path: &Path, connection: &Connection, deployment: Mode) -> Result<(), OpenError> {
    match stored_mode(connection) {
        Some(found) if found != deployment.as_str() => {
            let deployment = deployment.as_str().to_owned();
            Err(OpenError::OtherMode { path: path.to_owned(), found, deployment })
        }
        _ => Ok(()),
    }
}

fn stored_mode(connection: &Connection) -> Option<String> {
    let mode = connection.query_row("SELECT value FROM meta WHERE key = 'mode'", [], |row| row.get(0));
    // A new database does not have this table yet.
    mode.optional().unwrap_or_default()
}

#[cfg(test)]
mod tests;
