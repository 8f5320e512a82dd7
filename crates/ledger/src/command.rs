//! Commands: spend, hold, capture, release, adjust, write off; and their answers, a receipt or a refusal.
//! `execute` decides them; idempotency keys are handled in `store`, authorisation in `web`.

use serde::{Deserialize, Serialize};

use crate::book::Changes;
use crate::hold::{Allocation, Hold, HoldState};
use crate::ids::{HoldId, TenantId, Timestamp};
use crate::money::Credits;
use crate::posting::{Balance, Cause};

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The tenant whose credits it moves.
    pub tenant: TenantId,
    /// Who sent it.
    pub cause: Cause,
    /// The tenant's own reference for it, such as an order number.
    pub reference: Option<String>,
    /// What to do.
    pub action: CommandAction,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandAction {
    /// Spend credits.
    Spend {
        /// How many; at least one.
        credits: Credits,
    },
    /// Set credits aside.
    Hold {
        /// The id of the new hold. It must be unused.
        id: HoldId,
        /// How many; at least one.
        credits: Credits,
        /// How long until the hold expires, in seconds from the decision.
        lasts_seconds: i64,
    },
    /// Spend held credits; the rest of them becomes available again.
    Capture {
        /// The hold to capture.
        hold: HoldId,
        /// How many; all of them if none.
        credits: Option<Credits>,
    },
    /// Make held credits available again.
    Release {
        /// The hold to release.
        hold: HoldId,
    },
    /// An operator grants credits, or takes available ones.
    Adjust {
        /// How many: positive to grant, negative to take; not zero.
        credits: i64,
        /// The place of granted credits in the burn order, from 0 to 100.
        priority: u8,
        /// When granted credits expire.
        expires_at: Option<Timestamp>,
    },
    /// An operator forgives a debt.
    WriteOff {
        /// How many; the whole debt if none.
        credits: Option<Credits>,
    },
}

/// The answer to a command that was executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The transaction, by its number in the journal.
    pub transaction: i64,
    /// How many credits were spent, held, captured, released, granted (negative: taken) or forgiven.
    pub credits: Credits,
    /// From which lots, in burn order; empty for a write-off.
    pub allocations: Vec<Allocation>,
    /// The tenant's balance after the command.
    pub balance_after: Balance,
    /// The hold after the command, if one was concerned.
    pub hold: Option<Hold>,
}

/// Why a command was refused. Nothing was changed, except that overdue holds and credits expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum Refusal {
    /// The number of credits is zero or negative.
    #[error("a command moves at least 1 credit; nothing was changed")]
    NotPositive,
    /// Fewer credits are available than requested.
    #[error(
        "not enough credits: {requested} requested, {available} available, {debt} owed; nothing was changed"
    )]
    Insufficient {
        /// Credits requested.
        requested: Credits,
        /// Spendable credits. A tenant in debt has none.
        available: Credits,
        /// Credits owed.
        debt: Credits,
    },
    /// The hold does not exist, or belongs to another tenant.
    #[error("there is no such hold; nothing was changed")]
    NoSuchHold,
    /// The hold was already captured or released, or it expired.
    #[error("the hold is already {state}; nothing was changed")]
    HoldResolved {
        /// Its state.
        state: HoldState,
    },
    /// More credits were to be captured than the hold has.
    #[error("{requested} credits requested, {held} held; nothing was changed")]
    CaptureExceedsHold {
        /// Credits requested.
        requested: Credits,
        /// Credits held.
        held: Credits,
    },
    /// The debt is smaller than the write-off, or there is none.
    #[error("only {debt} credits owed; nothing was changed")]
    DebtTooSmall {
        /// Credits owed.
        debt: Credits,
    },
}

/// The answer to a command, and what to write. A refused command may have changes too: overdue holds and
/// credits expire first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// The answer. It is stored, and never changes.
    pub answer: Result<Receipt, Refusal>,
    /// What to write.
    pub changes: Changes,
}
