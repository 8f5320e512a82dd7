//! Collects the changes of one decision: the book, unchanged, and copies of the lots, holds and tenants
//! changed so far. Credits move only through [`TransactionBuilder::post`], which keeps transactions balanced,
//! balances non-negative and the chain unbroken.

use std::collections::BTreeMap;
use std::mem;

use crate::book::{Book, Changes, Lot, PURCHASE_PRIORITY, Payment, Tenant};
use crate::chain;
use crate::hold::Hold;
use crate::ids::{HoldId, LotId, PaymentId, TenantId, Timestamp};
use crate::money::Credits;
use crate::notice::Notice;
use crate::notify::{self, PaymentInfo};
use crate::now::Now;
use crate::posting::{Account, Balance, Cause, Posting, Transaction, TransactionKind};

/// A posting to make: the account, the lot, and how many credits to move into the account.
pub(crate) type PostingLine = (Account, Option<LotId>, i64);

pub(crate) struct TransactionBuilder<'a> {
    book: &'a Book,
    /// The time of new journal entries: never before the last entry.
    pub(crate) at: Timestamp,
    /// The clock. It decides what has expired and when a new hold expires, and `at` does not: an entry dated
    /// ahead by mistake must not make anything expire early.
    pub(crate) now: Now,
    pub(crate) origin: Origin,
    pub(crate) lots: BTreeMap<LotId, Lot>,
    pub(crate) holds: BTreeMap<HoldId, Hold>,
    pub(crate) tenants: BTreeMap<TenantId, Tenant>,
    pub(crate) transactions: Vec<Transaction>,
    pub(crate) notices: Vec<Notice>,
}

/// The cause, payment, hold and reference of the transactions that are posted next.
pub(crate) struct Origin {
    pub(crate) cause: Cause,
    pub(crate) payment: Option<PaymentInfo>,
    pub(crate) hold: Option<HoldId>,
    pub(crate) reference: Option<String>,
}

impl Origin {
    pub(crate) fn new(cause: Cause) -> Self {
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

    /// Runs `work` with another origin for the transactions that it posts.
    pub(crate) fn with_origin(&mut self, origin: Origin, work: impl FnOnce(&mut Self)) {
        let outer = mem::replace(&mut self.origin, origin);
        work(self);
        self.origin = outer;
    }

    /// The hold with this id, if it belongs to `tenant`.
    pub(crate) fn hold(&self, tenant: TenantId, id: HoldId) -> Option<&Hold> {
        let hold = self.holds.get(&id).or_else(|| self.book.holds.get(&id));
        hold.filter(|hold| hold.tenant == tenant)
    }

    /// Whether a hold with this id exists, of any tenant.
    pub(crate) fn has_hold(&self, id: HoldId) -> bool {
        self.holds.contains_key(&id) || self.book.holds.contains_key(&id)
    }

    /// The open holds of `tenant` that have expired, in order of expiry.
    pub(crate) fn overdue_holds(&self, tenant: TenantId) -> Vec<Hold> {
        let cutoff = self.now.ended_by();
        let overdue = |hold: &&Hold| hold.tenant == tenant && hold.is_open() && hold.expires_at <= cutoff;
        let mut holds: Vec<_> = self.book.holds.values().filter(overdue).cloned().collect();
        holds.sort_by_key(|hold| (hold.expires_at, hold.id));
        holds
    }

    pub(crate) fn lot(&self, id: LotId) -> &Lot {
        // Ids come from the book or from `open_lot`, so one of the two maps has it.
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
        known.copied().unwrap_or(Tenant::new(id))
    }

    /// The lots that satisfy `wanted`, in burn order.
    pub(crate) fn lots_where(&self, wanted: impl Fn(&Lot) -> bool) -> Vec<LotId> {
        let untouched = self.book.lots.values().filter(|lot| !self.lots.contains_key(&lot.id));
        let mut found: Vec<_> = untouched.chain(self.lots.values()).filter(|lot| wanted(lot)).collect();
        found.sort_by_key(|lot| lot.burn_order());
        found.into_iter().map(|lot| lot.id).collect()
    }

    /// Opens an empty lot. A decision opens at most one: for the entitled tenant, if it has none of this
    /// payment yet, or for an operator's grant.
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
            priority: PURCHASE_PRIORITY,
            expires_at: None,
        };
        self.lots.insert(id, lot);
        id
    }

    /// Posts one balanced transaction, or nothing if every line is zero.
    ///
    /// # Panics
    /// If the lines do not sum to zero or a balance would fall below zero. That is a bug in this program; the
    /// event is then quarantined, and nothing wrong is written.
    pub(crate) fn post(&mut self, tenant: TenantId, kind: TransactionKind, lines: &[PostingLine]) {
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
        let payment = self.origin.payment.as_ref();
        self.notices.extend(notify::for_transaction(&transaction, payment, before.balance.debt));
        self.transactions.push(transaction);
    }

    /// The collected changes.
    pub(crate) fn finish(mut self, payment: Option<Payment>, absorbed: Vec<PaymentId>) -> Changes {
        // Compared once per decision: steps in between, such as a grant that at once repays debt, do not
        // count.
        let low = self.tenants.values().filter_map(|tenant| {
            let before = self.book.tenants.get(&tenant.id).map(|before| before.balance).unwrap_or_default();
            notify::for_low_balance(tenant, before, self.at)
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
