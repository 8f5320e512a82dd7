//! The queue of commands, and the worker that executes them in batches. While one batch is being committed,
//! the next one gathers, so the cost per command falls under load. The commands themselves are in
//! `ledger::execute`.

use ledger::Now;
use store::{CommandOutcome, CommandRequest, Store, StoreError};
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;

/// Commands in the queue at most; more are refused, so that overload is reported early.
pub const MAX_QUEUED_COMMANDS: usize = 1024;
/// Commands in one batch at most.
pub const MAX_BATCH_COMMANDS: usize = 128;

/// The sending side of the queue. Clones share the queue.
#[derive(Clone, Debug)]
pub struct CommandQueue(mpsc::Sender<QueuedCommand>);

#[derive(Debug)]
struct QueuedCommand {
    request: CommandRequest,
    answer: oneshot::Sender<Result<CommandOutcome, StoreError>>,
}

impl CommandQueue {
    /// A queue and the worker that executes its commands in `store`. Nothing is executed until
    /// [`CommandWorker::run`] runs.
    pub fn new(store: Store) -> (Self, CommandWorker) {
        let (queue, queued) = mpsc::channel(MAX_QUEUED_COMMANDS);
        (Self(queue), CommandWorker { queued, store })
    }

    /// Queues a command and returns its outcome when it is durable. Once this was polled, the command is
    /// executed even if the caller stops waiting.
    ///
    /// # Errors
    /// [`StoreError::Busy`]: nothing was done, try again. [`StoreError::Closed`]: nothing was done, and the
    /// worker has stopped. [`StoreError::Unknown`]: the command may have been executed; repeating it with the
    /// same idempotency key executes it only once. Otherwise the store's error.
    pub async fn submit(&self, request: CommandRequest) -> Result<CommandOutcome, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(QueuedCommand { request, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        let lost = |_| Err(StoreError::Unknown("the command queue gave no answer".to_owned()));
        answered.await.unwrap_or_else(lost)
    }
}

/// Executes the queued commands in batches. Each queue has one.
#[derive(Debug)]
pub struct CommandWorker {
    queued: mpsc::Receiver<QueuedCommand>,
    store: Store,
}

impl CommandWorker {
    /// Executes commands until `stop` completes, then the remaining ones. From then on the queue refuses
    /// commands.
    pub async fn run(mut self, clock: &Clock, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let first = tokio::select! {
                biased;
                first = self.queued.recv() => first,
                () = &mut stop, if !self.queued.is_closed() => {
                    self.queued.close();
                    continue;
                }
            };
            let Some(first) = first else { return };
            let mut batch = vec![first];
            while batch.len() < MAX_BATCH_COMMANDS
                && let Ok(next) = self.queued.try_recv()
            {
                batch.push(next);
            }
            self.execute_batch(batch, clock.reading()).await;
        }
    }

    async fn execute_batch(&self, batch: Vec<QueuedCommand>, now: Now) {
        let (requests, waiting): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|queued| (queued.request, queued.answer)).unzip();
        let answers = match self.store.execute_commands(requests.clone(), now).await {
            Ok(answers) => answers,
            Err(error) if error.is_caused_by_request() && requests.len() > 1 => {
                let commands = requests.len();
                tracing::warn!(%error, commands, "a batch failed; executing its commands one by one");
                self.execute_singly(requests, now).await
            }
            Err(error) => vec![Err(error); requests.len()],
        };
        for (answer, waiting) in answers.into_iter().zip(waiting) {
            // The caller may have stopped waiting.
            let _ = waiting.send(answer);
        }
    }

    /// The batch failed as a whole, so nothing was written. Executes each command alone.
    async fn execute_singly(
        &self,
        requests: Vec<CommandRequest>,
        now: Now,
    ) -> Vec<Result<CommandOutcome, StoreError>> {
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            let alone = self.store.execute_commands(vec![request], now).await;
            // One answer for one command.
            answers.push(alone.and_then(|mut answers| answers.pop().unwrap_or(Err(StoreError::Closed))));
        }
        answers
    }
}
