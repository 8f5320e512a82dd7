//! The command_queue: commands queue here, and one loop carries them out in batches. While a batch is being made
//! durable the next one gathers, so the more is asked at once, the less each costs.
//! Not here: what a command means (`ledger::execute`), names and answers (`store`), HTTP.

use std::sync::Arc;

use ledger::Now;
use store::{CommandOutcome, CommandRequest, Store, StoreError};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::change_signal::ChangeSignal;
use crate::clock::Clock;

/// Orders that may wait; more are refused, so that overload shows early instead of growing.
pub const MAX_QUEUED_COMMANDS: usize = 1024;
/// Orders that share one batch.
pub const MAX_BATCH_COMMANDS: usize = 128;

/// The way to have a command carried out. Cheap to clone; every clone is the same command_queue.
#[derive(Clone, Debug)]
pub struct CommandQueue {
    queue: mpsc::Sender<Asked>,
    asked: Arc<Mutex<mpsc::Receiver<Asked>>>,
    store: Store,
    changes: ChangeSignal,
}

#[derive(Debug)]
struct Asked {
    order: CommandRequest,
    answer: oneshot::Sender<Result<CommandOutcome, StoreError>>,
}

impl CommandQueue {
    /// A command_queue before `store`, which rings `changes` when something was carried out. Nothing is, until
    /// [`CommandQueue::run`] runs.
    pub fn new(store: Store, changes: ChangeSignal) -> Self {
        let (queue, asked) = mpsc::channel(MAX_QUEUED_COMMANDS);
        Self { queue, asked: Arc::new(Mutex::new(asked)), store, changes }
    }

    /// Has one order carried out, and answers when what was decided is durable. Once this was called for the
    /// first time, the order is carried out whether or not anybody still waits for the answer.
    ///
    /// # Errors
    /// [`StoreError::Busy`]: nothing was done, try again. [`StoreError::Unknown`]: it may or may not have
    /// been done; asked again under the same name it is done once, and that answer tells. Else as the
    /// store says.
    pub async fn submit(&self, order: CommandRequest) -> Result<CommandOutcome, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Asked { order, answer }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        answered
            .await
            .unwrap_or_else(|_| Err(StoreError::Unknown("the command_queue gave no answer".to_owned())))
    }

    /// Carries out what is asked until `stop` completes, then what had been asked by then; nothing is taken
    /// after that.
    pub async fn run(&self, clock: &Clock, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut asked = self.asked.lock().await;
        loop {
            let first = tokio::select! {
                biased;
                first = asked.recv() => first,
                () = &mut stop, if !asked.is_closed() => {
                    asked.close();
                    continue;
                }
            };
            let Some(first) = first else { return };
            let mut batch = vec![first];
            while batch.len() < MAX_BATCH_COMMANDS
                && let Ok(next) = asked.try_recv()
            {
                batch.push(next);
            }
            self.execute_batch(batch, clock.reading()).await;
        }
    }

    async fn execute_batch(&self, batch: Vec<Asked>, now: Now) {
        let (orders, waiting): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|asked| (asked.order, asked.answer)).unzip();
        let answers = match self.store.execute_commands(orders.clone(), now).await {
            Ok(answers) => answers,
            Err(error) if error.is_about_the_work() && orders.len() > 1 => {
                tracing::warn!(%error, orders = orders.len(), "a batch failed; now its orders one by one");
                self.execute_singly(orders, now).await
            }
            Err(error) => vec![Err(error); orders.len()],
        };
        self.changes.signal();
        for (answer, waiting) in answers.into_iter().zip(waiting) {
            // Whoever asked may have gone away; what was decided stands all the same.
            let _ = waiting.send(answer);
        }
    }

    /// The batch failed as a whole, so nothing of it was written. Alone, each succeeds or fails for itself.
    async fn execute_singly(
        &self,
        orders: Vec<CommandRequest>,
        now: Now,
    ) -> Vec<Result<CommandOutcome, StoreError>> {
        let mut answers = Vec::with_capacity(orders.len());
        for order in orders {
            let alone = self.store.execute_commands(vec![order], now).await;
            // One answer for one order.
            answers.push(alone.and_then(|mut answers| answers.pop().unwrap_or(Err(StoreError::Closed))));
        }
        answers
    }
}
