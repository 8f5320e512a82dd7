//! The one thread that writes. It takes whatever has queued, runs it in one `BEGIN IMMEDIATE` transaction,
//! commits once, and only then answers: strangers share one fsync (design section 4, rules 2 and 3).
//!
//! A job is never cancelled: whoever awaits its answer may go away, the work goes on. A job that fails is
//! rolled back to its own savepoint, so that it never takes its neighbours with it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::error::StoreError;

/// Jobs that may wait for the writer; more are refused, so that overload shows early instead of growing.
pub const QUEUE_JOBS_MAX: usize = 4096;
/// Jobs that share one commit.
pub const COMMIT_JOBS_MAX: usize = 512;

/// Runs inside the transaction, and gives back what to do once its fate is known.
type Job = Box<dyn FnOnce(&Connection) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// The way to the writer.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    // Dropped before the thread is waited for: without senders, it ends.
    jobs: mpsc::Sender<Job>,
    _thread: Arc<Thread>,
}

impl Writer {
    /// Starts the thread. It ends when the last `Writer` is gone, or when a commit fails for a reason after
    /// which the database must not be trusted; then every later write answers [`StoreError::Closed`].
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE_JOBS_MAX);
        let thread =
            std::thread::Builder::new().name("writer".to_owned()).spawn(move || run(&connection, jobs))?;
        Ok(Self { jobs: queue, _thread: Arc::new(Thread(Some(thread))) })
    }

    /// Resolves when the thread has ended.
    pub(super) async fn closed(&self) {
        self.jobs.closed().await;
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

fn run(connection: &Connection, mut jobs: mpsc::Receiver<Job>) {
    while let Some(first) = jobs.blocking_recv() {
        let (answers, fate) = commit(connection, first, &mut jobs);
        if let Err(error) = &fate {
            tracing::error!(%error, "a commit failed; none of its writes was acknowledged");
        }
        for answer in answers {
            answer(match &fate {
                Ok(()) => Ok(()),
                Err(error) => Err(StoreError::Unknown(error.to_string())),
            });
        }
        if fate.is_err_and(|error| is_fatal(&error)) {
            tracing::error!("the disk failed: no more writes are taken");
            return;
        }
    }
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
    let mut answers = vec![first(connection)];
    // Where the disk is full, SQLite may roll all of it back by itself: then nothing more must join.
    while answers.len() < COMMIT_JOBS_MAX && !connection.is_autocommit() {
        match jobs.try_recv() {
            Ok(job) => answers.push(job(connection)),
            Err(_) => break,
        }
    }
    let fate = step("COMMIT");
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
