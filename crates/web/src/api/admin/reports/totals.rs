//! Adds up the value of lots by currency and age.

use std::collections::BTreeMap;

use ledger::{Credits, TenantId};
use serde::Serialize;
use utoipa::ToSchema;

use super::lot::LotLine;

/// Ages in days: the last day of each but the last, which has no end.
pub(super) const AGES: [(&str, i64); 5] =
    [("0-30", 30), ("31-90", 90), ("91-180", 180), ("181-365", 365), ("over 365", i64::MAX)];

/// The totals. Wide enough for any number of lots.
#[derive(Default)]
pub(super) struct Totals {
    /// By currency; None for lots whose payment names no currency.
    pub(super) currencies: BTreeMap<Option<String>, Sums>,
    /// Credits granted by operators. Nobody paid for them.
    pub(super) grants: Sums,
    /// Outstanding purchased credits that no money covers.
    pub(super) unpriced: i128,
    /// The debts of tenants, in credits.
    pub(super) debts: Vec<(TenantId, Credits)>,
}

impl Totals {
    pub(super) fn add(&mut self, line: &LotLine) {
        match line.payment {
            Some(_) => self.currencies.entry(line.currency.clone()).or_default().add(line),
            None => self.grants.add(line),
        }
    }
}

/// Sums of lots.
#[derive(Clone, Default)]
pub(super) struct Sums {
    pub(super) lots: i128,
    pub(super) credits: CreditSums,
    pub(super) money: MoneySums,
    /// Outstanding credits and their deferred revenue, by age.
    pub(super) ages: [(i128, i128); AGES.len()],
}

/// The credits of lots. `granted` = `used` + `refunded_unspent` + `outstanding`.
#[derive(Clone, Default, Serialize, ToSchema)]
pub(super) struct CreditSums {
    /// Sold, or granted by operators.
    #[schema(value_type = i64)]
    pub(super) granted: i128,
    /// Used: spent, expired, removed by an operator, or taken for the refund of other credits that were
    /// spent.
    #[schema(value_type = i64)]
    pub(super) used: i128,
    /// Revoked before they were used.
    #[schema(value_type = i64)]
    pub(super) refunded_unspent: i128,
    /// Revoked after they were used; included in `used`, unless a hold covers them.
    #[schema(value_type = i64)]
    pub(super) refunded_spent: i128,
    /// Not used and not revoked: a service is owed for them.
    #[schema(value_type = i64)]
    pub(super) outstanding: i128,
}

/// The money of lots, in minor units. `net_price` = `recognised` + `refunded_unspent` + `deferred`.
#[derive(Clone, Default, Serialize, ToSchema)]
pub(super) struct MoneySums {
    /// Paid, without tax.
    #[schema(value_type = i64)]
    pub(super) net_price: i128,
    /// Revenue since the beginning, before `refunded_spent`.
    #[schema(value_type = i64)]
    pub(super) recognised: i128,
    /// Refunded for unused credits. It was never revenue.
    #[schema(value_type = i64)]
    pub(super) refunded_unspent: i128,
    /// Refunded for used credits. It reduces revenue.
    #[schema(value_type = i64)]
    pub(super) refunded_spent: i128,
    /// The liability.
    #[schema(value_type = i64)]
    pub(super) deferred: i128,
}

impl Sums {
    fn add(&mut self, line: &LotLine) {
        self.lots += 1;
        for (sum, one) in [
            (&mut self.credits.granted, line.granted),
            (&mut self.credits.used, line.used),
            (&mut self.credits.refunded_unspent, line.unspent_back),
            (&mut self.credits.refunded_spent, line.spent_back),
            (&mut self.credits.outstanding, line.outstanding),
            (&mut self.money.net_price, line.net_price),
            (&mut self.money.recognised, line.recognised),
            (&mut self.money.refunded_unspent, line.refunded_unspent),
            (&mut self.money.refunded_spent, line.refunded_spent),
            (&mut self.money.deferred, line.deferred),
        ] {
            *sum += i128::from(one);
        }
        let age = AGES.iter().position(|(_, last)| line.age_days <= *last).unwrap_or(AGES.len() - 1);
        self.ages[age].0 += i128::from(line.outstanding);
        self.ages[age].1 += i128::from(line.deferred);
    }
}
