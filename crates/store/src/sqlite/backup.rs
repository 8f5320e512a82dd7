//! A copy of a database that is in use, complete and consistent, made with SQLite's own backup. `cp` would
//! tear it, and another build of SQLite must not touch a file that is being written.

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
/// When there is no such database, its write-ahead log is not its own, `to` exists already or is being made
/// by another process, or the disk has no room.
pub fn backup(from: &Path, to: &Path) -> Result<(), OpenError> {
    let metadata = std::fs::metadata(from);
    metadata.map_err(|source| OpenError::Io { path: from.to_owned(), source })?;
    // Whoever has the database has checked this, and its file must not be touched.
    if let Some(_lock) = open::Lock::try_take(from)? {
        match DatabaseFile::open(from).and_then(|file| wal_link::check(file.path())) {
            Ok(_) | Err(OpenError::InUse { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    copy(&reader(from)?, to, Existing::Kept)
}

/// What happens to a file that has the name of the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    /// Nothing is copied.
    Kept,
    /// The copy takes its place.
    Overwritten,
}

/// Saves what an open connection sees beside the database that was taken away from under it; answers where.
/// The time in the name is SQLite's own: it tells people when, and decides nothing.
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

/// Copies what `source` sees to a new file at `to`, by way of `to`.partial. What an earlier copy that was
/// interrupted left there is overwritten.
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
    // All pages in one step: one moment of the database, and writers go on meanwhile.
    let copied =
        Backup::new(source, &mut copy).and_then(|b| b.run_to_completion(i32::MAX, Duration::ZERO, None));
    copied.and_then(|()| copy.pragma_update(None, "journal_mode", "delete")).map_err(sqlite)?;
    // From here on it is a database of its own: no write-ahead log of the other one belongs to it.
    copy.execute(wal_link::ADVANCE, []).map_err(sqlite)?;
    drop(copy);
    file.sync_all().map_err(io)?;
    std::fs::rename(&partial, to).map_err(io)?;
    // The name is on disk only once its folder is.
    File::open(folder_of(to)).and_then(|folder| folder.sync_all()).map_err(io)
}

/// Makes `partial` ours alone, so that two copies to one name never tear each other.
fn claim(partial: &Path, to: &Path) -> Result<File, OpenError> {
    let io = |source| OpenError::Io { path: to.to_owned(), source };
    let file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
        .open(partial)
        .map_err(io)?;
    let ours = files::lock(&file).map_err(io)?;
    let (opened, named) = (file.metadata().map_err(io)?, std::fs::metadata(partial));
    // Whoever was first may just have given it its final name.
    let still_there = named.is_ok_and(|named| (named.dev(), named.ino()) == (opened.dev(), opened.ino()));
    if !ours || !still_there {
        return Err(OpenError::CopyUnderWay { path: to.to_owned() });
    }
    Ok(file)
}
