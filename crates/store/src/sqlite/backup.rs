//! A copy of a database that is in use, complete and consistent, made with SQLite's own backup. `cp` would
//! tear it, and another build of SQLite must not touch a file that is being written.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::open::{private_file, reader};
use crate::error::OpenError;

/// Copies the database at `from` to a new file at `to`, which appears only when it is complete and on disk.
///
/// # Errors
/// When there is no such database, `to` exists already, or the disk has no room.
pub fn backup(from: &Path, to: &Path) -> Result<(), OpenError> {
    let io = |source| OpenError::Io { path: to.to_owned(), source };
    if to.exists() {
        return Err(io(std::io::ErrorKind::AlreadyExists.into()));
    }
    let mut partial = to.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    private_file(&partial)?;
    let source = reader(from)?;
    let sqlite = |error: rusqlite::Error| OpenError::sqlite(to, &error);
    let mut copy = Connection::open(&partial).map_err(sqlite)?;
    // All pages in one step: one moment of the database, and writers go on meanwhile.
    let copied =
        Backup::new(&source, &mut copy).and_then(|b| b.run_to_completion(i32::MAX, Duration::ZERO, None));
    copied.and_then(|()| copy.pragma_update(None, "journal_mode", "delete")).map_err(sqlite)?;
    drop(copy);
    File::open(&partial).and_then(|file| file.sync_all()).map_err(io)?;
    std::fs::rename(&partial, to).map_err(io)?;
    // The name is on disk only once its folder is.
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)
}
