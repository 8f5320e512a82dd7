//! What can go wrong between a decision and the disk. Each message says what it means for the money.

use std::path::{Path, PathBuf};

/// A verb of the store did not do its work.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// There is too much to do first: the queue is full, or very many of a tenant's holds have just run out
    /// of time. Nothing of this was written; try again.
    #[error("the database is busy; nothing of this was written, try again")]
    Busy,
    /// The database is closed, or failed earlier and takes no more writes.
    #[error("the database takes no more writes, so this was not written; restart the service")]
    Closed,
    /// A write failed; a query never answers this. It may or may not be on disk: never acknowledge it, read
    /// again to find out.
    #[error("a write failed and may or may not be on disk: {0}")]
    Unknown(String),
    /// The path of the database does not name the file any more that this was written to, or not alone. The
    /// database closes. Never acknowledge it.
    #[error("what was written may not be found again: {0}")]
    FileChanged(String),
    /// The database was restored from a backup, and nobody has confirmed that yet. Nothing of this was
    /// written.
    #[error("the database was restored from a backup that nobody has confirmed; nothing was changed")]
    RestoreUnconfirmed,
    /// A statement failed; its own work was rolled back, its neighbours' was not.
    #[error("the database refused: {0}; nothing of it was written")]
    Refused(String),
    /// What is stored cannot be read, or not be understood.
    #[error("the database holds something that this program cannot read: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// Whether what was asked may itself be at fault. A database that is busy, closed or cannot commit says
    /// nothing about it: nothing may be held against any of a batch for that.
    pub fn is_about_the_work(&self) -> bool {
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
            // The disk's fault, not the work's: nothing may be held against an event for it.
            Some(DatabaseCorrupt | DiskFull | SystemIoFailure) => Self::Unknown(error.to_string()),
            _ => Self::Refused(error.to_string()),
        }
    }
}

/// What happened to the database file while it was open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// Its path names nothing, or another file.
    Moved {
        /// The path.
        path: PathBuf,
    },
    /// The write-ahead log or its index was removed or replaced.
    CompanionMoved {
        /// The path of that file.
        path: PathBuf,
    },
    /// It has further names (hard links). What was acknowledged is in it all the same.
    Linked {
        /// The path that it was opened by.
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

/// Why an open database takes no more writes. It prints as what happened, what it means for what was
/// acknowledged, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClosedBecause {
    /// A write or a sync failed.
    DiskFailed(String),
    /// Its path does not name the open file any more, or not alone.
    FileChanged {
        /// What happened to it.
        change: FileChange,
        /// The path.
        database: PathBuf,
        /// Where everything is that was acknowledged.
        safe: Safe,
    },
    /// The thread that writes panicked.
    WriterPanicked,
}

/// Where everything is that a database which was taken away had acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Safe {
    /// In the file that the path names.
    InPlace,
    /// In a copy that was saved.
    Copied(PathBuf),
    /// Only in what was taken away: saving a copy failed.
    Nowhere {
        /// Why.
        why: String,
        /// Why the marker could not be left either, which keeps a service from starting without a restore.
        unmarked: Option<String>,
    },
}

impl std::fmt::Display for ClosedBecause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::DiskFailed(error) => write!(
                f,
                "the disk failed ({error}), so the service stops: what was acknowledged is on disk, and \
                 Stripe sends the rest again. Look at the disk, then start it again"
            ),
            Self::FileChanged { change, database, safe } => {
                write!(f, "{change}, so the service stops; nothing was acknowledged since. ")?;
                safe.explain(f, change, database)
            }
            Self::WriterPanicked => f.write_str(
                "the part of the service that writes panicked, so all of it stops; what was acknowledged is \
                 on disk. Start it again, and please report the lines above",
            ),
        }
    }
}

impl Safe {
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
                        "Find out what did that, then start it again"
                    }
                })
            }
            Self::Copied(copy) => {
                let copy = copy.display();
                write!(
                    f,
                    "Everything that was acknowledged before is in {copy}, which was saved just now. To go \
                     on with it, run `faireplace restore {copy}`, then start it again"
                )
            }
            Self::Nowhere { why, unmarked } => {
                write!(f, "A copy of what was acknowledged before could NOT be saved ({why}). ")?;
                match unmarked {
                    None => write!(f, "No service starts on {database} before a restore. ")?,
                    Some(error) => write!(
                        f,
                        "Do NOT start it again before a restore: it would begin an empty database, because \
                         {database}.must-restore could not be written either ({error}). "
                    )?,
                }
                f.write_str(WITHOUT_A_COPY)
            }
        }
    }
}

