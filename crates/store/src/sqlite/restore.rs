//! Restores a backup over the database. The backup is copied; the copy is checked completely and marked as
//! restored. Only then is the database moved aside, and the copy takes its path.
//!
//! Whenever this is interrupted, the next start finds the old database, the new one, or a finished copy
//! (`PATH.restoring`) without a database, in which case it refuses to create an empty one.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ledger::Timestamp;
use rusqlite::Connection;

use super::backup::{Existing, copy};
use super::database_file::DatabaseFile;
use super::files::{self, folder_of, resolved, with_suffix};
use super::obstacles::{self, RESTORING};
use super::open::{self, Mode};
use super::{audit, clock, keys, migrate, unconfirmed, wal_link};
use crate::error::{OpenError, StoreError};
use crate::model::{AuditReport, ClockRecord, KeyRow, RestoreRow};

/// The suffixes of a database's files.
const PARTS: [&str; 4] = ["", "-wal", "-shm", "-journal"];
/// The suffix of the copy while it is checked.
const CHECKING: &str = ".restore-check";
const REPLACED: &str = ".replaced-";

/// The result of a restore.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The database.
    pub database: PathBuf,
    /// The restore that has to be confirmed.
    pub restore: RestoreRow,
    /// The result of its audit.
    pub audit: AuditReport,
    /// The number of events in it.
    pub events: i64,
    /// The new paths of rescued copies that the restore cleared.
    pub cleared: Vec<PathBuf>,
}

