//! Errors of the store. Each message says what happened to the money.

use std::path::{Path, PathBuf};

/// A verb failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The write queue is full, or the tenant has too many expirations pending. Nothing was written; retry.
    #[error("the database is busy; nothing of this was written, try again")]
    Busy,
    /// The database is closed, or stopped accepting writes after a failure.
    #[error("the database accepts no more writes, so this was not written; restart the service")]
    Closed,
    /// A write failed and may or may not be on disk: do not acknowledge it, read again. Queries never return
    /// this error.
    #[error("a write failed and may or may not be on disk: {0}")]
    Unknown(String),
    /// The path of the database no longer names the file that was written to, or the file has another name.
    /// The database closes. Do not acknowledge the write.
    #[error("the database file changed, so what was written may be lost: {0}")]
    FileChanged(String),
    /// The database was restored from a backup and the restore is not confirmed. Nothing was written.
    #[error("the database was restored from a backup that nobody has confirmed; nothing was changed")]
    RestoreUnconfirmed,
    /// A statement failed and was rolled back, without affecting other jobs.
    #[error("the database refused: {0}; nothing was written")]
    Refused(String),
    /// Stored data cannot be read.
    #[error("the database holds something that this program cannot read: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// Whether the request itself may be the cause. An error that a busy, closed or failing database causes
    /// must not count as a failed attempt of any item in the batch.
    pub fn is_caused_by_request(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Corrupt(_) => true,
            Self::Busy
            | Self::Closed
            | Self::Unknown(_)
            | Self::FileChanged(_)
            | Self::RestoreUnconfirmed => false,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseCorrupt, DiskFull, SystemIoFailure};
        match error.sqlite_error_code() {
            // The disk failed, so this does not count as a failed attempt of an event.
            Some(DatabaseCorrupt | DiskFull | SystemIoFailure) => Self::Unknown(error.to_string()),
            _ => Self::Refused(error.to_string()),
        }
    }
}

/// How the database file changed while it was open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// Its path names no file, or another one.
    Moved {
        /// The path.
        path: PathBuf,
    },
    /// The write-ahead log or its index was removed or replaced.
    CompanionMoved {
        /// The path of that file.
        path: PathBuf,
    },
    /// The file has further hard links. The acknowledged writes are in it.
    Linked {
        /// The path through which it was opened.
        path: PathBuf,
    },
}

impl std::fmt::Display for FileChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Moved { path } | Self::CompanionMoved { path } => {
                write!(f, "{} was removed or replaced while it was in use", path.display())
            }
            Self::Linked { path } => {
                write!(f, "{} was given a second name (a hard link) while it was in use", path.display())
            }
        }
    }
}

/// Why an open database stopped accepting writes. `Display` explains what happened, what it means for
/// acknowledged data, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// A write or a sync failed.
    DiskFailed(String),
    /// The path no longer names the open file, or the file has another name.
    FileChanged {
        /// The change.
        change: FileChange,
        /// The path.
        database: PathBuf,
        /// Where the acknowledged data is.
        rescue: Rescue,
    },
    /// The writer thread panicked.
    WriterPanicked,
}

/// Where the acknowledged data of a removed or replaced database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rescue {
    /// In the file at the path.
    InPlace,
    /// In a rescued copy.
    Copied(PathBuf),
    /// Only in the removed file: saving a copy failed.
    NotSaved {
        /// Why.
        why: String,
        /// Why the marker that prevents a start without a restore could not be written either.
        unmarked: Option<String>,
    },
}

impl std::fmt::Display for CloseReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::DiskFailed(error) => write!(
                f,
                "the disk failed ({error}), so the service stops: what was acknowledged is on disk, and \
                 Stripe sends the rest again. Look at the disk, then start it again"
            ),
            Self::FileChanged { change, database, rescue } => {
                write!(f, "{change}, so the service stops; nothing was acknowledged since. ")?;
                rescue.explain(f, change, database)
            }
            Self::WriterPanicked => f.write_str(
                "the writer panicked, so the service stops; everything that was acknowledged is on disk. \
                 Start it again, and please report the log lines above",
            ),
        }
    }
}

impl Rescue {
    fn explain(
        &self,
        f: &mut std::fmt::Formatter<'_>,
        change: &FileChange,
        database: &Path,
    ) -> std::fmt::Result {
        let database = database.display();
        match self {
            Self::InPlace => {
                write!(f, "Everything that was acknowledged before is in {database}. ")?;
                f.write_str(match change {
                    FileChange::Linked { .. } => "Remove the other name, then start it again",
                    FileChange::Moved { .. } | FileChange::CompanionMoved { .. } => {
                        "Find out what did this, then start it again"
                    }
                })
            }
            Self::Copied(copy) => {
                let copy = copy.display();
                write!(
                    f,
                    "Everything that was acknowledged before is in {copy}, which was saved just now. To \
                     continue with it, run `faireplace restore {copy}`, then start it again"
                )
            }
            Self::NotSaved { why, unmarked } => {
                write!(f, "A copy of what was acknowledged before could NOT be saved ({why}). ")?;
                match unmarked {
                    None => write!(f, "No service starts on {database} before a restore. ")?,
                    Some(error) => write!(
                        f,
                        "Do NOT start it again before a restore: it would begin an empty database, because \
                         {database}.must-restore could not be written either ({error}). "
                    )?,
                }
                f.write_str(RESTORE_ADVICE)
            }
        }
    }
}