/// What to do where no copy of what was acknowledged could be saved.
const WITHOUT_A_COPY: &str = "If you still have what was taken away, give the database and its -wal another \
     name (FILE and FILE-wal), and run `faireplace restore FILE`. Otherwise run `faireplace restore BACKUP`, \
     and have Stripe send the events since then again";

/// The database could not be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("{path} is in use by another process ({holder}); two processes must not write one database")]
    InUse {
        /// The database file.
        path: PathBuf,
        /// What the other process wrote about itself.
        holder: String,
    },
    /// It has several names in the file system. Through another name, its write-ahead log would not be found.
    #[error(
        "{path} has {names} names (hard links); a database must have one, or its write-ahead log is missed \
         and what was acknowledged with it. Nothing was changed. Remove the other names: \
         `find DIRECTORY -samefile {path}` shows them"
    )]
    Linked {
        /// The file.
        path: PathBuf,
        /// How many names it has.
        names: u64,
    },
    /// Somebody put another file in its place at this moment.
    #[error("{path} was replaced while it was being opened; nothing was changed. Start it again")]
    Replaced {
        /// The file.
        path: PathBuf,
    },
    /// The write-ahead log beside it is another database's, or of another time.
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
    /// There is a write-ahead log, and the database that it belongs to is missing or empty.
    #[error(
        "{log} holds writes of a database that is missing from {path}; a new one would bury them. Nothing \
         was changed. Put the database back beside it. To start anew, move the -wal and the -shm file aside"
    )]
    LogWithoutDatabase {
        /// The database.
        path: PathBuf,
        /// The log.
        log: PathBuf,
    },
    /// Beside the database, or its place, is what was rescued of it.
    #[error(
        "{path} or its write-ahead log was removed or replaced while it was in use, so what was acknowledged \
         may be missing from it. {copy}, saved at that time, has all of it. Nothing was changed. Run \
         `faireplace restore {copy}`"
    )]
    RescuedCopy {
        /// The database.
        path: PathBuf,
        /// What was saved of it.
        copy: PathBuf,
    },
    /// The database was taken away from under a process, and the copy that it saved, if it could save one, is
    /// not beside it.
    #[error(
        "{path} or its write-ahead log was removed or replaced while it was in use, so what was acknowledged \
         may be missing from it, and no copy is here; {marker} says what happened. Nothing was changed. \
         {WITHOUT_A_COPY}"
    )]
    MustRestore {
        /// The database.
        path: PathBuf,
        /// What the process left.
        marker: PathBuf,
    },
    /// A restore moved the database aside and was interrupted before it put the other one there.
    #[error(
        "there is no database at {path}, because a restore was interrupted; a new one would bury what was \
         acknowledged. Nothing was changed. Run `faireplace restore BACKUP` again; {copy} is a complete copy \
         of what it was restoring"
    )]
    RestoreInterrupted {
        /// The database.
        path: PathBuf,
        /// What was to be put there.
        copy: PathBuf,
    },
    /// Another process is copying to this name.
    #[error("{path} is being made by another process; nothing was copied. Choose another name, or wait")]
    CopyUnderWay {
        /// The file to make.
        path: PathBuf,
    },
    /// It is not ours.
    #[error("{path} is not a faireplace database; nothing was changed. Name another file in DATABASE_URL")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer release wrote it.
    #[error("{path} has schema {found}, this release knows up to {known}; use the release that wrote it")]
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
        /// Which one.
        version: i64,
    },
    /// Test and live never mix.
    #[error("{path} belongs to {found} mode and this deployment runs in {asked} mode; use another database")]
    OtherMode {
        /// The file.
        path: PathBuf,
        /// The database's mode.
        found: String,
        /// The deployment's mode.
        asked: String,
    },
    /// SQLite is too old to be trusted with two connections (the WAL-reset bug, fixed in 3.51.3).
    #[error("SQLite {found} can corrupt a database that two connections use; 3.51.3 or newer is needed")]
    SqliteTooOld {
        /// The version found.
        found: String,
    },
    /// The operating system said no.
    #[error("cannot open {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// SQLite said no.
    #[error("cannot open {path}: {message}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
}

impl OpenError {
    /// SQLite's own word about this file.
    pub(crate) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => Self::Foreign { path },
            _ => Self::Sqlite { path, message: error.to_string() },
        }
    }
}
