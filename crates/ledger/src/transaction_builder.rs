//! A decision while it is being written: the book underneath, and on top of it the lots and tenants touched
//! so far. Every change goes through [`TransactionBuilder::post`], which keeps transactions balanced, balances
//! non-negative and the chain unbroken. Not here: which postings to make (`decide`, `execute`).

use std::collections::BTreeMap;

use crate::book::{Book, Changes, Lot, PRIORITY_OF_PURCHASES, Payment, Tenant};
use crate::chain;
use crate::hold::Hold;
use crate::ids::{HoldId, LotId, PaymentId, TenantId, Timestamp};
use crate::money::Credits;
use crate::notice::{self, Notice, PaymentOrigin};
use crate::now::Now;
use crate::posting::{Account, Balance, Cause, Posting, Transaction, TransactionKind};

/// A line that is to be posted: so many credits into an account, of a lot.
pub(crate) type Line = (Account, Option<LotId>, i64);

pub(crate) struct TransactionBuilder<'a> {
    book: &'a Book,
    /// The date of new entries, which is never before the last entry's.
    pub(crate) at: Timestamp,
    /// The clock alone says what has ended, and when a new hold ends: an entry that was once dated ahead must
    /// not end anything early.
    pub(crate) now: Now,
    pub(crate) origin: Origin,
    pub(crate) lots: BTreeMap<LotId, Lot>,
    pub(crate) holds: BTreeMap<HoldId, Hold>,
    pub(crate) tenants: BTreeMap<TenantId, Tenant>,
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) notices: Vec<Notice>,
}

/// What is behind the transactions that are posted next.
pub(crate) struct Origin {
    pub(crate) cause: Cause,
    pub(crate) payment: Option<PaymentOrigin>,
    pub(crate) hold: Option<HoldId>,
    pub(crate) reference: Option<String>,
}

impl Origin {
    pub(crate) fn of(cause: Cause) -> Self {
        Self { cause, payment: None, hold: None, reference: None }
    }
}

