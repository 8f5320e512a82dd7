//! What a person must settle before a database may be opened: a copy that was saved when it was taken away
//! from under a process, the marker that such a process leaves before anything else (`PATH.must-restore`), a
//! restore that was interrupted, or a write-ahead log without its database. Going on beside any of them would
//! lose what was acknowledged, whether or not there is a file at the path. Only a restore clears the first
//! two.
//! Not here: saving the copy (`backup`), and whether a write-ahead log belongs to its file (`wal_link`).

use std::ffi::OsStr;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::files::{folder_of, private, resolved, with_suffix};
use super::wal_link;
use crate::error::OpenError;

/// What follows the database's name in that of a rescued copy, before the time.
pub(super) const RESCUED: &str = ".rescued-";
/// What follows the name of a rescued copy once a restore has cleared it.
const RESOLVED: &str = ".resolved";
/// What follows the database's name in that of a finished copy which is about to take its place.
pub(super) const RESTORING: &str = ".restoring";
/// What follows the database's name in that of the marker.
const MUST_RESTORE: &str = ".must-restore";

/// Looks for what keeps the database at `path` from being opened, and changes nothing.
///
/// # Errors
/// What it found.
pub fn examine(path: &Path) -> Result<(), OpenError> {
    let (asked, path) = (path, &*resolved(path));
    let is_there = std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0);
    if let Some(copy) = newest_rescued(&[asked, path]) {
        return Err(OpenError::RescuedCopy { path: path.to_owned(), copy });
    }
    if let Some(marker) = marker(&[asked, path])? {
        return Err(OpenError::MustRestore { path: path.to_owned(), marker });
    }
    let copy = with_suffix(path, RESTORING);
    if !is_there && copy.exists() {
        return Err(OpenError::RestoreInterrupted { path: path.to_owned(), copy });
    }
    // SQLite looks beside the file that a symbolic link leads to.
    let missed = with_suffix(asked, "-wal");
    if asked != path && wal_link::has_commits(&missed) {
        return Err(OpenError::LogWithoutDatabase { path: asked.to_owned(), log: missed });
    }
    let log = with_suffix(path, "-wal");
    if !is_there && wal_link::has_commits(&log) {
        return Err(OpenError::LogWithoutDatabase { path: path.to_owned(), log });
    }
    Ok(())
}

/// The marker beside one of these names of the database, if there is one.
pub(super) fn marker(names: &[&Path]) -> Result<Option<PathBuf>, OpenError> {
    for name in names {
        let marker = with_suffix(name, MUST_RESTORE);
        match std::fs::symlink_metadata(&marker) {
            Ok(_) => return Ok(Some(marker)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(source) => return Err(OpenError::Io { path: marker, source }),
        }
    }
    Ok(None)
}

/// The newest copy that a process saved when the database was taken away from under it, and that no restore
/// has cleared.
pub(super) fn newest_rescued(names: &[&Path]) -> Option<PathBuf> {
    names.iter().find_map(|name| rescued(name).into_iter().max())
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

/// Whether a copy may be saved under this name: nothing has it, and nothing had it before a restore.
pub(super) fn is_free(copy: &Path) -> bool {
    !copy.exists() && !with_suffix(copy, RESOLVED).exists()
}

/// Leaves the marker beside each of these names of the database, so that nothing opens it from now on. A
/// folder that was moved away with the database is made again: whatever starts the service next may make it
/// too, and would begin an empty database in it.
pub(super) fn leave(names: &[&Path], words: &str) -> std::io::Result<()> {
    let mut outcome = Ok(());
    for name in names {
        let marker = with_suffix(name, MUST_RESTORE);
        // Each is tried, whatever becomes of the others.
        outcome = outcome.and(leave_at(&marker));
    }
    describe(names, words);
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

/// Writes into the markers what happened. That they are there is what counts: a full disk may take no more.
pub(super) fn describe(names: &[&Path], words: &str) {
    for name in names {
        let marker = OpenOptions::new().write(true).truncate(true).open(with_suffix(name, MUST_RESTORE));
        let written = marker.and_then(|mut file| {
            writeln!(file, "{words}.")?;
            file.sync_all()
        });
        if let Err(error) = written {
            tracing::warn!(%error, "the marker beside the database has no text; it counts all the same");
        }
    }
}

/// Takes back the marker and the copy where the database turned out to hold everything; false where one of
/// them is still there. Until the last step one of the two keeps the database closed.
pub(super) fn withdraw(names: &[&Path], copy: Option<&Path>) -> bool {
    let markers = names.iter().map(|name| with_suffix(name, MUST_RESTORE));
    let files = markers.chain(copy.map(Path::to_owned));
    files.into_iter().all(|file| removed(&file).and_then(|()| sync(folder_of(&file))).is_ok())
}

/// Clears the copies and then the marker, because a restore took the place of everything that was there;
/// answers the copies' new names.
pub(super) fn clear(names: &[&Path]) -> std::io::Result<Vec<PathBuf>> {
    let mut cleared = Vec::new();
    for name in names {
        for copy in rescued(name) {
            let to = with_suffix(&copy, RESOLVED);
            std::fs::rename(&copy, &to)?;
            cleared.push(to);
        }
        sync(folder_of(name))?;
    }
    for name in names {
        removed(&with_suffix(name, MUST_RESTORE))?;
        sync(folder_of(name))?;
    }
    Ok(cleared)
}

fn removed(file: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A name is on disk only once its folder is.
fn sync(folder: &Path) -> std::io::Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all())
}
