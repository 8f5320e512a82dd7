//! The effects of decisions about payments on credits, taken from the transactions that they post.

use std::collections::BTreeMap;

use ledger::{Account, Balance, Book, Credits, PaymentId, Posting, TenantId, Transaction, TransactionKind};

use crate::model::{BalanceChange, Consequences};

/// Sums the effects of successive decisions on one book.
#[derive(Default)]
pub(super) struct Tally {
    consequences: Consequences,
    /// Credits moved of each tenant, as absolute values.
    pub(super) credits: BTreeMap<TenantId, Credits>,
    before: BTreeMap<TenantId, Balance>,
}

impl Tally {
    /// Adds a decision about a payment. `book` is the book before the decision. Granted credits count in full
    /// even if their money was refunded, because the refund may still fail. Credits that are restored and
    /// taken back again, as when a partly refunded purchase is dismissed, count as their net.
    pub(super) fn add(&mut self, book: &Book, payment: PaymentId, transactions: &[Transaction]) {
        let mut moves: BTreeMap<TenantId, Moves> = BTreeMap::new();
        for entry in transactions {
            let held = book.tenants.get(&entry.tenant).map(|tenant| tenant.balance).unwrap_or_default();
            self.before.entry(entry.tenant).or_insert(held);
            let moved: i64 = entry.postings.iter().map(|posting| posting.amount.max(0)).sum();
            let signed = match entry.kind {
                TransactionKind::Granted | TransactionKind::Restored => moved,
                TransactionKind::Revoked | TransactionKind::Reversed => -moved,
                // Expiry and debt are effects of other moves; frozen credits stay the tenant's.
                _ => continue,
            };
            let sums = moves.entry(entry.tenant).or_default();
            sums.granted += if entry.kind == TransactionKind::Granted { moved } else { 0 };
            sums.net += signed;
            sums.own += in_own_lots(book, payment, entry);
        }
        for (tenant, Moves { granted, net, own }) in moves {
            let given = Credits(granted.max(net));
            let refunded = given.less(Credits(net.max(0)));
            let taken = Credits((-net).max(0));
            self.consequences.granted += given;
            self.consequences.refunded += refunded;
            self.consequences.taken_back += taken;
            self.consequences.already_used += taken.less(Credits((-own).max(0)));
            *self.credits.entry(tenant).or_default() += given + taken;
        }
    }

    /// The total effects, with the tenants' balances if `each`. `book` is the book after the last decision.
    pub(super) fn finish(
        self,
        book: &Book,
        items: i64,
        each: bool,
    ) -> (Consequences, BTreeMap<TenantId, Credits>) {
        let mut consequences = Consequences { items, ..self.consequences };
        for (tenant, before) in self.before {
            let after = book.tenants.get(&tenant).map(|tenant| tenant.balance).unwrap_or_default();
            consequences.debt_created += after.debt.less(before.debt);
            if each {
                consequences.balances.push(BalanceChange { tenant, before, after });
            }
        }
        let mut credits = self.credits;
        credits.retain(|_, credits| *credits > Credits::ZERO);
        (consequences, credits)
    }
}

/// What a decision moves of one tenant, in credits.
#[derive(Default)]
struct Moves {
    /// Granted.
    granted: i64,
    /// Granted or restored minus taken back.
    net: i64,
    /// The change in the payment's own lots.
    own: i64,
}

/// What a transaction adds to the payment's own lots, or takes from them.
fn in_own_lots(book: &Book, payment: PaymentId, entry: &Transaction) -> i64 {
    let own = |posting: &&Posting| {
        let lot = posting.lot.and_then(|lot| book.lots.get(&lot));
        lot.is_some_and(|lot| lot.payment == Some(payment))
            && matches!(posting.account, Account::Available | Account::Frozen)
    };
    entry.postings.iter().filter(own).map(|posting| posting.amount).sum()
}
