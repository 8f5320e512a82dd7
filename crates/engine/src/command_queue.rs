//! Commands queue here, and one worker executes them in batches. While one batch is being committed the next
//! one gathers, so the more commands there are at once, the less each of them costs.
//! Not here: what a command means (`ledger::execute`), idempotency keys and stored answers (`store`).

use ledger::Now;
use store::{CommandOutcome, CommandRequest, Store, StoreError};
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;

/// Commands that may wait; more are refused, so that overload shows early instead of growing.
pub const MAX_QUEUED_COMMANDS: usize = 1024;
/// Commands that share one batch.
pub const MAX_BATCH_COMMANDS: usize = 128;

/// Where commands are handed in. Cheap to clone; every clone is the same queue.
#[derive(Clone, Debug)]
pub struct CommandQueue(mpsc::Sender<QueuedCommand>);

#[derive(Debug)]
struct QueuedCommand {
    request: CommandRequest,
    answer: oneshot::Sender<Result<CommandOutcome, StoreError>>,
}

impl CommandQueue {
    /// A queue in front of `store`, and the worker that executes what is queued. Nothing is executed until
    /// [`CommandWorker::run`] runs.
    pub fn new(store: Store) -> (Self, CommandWorker) {
        let (queue, queued) = mpsc::channel(MAX_QUEUED_COMMANDS);
        (Self(queue), CommandWorker { queued, store })
    }

    /// Queues one command, and answers when its outcome is durable. Once this was polled, the command is
    /// executed whether or not the caller still waits.
    ///
    /// # Errors
    /// [`StoreError::Busy`]: nothing was done, try again. [`StoreError::Closed`]: nothing was done, and
    /// nothing is executed any more. [`StoreError::Unknown`]: it may or may not have been done; the same
    /// command under the same idempotency key is done once, and gets that answer. Else as the store says.
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

/// Executes what is queued, batch by batch. There is one for each queue.
#[derive(Debug)]
pub struct CommandWorker {
    queued: mpsc::Receiver<QueuedCommand>,
    store: Store,
}

impl CommandWorker {
    /// Executes commands until `stop` completes, then those that were queued by then. From then on the queue
    /// refuses commands.
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
                tracing::warn!(%error, commands, "a batch failed; now its commands one by one");
                self.execute_singly(requests, now).await
            }
            Err(error) => vec![Err(error); requests.len()],
        };
        for (answer, waiting) in answers.into_iter().zip(waiting) {
            // The caller may have gone away; the outcome stands.
            let _ = waiting.send(answer);
        }
    }

    /// The batch failed as a whole, so nothing of it was written. Alone, each succeeds or fails for itself.
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
