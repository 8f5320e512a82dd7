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
            Self::Busy | Self::Closed | Self::Unknown(_) => false,
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