/// The backup was not restored. The database is unchanged unless the error says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The database's path cannot be used.
    #[error(transparent)]
    Database(OpenError),
    /// The backup cannot be opened.
    #[error("{backup} cannot be restored, and nothing was changed: {source}")]
    Backup {
        /// The backup.
        backup: PathBuf,
        /// Why.
        source: OpenError,
    },
    /// The backup is not a database of this program.
    #[error(
        "{backup} is not a database of this program, so nothing was changed. Name a file that `faireplace \
             backup` made, or one that was saved or moved aside"
    )]
    Foreign {
        /// The backup.
        backup: PathBuf,
    },
    /// The backup is the database itself.
    #[error("{backup} is the database itself, so nothing was changed. Name a backup")]
    Same {
        /// The backup.
        backup: PathBuf,
    },
    /// Another process has the backup open.
    #[error(
        "{backup} is in use by another process, so nothing was changed. Copy it with `faireplace backup` \
             and restore the copy"
    )]
    BackupInUse {
        /// The backup.
        backup: PathBuf,
    },
    /// The backup belongs to the other mode.
    #[error("{backup} is of {found} mode, and {what} of {expected} mode. Nothing was changed")]
    OtherMode {
        /// The backup.
        backup: PathBuf,
        /// Its mode.
        found: &'static str,
        /// What it was compared with.
        what: &'static str,
        /// The mode of what it was compared with.
        expected: &'static str,
    },
    /// The backup is damaged.
    #[error("{backup} is damaged, so nothing was changed; restore an older backup. Details: {}",
            faults.join("; "))]
    Damaged {
        /// The backup.
        backup: PathBuf,
        /// The inconsistencies, as text.
        faults: Vec<String>,
    },
    /// The restore was interrupted after it had begun to replace the database.
    #[error(
        "the restore was interrupted: {source}. What was at {database} before is at {replaced}, or still \
             there. Run the same command again: until it is done, no service starts without what was \
             acknowledged"
    )]
    BrokeOff {
        /// The database.
        database: PathBuf,
        /// Where the replaced database was moved.
        replaced: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Replaces `database` with a copy of the backup at `from`, and moves the old database aside. `now` returns
/// the current time, given the stored clock.
///
/// # Errors
/// [`RestoreError`]. Until the copy is complete and checked, nothing is changed.
pub fn restore(
    from: &Path,
    database: &Path,
    mode: Mode,
    now: impl FnOnce(&ClockRecord) -> Timestamp,
) -> Result<Restored, RestoreError> {
    let _lock = open::Lock::take(database).map_err(RestoreError::Database)?;
    let target = resolved(database);
    let io = |source| RestoreError::Database(OpenError::Io { path: target.clone(), source });
    let _file_lock = lock_existing(&target)?;
    let backup =
        File::open(from).map_err(|source| backup_error(from, OpenError::Io { path: from.into(), source }))?;
    if std::fs::canonicalize(from).ok() == std::fs::canonicalize(&target).ok() {
        return Err(RestoreError::Same { backup: from.to_owned() });
    }
    if !files::lock(&backup).map_err(io)? {
        return Err(RestoreError::BackupInUse { backup: from.to_owned() });
    }
    let source = readable(from, mode)?;
    if let Some(replaced) = open::mode_of(&target).filter(|replaced| *replaced != mode) {
        return Err(other_mode(from, mode, "the existing database is", replaced));
    }
    let check_path = with_suffix(&target, CHECKING);
    let task =
        RestoreTask { from, paths: [database, &target], target: &target, check_path: &check_path, mode };
    let prepared = prepare(&source, &task, now);
    drop(source);
    if prepared.is_err() {
        // The copy is not needed. If it cannot be removed, the next restore overwrites it.
        remove_parts(&check_path);
    }
    let (restored, moved_to) = prepared?;
    let done = swap_in(&check_path, &target, &moved_to).and_then(|()| obstacles::clear(&[database, &target]));
    let cleared = done.map_err(|source| RestoreError::BrokeOff {
        database: target.clone(),
        replaced: moved_to,
        source,
    })?;
    Ok(Restored { cleared, ..restored })
}

/// The paths and the mode of a restore.
struct RestoreTask<'a> {
    from: &'a Path,
    /// The database's path as given, and with symbolic links resolved.
    paths: [&'a Path; 2],
    target: &'a Path,
    check_path: &'a Path,
    mode: Mode,
}

/// Locks an existing database at this path against other processes.
fn lock_existing(target: &Path) -> Result<Option<File>, RestoreError> {
    let failed = |source| RestoreError::Database(OpenError::Io { path: target.to_owned(), source });
    let file = match File::open(target) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if files::lock(&file).map_err(failed)? {
        return Ok(Some(file));
    }
    let holder = "whose lock file is missing".to_owned();
    Err(RestoreError::Database(OpenError::InUse { path: target.to_owned(), holder }))
}

fn backup_error(backup: &Path, source: OpenError) -> RestoreError {
    let backup = backup.to_owned();
    match source {
        OpenError::Foreign { .. } => RestoreError::Foreign { backup },
        source => RestoreError::Backup { backup, source },
    }
}

fn other_mode(backup: &Path, found: Mode, what: &'static str, expected: Mode) -> RestoreError {
    let (found, expected) = (found.as_str(), expected.as_str());
    RestoreError::OtherMode { backup: backup.to_owned(), found, what, expected }
}

/// Opens a backup for reading, if it has a supported schema and this mode.
fn readable(backup: &Path, mode: Mode) -> Result<Connection, RestoreError> {
    let failed = |error| match error {
        // The file could be opened, so its content is damaged.
        OpenError::Sqlite { message, .. } => {
            RestoreError::Damaged { backup: backup.to_owned(), faults: vec![message] }
        }
        error => backup_error(backup, error),
    };
    wal_link::check(backup).map_err(failed)?;
    let connection = open::reader(backup).map_err(failed)?;
    // Elsewhere an empty file becomes a new database; here it is not a backup.
    let id = open::check_application_id(backup, &connection).map_err(failed)?;
    migrate::check(backup, &connection).map_err(failed)?;
    match open::mode_in(&connection) {
        Some(found) if id != 0 && found == mode => Ok(connection),
        Some(found) if id != 0 => Err(other_mode(backup, found, "this deployment is", mode)),
        _ => Err(RestoreError::Foreign { backup: backup.to_owned() }),
    }
}

/// Copies the backup to `check_path`, and prepares the copy for use. Also returns where to move the replaced
/// database.
fn prepare(
    source: &Connection,
    task: &RestoreTask<'_>,
    now: impl FnOnce(&ClockRecord) -> Timestamp,
) -> Result<(Restored, PathBuf), RestoreError> {
    let RestoreTask { from, target, check_path, mode, .. } = *task;
    let failed = |error| backup_error(from, error);
    let damaged = |faults| RestoreError::Damaged { backup: from.to_owned(), faults };
    let unreadable = |error: StoreError| damaged(vec![error.to_string()]);
    let faults = integrity(source).map_err(|error| damaged(vec![error.to_string()]))?;
    if !faults.is_empty() {
        return Err(damaged(faults));
    }
    // Files of an interrupted restore do not belong to the new copy.
    remove_parts(check_path);
    copy(source, check_path, Existing::Overwritten).map_err(failed)?;
    let file = DatabaseFile::open(check_path).map_err(failed)?;
    let c = open::writer(&file, mode).map_err(failed)?;
    let audit = audit::audit(&c).map_err(unreadable)?;
    if !audit.faults.is_empty() {
        return Err(damaged(audit.faults));
    }
    let replaced = ReplacedDatabase::find(task)?;
    let record = clock::record(&c).map_err(unreadable)?;
    let now = now(replaced.clock.as_ref().unwrap_or(&record));
    let moved_to =
        replaced.interrupted.clone().map_or_else(|| unused_path(&c, target, now), Ok).map_err(failed)?;
    let restore = RestoreRow {
        restored_at: now,
        newest: record.newest.max(record.mark.map(|mark| mark.at)),
        source: from.display().to_string(),
        replaced: replaced.exists.then(|| moved_to.display().to_string()),
        revoked_keys: replaced.revoked(keys::list(&c).map_err(unreadable)?, now),
        events_since: 0,
    };
    let mark = || -> Result<(), StoreError> {
        c.execute_batch("BEGIN IMMEDIATE")?;
        unconfirmed::insert(&c, &restore)?;
        c.execute(wal_link::ADVANCE, [])?;
        Ok(c.execute_batch("COMMIT")?)
    };
    mark().map_err(unreadable)?;
    let events = audit::health(&c).map_err(unreadable)?.events;
    // Closing moves the whole write-ahead log into the file.
    c.close().map_err(|(_, error)| failed(OpenError::sqlite(check_path, &error)))?;
    drop(file);
    let synced = File::open(check_path).and_then(|file| file.sync_all());
    synced.map_err(|source| failed(OpenError::Io { path: check_path.to_owned(), source }))?;
    Ok((Restored { database: target.to_owned(), restore, audit, events, cleared: Vec::new() }, moved_to))
}

/// Removes a database's files. The next restore overwrites files that cannot be removed.
fn remove_parts(database: &Path) {
    PARTS.iter().for_each(|part| drop(std::fs::remove_file(with_suffix(database, part))));
}

/// The errors that SQLite's integrity check finds.
fn integrity(c: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = c.prepare("PRAGMA integrity_check(20)")?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().filter(|fault| fault != "ok").collect())
}

