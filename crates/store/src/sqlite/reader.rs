//! The connections that only read: a few, each used by one query at a time, off the async threads. They see
//! every commit that was answered before they began.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::database_file::DatabaseFile;
use super::open;
use crate::error::{OpenError, StoreError};

/// Queries of people and programs that run at the same time; more wait.
pub(super) const READERS: usize = 4;
/// Of them, look-ups of keys and balances, which every request begins with: they are short.
pub(super) const LOOKUP_READERS: usize = 2;

/// The way to the readers.
#[derive(Clone, Debug)]
pub(super) struct Readers {
    idle: Arc<Idle>,
    permits: Arc<Semaphore>,
}

/// The connections that nobody uses, and the file that they read, which is closed after them.
#[derive(Debug)]
struct Idle {
    connections: Mutex<Vec<Connection>>,
    _file: Arc<DatabaseFile>,
}

impl Idle {
    fn lock(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Readers {
    pub(super) fn open(file: &Arc<DatabaseFile>, count: usize) -> Result<Self, OpenError> {
        let connections: Vec<_> = (0..count).map(|_| open::reader(file.path())).collect::<Result<_, _>>()?;
        let idle = Idle { connections: Mutex::new(connections), _file: file.clone() };
        Ok(Self { idle: Arc::new(idle), permits: Arc::new(Semaphore::new(count)) })
    }

    /// Runs `query` on a connection of its own, in one read transaction: all that it sees is of one moment.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let idle = self.idle.clone();
        let work = move || {
            let connection = idle.lock().pop();
            let mut lent = Lent { connection, idle };
            // A permit is held, so a connection is there.
            let connection = lent.connection.as_mut().ok_or(StoreError::Closed)?;
            let result = connection.transaction().map_err(StoreError::from).and_then(|moment| query(&moment));
            drop(lent);
            drop(permit);
            // Whatever the disk does to a query, nobody wonders what was written.
            result.map_err(|error| match error {
                StoreError::Unknown(what) => StoreError::Corrupt(what),
                other => other,
            })
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| {
            if error.is_panic() {
                StoreError::Refused("the query panicked".to_owned())
            } else {
                StoreError::Closed
            }
        })?
    }
}

/// A connection on loan; it goes back even if the query panics.
struct Lent {
    connection: Option<Connection>,
    idle: Arc<Idle>,
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.idle.lock().push(connection);
        }
    }
}
