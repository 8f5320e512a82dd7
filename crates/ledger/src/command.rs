//! What an API asks for, in our terms: spend, hold, capture, release, adjust, write off; and the answers, a
//! receipt or a refusal.
//! Not here: deciding (`execute`), idempotency keys (`store`), the API's words (`web`), and who may ask.

use serde::{Deserialize, Serialize};

use crate::book::Changes;
use crate::hold::{Allocation, Hold, HoldState};
use crate::ids::{HoldId, TenantId, Timestamp};
use crate::money::Credits;
use crate::posting::{Balance, Cause};

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Whose credits.
    pub tenant: TenantId,
    /// Who asked.
    pub cause: Cause,
    /// What the tenant's own system calls the occasion.
    pub reference: Option<String>,
    /// What to do.
    pub action: CommandAction,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandAction {
    /// Use credits.
    Spend {
        /// How many; at least one.
        credits: Credits,
    },
    /// Set credits aside.
    Hold {
        /// The name that the hold gets. It must be new.
        id: HoldId,
        /// How many; at least one.
        credits: Credits,
        /// Until they return by themselves, in seconds from the decision.
        lasts_seconds: i64,
    },
    /// Use held credits; the rest of them returns.
    Capture {
        /// Which hold.
        hold: HoldId,
        /// How many; all of them, where it is not said.
        credits: Option<Credits>,
    },
    /// Return held credits.
    Release {
        /// Which hold.
        hold: HoldId,
    },
    /// An operator gives credits, or takes (negative) what is available.
    Adjust {
        /// How many; not zero.
        credits: i64,
        /// Of what is given: its place in the burn order, from 0 to 100.
        priority: u8,
        /// Of what is given: when it ends.
        expires_at: Option<Timestamp>,
    },
    /// An operator forgives a debt.
    WriteOff {
        /// How much of it; all, where it is not said.
        credits: Option<Credits>,
    },
}

/// It was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The transaction, by its place in the journal.
    pub transaction: i64,
    /// How many credits were spent, set aside, captured, returned, given (negative: taken) or forgiven.
    pub credits: Credits,
    /// Of which lots, in burn order; none for a write-off.
    pub allocations: Vec<Allocation>,
    /// What the tenant has and owes now.
    pub balance_after: Balance,
    /// The hold as it is now, where there is one.
    pub hold: Option<Hold>,
}

/// Why it was not done. Nothing was changed, but that what had run out of time was settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "refusal", rename_all = "snake_case")]
pub enum Refusal {
    /// Zero or fewer credits were asked for.
    #[error("a command moves at least 1 credit; nothing was changed")]
    NotPositive,
    /// The tenant has fewer than were asked for, or owes some.
    #[error(
        "not enough credits: {requested} asked for, {available} available, {debt} owed; nothing was changed"
    )]
    Insufficient {
        /// Asked for.
        requested: Credits,
        /// Spendable credits.
        available: Credits,
        /// Credits owed; while there are any, nothing can be spent or held.
        debt: Credits,
    },
    /// There is none, or it is another tenant's.
    #[error("there is no such hold; nothing was changed")]
    NoSuchHold,
    /// A hold resolves once.
    #[error("the hold was {state} before; nothing was changed")]
    HoldResolved {
        /// What became of it.
        state: HoldState,
    },
    /// A capture takes no more than was held.
    #[error("{requested} asked for, {held} held; nothing was changed")]
    CaptureExceedsHold {
        /// Asked for.
        requested: Credits,
        /// Held.
        held: Credits,
    },
    /// There is less to forgive than was asked for, or nothing.
    #[error("{debt} owed; nothing was changed")]
    DebtTooSmall {
        /// Owed.
        debt: Credits,
    },
}

/// What became of a command, and what to write: also where it was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// The answer, which is the same for ever.
    pub answer: Result<Receipt, Refusal>,
    /// What to write.
    pub changes: Changes,
}
