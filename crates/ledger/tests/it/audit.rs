//! The invariants of the books after every step. Folds the journal independently and compares the result with
//! the ledger's figures; also checks holds, lots, targets and time. `notice_invariants` checks notices.

use std::collections::{BTreeMap, BTreeSet};

use ledger::posting::TransactionKind;
use ledger::{
    Account, Book, Changes, Command, Credits, Entitlement, Execution, Hold, HoldState, Lot, LotId, Now,
    Payment, TenantId, Timestamp, Transaction, chain, entitlement, execute,
};

use crate::step::Step;
use crate::world::World;

impl World {
    /// Applies the changes of a step and checks all invariants.
    pub(crate) fn write(&mut self, step: &Step, changes: &Changes) {
        let before = self.book.clone();
        self.audit_hold_changes(changes);
        self.book.apply(changes);
        let mut previous = before.head;
        for transaction in &changes.transactions {
            assert_eq!(transaction.seq, self.journal.len() as i64 + 1, "the journal has a gap");
            assert_eq!(transaction.hash, chain::seal(&previous, transaction), "the chain is broken");
            previous = transaction.hash;
            let latest = self.journal.last().map_or(Timestamp(i64::MIN), |last| last.at);
            assert!(transaction.at >= latest, "time went back");
            self.fold_in(transaction);
        }
        let head = self.journal.last().map_or(chain::GENESIS, |last| last.hash);
        assert_eq!((self.book.next_seq, self.book.head), (self.journal.len() as i64 + 1, head));
        self.audit();
        self.audit_holds();
        self.audit_notices(&before, changes);
        match step {
            Step::Command(command) => self.audit_tenant_alone(command.tenant, changes),
            Step::Sweep(tenant) => self.audit_tenant_alone(*tenant, changes),
            _ => self.audit_reach(changes),
        }
    }

    fn fold_in(&mut self, transaction: &Transaction) {
        let sum: i64 = transaction.postings.iter().map(|posting| posting.amount).sum();
        assert_eq!(sum, 0, "a transaction does not sum to zero: {transaction:?}");
        for posting in &transaction.postings {
            assert_ne!(posting.amount, 0, "a posting of zero: {transaction:?}");
            let line = (transaction.tenant, posting.account, posting.lot);
            *self.folded.entry(line).or_default() += posting.amount;
            let without_lot =
                matches!(posting.account, Account::Debt) || transaction.kind == TransactionKind::WrittenOff;
            assert_eq!(posting.lot.is_none(), without_lot, "only debt has no lot: {transaction:?}");
        }
        let balance = self.balance_by_fold(transaction.tenant);
        assert_eq!(transaction.balance_after, balance, "the balance after a transaction is wrong");
        let by_hold = [
            TransactionKind::Held,
            TransactionKind::Captured,
            TransactionKind::Released,
            TransactionKind::HoldExpired,
        ];
        if by_hold.contains(&transaction.kind) {
            let hold = transaction.hold.expect("a transaction of a hold names it");
            self.moved_by_holds.entry(hold).or_default().push(transaction.clone());
        }
        self.journal.push(transaction.clone());
    }

    /// The books agree with the journal, and every figure is valid.
    fn audit(&self) {
        assert_eq!(self.folded.values().sum::<i64>(), 0, "the accounts do not sum to zero");
        for (&id, tenant) in &self.book.tenants {
            let balance = tenant.balance;
            assert_eq!(balance, self.balance_by_fold(id), "a tenant differs from the fold of its postings");
            let columns = [balance.available, balance.held, balance.frozen, balance.debt];
            assert!(columns.iter().all(|column| *column >= Credits::ZERO), "below zero: {balance:?}");
            assert!(
                balance.debt.is_zero() || balance.available.is_zero(),
                "debt beside available credits: {balance:?}"
            );
        }
        for (&id, lot) in &self.book.lots {
            let of = |account| {
                let line = (lot.tenant, account, Some(id));
                Credits(self.folded.get(&line).copied().unwrap_or_default())
            };
            let folded = [Account::Available, Account::Held, Account::Frozen, Account::Revoked].map(of);
            let columns = [lot.available, lot.held, lot.frozen, lot.revoked];
            assert_eq!(columns, folded, "a lot differs from the fold of its postings");
            assert_eq!(lot.granted, self.granted(lot), "a lot differs from the fold of its postings");
            assert!(columns.iter().all(|column| *column >= Credits::ZERO), "below zero: {lot:?}");
            assert!(lot.revoked <= lot.granted, "more revoked than granted: {lot:?}");
            assert!(lot.frozen <= lot.freeze_target, "more frozen than the target: {lot:?}");
            let unmet = lot.freeze_target > lot.frozen;
            assert!(!unmet || lot.available.is_zero(), "available beside an unmet freeze: {lot:?}");
            assert!(
                lot.payment.is_some() || lot.freeze_target.is_zero(),
                "an operator's grant has a freeze target: {lot:?}"
            );
            assert!(lot.payment.is_none() || lot.expires_at.is_none(), "purchased credits expire: {lot:?}");
        }
        let mut by_payment: BTreeMap<_, [Credits; 2]> = BTreeMap::new();
        for lot in self.book.lots.values().filter(|lot| lot.payment.is_some()) {
            let sums = by_payment.entry((lot.payment, lot.tenant)).or_insert([Credits::ZERO; 2]);
            sums[0] += lot.freeze_target - lot.frozen;
            sums[1] += lot.available;
        }
        for (payment, [unmet, available]) in by_payment {
            assert!(unmet.is_zero() || available.is_zero(), "available beside an unmet freeze: {payment:?}");
        }
        for (object, payment) in &self.book.aliases {
            let known = self.book.payments.get(payment).expect("an alias has a payment");
            assert!(
                known.knowledge.objects().any(|one| one == object),
                "{object} is not an object of {payment}"
            );
        }
    }

