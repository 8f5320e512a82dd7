//! Copies a database that is in use, completely and consistently, with SQLite's backup API. `cp` would copy a
//! torn state, and another build of SQLite must not open a file that is being written.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::database_file::DatabaseFile;
use super::files::{self, folder_of, private, with_suffix};
use super::obstacles::{self, RESCUED};
use super::open::{self, reader};
use super::wal_link;
use crate::error::OpenError;

/// Copies the database at `from` to a new file at `to`, which appears only when it is complete and on disk.
///
/// # Errors
/// There is no such database, its write-ahead log does not belong to it, `to` exists or is being written by
/// another process, or the disk is full.
pub fn backup(from: &Path, to: &Path) -> Result<(), OpenError> {
    let metadata = std::fs::metadata(from);
    metadata.map_err(|source| OpenError::Io { path: from.to_owned(), source })?;
    // A process that has the database open has checked this, and its file must not be opened here.
    if let Some(_lock) = open::Lock::try_take(from)? {
        match DatabaseFile::open(from).and_then(|file| wal_link::check(file.path())) {
            Ok(_) | Err(OpenError::InUse { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    copy(&reader(from)?, to, Existing::Kept)
}

/// What to do with an existing file at the copy's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    /// Copy nothing.
    Kept,
    /// Replace the file.
    Overwritten,
}

/// Saves what an open connection sees beside the path of its removed or replaced database, and returns the
/// copy's path. The time in the name is SQLite's own; it is only for people.
pub(super) fn rescue(connection: &Connection, database: &Path) -> Result<PathBuf, OpenError> {
    let stamp: String = connection
        .query_row("SELECT strftime('%Y%m%dT%H%M%SZ', 'now')", [], |row| row.get(0))
        .map_err(|error| OpenError::sqlite(database, &error))?;
    let first = with_suffix(database, &format!("{RESCUED}{stamp}"));
    let mut to = first.clone();
    for number in 2..100 {
        if obstacles::is_free(&to) {
            break;
        }
        to = with_suffix(&first, &format!("-{number}"));
    }
    copy(connection, &to, Existing::Kept).map(|()| to)
}

/// Copies what `source` sees to a new file at `to`, through `to`.partial. A leftover of an interrupted copy
/// is overwritten.
pub(super) fn copy(source: &Connection, to: &Path, existing: Existing) -> Result<(), OpenError> {
    let io = |source| OpenError::Io { path: to.to_owned(), source };
    let partial = with_suffix(to, ".partial");
    let file = claim(&partial, to)?;
    if existing == Existing::Kept && to.exists() {
        return Err(io(ErrorKind::AlreadyExists.into()));
    }
    for leftover in ["-journal", "-wal", "-shm"] {
        match std::fs::remove_file(with_suffix(&partial, leftover)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
    }
    file.set_len(0).map_err(io)?;
    let sqlite = |error: rusqlite::Error| OpenError::sqlite(to, &error);
    let mut copy = Connection::open(&partial).map_err(sqlite)?;
    // All pages in one step: the copy is one state of the database, and writers continue meanwhile.
    let copied =
        Backup::new(source, &mut copy).and_then(|b| b.run_to_completion(i32::MAX, Duration::ZERO, None));
    copied.and_then(|()| copy.pragma_update(None, "journal_mode", "delete")).map_err(sqlite)?;
    // The copy is now a separate database: no write-ahead log of the original belongs to it.
    copy.execute(wal_link::ADVANCE, []).map_err(sqlite)?;
    drop(copy);
    file.sync_all().map_err(io)?;
    std::fs::rename(&partial, to).map_err(io)?;
    // A new file name is durable only once its directory is synced.
    File::open(folder_of(to)).and_then(|folder| folder.sync_all()).map_err(io)
}

/// Locks `partial`, so that two copies to one path do not mix.
fn claim(partial: &Path, to: &Path) -> Result<File, OpenError> {
    let io = |source| OpenError::Io { path: to.to_owned(), source };
    let file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
        .open(partial)
        .map_err(io)?;
    let ours = files::lock(&file).map_err(io)?;
    let (opened, named) = (file.metadata().map_err(io)?, std::fs::metadata(partial));
    // The first process may just have renamed it to its final path.
    let still_there = named.is_ok_and(|named| (named.dev(), named.ino()) == (opened.dev(), opened.ino()));
    if !ours || !still_there {
        return Err(OpenError::CopyUnderWay { path: to.to_owned() });
    }
    Ok(file)
}
