//! The writer thread. It takes all queued jobs, runs them in one `BEGIN IMMEDIATE` transaction, commits once,
//! and only then returns their results: unrelated requests share one fsync (design section 4, rules 2 and 3).
//!
//! Before it returns results, it checks that the path of the database still names the file that it wrote to;
//! otherwise the data would be lost at the next start.
//!
//! A job is never cancelled: if nobody awaits its result any more, it still runs. A job that fails is rolled
//! back to its own savepoint, so that other jobs are not affected.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::backup::rescue;
use super::database_file::DatabaseFile;
use super::signals::Signals;
use super::{obstacles, wal_link};
use crate::error::{CloseReason, FileChange, Rescue, StoreError};

/// The maximum number of queued jobs; more are refused, so that overload is visible early.
pub const MAX_QUEUE_JOBS: usize = 4096;
/// The maximum number of jobs in one commit.
pub const MAX_COMMIT_JOBS: usize = 512;

/// Runs inside the transaction, and returns what to do once the commit has succeeded or failed.
type Job = Box<dyn FnOnce(&Connection) -> Completion + Send>;
type Completion = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// A handle to the writer thread.
#[derive(Clone, Debug)]
pub(super) struct WriterHandle {
    // Dropped before the thread is joined: without senders, it ends.
    jobs: mpsc::Sender<Job>,
    closed: watch::Receiver<Option<CloseReason>>,
    _thread: Arc<Thread>,
}

impl WriterHandle {
    /// Starts the thread. It ends when the last handle is dropped, when a commit fails in a way after which
    /// the database cannot be trusted, or when `file` is no longer at its path; then every later write
    /// returns [`StoreError::Closed`]. It keeps `file` open for longer than `connection`, and sends `signals`
    /// after each commit.
    pub(super) fn start(
        connection: Connection,
        file: Arc<DatabaseFile>,
        signals: Signals,
    ) -> std::io::Result<Self> {
        let (queue, mut jobs) = mpsc::channel(MAX_QUEUE_JOBS);
        let (say_why, closed) = watch::channel(None);
        let thread = std::thread::Builder::new().name("writer".to_owned()).spawn(move || {
            let because = run(&connection, &file, &mut jobs, &signals);
            drop(connection);
            drop(file);
            say_why.send_replace(because);
        })?;
        Ok(Self { jobs: queue, closed, _thread: Arc::new(Thread(Some(thread))) })
    }

    /// Resolves when the thread has ended, with the reason.
    pub(super) async fn closed(&self) -> CloseReason {
        let mut closed = self.closed.clone();
        let because = closed.wait_for(Option::is_some).await.ok().and_then(|because| because.clone());
        because.unwrap_or(CloseReason::WriterPanicked)
    }

    /// Runs `work` in the next commit and returns when it is durable. If it fails or panics, all of it is
    /// rolled back.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.queue(move |connection| isolated(connection, work)).await
    }

    /// Like [`WriterHandle::write`], for `work` that is a single statement: a statement is atomic already,
    /// and a savepoint would copy every page that it touches.
    pub(super) async fn write_statement<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.queue(work).await
    }

    async fn queue<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (send, receive) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = work(connection);
            Box::new(move |committed| {
                // The requester may be gone; the work is done anyway.
                let _ = send.send(committed.and(result));
            })
        });
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        // The job was taken without a result: no transaction began, or the thread died. The log says which.
        receive.await.map_err(|_| StoreError::Unknown("the writer returned no result".to_owned()))?
    }
}

/// Joins the thread when the last [`WriterHandle`] is dropped: accepted jobs are then written, and the file
/// is closed.
#[derive(Debug)]
struct Thread(Option<JoinHandle<()>>);

impl Drop for Thread {
    fn drop(&mut self) {
        // A thread cannot join itself, in case it drops the last handle while it returns a result.
        let own = std::thread::current().id();
        if let Some(thread) = self.0.take().filter(|thread| thread.thread().id() != own) {
            // It catches panics of its jobs; if it panicked nevertheless, it has ended too.
            let _ = thread.join();
        }
    }
}

/// Runs `work` in its own savepoint: if it fails or panics, it is rolled back.
pub(super) fn isolated<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let step = |sql: &str| connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
    step("SAVEPOINT job")?;
    let result = catch_unwind(AssertUnwindSafe(|| work(connection)))
        .unwrap_or_else(|_| Err(StoreError::Refused("the work panicked".to_owned())));
    if result.is_err() {
        step("ROLLBACK TO job")?;
    }
    step("RELEASE job")?;
    result
}

