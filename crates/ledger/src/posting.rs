//! The journal's lines: signed postings between accounts, in transactions that sum to zero and carry their
//! cause and the balance after them (design section 3, Book of accounts).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{EventId, HoldId, LotId, PaymentId, TenantId, Timestamp};
use crate::money::Credits;
use crate::named::named;

named! {
    /// An account that holds credits. A positive posting moves credits into the account. `debt` is the only
    /// account of a tenant with a balance of zero or below.
    Account {
        /// The source of purchased credits.
        Issued = "issued",
        /// Spendable credits of a lot.
        Available = "available",
        /// Credits of a lot set aside for a later spend.
        Held = "held",
        /// Credits of a lot set aside while a refund is pending or a dispute is open.
        Frozen = "frozen",
        /// What a tenant owes: credits taken back after they were spent.
        Debt = "debt",
        /// Credits that were spent.
        Consumed = "consumed",
        /// Credits that were taken back.
        Revoked = "revoked",
        /// Granted credits that expired. Purchased credits never do.
        Expired = "expired",
        /// The source of credits that operators granted, and the destination of credits that they took.
        Adjusted = "adjusted",
        /// The source of the credits that cover forgiven debt.
        WrittenOff = "written_off",
    }
}

/// One signed line: `amount` credits into (or, negative, out of) an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    /// The account.
    pub account: Account,
    /// The lot that the credits belong to; none for debt, which belongs to the tenant as a whole.
    pub lot: Option<LotId>,
    /// Signed, in credits.
    pub amount: i64,
}

impl Posting {
    /// How many credits the posting grants to its lot; negative if it reverses a grant. Only credits from
    /// `issued` and `adjusted` are granted; credits into `adjusted` may come from any lot.
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
        /// Frozen credits are spendable again, for example because the refund failed or the dispute was won.
        Unfrozen = "unfrozen",
        /// The grant itself was wrong: another claim counts, or a person decided so.
        Reversed = "reversed",
        /// New credits repaid a debt.
        DebtRepaid = "debt_repaid",
        /// The tenant spent credits.
        Spent = "spent",
        /// The tenant set credits aside for a later spend.
        Held = "held",
        /// A hold was spent, in whole or in part; the rest is available again.
        Captured = "captured",
        /// A hold was released; its credits are available again.
        Released = "released",
        /// A hold expired; its credits are available again.
        HoldExpired = "hold_expired",
        /// An operator granted or took credits by hand.
        Adjusted = "adjusted",
        /// Granted credits expired.
        Expired = "expired",
        /// An operator forgave a debt.
        WrittenOff = "written_off",
    }
}

/// Why a transaction happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A Stripe event.
    Event(EventId),
    /// A person decided, or an operator's key sent a command.
    Operator {
        /// The operator.
        by: String,
        /// The operator's reason.
        reason: String,
    },
    /// A tenant's command over the API, by its idempotency key.
    Command(String),
    /// The clock: this hold or lot expired.
    Clock(String),
}

named! {
    /// The kind of a cause.
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
    /// The kind of this cause.
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

/// A tenant's balance in credits. None of the four figures is ever negative.
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
    /// available + held + frozen − debt. Negative if the debt exceeds the credits.
    pub fn net(&self) -> i64 {
        (self.available + self.held + self.frozen - self.debt).0
    }
}

/// One entry of the journal, never changed once written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Its number in the journal: 1, 2, 3, … without gaps.
    pub seq: i64,
    /// The tenant whose credits it moved.
    pub tenant: TenantId,
    /// What it did.
    pub kind: TransactionKind,
    /// Why it happened.
    pub cause: Cause,
    /// The payment concerned, if any.
    pub payment: Option<PaymentId>,
    /// The hold concerned, if any.
    pub hold: Option<HoldId>,
    /// The tenant's own reference for it, such as an order number.
    pub reference: Option<String>,
    /// When it was posted, by our clock.
    pub at: Timestamp,
    /// Its postings. They sum to zero.
    pub postings: Vec<Posting>,
    /// The tenant's balance after it.
    pub balance_after: Balance,
    /// Hash of this transaction and of the one before it.
    pub hash: [u8; 32],
}

impl Transaction {
    /// How much it changed the tenant's net balance: zero for credits that only moved between available and
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

    /// How many credits it moved in total.
    pub fn credits(&self) -> Credits {
        Credits(self.postings.iter().map(|posting| posting.amount.max(0)).sum())
    }
}
