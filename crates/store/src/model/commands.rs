//! What crosses the border of the store about commands: orders in, answers out, and what the clock ended.
//! Not here: what a command means (`ledger::execute`), and how its fingerprint is made (`web`).

use ledger::{Command, Receipt, Refusal, Timestamp};

use super::IdempotencyKey;
use super::idempotency::KeyName;

/// A command to be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRequest {
    /// What to do.
    pub command: Command,
    /// Under which name its answer is kept for ever. None for a dry run: decided and answered, and nothing
    /// of it is written.
    pub pin: Option<IdempotencyKey>,
}

impl CommandRequest {
    /// What its answer is kept under.
    pub(crate) fn name(&self) -> Option<KeyName> {
        self.pin.as_ref().map(|pin| pin.name(self.command.tenant))
    }
}

/// What became of an order.
#[expect(clippy::large_enum_variant, reason = "nearly every answer is of the large kind")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    /// It was decided. Under a name the decision is durable, and the same for ever; without one it was only
    /// rehearsed.
    Decided {
        /// The decision. A refusal is one too.
        answer: Result<Receipt, Refusal>,
        /// When it was made, by the ledger's clock.
        at: Timestamp,
        /// It was made for an earlier order of the same name.
        replayed: bool,
    },
    /// Its name was used for something else before. Nothing was done.
    KeyReused,
}

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Holds and lots whose time was up, and that ended now.
    pub expired: u32,
    /// There may be more of them.
    pub more: bool,
}
