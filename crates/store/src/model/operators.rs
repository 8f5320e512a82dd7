//! What crosses the border of the store about tenants as operators see them, and what statements and reports
//! are made of.
//! Not here: what operators do (`actions`), and what lots are worth (`ledger::liability`).

use ledger::liability::LotSums;
use ledger::{Balance, Credits, LotId, PaymentId, TenantId, Timestamp};

use super::ActionKind;

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
    /// No event links the payment with its refunds: a person takes credits back.
    pub refunds_by_hand: bool,
    /// When it was bought, by Stripe's clock, or granted, by ours. Seconds.
    pub purchased_at: i64,
    /// The sums of its postings, and the net price of the whole payment, as it is known now.
    pub sums: LotSums,
}

/// What one person did of one kind, in a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionTotals {
    /// The person's id.
    pub person: String,
    /// The person's name.
    pub name: String,
    /// What.
    pub kind: ActionKind,
    /// Actions.
    pub actions: i64,
    /// Credits that they moved.
    pub credits: Credits,
    /// Of the actions, those that needed a second person and were done alone.
    pub alone: i64,
    /// Credits that these moved.
    pub alone_credits: Credits,
    /// Of the actions, those that a second person approved.
    pub approved: i64,
    /// Credits that these moved.
    pub approved_credits: Credits,
}
