//! A decision while it is being written: the book underneath, and on top of it the lots and tenants touched
//! so far. Every change goes through [`Draft::post`], which keeps transactions balanced, balances
//! non-negative and the chain unbroken. Not here: which postings to make (`decide`, `spend`).

use std::collections::BTreeMap;

use crate::book::{Book, Changes, Lot, Payment, Tenant};
use crate::chain;
use crate::ids::{LotId, PaymentId, TenantId, Timestamp};
use crate::money::Credits;
use crate::posting::{Account, Balance, Cause, Kind, Posting, Transaction};

pub(crate) struct Draft<'a> {
    book: &'a Book,
    cause: Cause,
    at: Timestamp,
    payment: Option<PaymentId>,
    pub(crate) lots: BTreeMap<LotId, Lot>,
    pub(crate) tenants: BTreeMap<TenantId, Tenant>,
    pub(crate) transactions: Vec<Transaction>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(book: &'a Book, cause: Cause, at: Timestamp, payment: Option<PaymentId>) -> Self {
        let (lots, tenants, transactions) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        Self { book, cause, at, payment, lots, tenants, transactions }
    }

    pub(crate) fn lot(&self, id: LotId) -> &Lot {
        // Ids come from the book or from `open_lot`, so one of the two has it.
        self.lots.get(&id).unwrap_or_else(|| &self.book.lots[&id])
    }

    pub(crate) fn lot_mut(&mut self, id: LotId) -> &mut Lot {
        self.lots.entry(id).or_insert_with(|| self.book.lots[&id].clone())
    }

    pub(crate) fn balance(&self, tenant: TenantId) -> Balance {
        let known = self.tenants.get(&tenant).or_else(|| self.book.tenants.get(&tenant));
        known.map(|tenant| tenant.balance).unwrap_or_default()
    }

    /// The lots that satisfy `wanted`, oldest first.
    pub(crate) fn lots_where(&self, wanted: impl Fn(&Lot) -> bool) -> Vec<LotId> {
        let untouched = self.book.lots.values().filter(|lot| !self.lots.contains_key(&lot.id));
        let mut found: Vec<_> = untouched.chain(self.lots.values()).filter(|lot| wanted(lot)).collect();
        found.sort_by_key(|lot| lot.burn_order());
        found.into_iter().map(|lot| lot.id).collect()
    }

    /// A new, empty lot. A decision opens at most one: for the one tenant who is entitled, if it has none.
    pub(crate) fn open_lot(&mut self, tenant: TenantId, payment: PaymentId, purchased_at: i64) -> LotId {
        let id = self.book.next_lot;
        let none = Credits::ZERO;
        let lot = Lot {
            id,
            tenant,
            payment,
            purchased_at,
            granted: none,
            revoked: none,
            available: none,
            held: none,
            frozen: none,
            freeze_target: none,
        };
        self.lots.insert(id, lot);
        id
    }

    /// Posts one balanced transaction; nothing at all when every line is zero.
    ///
    /// # Panics
    /// When the lines do not sum to zero or a balance would fall below zero. That is a defect of this
    /// program: better to stop and quarantine the event than to write a wrong line.
    pub(crate) fn post(&mut self, tenant: TenantId, kind: Kind, lines: &[(Account, Option<LotId>, i64)]) {
        let lines = lines.iter().filter(|line| line.2 != 0);
        let postings: Vec<_> =
            lines.map(|&(account, lot, amount)| Posting { account, lot, amount }).collect();
        if postings.is_empty() {
            return;
        }
        assert_eq!(postings.iter().map(|p| p.amount).sum::<i64>(), 0, "a transaction must sum to zero");
        let mut balance = self.balance(tenant);
        for posting in &postings {
            self.move_credits(posting, &mut balance);
        }
        self.tenants.insert(tenant, Tenant { id: tenant, balance });
        let (seq, previous) = match self.transactions.last() {
            Some(last) => (last.seq + 1, last.hash),
            None => (self.book.next_seq, self.book.head),
        };
        let mut transaction = Transaction {
            seq,
            tenant,
            kind,
            cause: self.cause.clone(),
            payment: self.payment,
            at: self.at,
            postings,
            balance_after: balance,
            hash: [0; 32],
        };
        transaction.hash = chain::seal(&previous, &transaction);
        self.transactions.push(transaction);
    }

    /// What to write.
    pub(crate) fn finish(self, payment: Option<Payment>, absorbed: Vec<PaymentId>) -> Changes {
        Changes {
            payment,
            absorbed,
            lots: self.lots.into_values().collect(),
            tenants: self.tenants.into_values().collect(),
            transactions: self.transactions,
        }
    }

    fn move_credits(&mut self, posting: &Posting, balance: &mut Balance) {
        let amount = Credits(posting.amount);
        if let Some(id) = posting.lot {
            let lot = self.lot_mut(id);
            let column = match posting.account {
                Account::Issued => &mut lot.granted,
                Account::Available => &mut lot.available,
                Account::Held => &mut lot.held,
                Account::Frozen => &mut lot.frozen,
                Account::Revoked => &mut lot.revoked,
                Account::Debt | Account::Consumed => return,
            };
            // What leaves `issued` is what the lot was granted.
            *column += if posting.account == Account::Issued { Credits(-amount.0) } else { amount };
            assert!(
                *column >= Credits::ZERO,
                "{} of lot {id} would fall below zero",
                posting.account.as_str()
            );
        }
        let column = match posting.account {
            Account::Available => &mut balance.available,
            Account::Held => &mut balance.held,
            Account::Frozen => &mut balance.frozen,
            Account::Debt => &mut balance.debt,
            Account::Issued | Account::Consumed | Account::Revoked => return,
        };
        *column += if posting.account == Account::Debt { Credits(-amount.0) } else { amount };
        assert!(*column >= Credits::ZERO, "{} would fall below zero", posting.account.as_str());
    }
}