/// Advice for when no copy could be saved.
const RESTORE_ADVICE: &str = "If you still have what was taken away, give the database and its -wal another \
     name (FILE and FILE-wal), and run `faireplace restore FILE`. Otherwise run `faireplace restore BACKUP`, \
     and have Stripe send the events since then again";

/// The database could not be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the database open.
    #[error("{path} is in use by another process ({holder}); two processes must not write one database")]
    InUse {
        /// The database file.
        path: PathBuf,
        /// How the other process described itself.
        holder: String,
    },
    /// The file has several hard links. Opened through another name, its write-ahead log would not be found.
    #[error(
        "{path} has {names} names (hard links); a database must have one, or its write-ahead log is missed \
         and what was acknowledged with it. Nothing was changed. Remove the other names: \
         `find DIRECTORY -samefile {path}` shows them"
    )]
    Linked {
        /// The file.
        path: PathBuf,
        /// Its number of hard links.
        names: u64,
    },
    /// The file was replaced while it was being opened.
    #[error("{path} was replaced while it was being opened; nothing was changed. Start it again")]
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// The write-ahead log beside the file belongs to another database or to an earlier state.
    #[error(
        "{log} does not belong to {path}: a database was put there beside the write-ahead log of another \
         one, and opening the two together would mix them. Nothing was changed. To put a backup in the \
         database's place, run `faireplace restore BACKUP`, which moves these files aside. If {path} alone \
         is what you want, move the -wal and the -shm file aside yourself"
    )]
    StaleLog {
        /// The database.
        path: PathBuf,
        /// The log.
        log: PathBuf,
    },
    /// There is a write-ahead log, but its database is missing or empty.
    #[error(
        "{log} holds writes of a database that is missing from {path}; starting a new one would lose them. \
         Nothing was changed. Put the database back beside it. To start anew, move the -wal and the -shm \
         file aside"
    )]
    LogWithoutDatabase {
        /// The database.
        path: PathBuf,
        /// The log.
        log: PathBuf,
    },
    /// A rescued copy lies beside the database's path.
    #[error(
        "{path} or its write-ahead log was removed or replaced while it was in use, so what was acknowledged \
         may be missing from it. {copy}, saved at that time, contains everything. Nothing was changed. Run \
         `faireplace restore {copy}`"
    )]
    RescuedCopy {
        /// The database.
        path: PathBuf,
        /// The rescued copy.
        copy: PathBuf,
    },
    /// The database was removed or replaced while in use, and the rescued copy, if there was one, is not
    /// beside it.
    #[error(
        "{path} or its write-ahead log was removed or replaced while it was in use, so what was acknowledged \
         may be missing from it, and no copy is here; {marker} says what happened. Nothing was changed. \
         {RESTORE_ADVICE}"
    )]
    MustRestore {
        /// The database.
        path: PathBuf,
        /// The marker that the process left.
        marker: PathBuf,
    },
    /// A restore was interrupted after it had moved the database aside.
    #[error(
        "there is no database at {path}, because a restore was interrupted; starting a new one would lose \
         what was acknowledged. Nothing was changed. Run `faireplace restore BACKUP` again; {copy} is a \
         complete copy of what it was restoring"
    )]
    RestoreInterrupted {
        /// The database.
        path: PathBuf,
        /// The finished copy that was to take its place.
        copy: PathBuf,
    },
    /// Another process is writing a copy to this path.
    #[error("{path} is being written by another process; nothing was copied. Choose another name, or wait")]
    CopyUnderWay {
        /// The file to create.
        path: PathBuf,
    },
    /// The file is not a faireplace database.
    #[error("{path} is not a faireplace database; nothing was changed. Name another file in DATABASE_URL")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The schema is newer than this release.
    #[error("{path} has schema {found}, this release supports up to {known}; use the release that wrote it")]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest schema that this release knows.
        known: i64,
    },
    /// A migration that this release ships differs from the one that was applied.
    #[error(
        "{path}: migration {version} is not the one that was applied to it; use the release that wrote it"
    )]
    MigrationChanged {
        /// The file.
        path: PathBuf,
        /// The migration's number.
        version: i64,
    },
    /// The database belongs to the other mode.
    #[error(
        "{path} belongs to {found} mode and this deployment runs in {deployment} mode; use another database"
    )]
    OtherMode {
        /// The file.
        path: PathBuf,
        /// The database's mode.
        found: String,
        /// The deployment's mode.
        deployment: String,
    },
    /// SQLite has the WAL-reset bug (fixed in 3.51.3), which can corrupt a database that two connections use.
    #[error("SQLite {found} can corrupt a database that two connections use; 3.51.3 or newer is needed")]
    SqliteTooOld {
        /// The version found.
        found: String,
    },
    /// The operating system refused.
    #[error("cannot open {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite refused.
    #[error("cannot open {path}: {message}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
}

impl OpenError {
    /// An error of SQLite about this file.
    pub(crate) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => Self::Foreign { path },
            _ => Self::Sqlite { path, message: error.to_string() },
        }
    }
}
