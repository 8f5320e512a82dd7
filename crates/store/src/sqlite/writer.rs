//! The one thread that writes. It takes whatever has queued, runs it in one `BEGIN IMMEDIATE` transaction,
//! commits once, and only then answers: strangers share one fsync (design section 4, rules 2 and 3).
//!
//! Before it answers, it makes sure that the path of the database still names the file that it wrote to: what
//! is in a file that nobody will open again was not kept.
//!
//! A job is never cancelled: whoever awaits its answer may go away, the work goes on. A job that fails is
//! rolled back to its own savepoint, so that it never takes its neighbours with it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::backup::rescue;
use super::database_file::DatabaseFile;
use super::signals::Signals;
use super::{obstacles, wal_link};
use crate::error::{ClosedBecause, FileChange, Safe, StoreError};

/// Jobs that may wait for the writer; more are refused, so that overload shows early instead of growing.
pub const MAX_QUEUE_JOBS: usize = 4096;
/// Jobs that share one commit.
pub const MAX_COMMIT_JOBS: usize = 512;

/// Runs inside the transaction, and gives back what to do once its fate is known.
type Job = Box<dyn FnOnce(&Connection) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// The way to the writer.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    // Dropped before the thread is waited for: without senders, it ends.
    jobs: mpsc::Sender<Job>,
    closed: watch::Receiver<Option<ClosedBecause>>,
    _thread: Arc<Thread>,
}

impl Writer {
    /// Starts the thread. It ends when the last `Writer` is gone, or when a commit fails for a reason after
    /// which the database must not be trusted, or `file` is not at its path any more; then every later write
    /// answers [`StoreError::Closed`]. It keeps `file` open for longer than `connection`, and sends `signals`
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

    /// Resolves when the thread has ended, and says why.
    pub(super) async fn closed(&self) -> ClosedBecause {
        let mut closed = self.closed.clone();
        let because = closed.wait_for(Option::is_some).await.ok().and_then(|because| because.clone());
        because.unwrap_or(ClosedBecause::WriterPanicked)
    }

    /// Runs `work` in the next commit and answers when it is durable. `work` is one unit: if it fails or
    /// panics, nothing of it stays.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.queue(move |connection| isolated(connection, work)).await
    }

    /// As [`Writer::write`], for `work` that is a single statement: that is one unit already, and a savepoint
    /// around it would copy every page that it touches.
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
                // Whoever asked may have gone away; the work is done all the same.
                let _ = send.send(committed.and(result));
            })
        });
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        // It was taken and never answered: no transaction began, or the thread died. The log says which.
        receive.await.map_err(|_| StoreError::Unknown("the writer gave no answer".to_owned()))?
    }
}

/// Waits for the thread when the last [`Writer`] goes: what it took is then written, and the file closed.
#[derive(Debug)]
struct Thread(Option<JoinHandle<()>>);

impl Drop for Thread {
    fn drop(&mut self) {
        // A thread cannot wait for itself, should the last writer ever go while it hands out an answer.
        let own = std::thread::current().id();
        if let Some(thread) = self.0.take().filter(|thread| thread.thread().id() != own) {
            // It catches what its jobs throw; should it have panicked all the same, it is gone too.
            let _ = thread.join();
        }
    }
}

/// Does `work` in a savepoint of its own: when it fails or panics, nothing of it is left.
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

/// Writes until there is nobody left to ask for it, or until it must stop; answers why it had to.
fn run(
    connection: &Connection,
    file: &DatabaseFile,
    jobs: &mut mpsc::Receiver<Job>,
    signals: &Signals,
) -> Option<ClosedBecause> {
    while let Some(first) = jobs.blocking_recv() {
        let (answers, fate) = commit(connection, first, jobs);
        let change = file.change();
        let unsure = match (&fate, &change) {
            (_, Ok(Some(change))) => Some(StoreError::FileChanged(change.to_string())),
            (Err(error), _) => Some(StoreError::Unknown(error.to_string())),
            (Ok(()), Err(error)) => {
                Some(StoreError::Unknown(format!("the file cannot be looked at: {error}")))
            }
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
            (Err(error), _) if is_fatal(&error) => ClosedBecause::DiskFailed(error.to_string()),
            (_, Err(error)) => ClosedBecause::DiskFailed(error.to_string()),
            _ => continue,
        };
        tracing::error!("{because}: no more writes are taken");
        return Some(because);
    }
    None
}

/// Takes no more jobs, and saves what was acknowledged.
fn file_changed(
    connection: &Connection,
    file: &DatabaseFile,
    jobs: &mut mpsc::Receiver<Job>,
    change: FileChange,
) -> ClosedBecause {
    jobs.close();
    let database = file.path().to_owned();
    let safe = match &change {
        FileChange::Linked { .. } => Safe::InPlace,
        FileChange::Moved { .. } | FileChange::CompanionMoved { .. } => save(connection, file, &change),
    };
    let because = ClosedBecause::FileChanged { change, database, safe };
    if !matches!(because, ClosedBecause::FileChanged { safe: Safe::InPlace, .. }) {
        obstacles::describe(&file.names(), &because.to_string());
    }
    because
}

/// Saves what the open file holds. First of all it sees to it that no service starts without that, whatever
/// becomes of the rest; only where the file is proven to hold everything may one start by itself.
fn save(connection: &Connection, file: &DatabaseFile, change: &FileChange) -> Safe {
    let names = file.names();
    let words = format!("{change}, and what was acknowledged before is being saved");
    let marked = obstacles::leave(&names, &words);
    let copy = rescue(connection, file.path());
    // The file is where it was: it can take what only the lost write-ahead log holds.
    let is_in_place = || matches!(file.change(), Ok(Some(FileChange::CompanionMoved { .. })));
    let emptied =
        matches!(change, FileChange::CompanionMoved { .. }) && empty_log(connection) && is_in_place();
    if emptied && file.set_companions_aside().is_ok() && obstacles::withdraw(&names, copy.as_deref().ok()) {
        return Safe::InPlace;
    }
    match copy {
        Ok(copy) => Safe::Copied(copy),
        Err(error) => {
            Safe::Nowhere { why: error.to_string(), unmarked: marked.err().map(|error| error.to_string()) }
        }
    }
}

/// Moves all of the write-ahead log into the file; false where not all of it could be moved.
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
) -> (Vec<Answer>, rusqlite::Result<()>) {
    let step = |sql: &str| connection.prepare_cached(sql).and_then(|mut s| s.execute([])).map(|_| ());
    if let Err(error) = step("BEGIN IMMEDIATE") {
        // Nothing ran. Dropping the job tells whoever waits that its fate is unknown, which is safe to say.
        return (Vec::new(), Err(error));
    }
    let changes = connection.total_changes();
    let mut answers = vec![first(connection)];
    // Where the disk is full, SQLite may roll all of it back by itself: then nothing more must join.
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
        // SQLite may have rolled back by itself; then this says so, and that is fine.
        let _ = step("ROLLBACK");
    }
    (answers, fate)
}

/// After a failed write or sync, what the file holds is unknown (pages of a failed sync may look clean):
/// stop, and let the restart find out. A full disk is not that: SQLite recovers by itself.
fn is_fatal(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::SystemIoFailure | rusqlite::ErrorCode::DatabaseCorrupt)
    )
}