/// Moves the database aside, and the finished copy to its path.
fn swap_in(check_path: &Path, target: &Path, moved_to: &Path) -> std::io::Result<()> {
    let folder = File::open(folder_of(target))?;
    let ready = with_suffix(target, RESTORING);
    std::fs::rename(check_path, &ready)?;
    folder.sync_all()?;
    // The database file is moved first. Its write-ahead log alone is refused by the next start; the file
    // without its log would be used without the log's commits.
    move_aside(target, moved_to)?;
    std::fs::rename(&ready, target)?;
    folder.sync_all()
}

/// Moves the database's files, the main file first, and overwrites nothing.
fn move_aside(target: &Path, moved_to: &Path) -> std::io::Result<()> {
    for part in PARTS {
        let (from, to) = (with_suffix(target, part), with_suffix(moved_to, part));
        if !from.try_exists()? {
            continue;
        }
        if !to.try_exists()? {
            std::fs::rename(from, to)?;
        } else if std::fs::metadata(&from)?.len() == 0 {
            // It was already moved, and an empty file was created since.
            std::fs::remove_file(from)?;
        } else {
            let message = format!("both {} and {} exist", from.display(), to.display());
            return Err(std::io::Error::new(ErrorKind::AlreadyExists, message));
        }
    }
    File::open(folder_of(target))?.sync_all()
}