    /// What was issued for a purchase or granted by an operator.
    fn granted(&self, lot: &Lot) -> Credits {
        let issued = self.folded.get(&(lot.tenant, Account::Issued, Some(lot.id))).copied().unwrap_or(0);
        let lines = self.journal.iter().flat_map(|transaction| &transaction.postings);
        let adjusted = lines.filter(|line| (line.account, line.lot) == (Account::Adjusted, Some(lot.id)));
        Credits(-issued + adjusted.map(|line| (-line.amount).max(0)).sum::<i64>())
    }

    /// A hold is created open, resolves once, and never changes in any other way.
    fn audit_hold_changes(&self, changes: &Changes) {
        for hold in &changes.holds {
            let Some(before) = self.book.holds.get(&hold.id) else {
                assert_eq!((hold.state, hold.captured), (HoldState::Open, Credits::ZERO), "{hold:?}");
                continue;
            };
            assert_ne!(hold.state, HoldState::Open, "created twice: {hold:?}");
            assert_eq!(before.state, HoldState::Open, "resolved twice: {hold:?}");
            // By the clock, not by the entry's time, which may be ahead of it.
            let overdue = hold.expires_at <= self.now().ended_by();
            assert_eq!(hold.state == HoldState::Expired, overdue, "expired too early or too late: {hold:?}");
            let (captured, state, resolved_at) = (hold.captured, hold.state, hold.resolved_at);
            assert_eq!(*hold, Hold { captured, state, resolved_at, ..before.clone() });
        }
    }

    /// The held credits of each lot are those of open holds. A resolved hold spent or returned all its
    /// credits.
    fn audit_holds(&self) {
        let open = || self.book.holds.values().filter(|hold| hold.is_open());
        for lot in self.book.lots.values() {
            let of_it = open().flat_map(|hold| &hold.lots).filter(|part| part.lot == lot.id);
            assert_eq!(lot.held, of_it.map(|part| part.credits).sum(), "held of {lot:?}");
        }
        for hold in self.book.holds.values() {
            let parts: Credits = hold.lots.iter().map(|part| part.credits).sum();
            assert_eq!(hold.credits, parts, "{hold:?}");
            let lots: BTreeSet<LotId> = hold.lots.iter().map(|part| part.lot).collect();
            assert!(lots.iter().all(|lot| self.book.lots[lot].tenant == hold.tenant), "{hold:?}");
            assert!(lots.len() == hold.lots.len() && hold.lots.iter().all(|part| part.credits.0 > 0));
            assert_eq!(hold.state == HoldState::Captured, hold.captured > Credits::ZERO, "{hold:?}");
            let moved = &self.moved_by_holds[&hold.id];
            let net = |t: &Transaction, account| -> i64 {
                t.postings.iter().filter(|line| line.account == account).map(|line| line.amount).sum()
            };
            let created = &moved[0];
            assert_eq!(
                (created.kind, created.tenant, created.at),
                (TransactionKind::Held, hold.tenant, hold.created_at)
            );
            assert_eq!(net(created, Account::Held), hold.credits.0);
            assert!(moved.iter().all(|t| t.reference == hold.reference), "{moved:?}");
            let end = match hold.state {
                HoldState::Open => None,
                HoldState::Captured => Some(TransactionKind::Captured),
                HoldState::Released => Some(TransactionKind::Released),
                HoldState::Expired => Some(TransactionKind::HoldExpired),
            };
            assert_eq!(moved.get(1).map(|t| (t.kind, t.at)), end.zip(hold.resolved_at), "{hold:?}");
            assert_eq!(moved.len(), 1 + usize::from(end.is_some()), "a hold must resolve once: {moved:?}");
            if let Some(end) = moved.get(1) {
                let returned = hold.credits - hold.captured;
                let columns = [Account::Held, Account::Consumed, Account::Available];
                let expected = [-hold.credits.0, hold.captured.0, returned.0];
                assert_eq!(columns.map(|account| net(end, account)), expected, "{end:?}");
            }
        }
    }

