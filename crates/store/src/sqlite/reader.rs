//! The connections for reading. Each runs one query at a time, outside the async threads, and sees every
//! commit that was acknowledged before the query began.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::database_file::DatabaseFile;
use super::open;
use crate::error::{OpenError, StoreError};

/// The number of concurrent queries; more wait.
pub(super) const READERS: usize = 4;
/// The number of concurrent lookups of keys and balances, which every request begins with. They are short.
pub(super) const LOOKUP_READERS: usize = 2;

/// A pool of readers.
#[derive(Clone, Debug)]
pub(super) struct Readers {
    idle: Arc<Idle>,
    permits: Arc<Semaphore>,
}

/// The idle connections, and the file that they read, which is closed after them.
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

    /// Runs `query` on its own connection in one read transaction, so that it sees one state.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let idle = self.idle.clone();
        let work = move || {
            let connection = idle.lock().pop();
            let mut lent = Lent { connection, idle };
            // The permit guarantees that a connection is available.
            let connection = lent.connection.as_mut().ok_or(StoreError::Closed)?;
            let result = connection
                .transaction()
                .map_err(StoreError::from)
                .and_then(|transaction| query(&transaction));
            drop(lent);
            drop(permit);
            // A query writes nothing, so its error must not suggest that a write is in doubt.
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

/// A borrowed connection. It is returned even if the query panics.
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
