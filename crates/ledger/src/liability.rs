//! What unspent credits are worth: the money that was taken for services still owed, lot by lot, and what of
//! it was earned or given back. A pure reading of sums of postings; nothing is decided by it.
//!
//! A lot of C credits was sold for the net price P. Each of its credits is used up, went back unspent, or is
//! outstanding, and the money follows the credits with one rounding, of the cumulative figure, so that cents
//! never drift and a lot without outstanding credits is worth exactly zero:
//!
//! ```text
//! recognised       = floor(P × used / C)
//! refunded unspent = ceil (P × went back unspent / C)
//! deferred         = P − recognised − refunded unspent
//! refunded spent   = floor(P × taken back after they were used / C)      less revenue
//! ```
//!
//! Credits of one lot can stand in for those of another: a refund of spent credits takes them from wherever
//! the tenant has some. The lot that gave has then been used up for a service given earlier.
//!
//! Not here: prices (`knowledge`), reading the journal (`store`), ageing and totals (`web`).

use std::collections::BTreeMap;

use crate::ids::PaymentId;
use crate::money::{Credits, Minor};

/// One lot at one moment: its price and the sums of its postings by account. None is negative, but that
/// together they may name more credits than were granted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LotSums {
    /// P: what was paid for all of it, without tax, in minor units. Zero for an operator's grant.
    pub price: Minor,
    /// C: granted, less what was reversed.
    pub granted: Credits,
    /// Spent.
    pub consumed: Credits,
    /// Taken back because money went back, from whichever lot or debt that was met.
    pub revoked: Credits,
    /// Available, held and frozen.
    pub outstanding: Credits,
    /// Expired, or taken by an operator's hand: owed no more, and not given back.
    pub ended: Credits,
}

/// What has become of one lot: `granted = used + unspent_back + outstanding`, and
/// `price = recognised + refunded_unspent + deferred`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LotValue {
    /// Credits used up: spent, ended, or taken for a refund of others that were spent.
    pub used: Credits,
    /// Credits that went back before they were used.
    pub unspent_back: Credits,
    /// Credits that were taken back after they had been used, or while a hold stood on them.
    pub spent_back: Credits,
    /// Credits for which a service is owed.
    pub outstanding: Credits,
    /// Revenue, before `refunded_spent`.
    pub recognised: Minor,
    /// Money that went back for credits that were not used. It was never revenue.
    pub refunded_unspent: Minor,
    /// Money that went back for credits that had been used: less revenue.
    pub refunded_spent: Minor,
    /// The liability: money for services that are still owed.
    pub deferred: Minor,
}

/// What one tenant's lots are worth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TenantValue {
    /// In the order of what was asked.
    pub lots: Vec<LotValue>,
    /// Outstanding credits that no price stands behind, beside those of operators' grants: a written-off debt
    /// was repaid after all, or credits are frozen while as many are owed.
    pub unpriced: Credits,
}

/// Works out what all the lots of one tenant are worth.
pub fn value(lots: &[LotSums]) -> TenantValue {
    let mut parts: Vec<Parts> = lots.iter().map(Parts::of).collect();
    // Credits that returned to a lot which others had stood in for are theirs.
    let mut unpriced: Credits = parts.iter().map(|part| part.excess).sum();
    for part in &mut parts {
        let theirs = unpriced.min(part.stood_in).min(part.used);
        part.used -= theirs;
        part.outstanding += theirs;
        unpriced -= theirs;
    }
    let lots = lots.iter().zip(parts).map(|(lot, parts)| parts.priced(lot)).collect();
    TenantValue { lots, unpriced }
}

/// Each lot with its own part of its payment's price, where it came with the price of the whole payment; with
/// none where no payment stands behind it. A payment has more than one lot where several turned out to be the
/// same, or where one changed hands.
pub fn apportion(lots: &[(Option<PaymentId>, LotSums)]) -> Vec<LotSums> {
    let mut payments: BTreeMap<PaymentId, Vec<usize>> = BTreeMap::new();
    for (place, (payment, _)) in lots.iter().enumerate() {
        if let Some(payment) = payment {
            payments.entry(*payment).or_default().push(place);
        }
    }
    let mut own: Vec<_> = lots.iter().map(|(_, sums)| LotSums { price: Minor::ZERO, ..*sums }).collect();
    for places in payments.values() {
        let granted: Vec<_> = places.iter().map(|place| own[*place].granted).collect();
        let price = lots[places[0]].1.price;
        for (place, part) in places.iter().zip(split(price, &granted)) {
            own[*place].price = part;
        }
    }
    own
}

/// Divides a price by what was granted of each lot, to the last cent.
fn split(price: Minor, granted: &[Credits]) -> Vec<Minor> {
    let all = granted.iter().copied().sum();
    let (mut credits, mut given) = (Credits::ZERO, Minor::ZERO);
    let mut part = |own: Credits| {
        credits += own;
        let through = if own.is_zero() { given } else { share(price, credits, all) };
        let part = through - given;
        given = through;
        part
    };
    granted.iter().map(|own| part(*own)).collect()
}

/// A lot's credits, each of them in one place.
struct Parts {
    used: Credits,
    unspent_back: Credits,
    spent_back: Credits,
    outstanding: Credits,
    /// Of `used`: taken for others.
    stood_in: Credits,
    /// Outstanding beyond what was granted: others stood in for them.
    excess: Credits,
}

impl Parts {
    fn of(lot: &LotSums) -> Self {
        let named = lot.consumed + lot.ended + lot.revoked + lot.outstanding;
        let stood_in = lot.granted.less(named);
        // What was revoked and not met from this lot had been used, or it would have been there.
        let spent_back = named.less(lot.granted).min(lot.revoked);
        let unspent_back = lot.revoked - spent_back;
        let used = (lot.consumed + lot.ended + stood_in).min(lot.granted.less(unspent_back));
        let outstanding = lot.granted.less(used + unspent_back);
        let excess = lot.outstanding.less(outstanding);
        Self { used, unspent_back, spent_back, outstanding, stood_in, excess }
    }

    fn priced(self, lot: &LotSums) -> LotValue {
        // Whatever was granted was reversed: the money stands behind another lot.
        let price = if lot.granted == Credits::ZERO { Minor::ZERO } else { lot.price };
        let recognised = share(price, self.used, lot.granted);
        // The rounded-up share of what went back is what the rounded-down share of the rest leaves.
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

/// `price × part / whole`, rounded down, in 128-bit integers; all of it for all of `whole`.
fn share(price: Minor, part: Credits, whole: Credits) -> Minor {
    if part >= whole {
        return price;
    }
    let share = i128::from(price.0) * i128::from(part.0) / i128::from(whole.0);
    // part < whole, so the share is below the price and fits.
    Minor(i64::try_from(share).unwrap_or(price.0))
}
