//! The account's file: one JSON document, replaced as a whole a second after a change and at the end. A crash
//! loses the last second, which is acceptable for test data.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use crate::world::World;

/// Why an account cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file exists and cannot be read.
    #[error("the emulator's file {0} cannot be read: {1}")]
    Unreadable(PathBuf, std::io::Error),
    /// Another process uses the account.
    #[error("another emulator uses this account ({0} is locked). Stop it, or choose another file")]
    Taken(PathBuf),
    /// The file is not an account of this version.
    #[error(
        "{0} is not an account of this version of the emulator ({1}). Remove it to start with an empty \
         account; it contains test data only"
    )]
    Foreign(PathBuf, serde_json::Error),
}

/// Locks the account for this process until the returned file is dropped: two emulators would overwrite each
/// other's changes. The lock has a file of its own, because saving replaces the account's file. `None` when
/// the directory cannot be written or locked; then saving fails as well.
pub(crate) fn take(path: &Path) -> Result<Option<fs::File>, FileError> {
    let path = beside(path, ".lock");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let Ok(file) = options.open(&path) else { return Ok(None) };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Err(FileError::Taken(path)),
        Err(fs::TryLockError::Error(_)) => Ok(None),
    }
}

/// The path of the account's file with a suffix.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The account in the file; `None` when there is no file.
pub(crate) fn read(path: &Path) -> Result<Option<World>, FileError> {
    match fs::read(path) {
        Ok(bytes) => {
            let world = serde_json::from_slice(&bytes);
            world.map(Some).map_err(|error| FileError::Foreign(path.to_owned(), error))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(FileError::Unreadable(path.to_owned(), error)),
    }
}

/// Saves one second after a change, or twenty times the duration of the last save if that is longer.
pub(crate) struct Saver {
    path: Option<PathBuf>,
    due: Option<Instant>,
    pause: Duration,
}

impl Saver {
    pub(crate) fn new(path: Option<PathBuf>) -> Self {
        Self { path, due: None, pause: Duration::from_secs(1) }
    }

    /// Notes a change.
    pub(crate) fn changed(&mut self) {
        if self.path.is_some() && self.due.is_none() {
            self.due = Some(now() + self.pause);
        }
    }

    /// Resolves when it is time to save; never, if nothing changed.
    pub(crate) fn due(&self) -> impl Future<Output = ()> + use<> {
        let due = self.due;
        async move {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Replaces the file. Other users cannot read it, because it contains signing secrets.
    pub(crate) async fn save(&mut self, account: Option<Vec<u8>>) {
        self.due = None;
        let (Some(path), Some(account)) = (self.path.clone(), account) else { return };
        let began = now();
        let saved = tokio::task::spawn_blocking(move || replace(&path, &account)).await;
        match saved {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the emulator's file could not be written"),
            Err(error) => tracing::warn!(%error, "the emulator's file could not be written"),
        }
        self.pause = (began.elapsed() * 20).max(Duration::from_secs(1));
    }
}

fn now() -> Instant {
    Instant::now()
}

fn replace(path: &Path, account: &[u8]) -> std::io::Result<()> {
    let fresh = beside(path, ".new");
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(account)?;
    drop(file);
    fs::rename(fresh, path)
}
