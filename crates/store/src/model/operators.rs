//! What crosses the border of the store about operators' work: tenants as they see them, adjustments, and
//! what statements and reports are made of.
//! Not here: what lots are worth (`ledger::liability`), and who may do what (`web`).

use ledger::liability::LotSums;
use ledger::{Action, Balance, Credits, LotId, PaymentId, TenantId, Timestamp, named};

use super::Pin;

/// A tenant as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantRow {
    /// Who.
    pub id: TenantId,
    /// What operators call it.
    pub name: Option<String>,
    /// What it has and owes.
    pub balance: Balance,
    /// It is told when fewer than so many are available.
    pub low_balance: Option<Credits>,
    /// When we first heard of it.
    pub created_at: Timestamp,
}

/// Which tenants to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct TenantFilter {
    /// Those who owe something.
    pub debt: bool,
    /// Those who have fewer credits available than they want to have.
    pub low: bool,
}

/// A tenant, and how much there is of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantDetail {
    /// The tenant.
    pub row: TenantRow,
    /// Holds that stand, and whose time is not up.
    pub open_holds: i64,
    /// Lots, used up or not.
    pub lots: i64,
    /// Payments of it that need a person.
    pub quarantined: i64,
}

/// What to set of a tenant; what is None stays.
#[derive(Clone, Debug, Default)]
pub struct TenantChange {
    /// What operators call it; or nothing any more.
    pub name: Option<Option<String>>,
    /// When it is told; or never any more.
    pub low_balance: Option<Option<Credits>>,
}

/// What an operator asks for by hand.
#[derive(Clone, Debug)]
pub struct NewAdjustment {
    /// Its name, `adj_…`.
    pub id: String,
    /// Under which name it is asked for.
    pub pin: Pin,
    /// Whose credits.
    pub tenant: TenantId,
    /// [`Action::Adjust`] or [`Action::WriteOff`] of so many.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// The id of the key of whoever asks.
    pub by: String,
    /// It waits for a second person.
    pub waits: bool,
}

/// What became of the asking.
#[derive(Clone, Debug)]
pub enum AskedAdjustment {
    /// It is kept.
    Kept {
        /// As it stands now.
        row: Box<AdjustmentRow>,
        /// It was asked for before, under the same name.
        replayed: bool,
    },
    /// Its name was used for something else before. Nothing is kept.
    KeyReused,
    /// The credits that it would give have ended by now. Nothing is kept.
    Ended,
}

named! {
    /// How far an adjustment has come.
    AdjustmentState {
        /// It waits for a second person.
        Waiting = "waiting",
        /// It is decided that it be done. Seen only when the service ended before it was.
        Approved = "approved",
        /// Done.
        Done = "done",
        /// The ledger refused it.
        Refused = "refused",
        /// A second person rejected it.
        Rejected = "rejected",
    }
}

/// Whoever holds an operator's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The key's id.
    pub key: String,
    /// The key's name.
    pub name: String,
}

/// An adjustment as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdjustmentRow {
    /// Its name.
    pub id: String,
    /// Whose credits.
    pub tenant: TenantId,
    /// What is to be done.
    pub action: Action,
    /// Why.
    pub reason: String,
    /// How far it has come.
    pub state: AdjustmentState,
    /// It had, or has, to wait for a second person.
    pub waits: bool,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: Person,
    /// When a second person decided.
    pub decided_at: Option<Timestamp>,
    /// Who that was.
    pub decided_by: Option<Person>,
    /// Why it was rejected or refused.
    pub note: Option<String>,
    /// The transaction that did it.
    pub transaction: Option<i64>,
}

/// A second person's word.
#[derive(Clone, Debug)]
pub enum AdjustmentVerdict {
    /// Let it be done.
    Approve,
    /// Let it not be done.
    Reject {
        /// Why not.
        reason: String,
    },
}

/// What became of a person's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecidedAdjustment {
    /// It counted.
    Counted(Box<AdjustmentRow>),
    /// Whoever asked may not decide. Nothing was changed.
    SamePerson,
    /// Their key was made after the asking, so whoever asked may have made it. Nothing was changed.
    YoungerKey,
    /// Somebody decided before, or nobody had to. Nothing was changed.
    Already(Box<AdjustmentRow>),
}

/// A tenant's lines between two moments, and what they lead from and to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementRange {
    /// The lines come after this transaction …
    pub after: i64,
    /// … and go up to this one.
    pub through: i64,
    /// The balance before the first of them.
    pub opening: Balance,
    /// The balance after the last of them.
    pub closing: Balance,
}

/// What a tenant had bought and owed after some transaction.
#[derive(Clone, Debug)]
pub struct TenantPosition {
    /// Who.
    pub tenant: TenantId,
    /// What it owed.
    pub debt: Credits,
    /// Every lot that there was.
    pub lots: Vec<LotPosition>,
}

/// One lot after some transaction.
#[derive(Clone, Debug)]
pub struct LotPosition {
    /// Which.
    pub lot: LotId,
    /// The payment behind it, as it is known now; none for an operator's grant.
    pub payment: Option<PaymentId>,
    /// The payment's key.
    pub payment_key: Option<String>,
    /// Three letters, where the payment says.
    pub currency: Option<String>,
    /// When it was bought, by Stripe's clock, or granted, by ours. Seconds.
    pub purchased_at: i64,
    /// The sums of its postings, and the net price of the whole payment, as it is known now.
    pub sums: LotSums,
}
