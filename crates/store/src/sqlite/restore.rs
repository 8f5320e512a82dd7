//! A backup put in the place of the database. The backup is copied, and the copy is made ready: checked from
//! end to end, and marked as restored. Only then is the database moved aside, and the copy takes its name.
//!
//! In whatever moment this is interrupted, the next start finds the old database, the new one, or none beside
//! a finished copy (`PATH.restoring`), where it refuses to begin an empty one.
//! Not here: what stands still until somebody confirms the restore (`unconfirmed`).

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
use crate::model::{Audit, ClockRecord, KeyRow, Restore};

/// What a database consists of.
const PARTS: [&str; 4] = ["", "-wal", "-shm", "-journal"];
/// Where the copy is checked, before it is one that may take the database's place.
const CHECKING: &str = ".restore-check";
const REPLACED: &str = ".replaced-";

/// What a restore did.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The database.
    pub database: PathBuf,
    /// What it is marked with.
    pub restore: Restore,
    /// What the audit of it found.
    pub audit: Audit,
    /// Events in it.
    pub events: i64,
    /// Where copies are now that were saved when the database was taken away from under a process.
    pub cleared: Vec<PathBuf>,
}

/// A backup was not restored. The database is as it was, unless it says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The database's place cannot be used.
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
    /// It is no database of this program.
    #[error(
        "{backup} is no database of this program, so nothing was changed. Name a file that `faireplace \
             backup` made, or one that was saved or moved aside"
    )]
    Foreign {
        /// The backup.
        backup: PathBuf,
    },
    /// It is the database.
    #[error("{backup} is the database itself, so nothing was changed. Name a backup")]
    Same {
        /// The backup.
        backup: PathBuf,
    },
    /// A process has the backup.
    #[error(
        "{backup} is in use by another process, so nothing was changed. Copy it with `faireplace backup` \
             and restore the copy"
    )]
    BackupInUse {
        /// The backup.
        backup: PathBuf,
    },
    /// Test and live never mix.
    #[error("{backup} is of {found} mode, and {what} of {expected} mode. Nothing was changed")]
    OtherMode {
        /// The backup.
        backup: PathBuf,
        /// Its mode.
        found: &'static str,
        /// What it should agree with.
        what: &'static str,
        /// The mode of that.
        expected: &'static str,
    },
    /// The backup is damaged.
    #[error("{backup} is damaged, so nothing was changed; restore an older backup. It says: {}",
            faults.join("; "))]
    Damaged {
        /// The backup.
        backup: PathBuf,
        /// What does not add up, in words.
        faults: Vec<String>,
    },
    /// It broke off when the database was already on its way.
    #[error(
        "the restore broke off: {source}. What was at {database} before is at {replaced}, or still \
             there. Run the same command again: until it is done, no service starts without what was \
             acknowledged"
    )]
    BrokeOff {
        /// The database.
        database: PathBuf,
        /// Where it was moved.
        replaced: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Puts a copy of the backup at `from` in the place of `database`, which is moved aside. `now` answers what
/// time it is, by what was last known of it.
///
/// # Errors
/// [`RestoreError`]. Until the copy is complete and found in order, nothing is changed.
pub fn restore(
    from: &Path,
    database: &Path,
    mode: Mode,
    now: impl FnOnce(&ClockRecord) -> Timestamp,
) -> Result<Restored, RestoreError> {
    let _lock = open::Lock::take(database).map_err(RestoreError::Database)?;
    let place = resolved(database);
    let io = |source| RestoreError::Database(OpenError::Io { path: place.clone(), source });
    let _held = held_if_there(&place)?;
    let backup =
        File::open(from).map_err(|source| of_backup(from, OpenError::Io { path: from.into(), source }))?;
    if std::fs::canonicalize(from).ok() == std::fs::canonicalize(&place).ok() {
        return Err(RestoreError::Same { backup: from.to_owned() });
    }
    if !files::lock(&backup).map_err(io)? {
        return Err(RestoreError::BackupInUse { backup: from.to_owned() });
    }
    let source = readable(from, mode)?;
    if let Some(replaced) = open::mode_of(&place).filter(|replaced| *replaced != mode) {
        return Err(other_mode(from, mode, "the database in its place is", replaced));
    }
    let checking = with_suffix(&place, CHECKING);
    let task = Task { from, names: [database, &place], place: &place, checking: &checking, mode };
    let prepared = prepare(&source, &task, now);
    drop(source);
    if prepared.is_err() {
        // Nothing of it is needed, and what cannot be removed is overwritten the next time.
        remove_parts(&checking);
    }
    let (restored, aside) = prepared?;
    let done = put_in_place(&checking, &place, &aside).and_then(|()| obstacles::clear(&[database, &place]));
    let cleared =
        done.map_err(|source| RestoreError::BrokeOff { database: place.clone(), replaced: aside, source })?;
    Ok(Restored { cleared, ..restored })
}

/// What is restored, and where to.
struct Task<'a> {
    from: &'a Path,
    /// The database as it was asked for, and where symbolic links lead.
    names: [&'a Path; 2],
    place: &'a Path,
    checking: &'a Path,
    mode: Mode,
}

/// Keeps other processes out of the database in this place, where there is one.
fn held_if_there(place: &Path) -> Result<Option<File>, RestoreError> {
    let failed = |source| RestoreError::Database(OpenError::Io { path: place.to_owned(), source });
    let file = match File::open(place) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if files::lock(&file).map_err(failed)? {
        return Ok(Some(file));
    }
    let holder = "whose lock file is gone".to_owned();
    Err(RestoreError::Database(OpenError::InUse { path: place.to_owned(), holder }))
}

fn of_backup(backup: &Path, source: OpenError) -> RestoreError {
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

/// Opens a backup to read it, if it is one that this release knows, of this mode.
fn readable(backup: &Path, mode: Mode) -> Result<Connection, RestoreError> {
    let failed = |error| match error {
        // The file could be opened, so it is what is in it.
        OpenError::Sqlite { message, .. } => {
            RestoreError::Damaged { backup: backup.to_owned(), faults: vec![message] }
        }
        error => of_backup(backup, error),
    };
    wal_link::check(backup).map_err(failed)?;
    let connection = open::reader(backup).map_err(failed)?;
    // An empty file becomes a new database elsewhere; here it is no backup.
    let id = open::ours(backup, &connection).map_err(failed)?;
    migrate::check(backup, &connection).map_err(failed)?;
    match open::mode_in(&connection) {
        Some(found) if id != 0 && found == mode => Ok(connection),
        Some(found) if id != 0 => Err(other_mode(backup, found, "this deployment is", mode)),
        _ => Err(RestoreError::Foreign { backup: backup.to_owned() }),
    }
}

/// Copies the backup to `checking`, and makes the copy ready to be used. Answers also where the database
/// before it is to go.
fn prepare(
    source: &Connection,
    task: &Task<'_>,
    now: impl FnOnce(&ClockRecord) -> Timestamp,
) -> Result<(Restored, PathBuf), RestoreError> {
    let Task { from, place, checking, mode, .. } = *task;
    let failed = |error| of_backup(from, error);
    let damaged = |faults| RestoreError::Damaged { backup: from.to_owned(), faults };
    let unreadable = |error: StoreError| damaged(vec![error.to_string()]);
    let faults = integrity(source).map_err(|error| damaged(vec![error.to_string()]))?;
    if !faults.is_empty() {
        return Err(damaged(faults));
    }
    // What a check left that was interrupted belongs to no copy that is made now.
    remove_parts(checking);
    copy(source, checking, Existing::Overwritten).map_err(failed)?;
    let file = DatabaseFile::open(checking).map_err(failed)?;
    let c = open::writer(&file, mode).map_err(failed)?;
    let audit = audit::audit(&c).map_err(unreadable)?;
    if !audit.faults.is_empty() {
        return Err(damaged(audit.faults));
    }
    let before = Before::find(task)?;
    let record = clock::record(&c).map_err(unreadable)?;
    let now = now(before.clock.as_ref().unwrap_or(&record));
    let aside = before.interrupted.clone().map_or_else(|| free_name(&c, place, now), Ok).map_err(failed)?;
    let restore = Restore {
        restored_at: now,
        newest: record.newest.max(record.mark.map(|mark| mark.at)),
        source: from.display().to_string(),
        replaced: before.is_there.then(|| aside.display().to_string()),
        revoked_keys: before.revoked(keys::list(&c).map_err(unreadable)?, now),
        events_since: 0,
    };
    let mark = || -> Result<(), StoreError> {
        c.execute_batch("BEGIN IMMEDIATE")?;
        unconfirmed::mark(&c, &restore)?;
        c.execute(wal_link::ADVANCE, [])?;
        Ok(c.execute_batch("COMMIT")?)
    };
    mark().map_err(unreadable)?;
    let events = audit::health(&c).map_err(unreadable)?.events;
    // It moves all of its write-ahead log into the file.
    c.close().map_err(|(_, error)| failed(OpenError::sqlite(checking, &error)))?;
    drop(file);
    let synced = File::open(checking).and_then(|file| file.sync_all());
    synced.map_err(|source| failed(OpenError::Io { path: checking.to_owned(), source }))?;
    Ok((Restored { database: place.to_owned(), restore, audit, events, cleared: Vec::new() }, aside))
}

/// Removes a database. What cannot be removed is overwritten the next time.
fn remove_parts(database: &Path) {
    PARTS.iter().for_each(|part| drop(std::fs::remove_file(with_suffix(database, part))));
}

/// What SQLite finds wrong with the file itself, in words.
fn integrity(c: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = c.prepare("PRAGMA integrity_check(20)")?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().filter(|fault| fault != "ok").collect())
}

/// Moves the database aside, and the finished copy into its place.
fn put_in_place(checking: &Path, place: &Path, aside: &Path) -> std::io::Result<()> {
    let folder = File::open(folder_of(place))?;
    let ready = with_suffix(place, RESTORING);
    std::fs::rename(checking, &ready)?;
    folder.sync_all()?;
    // The database goes first. Without it, its write-ahead log is refused; the other way round, the database
    // would be used without its write-ahead log.
    move_aside(place, aside)?;
    std::fs::rename(&ready, place)?;
    folder.sync_all()
}

/// Moves what the database consists of, the file first, and overwrites nothing.
fn move_aside(place: &Path, aside: &Path) -> std::io::Result<()> {
    for part in PARTS {
        let (from, to) = (with_suffix(place, part), with_suffix(aside, part));
        if !from.try_exists()? {
            continue;
        }
        if !to.try_exists()? {
            std::fs::rename(from, to)?;
        } else if std::fs::metadata(&from)?.len() == 0 {
            // It was moved before, and something has made an empty one since.
            std::fs::remove_file(from)?;
        } else {
            let message = format!("{} and {} are both there", from.display(), to.display());
            return Err(std::io::Error::new(ErrorKind::AlreadyExists, message));
        }
    }
    File::open(folder_of(place))?.sync_all()
}

/// A name for what is replaced that nothing has yet.
fn free_name(c: &Connection, place: &Path, now: Timestamp) -> Result<PathBuf, OpenError> {
    let stamp: String = c
        .query_row("SELECT strftime('%Y%m%dT%H%M%SZ', ?1, 'unixepoch')", [now.seconds()], |row| row.get(0))
        .map_err(|error| OpenError::sqlite(place, &error))?;
    let first = with_suffix(place, &format!("{REPLACED}{stamp}"));
    let names = (2..).map(|number| with_suffix(&first, &format!("-{number}")));
    let is_free = |name: &PathBuf| !PARTS.iter().any(|part| with_suffix(name, part).exists());
    Ok(std::iter::once(first.clone()).chain(names.take(1000)).find(is_free).unwrap_or(first))
}

/// The database that is to be replaced, as far as it can be read.
struct Before {
    /// There is one, or something that is left of one.
    is_there: bool,
    /// Where a restore that was interrupted has moved it.
    interrupted: Option<PathBuf>,
    clock: Option<ClockRecord>,
    /// None where it, or not all of it, can be read.
    keys: Option<Vec<KeyRow>>,
    /// It was restored itself, and nobody has confirmed that.
    unconfirmed: Option<Restore>,
}

impl Before {
    fn find(task: &Task<'_>) -> Result<Self, RestoreError> {
        let place = task.place;
        let interrupted = interrupted(place);
        if let Some(aside) = &interrupted {
            // Its log may know of what the file alone does not: of a key that was revoked, for one.
            let broke_off = |source| RestoreError::BrokeOff {
                database: place.to_owned(),
                replaced: aside.clone(),
                source,
            };
            move_aside(place, aside).map_err(broke_off)?;
        }
        let file = interrupted.as_deref().unwrap_or(place);
        let is_there = PARTS.iter().any(|part| with_suffix(file, part).exists());
        // What was saved when the database was taken away knows more than what is there now.
        let rescued = obstacles::newest_rescued(&task.names);
        let is_all =
            rescued.is_some() || obstacles::marker(&task.names).map_err(RestoreError::Database)?.is_none();
        let file = rescued.as_deref().unwrap_or(file);
        let c = file.exists().then(|| wal_link::check(file).and_then(|_| open::reader(file)).ok()).flatten();
        let clock = c.as_ref().and_then(|c| clock::record(c).ok());
        let keys = c.as_ref().filter(|_| is_all).and_then(|c| keys::list(c).ok());
        let unconfirmed = c.as_ref().and_then(|c| unconfirmed::find(c).ok()).flatten();
        Ok(Self { is_there, interrupted, clock, keys, unconfirmed })
    }

    /// Which of these keys work, and did not work any more in it; none where it cannot be read. What worked
    /// again in it, by a restore that nobody has confirmed, is one of them.
    fn revoked(&self, restored: Vec<KeyRow>, now: Timestamp) -> Option<Vec<String>> {
        let before = self.keys.as_ref()?;
        let again = match &self.unconfirmed {
            Some(restore) => restore.revoked_keys.clone()?,
            None => Vec::new(),
        };
        let ended = |key: &KeyRow| {
            again.contains(&key.id) || before.iter().any(|one| one.id == key.id && !one.works(now))
        };
        Some(restored.into_iter().filter(|key| key.works(now) && ended(key)).map(|key| key.id).collect())
    }
}

/// Where the restore moved the database that left this finished copy behind; none where it moved nothing yet.
fn interrupted(place: &Path) -> Option<PathBuf> {
    if std::fs::metadata(place).is_ok_and(|metadata| metadata.len() > 0) {
        return None;
    }
    let ready = with_suffix(place, RESTORING);
    let c = ready.exists().then(|| wal_link::without_log(&ready).ok()).flatten()?;
    unconfirmed::replaced(&c).ok()?.map(PathBuf::from)
}
