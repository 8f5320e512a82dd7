//! A ledger in memory that audits itself after every step: whatever a test is about, no step may leave the
//! books wrong. The journal is folded a second time, here, and compared with what the ledger says.

use std::collections::{BTreeMap, BTreeSet};

use ledger::decide::{decide, rule};
use ledger::spend::spend;
use ledger::{
    Account, Balance, Book, Changes, Credits, Entitlement, Knowledge, Lot, LotId, ObjectId, Payment,
    PaymentId, PaymentStatus, Policy, Reason, TenantId, Timestamp, Transaction, chain, entitlement,
};

use crate::step::{Step, letter};

/// A ledger, its whole journal, and the rules that it runs under.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) book: Book,
    pub(crate) journal: Vec<Transaction>,
    policy: Policy,
    folded: BTreeMap<(TenantId, Account, Option<LotId>), i64>,
}

/// What a step did.
pub(crate) struct Done {
    /// One word: an outcome, `spent` or `refused`; or the answer to a question.
    pub(crate) outcome: String,
    pub(crate) question: Option<Reason>,
    pub(crate) transactions: Vec<Transaction>,
}

/// All that must not depend on the order of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// What is known of each payment, by its key.
    pub(crate) payments: BTreeMap<ObjectId, Knowledge>,
    pub(crate) balances: BTreeMap<String, Balance>,
    /// Granted, revoked, frozen and to be frozen, by payment and tenant.
    pub(crate) lots: BTreeMap<(ObjectId, String), [i64; 4]>,
}

