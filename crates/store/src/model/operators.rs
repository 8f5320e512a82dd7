//! Tenants as operators see them, statements, and the data of reports.

use ledger::liability::LotSums;
use ledger::{Balance, Credits, LotId, PaymentId, TenantId, Timestamp};

use super::ActionKind;

/// A tenant as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantRow {
    /// The tenant's id.
    pub id: TenantId,
    /// The name that operators gave it.
    pub name: Option<String>,
    /// Its balance.
    pub balance: Balance,
    /// The tenant is notified when fewer credits than this are available.
    pub low_balance: Option<Credits>,
    /// When it became known.
    pub created_at: Timestamp,
}

/// A filter for tenants. All conditions must hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct TenantFilter {
    /// Only tenants in debt.
    pub debt: bool,
    /// Only tenants below their low-balance threshold.
    pub low: bool,
}

/// A tenant with counts of what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantDetail {
    /// The tenant.
    pub row: TenantRow,
    /// Open holds that have not ended.
    pub open_holds: i64,
    /// Lots, including used ones.
    pub lots: i64,
    /// Its quarantined payments.
    pub quarantined: i64,
}

/// Changes to a tenant; `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct TenantChange {
    /// The name, or `None` to remove it.
    pub name: Option<Option<String>>,
    /// The low-balance threshold, or `None` to remove it.
    pub low_balance: Option<Option<Credits>>,
}

/// A range of a tenant's transactions, with the balances before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatementRange {
    /// The range begins after this transaction …
    pub after: i64,
    /// … and ends with this one.
    pub through: i64,
    /// The balance before the range.
    pub opening: Balance,
    /// The balance after the range.
    pub closing: Balance,
}

/// A tenant's lots and debt as of some transaction.
#[derive(Clone, Debug)]
pub struct TenantPosition {
    /// The tenant's id.
    pub tenant: TenantId,
    /// Its debt.
    pub debt: Credits,
    /// All lots that existed.
    pub lots: Vec<LotPosition>,
}

/// A lot as of some transaction.
#[derive(Clone, Debug)]
pub struct LotPosition {
    /// The lot's id.
    pub lot: LotId,
    /// Its payment, as known now; `None` for an operator's grant.
    pub payment: Option<PaymentId>,
    /// The payment's key.
    pub payment_key: Option<String>,
    /// Lower-case ISO 4217 code, if the payment names one.
    pub currency: Option<String>,
    /// No event links the payment with its refunds: an operator takes credits back.
    pub refunds_by_hand: bool,
    /// When it was purchased by Stripe's clock, or granted by ours. Seconds.
    pub purchased_at: i64,
    /// The sums of its postings, and the net price of the whole payment as known now.
    pub sums: LotSums,
}

/// One person's completed actions of one kind in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionTotals {
    /// The person's id.
    pub person: String,
    /// The person's name.
    pub name: String,
    /// The kind.
    pub kind: ActionKind,
    /// The number of actions.
    pub actions: i64,
    /// Credits that they moved.
    pub credits: Credits,
    /// Those that needed a second person and were executed without one.
    pub alone: i64,
    /// Credits that these moved.
    pub alone_credits: Credits,
    /// Those that a second person approved.
    pub approved: i64,
    /// Credits that these moved.
    pub approved_credits: Credits,
}