/// Writes until all handles are dropped or it must stop; returns why it had to.
fn run(
    connection: &Connection,
    file: &DatabaseFile,
    jobs: &mut mpsc::Receiver<Job>,
    signals: &Signals,
) -> Option<CloseReason> {
    while let Some(first) = jobs.blocking_recv() {
        let (answers, fate) = commit(connection, first, jobs);
        let change = file.change();
        let unsure = match (&fate, &change) {
            (_, Ok(Some(change))) => Some(StoreError::FileChanged(change.to_string())),
            (Err(error), _) => Some(StoreError::Unknown(error.to_string())),
            (Ok(()), Err(error)) => Some(StoreError::Unknown(format!("the file cannot be checked: {error}"))),
            (Ok(()), Ok(None)) => None,
        };
        if let Some(error) = &unsure {
            tracing::error!(%error, "a commit failed; none of its writes was acknowledged");
        }
        signals.send();
        for answer in answers {
            answer(unsure.clone().map_or(Ok(()), Err));
        }
        let because = match (fate, change) {
            (_, Ok(Some(change))) => file_changed(connection, file, jobs, change),
            (Err(error), _) if is_fatal(&error) => CloseReason::DiskFailed(error.to_string()),
            (_, Err(error)) => CloseReason::DiskFailed(error.to_string()),
            _ => continue,
        };
        tracing::error!("{because}: no more writes are accepted");
        return Some(because);
    }
    None
}

/// Accepts no more jobs, and saves the acknowledged data.
fn file_changed(
    connection: &Connection,
    file: &DatabaseFile,
    jobs: &mut mpsc::Receiver<Job>,
    change: FileChange,
) -> CloseReason {
    jobs.close();
    let database = file.path().to_owned();
    let rescue = match &change {
        FileChange::Linked { .. } => Rescue::InPlace,
        FileChange::Moved { .. } | FileChange::CompanionMoved { .. } => save(connection, file, &change),
    };
    let because = CloseReason::FileChanged { change, database, rescue };
    if !matches!(because, CloseReason::FileChanged { rescue: Rescue::InPlace, .. }) {
        obstacles::describe(&file.names(), &because.to_string());
    }
    because
}

/// Saves the content of the open file. First it makes sure that no service starts without that content,
/// whatever happens next; a service may start by itself only if the file is proven to contain everything.
fn save(connection: &Connection, file: &DatabaseFile, change: &FileChange) -> Rescue {
    let names = file.names();
    let description = format!("{change}, and what was acknowledged before is being saved");
    let marked = obstacles::leave(&names, &description);
    let copy = rescue(connection, file.path());
    // The file is still in place: it can take over what only the lost write-ahead log contains.
    let is_in_place = || matches!(file.change(), Ok(Some(FileChange::CompanionMoved { .. })));
    let emptied =
        matches!(change, FileChange::CompanionMoved { .. }) && empty_log(connection) && is_in_place();
    if emptied && file.set_companions_aside().is_ok() && obstacles::withdraw(&names, copy.as_deref().ok()) {
        return Rescue::InPlace;
    }
    match copy {
        Ok(copy) => Rescue::Copied(copy),
        Err(error) => {
            Rescue::NotSaved { why: error.to_string(), unmarked: marked.err().map(|error| error.to_string()) }
        }
    }
}

/// Moves the whole write-ahead log into the file; `false` if some of it could not be moved.
fn empty_log(connection: &Connection) -> bool {
    let moved: rusqlite::Result<(i64, i64, i64)> =
        connection
            .query_row("PRAGMA wal_checkpoint(FULL)", [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    matches!(moved, Ok((0, in_log, in_file)) if in_log == in_file)
}

fn commit(
    connection: &Connection,
    first: Job,
    jobs: &mut mpsc::Receiver<Job>,
) -> (Vec<Completion>, rusqlite::Result<()>) {
    let step = |sql: &str| connection.prepare_cached(sql).and_then(|mut s| s.execute([])).map(|_| ());
    if let Err(error) = step("BEGIN IMMEDIATE") {
        // No job ran. Dropping the job reports its result as unknown, which is safe.
        return (Vec::new(), Err(error));
    }
    let changes = connection.total_changes();
    let mut answers = vec![first(connection)];
    // If the disk is full, SQLite may roll back the transaction by itself: then no more jobs may join it.
    while answers.len() < MAX_COMMIT_JOBS && !connection.is_autocommit() {
        match jobs.try_recv() {
            Ok(job) => answers.push(job(connection)),
            Err(_) => break,
        }
    }
    let changed = connection.total_changes() != changes && !connection.is_autocommit();
    let linked = if changed { step(wal_link::ADVANCE) } else { Ok(()) };
    let fate = linked.and_then(|()| step("COMMIT"));
    if fate.is_err() {
        // SQLite may already have rolled back; then this fails, which is fine.
        let _ = step("ROLLBACK");
    }
    (answers, fate)
}

/// After a failed write or sync, the content of the file is unknown (pages of a failed sync may look clean):
/// the writer stops, and a restart finds out. A full disk is different: SQLite recovers from it.
fn is_fatal(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::SystemIoFailure | rusqlite::ErrorCode::DatabaseCorrupt)
    )
}
