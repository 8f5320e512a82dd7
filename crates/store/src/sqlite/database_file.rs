//! The database file in the file system. It is held open for as long as this process uses it, so that its
//! identity can be compared with what its path names now. If the file is moved, removed, replaced or linked
//! while in use, SQLite continues to write to the file that it opened, which a restart would not find.
//!
//! Closing any descriptor of a database file releases the locks that SQLite holds on it in this process.
//! Therefore this descriptor is closed after every connection, and nothing else in this process may open the
//! file without SQLite.

use std::fs::{File, Metadata, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::{lock, private, with_suffix};
use super::obstacles;
use crate::error::{FileChange, OpenError};

/// The interval between two attempts to lock the file.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);
/// The number of attempts while another process has the file: one that is closing releases it soon.
const TRIES: u32 = 20;

/// The identity of a file, whatever its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    fn at(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|metadata| Self::of(&metadata))
    }

    /// Like [`FileId::at`], but of the symbolic link itself.
    fn named(path: &Path) -> Option<Self> {
        std::fs::symlink_metadata(path).ok().map(|metadata| Self::of(&metadata))
    }
}

/// The open database file, locked if possible.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    file: File,
    id: FileId,
    /// The path as given.
    path: PathBuf,
    /// The path without symbolic links: SQLite puts the write-ahead log beside it.
    real: PathBuf,
    /// The identity of `path` itself: the file, or a symbolic link to it.
    named: Option<FileId>,
    /// The write-ahead log and its index, once they are open.
    companions: Vec<(PathBuf, FileId)>,
}

impl DatabaseFile {
    /// Opens the database file, creates an empty one if it is missing, and keeps other processes out of it.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let io = |source| OpenError::Io { path: path.to_owned(), source };
        obstacles::examine(path)?;
        let file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
            .open(path)
            .map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        if metadata.is_file() && metadata.nlink() > 1 {
            return Err(OpenError::Linked { path: path.to_owned(), names: metadata.nlink() });
        }
        lock_patiently(path, &file)?;
        let id = FileId::of(&metadata);
        let real = std::fs::canonicalize(path).map_err(io)?;
        let named = FileId::named(path);
        let held = Self { file, id, path: path.to_owned(), real, named, companions: Vec::new() };
        match held.change().map_err(io)? {
            None => Ok(held),
            Some(FileChange::Linked { path }) => Err(OpenError::Linked { path, names: 2 }),
            Some(_) => Err(OpenError::Replaced { path: held.path }),
        }
    }

    /// The path as given.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The paths through which it was opened: as given, and without symbolic links.
    pub(super) fn names(&self) -> Vec<&Path> {
        let mut names = vec![&*self.path, &*self.real];
        // A relative path and its absolute path count as one.
        if std::path::absolute(&self.path).is_ok_and(|path| path == self.real) {
            names.truncate(1);
        }
        names
    }

    /// Stores the identities of the write-ahead log and its index, once SQLite has opened them.
    pub(super) fn remember_companions(&mut self) -> Result<(), OpenError> {
        self.companions.clear();
        for suffix in ["-wal", "-shm"] {
            let path = with_suffix(&self.real, suffix);
            let metadata = std::fs::metadata(&path);
            let metadata = metadata.map_err(|source| OpenError::Io { path: path.clone(), source })?;
            self.companions.push((path, FileId::of(&metadata)));
        }
        Ok(())
    }

    /// How the file or its companions changed since it was opened.
    pub(super) fn change(&self) -> std::io::Result<Option<FileChange>> {
        let moved = [&self.path, &self.real].into_iter().any(|path| FileId::at(path) != Some(self.id));
        // A new symbolic link may lead to the file, but not to the write-ahead log beside the file.
        if moved || FileId::named(&self.path) != self.named {
            return Ok(Some(FileChange::Moved { path: self.path.clone() }));
        }
        for (path, id) in &self.companions {
            if FileId::at(path) != Some(*id) {
                return Ok(Some(FileChange::CompanionMoved { path: path.clone() }));
            }
        }
        let linked = self.file.metadata()?.nlink() > 1;
        Ok(linked.then(|| FileChange::Linked { path: self.path.clone() }))
    }

    /// Renames files that have replaced the write-ahead log and its index.
    pub(super) fn set_companions_aside(&self) -> std::io::Result<()> {
        for (path, id) in &self.companions {
            if FileId::at(path).is_some_and(|found| found != *id) {
                std::fs::rename(path, with_suffix(path, ".set-aside"))?;
            }
        }
        Ok(())
    }
}

fn lock_patiently(path: &Path, file: &File) -> Result<(), OpenError> {
    for _ in 0..TRIES {
        if lock(file).map_err(|source| OpenError::Io { path: path.to_owned(), source })? {
            return Ok(());
        }
        std::thread::sleep(RETRY_INTERVAL);
    }
    let holder = "whose lock file is missing".to_owned();
    Err(OpenError::InUse { path: path.to_owned(), holder })
}
