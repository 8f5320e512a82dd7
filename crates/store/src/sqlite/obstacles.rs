//! Conditions that an operator must resolve before a database may be opened: a copy that was rescued when the
//! database was removed or replaced in use, the marker that such a process leaves first
//! (`PATH.must-restore`), an interrupted restore, or a write-ahead log without its database. Opening the path
//! in spite of them would lose acknowledged data, whether or not there is a file. Only a restore clears the
//! first two.

use std::ffi::OsStr;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::files::{folder_of, private, resolved, with_suffix};
use super::wal_link;
use crate::error::OpenError;

/// The suffix of a rescued copy, before the time.
pub(super) const RESCUED: &str = ".rescued-";
/// The suffix of a rescued copy that a restore has cleared.
const RESOLVED: &str = ".resolved";
/// The suffix of a finished copy that is about to take the database's path.
pub(super) const RESTORING: &str = ".restoring";
/// The suffix of the marker.
const MUST_RESTORE: &str = ".must-restore";

/// Looks for conditions that prevent opening the database at `path`. Changes nothing.
///
/// # Errors
/// The condition that it found.
pub fn examine(path: &Path) -> Result<(), OpenError> {
    let (given, path) = (path, &*resolved(path));
    let is_there = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0);
    if let Some(copy) = newest_rescued(&[given, path]) {
        return Err(OpenError::RescuedCopy { path: path.to_owned(), copy });
    }
    if let Some(marker) = marker(&[given, path])? {
        return Err(OpenError::MustRestore { path: path.to_owned(), marker });
    }
    let copy = with_suffix(path, RESTORING);
    if !is_there && copy.exists() {
        return Err(OpenError::RestoreInterrupted { path: path.to_owned(), copy });
    }
    // SQLite looks for the log beside the file that a symbolic link leads to.
    let missed = with_suffix(given, "-wal");
    if given != path && wal_link::has_commits(&missed) {
        return Err(OpenError::LogWithoutDatabase { path: given.to_owned(), log: missed });
    }
    let log = with_suffix(path, "-wal");
    if !is_there && wal_link::has_commits(&log) {
        return Err(OpenError::LogWithoutDatabase { path: path.to_owned(), log });
    }
    Ok(())
}

/// The marker beside one of the database's paths, if there is one.
pub(super) fn marker(paths: &[&Path]) -> Result<Option<PathBuf>, OpenError> {
    for path in paths {
        let marker = with_suffix(path, MUST_RESTORE);
        match std::fs::symlink_metadata(&marker) {
            Ok(_) => return Ok(Some(marker)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(source) => return Err(OpenError::Io { path: marker, source }),
        }
    }
    Ok(None)
}

/// The newest rescued copy that no restore has cleared.
pub(super) fn newest_rescued(paths: &[&Path]) -> Option<PathBuf> {
    paths.iter().find_map(|path| rescued(path).into_iter().max())
}

fn rescued(path: &Path) -> Vec<PathBuf> {
    let Some(name) = path.file_name() else { return Vec::new() };
    let prefix = with_suffix(Path::new(name), RESCUED).into_os_string();
    let is_copy = |name: &OsStr| {
        let time = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
        time.is_some_and(|time| time.iter().all(|b| b.is_ascii_digit() || b"TZ-".contains(b)))
    };
    let entries = std::fs::read_dir(folder_of(path)).into_iter().flatten().filter_map(Result::ok);
    let names = entries.map(|entry| entry.file_name()).filter(|name| is_copy(name));
    names.map(|name| path.with_file_name(name)).collect()
}

/// Whether a rescued copy may have this path: it is unused, and was not used before a restore.
pub(super) fn is_free(copy: &Path) -> bool {
    !copy.exists() && !with_suffix(copy, RESOLVED).exists()
}

/// Writes the marker beside each of the database's paths, so that nothing opens the database. If its
/// directory was moved away with it, the directory is created: whatever starts the service next might create
/// it too, with an empty database.
pub(super) fn leave(paths: &[&Path], description: &str) -> std::io::Result<()> {
    let mut outcome = Ok(());
    for path in paths {
        let marker = with_suffix(path, MUST_RESTORE);
        // Each path is tried, even if another failed.
        outcome = outcome.and(leave_at(&marker));
    }
    describe(paths, description);
    outcome
}

fn leave_at(marker: &Path) -> std::io::Result<()> {
    let folder = folder_of(marker);
    if !folder.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        sync(folder_of(folder))?;
    }
    private(OpenOptions::new().write(true).create(true).truncate(true)).open(marker)?;
    sync(folder)
}

/// Writes a description into the markers. Their existence is what counts: a full disk may not accept the
/// text.
pub(super) fn describe(paths: &[&Path], description: &str) {
    for path in paths {
        let marker = OpenOptions::new().write(true).truncate(true).open(with_suffix(path, MUST_RESTORE));
        let written = marker.and_then(|mut file| {
            writeln!(file, "{description}.")?;
            file.sync_all()
        });
        if let Err(error) = written {
            tracing::warn!(%error, "the marker beside the database has no text, but takes effect");
        }
    }
}

/// Removes the marker and the rescued copy after the database turned out to contain everything; `false` if
/// one of them still exists. Until the last step one of the two prevents opening the database.
pub(super) fn withdraw(paths: &[&Path], copy: Option<&Path>) -> bool {
    let markers = paths.iter().map(|path| with_suffix(path, MUST_RESTORE));
    let files = markers.chain(copy.map(Path::to_owned));
    files.into_iter().all(|file| removed(&file).and_then(|()| sync(folder_of(&file))).is_ok())
}

/// Renames the rescued copies and removes the marker after a restore. Returns the copies' new paths.
pub(super) fn clear(paths: &[&Path]) -> std::io::Result<Vec<PathBuf>> {
    let mut cleared = Vec::new();
    for path in paths {
        for copy in rescued(path) {
            let to = with_suffix(&copy, RESOLVED);
            std::fs::rename(&copy, &to)?;
            cleared.push(to);
        }
        sync(folder_of(path))?;
    }
    for path in paths {
        removed(&with_suffix(path, MUST_RESTORE))?;
        sync(folder_of(path))?;
    }
    Ok(cleared)
}

fn removed(file: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A change to a directory is durable only once the directory is synced.
fn sync(folder: &Path) -> std::io::Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all())
}
