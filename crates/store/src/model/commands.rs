//! Commands and their outcomes.

use ledger::{Command, Receipt, Refusal, Timestamp};

use super::IdempotencyKey;
use super::idempotency::ScopedKey;

/// A command to execute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRequest {
    /// The command.
    pub command: Command,
    /// The key under which its answer is stored permanently. `None` makes it a dry run: the command is
    /// decided and answered, and nothing is written.
    pub idempotency_key: Option<IdempotencyKey>,
}

impl CommandRequest {
    /// The key under which its answer is stored.
    pub(crate) fn scoped_key(&self) -> Option<ScopedKey> {
        self.idempotency_key.as_ref().map(|key| key.scoped_to(self.command.tenant))
    }
}

/// The outcome of a command.
#[expect(clippy::large_enum_variant, reason = "nearly every answer is of the large kind")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    /// It was decided. With an idempotency key the decision is stored permanently; without one it was a dry
    /// run.
    Decided {
        /// The answer: a receipt or a refusal.
        answer: Result<Receipt, Refusal>,
        /// When it was decided, by the ledger's clock.
        at: Timestamp,
        /// The answer is that of an earlier request with the same key.
        replayed: bool,
    },
    /// Its key was used for another request. Nothing was changed.
    KeyReused,
}

/// The result of [`crate::Store::expire_due`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// The number of holds and lots that were expired.
    pub expired: u32,
    /// More may be due.
    pub more: bool,
}
