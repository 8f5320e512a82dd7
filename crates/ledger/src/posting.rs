//! The journal's lines: signed postings between accounts, in transactions that sum to zero and carry their
//! cause and the balance after them (design section 3, Book of accounts).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{EventId, HoldId, LotId, PaymentId, TenantId, Timestamp};
use crate::money::Credits;
use crate::named::named;

named! {
    /// Where credits can be. A positive posting moves credits into the account. `debt` is the only account of
    /// a tenant whose balance is zero or below.
    Account {
        /// Where credits that were bought come from.
        Issued = "issued",
        /// Spendable credits of a lot.
        Available = "available",
        /// Credits of a lot set aside for a spend that may yet happen.
        Held = "held",
        /// Credits of a lot set aside while a refund is pending or a dispute is open.
        Frozen = "frozen",
        /// What a tenant owes: credits taken back after they were spent.
        Debt = "debt",
        /// Credits that were spent.
        Consumed = "consumed",
        /// Credits that were taken back.
        Revoked = "revoked",
        /// Granted credits whose time was up. What was bought never expires.
        Expired = "expired",
        /// What operators gave (out of it) and took (into it) by hand.
        Adjusted = "adjusted",
        /// Debt that an operator forgave: where the credits that cover it come from.
        WrittenOff = "written_off",
    }
}

/// One signed line: `amount` credits into (or, negative, out of) an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Which account.
    pub account: Account,
    /// Which lot the credits belong to; none for debt, which is the tenant's as a whole.
    pub lot: Option<LotId>,
    /// Signed, in credits.
    pub amount: i64,
}

impl Posting {
    /// What its lot was granted, or where that is negative granted no more: what leaves `issued`, and what
    /// leaves `adjusted`. What enters `adjusted` was taken from lots of any kind.
    pub fn granted(&self) -> Option<Credits> {
        let grants = self.account == Account::Issued || self.account == Account::Adjusted && self.amount < 0;
        grants.then_some(Credits(-self.amount))
    }
}

named! {
    /// What a transaction did.
    TransactionKind {
        /// A purchase was paid.
        Granted = "granted",
        /// Money went back, and credits with it.
        Revoked = "revoked",
        /// A refund failed or a lost dispute was won after all.
        Restored = "restored",
        /// A refund is pending or a dispute is open.
        Frozen = "frozen",
        /// It came to nothing.
        Unfrozen = "unfrozen",
        /// The grant itself was wrong: another claim counts, or a person said so.
        Reversed = "reversed",
        /// New credits paid what was owed.
        DebtRepaid = "debt_repaid",
        /// The tenant used credits.
        Spent = "spent",
        /// The tenant set credits aside for a spend that may yet happen.
        Held = "held",
        /// A hold was spent, in whole or in part; the rest is available again.
        Captured = "captured",
        /// A hold was given up; its credits are available again.
        Released = "released",
        /// A hold's time was up; its credits are available again.
        HoldExpired = "hold_expired",
        /// An operator gave or took credits by hand.
        Adjusted = "adjusted",
        /// Granted credits whose time was up.
        Expired = "expired",
        /// An operator forgave what was owed.
        WrittenOff = "written_off",
    }
}

/// Why a transaction happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A Stripe event taught us something.
    Event(EventId),
    /// A person decided, or an operator's key sent a command.
    Operator {
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// A tenant's command over the API, by its idempotency key.
    Command(String),
    /// Nobody: this ran out of time.
    Clock(String),
}

named! {
    /// What kind of cause it is.
    CauseKind {
        /// [`Cause::Event`].
        Event = "event",
        /// [`Cause::Operator`].
        Operator = "operator",
        /// [`Cause::Command`].
        Command = "command",
        /// [`Cause::Clock`].
        Clock = "clock",
    }
}

impl Cause {
    /// What kind of cause it is.
    pub const fn kind(&self) -> CauseKind {
        match self {
            Self::Event(_) => CauseKind::Event,
            Self::Operator { .. } => CauseKind::Operator,
            Self::Command(_) => CauseKind::Command,
            Self::Clock(_) => CauseKind::Clock,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(event) => write!(f, "event {event}"),
            Self::Operator { by, reason } => write!(f, "operator {by}: {reason}"),
            Self::Command(key) => write!(f, "command {key}"),
            Self::Clock(what) => write!(f, "clock {what}"),
        }
    }
}

/// What a tenant has and owes, in credits. None of the four is ever negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Spendable.
    pub available: Credits,
    /// Set aside by holds.
    pub held: Credits,
    /// Set aside by pending refunds and open disputes.
    pub frozen: Credits,
    /// Owed.
    pub debt: Credits,
}

impl Balance {
    /// The one figure: available + held + frozen − debt. Negative when more is owed than there is.
    pub fn net(&self) -> i64 {
        (self.available + self.held + self.frozen - self.debt).0
    }
}

/// One entry of the journal, never changed once written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Its place in the journal: 1, 2, 3, … without gaps.
    pub seq: i64,
    /// Whose.
    pub tenant: TenantId,
    /// What it did.
    pub kind: TransactionKind,
    /// Why.
    pub cause: Cause,
    /// The payment behind it, if there is one.
    pub payment: Option<PaymentId>,
    /// The hold behind it, if there is one.
    pub hold: Option<HoldId>,
    /// What the tenant's own system calls the occasion.
    pub reference: Option<String>,
    /// When, by our clock.
    pub at: Timestamp,
    /// Its lines; they sum to zero.
    pub postings: Vec<Posting>,
    /// The tenant's balance after it.
    pub balance_after: Balance,
    /// Hash of this transaction and of the one before it.
    pub hash: [u8; 32],
}

impl Transaction {
    /// How much it changed the tenant's balance: zero for credits that only moved between available and
    /// frozen, or that repaid a debt.
    pub fn amount(&self) -> i64 {
        let ours =
            |account| matches!(account, Account::Available | Account::Held | Account::Frozen | Account::Debt);
        self.postings.iter().filter(|posting| ours(posting.account)).map(|posting| posting.amount).sum()
    }

    /// How many credits it moved into one account.
    pub fn into_account(&self, account: Account) -> Credits {
        let moved = self.postings.iter().filter(|posting| posting.account == account);
        Credits(moved.map(|posting| posting.amount.max(0)).sum())
    }

    /// How many credits it moved, in whichever direction.
    pub fn credits(&self) -> Credits {
        Credits(self.postings.iter().map(|posting| posting.amount.max(0)).sum())
    }
}