impl World {
    /// An empty ledger under these rules.
    pub(crate) fn under(policy: Policy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// Takes one step, and audits the books after it.
    pub(crate) fn take(&mut self, step: &Step) -> Done {
        let (outcome, question, changes) = self.decide(step);
        self.write(&changes);
        Done { outcome, question, transactions: changes.transactions }
    }

    /// Hands an event over that was applied before: it must change nothing at all.
    pub(crate) fn repeat(&self, step: &Step) {
        let Step::Fact(_) = step else { return };
        let (outcome, _, changes) = self.decide(step);
        assert_eq!(outcome, "already_known", "{step:?}, told again");
        let payment = changes.payment.as_ref().expect("a fact is about a payment");
        assert_eq!(Some(payment), self.book.payments.get(&payment.id), "{step:?}, told again");
        let rest = Changes { payment: None, ..changes };
        assert_eq!(rest, Changes::default(), "{step:?}, told again");
    }

    fn decide(&self, step: &Step) -> (String, Option<Reason>, Changes) {
        let at = Timestamp(7);
        let answer = |text: String| (text, None, Changes::default());
        match step {
            Step::Fact(fact) => {
                let decision = decide(&self.book, fact, &self.policy, at);
                (decision.outcome.to_string(), decision.question, decision.changes)
            }
            Step::Rule(key, ruling) => {
                let Some(payment) = self.payment(key) else { return answer("unknown".into()) };
                let Some(decision) = rule(&self.book, payment, ruling.clone(), &self.policy) else {
                    return answer("refused".into());
                };
                (decision.outcome.to_string(), decision.question, decision.changes)
            }
            Step::Spend(tenant, credits, key) => match spend(&self.book, *tenant, *credits, key, at) {
                Ok(changes) => ("spent".into(), None, changes),
                Err(_) => answer("refused".into()),
            },
            Step::Status(key) => {
                let payment = self.payment(key).map(|id| &self.book.payments[&id].knowledge);
                answer(payment.map_or("unknown", |known| PaymentStatus::of(known).as_str()).into())
            }
            Step::Lots(tenant) => answer(self.lots_of(*tenant)),
        }
    }

    fn payment(&self, key: &ObjectId) -> Option<PaymentId> {
        self.book.aliases.get(key).copied()
    }

    fn lots_of(&self, tenant: TenantId) -> String {
        let mut lots: Vec<_> = self.book.lots.values().filter(|lot| lot.tenant == tenant).collect();
        lots.sort_by_key(|lot| lot.burn_order());
        let texts = lots.into_iter().map(|lot| {
            let mut text = self.key(lot.payment).to_string();
            let columns = [("granted", lot.granted), ("revoked", lot.revoked), ("available", lot.available)];
            for (name, credits) in columns.iter().filter(|column| !column.1.is_zero()) {
                text += &format!(" {name} {credits}");
            }
            if lot.freeze_target > Credits::ZERO {
                text += &format!(" frozen {} of {}", lot.frozen, lot.freeze_target);
            }
            text
        });
        texts.collect::<Vec<_>>().join(" | ")
    }

    fn key(&self, payment: PaymentId) -> ObjectId {
        self.book.payments[&payment].knowledge.key().expect("a payment has a key").clone()
    }

    /// All that must not depend on the order of events.
    pub(crate) fn position(&self) -> Position {
        let payments = self.book.payments.values();
        let payments = payments.map(|payment| (self.key(payment.id), payment.knowledge.clone())).collect();
        // Whether an overtaken claim was ever posted is a matter of order; that it left nothing is not.
        let tenants = self.book.tenants.values().filter(|tenant| tenant.balance != Balance::default());
        let balances = tenants.map(|tenant| (letter(tenant.id), tenant.balance)).collect();
        let mut lots: BTreeMap<_, [i64; 4]> = BTreeMap::new();
        for lot in self.book.lots.values() {
            let sums = lots.entry((self.key(lot.payment), letter(lot.tenant))).or_default();
            let columns = [lot.granted, lot.revoked, lot.frozen, lot.freeze_target];
            sums.iter_mut().zip(columns).for_each(|(sum, column)| *sum += column.0);
        }
        lots.retain(|_, sums| *sums != [0; 4]);
        Position { payments, balances, lots }
    }

    /// What each tenant has, owes and has spent: the same in any order, whichever spends were accepted.
    pub(crate) fn net_before_spending(&self) -> BTreeMap<String, i64> {
        let of = |tenant| self.book.tenants[&tenant].balance.net() + self.fold(tenant, Account::Consumed);
        let tenants = self.book.tenants.keys().map(|&tenant| (letter(tenant), of(tenant)));
        tenants.filter(|tenant| tenant.1 != 0).collect()
    }

    /// The balance of one of its accounts, by the journal.
    pub(crate) fn fold(&self, tenant: TenantId, account: Account) -> i64 {
        let lines = self.folded.iter().filter(|(key, _)| (key.0, key.1) == (tenant, account));
        lines.map(|(_, amount)| amount).sum()
    }

    fn balance_by_fold(&self, tenant: TenantId) -> Balance {
        let credits = |account| Credits(self.fold(tenant, account));
        Balance {
            available: credits(Account::Available),
            held: credits(Account::Held),
            frozen: credits(Account::Frozen),
            debt: Credits(-self.fold(tenant, Account::Debt)),
        }
    }

    fn write(&mut self, changes: &Changes) {
        let before = self.book.head;
        self.book.apply(changes);
        let mut previous = before;
        for transaction in &changes.transactions {
            assert_eq!(transaction.seq, self.journal.len() as i64 + 1, "the journal has no gaps");
            assert_eq!(transaction.hash, chain::seal(&previous, transaction), "the chain holds");
            previous = transaction.hash;
            let sum: i64 = transaction.postings.iter().map(|posting| posting.amount).sum();
            assert_eq!(sum, 0, "a transaction sums to zero: {transaction:?}");
            for posting in &transaction.postings {
                let line = (transaction.tenant, posting.account, posting.lot);
                *self.folded.entry(line).or_default() += posting.amount;
            }
            let balance = self.balance_by_fold(transaction.tenant);
            assert_eq!(transaction.balance_after, balance, "history adds up on every line");
            self.journal.push(transaction.clone());
        }
        self.audit();
        self.audit_reach(changes);
    }

    /// The books agree with the journal, and no column is in a state that it must not be in.
    fn audit(&self) {
        assert_eq!(self.folded.values().sum::<i64>(), 0, "all accounts together are zero");
        for (&id, tenant) in &self.book.tenants {
            let balance = tenant.balance;
            assert_eq!(balance, self.balance_by_fold(id), "a tenant is the fold of its postings");
            let columns = [balance.available, balance.held, balance.frozen, balance.debt];
            assert!(columns.iter().all(|column| *column >= Credits::ZERO), "below zero: {balance:?}");
            assert!(balance.debt.is_zero() || balance.available.is_zero(), "owes and has: {balance:?}");
        }
        for (&id, lot) in &self.book.lots {
            let of = |account| {
                let line = (lot.tenant, account, Some(id));
                Credits(self.folded.get(&line).copied().unwrap_or_default())
            };
            let folded = [Account::Available, Account::Held, Account::Frozen, Account::Revoked].map(of);
            let columns = [lot.available, lot.held, lot.frozen, lot.revoked];
            assert_eq!(columns, folded, "a lot is the fold of its postings");
            assert_eq!(lot.granted.0, -of(Account::Issued).0, "a lot is the fold of its postings");
            assert!(columns.iter().all(|column| *column >= Credits::ZERO), "below zero: {lot:?}");
            assert!(lot.revoked <= lot.granted, "more revoked than granted: {lot:?}");
            assert!(lot.frozen <= lot.freeze_target, "more frozen than wanted: {lot:?}");
            let unmet = lot.freeze_target > lot.frozen;
            assert!(!unmet || lot.available.is_zero(), "spendable, though it should be frozen: {lot:?}");
        }
        for (object, payment) in &self.book.aliases {
            let known = self.book.payments.get(payment).expect("an alias leads to a payment");
            assert!(known.knowledge.objects().any(|one| one == object), "{object} is not of {payment}");
        }
    }

    /// What is posted for a payment is what it is worth.
    fn audit_targets(&self, payment: &Payment) {
        let due = entitlement(&payment.knowledge, self.policy.refund_rounding);
        let lots = || self.book.lots.values().filter(|lot| lot.payment == payment.id);
        let concerned: BTreeSet<TenantId> = lots().map(|lot| lot.tenant).chain(due.tenant).collect();
        for tenant in concerned {
            let due = if due.tenant == Some(tenant) { due } else { Entitlement::default() };
            let sum = |column: fn(&Lot) -> Credits| -> Credits {
                lots().filter(|lot| lot.tenant == tenant).map(column).sum()
            };
            let posted = [sum(|lot| lot.granted), sum(|lot| lot.revoked), sum(|lot| lot.freeze_target)];
            assert_eq!(posted, [due.granted, due.revoked, due.frozen], "targets of {payment:?}");
        }
    }

    /// An event reaches nobody but those whom its payment is about.
    fn audit_reach(&self, changes: &Changes) {
        let Some(payment) = &changes.payment else { return };
        self.audit_targets(payment);
        let lots = self.book.lots.values().filter(|lot| lot.payment == payment.id);
        let concerned: BTreeSet<TenantId> = lots.map(|lot| lot.tenant).collect();
        let changed_lots = changes.lots.iter().map(|lot| lot.tenant);
        let changed = changes.tenants.iter().map(|tenant| tenant.id).chain(changed_lots);
        changed.for_each(|tenant| assert!(concerned.contains(&tenant), "{tenant} has no part in this"));
        assert!(self.book.payments.contains_key(&payment.id));
    }
}
