//! Spending: the one kind of decision that may refuse. Credits burn in a total order, and a tenant that owes
//! spends nothing (design section 3, Spend and hold).
//! Not here: idempotency keys, holds and the API, which arrive with the credits API.

use crate::book::{Book, Changes};
use crate::draft::Draft;
use crate::ids::{TenantId, Timestamp};
use crate::money::Credits;
use crate::posting::{Account, Cause, Kind};

/// Why a spend was refused. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Zero or fewer credits were asked for.
    #[error("a spend takes at least 1 credit; nothing was changed")]
    NotPositive,
    /// The tenant has fewer than were asked for, or owes some.
    #[error("not enough credits: {available} available, {debt} owed; nothing was changed")]
    Insufficient {
        /// Spendable credits.
        available: Credits,
        /// Credits owed; while there are any, nothing can be spent.
        debt: Credits,
    },
}

/// Spends `credits` of `tenant`, whose lots the book must hold as far as they are needed.
///
/// # Panics
/// When it does not: better than to take fewer credits than were sold.
pub fn spend(
    book: &Book,
    tenant: TenantId,
    credits: Credits,
    key: &str,
    at: Timestamp,
) -> Result<Changes, Refusal> {
    if credits <= Credits::ZERO {
        return Err(Refusal::NotPositive);
    }
    let mut draft = Draft::new(book, Cause::Command(key.to_owned()), at, None);
    let balance = draft.balance(tenant);
    if balance.available < credits || balance.debt > Credits::ZERO {
        return Err(Refusal::Insufficient { available: balance.available, debt: balance.debt });
    }
    let mut lines = Vec::new();
    let mut left = credits;
    for id in draft.lots_where(|lot| lot.tenant == tenant && lot.available > Credits::ZERO) {
        let amount = draft.lot(id).available.min(left);
        lines.extend([(Account::Available, Some(id), -amount.0), (Account::Consumed, Some(id), amount.0)]);
        left -= amount;
    }
    assert_eq!(left, Credits::ZERO, "the book must hold the lots that a spend needs");
    draft.post(tenant, Kind::Spent, &lines);
    Ok(draft.finish(None, Vec::new()))
}
