//! Helpers for files beside a database: paths, permissions and locks.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// The file that `path` names or would name, with symbolic links resolved, whether or not it exists.
pub(super) fn resolved(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    // The number of links that Linux follows.
    for _ in 0..40 {
        match std::fs::read_link(&path) {
            Ok(target) => path = folder_of(&path).join(target),
            Err(_) => break,
        }
    }
    path
}

/// `path` with `suffix` appended.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The directory of `path`.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The files contain payment data: only the owner may read them.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Locks a file that SQLite uses too; `false` if another process has locked it. Only on Linux are these locks
/// independent of SQLite's; elsewhere this would lock SQLite out.
pub(super) fn lock(file: &File) -> std::io::Result<bool> {
    if !cfg!(target_os = "linux") {
        return Ok(true);
    }
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}