impl<'a> TransactionBuilder<'a> {
    pub(crate) fn new(book: &'a Book, origin: Origin, now: Now) -> Self {
        Self {
            book,
            at: now.at.max(book.clock),
            now,
            origin,
            lots: BTreeMap::new(),
            holds: BTreeMap::new(),
            tenants: BTreeMap::new(),
            transactions: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// The hold of this name, if it is `tenant`'s: another tenant's is as good as missing.
    pub(crate) fn hold(&self, tenant: TenantId, id: HoldId) -> Option<&Hold> {
        let hold = self.holds.get(&id).or_else(|| self.book.holds.get(&id));
        hold.filter(|hold| hold.tenant == tenant)
    }

    /// Whether there is a hold of this name, whoever's.
    pub(crate) fn has_hold(&self, id: HoldId) -> bool {
        self.holds.contains_key(&id) || self.book.holds.contains_key(&id)
    }

    /// The open holds of `tenant` whose time is up, the longest due first.
    pub(crate) fn holds_due(&self, tenant: TenantId) -> Vec<Hold> {
        let by = self.now.ended_by();
        let due = |hold: &&Hold| hold.tenant == tenant && hold.is_open() && hold.expires_at <= by;
        let mut due: Vec<_> = self.book.holds.values().filter(due).cloned().collect();
        due.sort_by_key(|hold| (hold.expires_at, hold.id));
        due
    }

    pub(crate) fn lot(&self, id: LotId) -> &Lot {
        // Ids come from the book or from `open_lot`, so one of the two has it.
        self.lots.get(&id).unwrap_or_else(|| &self.book.lots[&id])
    }

    pub(crate) fn lot_mut(&mut self, id: LotId) -> &mut Lot {
        self.lots.entry(id).or_insert_with(|| self.book.lots[&id].clone())
    }

    pub(crate) fn balance(&self, tenant: TenantId) -> Balance {
        self.tenant(tenant).balance
    }

    fn tenant(&self, id: TenantId) -> Tenant {
        let known = self.tenants.get(&id).or_else(|| self.book.tenants.get(&id));
        known.copied().unwrap_or(Tenant { id, balance: Balance::default(), low_balance: None })
    }

    /// The lots that satisfy `wanted`, in burn order.
    pub(crate) fn lots_where(&self, wanted: impl Fn(&Lot) -> bool) -> Vec<LotId> {
        let untouched = self.book.lots.values().filter(|lot| !self.lots.contains_key(&lot.id));
        let mut found: Vec<_> = untouched.chain(self.lots.values()).filter(|lot| wanted(lot)).collect();
        found.sort_by_key(|lot| lot.burn_order());
        found.into_iter().map(|lot| lot.id).collect()
    }

    /// A new, empty lot. A decision opens at most one: for the one tenant who is entitled, if it has none, or
    /// for an operator's grant.
    pub(crate) fn open_lot(
        &mut self,
        tenant: TenantId,
        payment: Option<PaymentId>,
        purchased_at: i64,
    ) -> LotId {
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
            priority: PRIORITY_OF_PURCHASES,
            expires_at: None,
        };
        self.lots.insert(id, lot);
        id
    }

    /// Posts one balanced transaction; nothing at all when every line is zero.
    ///
    /// # Panics
    /// When the lines do not sum to zero or a balance would fall below zero. That is a defect of this
    /// program: better to stop and quarantine the event than to write a wrong line.
    pub(crate) fn post(&mut self, tenant: TenantId, kind: TransactionKind, lines: &[Line]) {
        let lines = lines.iter().filter(|line| line.2 != 0);
        let postings: Vec<_> =
            lines.map(|&(account, lot, amount)| Posting { account, lot, amount }).collect();
        if postings.is_empty() {
            return;
        }
        assert_eq!(postings.iter().map(|p| p.amount).sum::<i64>(), 0, "a transaction must sum to zero");
        let before = self.tenant(tenant);
        let mut balance = before.balance;
        for posting in &postings {
            self.move_credits(posting, &mut balance);
        }
        self.tenants.insert(tenant, Tenant { balance, ..before });
        let (seq, previous) = match self.transactions.last() {
            Some(last) => (last.seq + 1, last.hash),
            None => (self.book.next_seq, self.book.head),
        };
        let mut transaction = Transaction {
            seq,
            tenant,
            kind,
            cause: self.origin.cause.clone(),
            payment: self.origin.payment.as_ref().map(|payment| payment.id),
            hold: self.origin.hold,
            reference: self.origin.reference.clone(),
            at: self.at,
            postings,
            balance_after: balance,
            hash: [0; 32],
        };
        transaction.hash = chain::seal(&previous, &transaction);
        let origin = self.origin.payment.as_ref();
        self.notices.extend(notice::of_transaction(&transaction, origin, before.balance.debt));
        self.transactions.push(transaction);
    }

    /// What to write.
    pub(crate) fn finish(mut self, payment: Option<Payment>, absorbed: Vec<PaymentId>) -> Changes {
        // Once for the whole decision: what is granted and at once used to repay was never low in between.
        let low = self.tenants.values().filter_map(|tenant| {
            let before = self.book.tenants.get(&tenant.id).map(|before| before.balance).unwrap_or_default();
            notice::of_balance(tenant, before, self.at)
        });
        self.notices.extend(low.collect::<Vec<_>>());
        Changes {
            payment,
            absorbed,
            lots: self.lots.into_values().collect(),
            tenants: self.tenants.into_values().collect(),
            holds: self.holds.into_values().collect(),
            transactions: self.transactions,
            notices: self.notices,
        }
    }

    fn move_credits(&mut self, posting: &Posting, balance: &mut Balance) {
        let amount = Credits(posting.amount);
        if let Some(id) = posting.lot {
            let lot = self.lot_mut(id);
            let granted = posting.granted();
            let column = match posting.account {
                Account::Adjusted if granted.is_none() => return,
                Account::Issued | Account::Adjusted => &mut lot.granted,
                Account::Available => &mut lot.available,
                Account::Held => &mut lot.held,
                Account::Frozen => &mut lot.frozen,
                Account::Revoked => &mut lot.revoked,
                Account::Debt | Account::Consumed | Account::Expired | Account::WrittenOff => return,
            };
            *column += granted.unwrap_or(amount);
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
            Account::Issued
            | Account::Consumed
            | Account::Revoked
            | Account::Expired
            | Account::Adjusted
            | Account::WrittenOff => return,
        };
        *column += if posting.account == Account::Debt { Credits(-amount.0) } else { amount };
        assert!(*column >= Credits::ZERO, "{} would fall below zero", posting.account.as_str());
    }
}