    /// The postings of a payment agree with its entitlement.
    fn audit_targets(&self, payment: &Payment) {
        let due = entitlement(&payment.knowledge);
        let lots = || self.book.lots.values().filter(|lot| lot.payment == Some(payment.id));
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

    /// An event affects only the tenants of its payment, and only their overdue holds.
    fn audit_reach(&self, changes: &Changes) {
        let expired = |hold: &Hold| hold.state == HoldState::Expired;
        assert!(changes.holds.iter().all(expired), "an event changed a hold that is not overdue");
        let Some(payment) = &changes.payment else { return };
        self.audit_targets(payment);
        let lots = self.book.lots.values().filter(|lot| lot.payment == Some(payment.id));
        let concerned: BTreeSet<TenantId> = lots.map(|lot| lot.tenant).collect();
        affected(changes).for_each(|tenant| {
            assert!(concerned.contains(&tenant), "{tenant} is not a tenant of the payment");
        });
        assert!(self.book.payments.contains_key(&payment.id));
    }

    /// A command or a sweep affects one tenant only, and leaves nothing of that tenant overdue.
    fn audit_tenant_alone(&self, tenant: TenantId, changes: &Changes) {
        assert!(changes.payment.is_none() && changes.absorbed.is_empty());
        assert!(affected(changes).all(|one| one == tenant), "another tenant was affected: {changes:?}");
        assert!(changes.holds.iter().all(|hold| hold.tenant == tenant));
        let at = self.now().ended_by();
        let due = |hold: &&Hold| hold.tenant == tenant && hold.is_open() && hold.expires_at <= at;
        assert_eq!(self.book.holds.values().filter(due).count(), 0, "overdue holds are left");
        let overdue = |lot: &&Lot| lot.tenant == tenant && lot.expires_at.is_some_and(|end| end <= at);
        let available: Credits = self.book.lots.values().filter(overdue).map(|lot| lot.available).sum();
        assert!(available.is_zero(), "expired credits are available");
    }

    /// A command needs no more of the book than `execute` documents, and anything else in it does not matter.
    pub(crate) fn audit_execution(&self, command: &Command, now: Now, execution: &Execution) {
        let moved = execution.changes.transactions.last();
        match &execution.answer {
            Ok(receipt) => {
                let own = execution.changes.transactions.iter().find(|t| t.seq == receipt.transaction);
                let own = own.expect("a receipt names a transaction of the command");
                assert_eq!(own.cause, command.cause);
                assert_eq!(Some(receipt.balance_after), moved.map(|t| t.balance_after));
                let parts: Credits = receipt.allocations.iter().map(|part| part.credits).sum();
                let none = own.kind == TransactionKind::WrittenOff;
                assert!(none && parts.is_zero() || parts.0 == receipt.credits.0.abs(), "{receipt:?}");
                let hold = receipt.hold.as_ref();
                assert!(hold.is_none_or(|hold| execution.changes.holds.contains(hold)), "{receipt:?}");
            }
            // Overdue holds and credits expire; nothing else happens.
            Err(_) => assert_eq!(execution.changes, ledger::expire(&self.book, command.tenant, now)),
        }
        let exists = |id: &LotId| self.book.lots.contains_key(id);
        let wanted = execution.changes.lots.iter().map(|lot| lot.id).filter(exists);
        let due = |hold: &Hold| hold.tenant == command.tenant && hold.expires_at <= now.ended_by();
        let lots_of = |hold: &Hold| hold.lots.iter().map(|part| part.lot).collect::<Vec<_>>();
        let mut book =
            Book { payments: Default::default(), aliases: Default::default(), ..self.book.clone() };
        book.tenants.retain(|id, _| *id == command.tenant);
        let changed: BTreeSet<_> = execution.changes.holds.iter().map(|hold| hold.id).collect();
        let named_hold = match command.action {
            ledger::CommandAction::Capture { hold, .. } | ledger::CommandAction::Release { hold } => {
                Some(hold)
            }
            _ => None,
        };
        book.holds.retain(|id, hold| due(hold) || changed.contains(id) || named_hold == Some(*id));
        let wanted: BTreeSet<LotId> = wanted.chain(book.holds.values().flat_map(lots_of)).collect();
        let bought: BTreeSet<_> = wanted.iter().map(|id| self.book.lots[id].payment).collect();
        book.lots
            .retain(|id, lot| wanted.contains(id) || lot.payment.is_some() && bought.contains(&lot.payment));
        assert_eq!(execute(&book, command, now), *execution, "the rest of the book matters");
    }
}

fn affected(changes: &Changes) -> impl Iterator<Item = TenantId> {
    let lots = changes.lots.iter().map(|lot| lot.tenant);
    let tenants = changes.tenants.iter().map(|tenant| tenant.id).chain(lots);
    tenants.chain(changes.transactions.iter().map(|transaction| transaction.tenant))
}