/// An unused path for the replaced database.
fn unused_path(c: &Connection, target: &Path, now: Timestamp) -> Result<PathBuf, OpenError> {
    let stamp: String = c
        .query_row("SELECT strftime('%Y%m%dT%H%M%SZ', ?1, 'unixepoch')", [now.seconds()], |row| row.get(0))
        .map_err(|error| OpenError::sqlite(target, &error))?;
    let first = with_suffix(target, &format!("{REPLACED}{stamp}"));
    let names = (2..).map(|number| with_suffix(&first, &format!("-{number}")));
    let is_free = |name: &PathBuf| !PARTS.iter().any(|part| with_suffix(name, part).exists());
    Ok(std::iter::once(first.clone()).chain(names.take(1000)).find(is_free).unwrap_or(first))
}

/// The database to be replaced, as far as it can be read.
struct ReplacedDatabase {
    /// The database, or some of its files, exist.
    exists: bool,
    /// Where an interrupted restore has moved it.
    interrupted: Option<PathBuf>,
    clock: Option<ClockRecord>,
    /// `None` if not all of it can be read.
    keys: Option<Vec<KeyRow>>,
    /// Its own unconfirmed restore.
    unconfirmed: Option<RestoreRow>,
}

impl ReplacedDatabase {
    fn find(task: &RestoreTask<'_>) -> Result<Self, RestoreError> {
        let target = task.target;
        let interrupted = interrupted(target);
        if let Some(moved_to) = &interrupted {
            // Its log may contain what the file alone does not, such as the revocation of a key.
            let broke_off = |source| RestoreError::BrokeOff {
                database: target.to_owned(),
                replaced: moved_to.clone(),
                source,
            };
            move_aside(target, moved_to).map_err(broke_off)?;
        }
        let file = interrupted.as_deref().unwrap_or(target);
        let exists = PARTS.iter().any(|part| with_suffix(file, part).exists());
        // A rescued copy is newer than the file at the path.
        let rescued = obstacles::newest_rescued(&task.paths);
        let is_all =
            rescued.is_some() || obstacles::marker(&task.paths).map_err(RestoreError::Database)?.is_none();
        let file = rescued.as_deref().unwrap_or(file);
        let c = file.exists().then(|| wal_link::check(file).and_then(|_| open::reader(file)).ok()).flatten();
        let clock = c.as_ref().and_then(|c| clock::record(c).ok());
        let keys = c.as_ref().filter(|_| is_all).and_then(|c| keys::list(c).ok());
        let unconfirmed = c.as_ref().and_then(|c| unconfirmed::find(c).ok()).flatten();
        Ok(Self { exists, interrupted, clock, keys, unconfirmed })
    }

    /// The restored keys that are valid but were no longer valid in the replaced database, or that an
    /// unconfirmed restore had made valid there; `None` if the replaced database cannot be read.
    fn revoked(&self, restored: Vec<KeyRow>, now: Timestamp) -> Option<Vec<String>> {
        let replaced = self.keys.as_ref()?;
        let reactivated = match &self.unconfirmed {
            Some(restore) => restore.revoked_keys.clone()?,
            None => Vec::new(),
        };
        let ended = |key: &KeyRow| {
            reactivated.contains(&key.id) || replaced.iter().any(|old| old.id == key.id && !old.works(now))
        };
        Some(restored.into_iter().filter(|key| key.works(now) && ended(key)).map(|key| key.id).collect())
    }
}

/// Where the restore that left this finished copy moved the database; `None` if it had moved nothing.
fn interrupted(target: &Path) -> Option<PathBuf> {
    if std::fs::metadata(target).is_ok_and(|metadata| metadata.len() > 0) {
        return None;
    }
    let ready = with_suffix(target, RESTORING);
    let c = ready.exists().then(|| wal_link::without_log(&ready).ok()).flatten()?;
    unconfirmed::replaced_path(&c).ok()?.map(PathBuf::from)
}
