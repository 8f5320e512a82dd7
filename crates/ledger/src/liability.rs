//! What unspent credits are worth: for each lot, the money taken for services still owed (deferred), earned
//! (recognised) and refunded. Computed from sums of postings; no decision depends on it.
//!
//! A lot of C credits was sold for the net price P. Each of its credits is used, was taken back unspent, or
//! is outstanding. The money follows the credits, rounded once from the cumulative figure, so that rounding
//! errors do not add up and a lot without outstanding credits is worth exactly zero:
//!
//! ```text
//! recognised       = floor(P × used / C)
//! refunded unspent = ceil (P × taken back unspent / C)
//! deferred         = P − recognised − refunded unspent
//! refunded spent   = floor(P × taken back after use / C)                 reduces revenue
//! ```
//!
//! Credits of one lot can replace those of another: a refund of spent credits takes whatever credits the
//! tenant has. The replacing credits then count as used, for the service that the spent ones paid for.

use std::collections::BTreeMap;

use crate::ids::PaymentId;
use crate::money::{Credits, Minor};

/// A lot's price and the sums of its postings by account, at one moment. None is negative. Together they may
/// add up to more credits than were granted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LotSums {
    /// P: what was paid for the lot, without tax, in minor units. Zero for an operator's grant.
    pub price: Minor,
    /// C: granted, less reversed.
    pub granted: Credits,
    /// Spent.
    pub consumed: Credits,
    /// Taken back because money went back, including what other lots or debt covered.
    pub revoked: Credits,
    /// Available, held and frozen.
    pub outstanding: Credits,
    /// Expired, or taken by an operator: no longer owed, and no money went back.
    pub ended: Credits,
}

/// The breakdown of one lot: `granted = used + unspent_back + outstanding`, and
/// `price = recognised + refunded_unspent + deferred`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LotValue {
    /// Credits used: spent, ended, or taken in place of spent credits of another lot.
    pub used: Credits,
    /// Credits taken back before they were used.
    pub unspent_back: Credits,
    /// Credits taken back after they were used, or while they were held.
    pub spent_back: Credits,
    /// Credits for which a service is owed.
    pub outstanding: Credits,
    /// Revenue, before `refunded_spent` is subtracted.
    pub recognised: Minor,
    /// Money refunded for unused credits. It was never revenue.
    pub refunded_unspent: Minor,
    /// Money refunded for used credits. It reduces revenue.
    pub refunded_spent: Minor,
    /// The liability: money for services still owed.
    pub deferred: Minor,
}

/// The value of one tenant's lots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantValue {
    /// In the order of the argument.
    pub lots: Vec<LotValue>,
    /// Outstanding credits without a price, apart from those of operators' grants: a written-off debt was
    /// repaid after all, or credits are frozen while the same number is owed.
    pub unpriced: Credits,
}

/// Computes the value of all lots of one tenant.
pub fn value(lots: &[LotSums]) -> TenantValue {
    let mut parts: Vec<Parts> = lots.iter().map(Parts::new).collect();
    // Credits that returned to a lot after other lots had replaced them belong to those other lots.
    let mut unpriced: Credits = parts.iter().map(|part| part.excess).sum();
    for part in &mut parts {
        let returned = unpriced.min(part.replacing).min(part.used);
        part.used -= returned;
        part.outstanding += returned;
        unpriced -= returned;
    }
    let lots = lots.iter().zip(parts).map(|(lot, parts)| parts.priced(lot)).collect();
    TenantValue { lots, unpriced }
}

/// Splits the price of each payment among its lots. Each lot comes with the price of its whole payment, and
/// leaves with its own part; a lot without a payment leaves with none. A payment has several lots if payments
/// were merged or if it passed to another tenant.
pub fn apportion(lots: &[(Option<PaymentId>, LotSums)]) -> Vec<LotSums> {
    let mut payments: BTreeMap<PaymentId, Vec<usize>> = BTreeMap::new();
    for (index, (payment, _)) in lots.iter().enumerate() {
        if let Some(payment) = payment {
            payments.entry(*payment).or_default().push(index);
        }
    }
    let mut own: Vec<_> = lots.iter().map(|(_, sums)| LotSums { price: Minor::ZERO, ..*sums }).collect();
    for indices in payments.values() {
        let granted: Vec<_> = indices.iter().map(|index| own[*index].granted).collect();
        let price = lots[indices[0]].1.price;
        for (index, part) in indices.iter().zip(split(price, &granted)) {
            own[*index].price = part;
        }
    }
    own
}

/// Splits a price in proportion to the granted credits, without losing a cent.
fn split(price: Minor, granted: &[Credits]) -> Vec<Minor> {
    let total = granted.iter().copied().sum();
    let (mut credits_so_far, mut price_so_far) = (Credits::ZERO, Minor::ZERO);
    let mut part = |own: Credits| {
        credits_so_far += own;
        let through = if own.is_zero() { price_so_far } else { share(price, credits_so_far, total) };
        let part = through - price_so_far;
        price_so_far = through;
        part
    };
    granted.iter().map(|own| part(*own)).collect()
}

/// The breakdown of a lot's credits.
struct Parts {
    used: Credits,
    unspent_back: Credits,
    spent_back: Credits,
    outstanding: Credits,
    /// The part of `used` that was taken in place of other lots' credits.
    replacing: Credits,
    /// Outstanding credits beyond the lot's own: other lots' credits were taken in their place.
    excess: Credits,
}

impl Parts {
    fn new(lot: &LotSums) -> Self {
        let posted = lot.consumed + lot.ended + lot.revoked + lot.outstanding;
        let replacing = lot.granted.less(posted);
        // Revoked credits that this lot did not cover had been used before.
        let spent_back = posted.less(lot.granted).min(lot.revoked);
        let unspent_back = lot.revoked - spent_back;
        let used = (lot.consumed + lot.ended + replacing).min(lot.granted.less(unspent_back));
        let outstanding = lot.granted.less(used + unspent_back);
        let excess = lot.outstanding.less(outstanding);
        Self { used, unspent_back, spent_back, outstanding, replacing, excess }
    }

    fn priced(self, lot: &LotSums) -> LotValue {
        // If the whole grant was reversed, the money belongs to another lot.
        let price = if lot.granted == Credits::ZERO { Minor::ZERO } else { lot.price };
        let recognised = share(price, self.used, lot.granted);
        // Rounded up, because the share of the remaining credits is rounded down.
        let refunded_unspent = price - share(price, lot.granted - self.unspent_back, lot.granted);
        LotValue {
            used: self.used,
            unspent_back: self.unspent_back,
            spent_back: self.spent_back,
            outstanding: self.outstanding,
            recognised,
            refunded_unspent,
            refunded_spent: share(price, self.spent_back, lot.granted),
            deferred: price - recognised - refunded_unspent,
        }
    }
}

/// `price × part / whole`, rounded down, in 128-bit integers; `price` if `part ≥ whole`.
fn share(price: Minor, part: Credits, whole: Credits) -> Minor {
    if part >= whole {
        return price;
    }
    let share = i128::from(price.0) * i128::from(part.0) / i128::from(whole.0);
    // part < whole, so the share is below the price and fits.
    Minor(i64::try_from(share).unwrap_or(price.0))
}
