//! What decisions about payments mean for the credits, read off the transactions that they post.
//! Not here: deciding them (`ledger::rule`).

use std::collections::BTreeMap;

use ledger::{Account, Balance, Book, Credits, Kind, PaymentId, Posting, TenantId, Transaction};

use crate::model::{BalanceChange, Consequences};

/// Adds up decisions that follow each other on one book.
#[derive(Default)]
pub(super) struct Tally {
    consequences: Consequences,
    /// Credits moved of each tenant, as absolute amounts.
    pub(super) credits: BTreeMap<TenantId, Credits>,
    before: BTreeMap<TenantId, Balance>,
}

impl Tally {
    /// Adds a decision about a payment. `book` is the book before it. What the decision restores and takes
    /// back again, as where a refund is overruled, is nothing: its net counts.
    pub(super) fn add(&mut self, book: &Book, payment: PaymentId, transactions: &[Transaction]) {
        // Of each tenant: credits given less taken back, and what that leaves in the payment's own lots.
        let mut net: BTreeMap<TenantId, (i64, i64)> = BTreeMap::new();
        for entry in transactions {
            let held = book.tenants.get(&entry.tenant).map(|tenant| tenant.balance).unwrap_or_default();
            self.before.entry(entry.tenant).or_insert(held);
            let moved: i64 = entry.postings.iter().map(|posting| posting.amount.max(0)).sum();
            let signed = match entry.kind {
                Kind::Granted | Kind::Restored => moved,
                Kind::Revoked | Kind::Reversed => -moved,
                // The clock and debt follow by themselves; freezing moves nothing for good.
                _ => continue,
            };
            let sums = net.entry(entry.tenant).or_default();
            *sums = (sums.0 + signed, sums.1 + in_own_lots(book, payment, entry));
        }
        for (tenant, (net, own)) in net {
            let (given, taken) = (Credits(net.max(0)), Credits((-net).max(0)));
            self.consequences.granted += given;
            self.consequences.taken_back += taken;
            self.consequences.already_used += taken.less(Credits((-own).max(0)));
            *self.credits.entry(tenant).or_default() += given + taken;
        }
    }

    /// The consequences, with the tenants' balances if `each` of them is to be shown. `book` is the book
    /// after the last decision.
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

/// What a transaction puts into the payment's own lots, or takes out of them.
fn in_own_lots(book: &Book, payment: PaymentId, entry: &Transaction) -> i64 {
    let own = |posting: &&Posting| {
        let lot = posting.lot.and_then(|lot| book.lots.get(&lot));
        lot.is_some_and(|lot| lot.payment == Some(payment))
            && matches!(posting.account, Account::Available | Account::Frozen)
    };
    entry.postings.iter().filter(own).map(|posting| posting.amount).sum()
}
