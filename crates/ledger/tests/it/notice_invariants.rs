//! What must be true of notices after every step: one for each transaction, in their order, and one wherever
//! a debt arose, a balance fell low, or a payment became final or failed; nothing else, and nothing twice.

use std::collections::BTreeSet;

use ledger::posting::TransactionKind;
use ledger::status::is_final;
use ledger::{Balance, Book, Changes, Credits, Knowledge, Notice, NoticeKind, Transaction, entitlement};

use crate::world::World;

impl World {
    pub(crate) fn audit_notices(&mut self, before: &Book, changes: &Changes) {
        let mut notices = changes.notices.iter();
        let mut owed: std::collections::BTreeMap<_, _> =
            before.tenants.iter().map(|(id, tenant)| (*id, tenant.balance.debt)).collect();
        for transaction in &changes.transactions {
            let notice = notices.next().expect("a transaction is told");
            self.audit_notice(notice, transaction);
            let debt = transaction.balance_after.debt;
            let more = debt.less(owed.insert(transaction.tenant, debt).unwrap_or_default());
            if more > Credits::ZERO {
                let told = notices.next().expect("a debt is told");
                let (kind, credits) = (NoticeKind::DebtCreated, Some(more));
                assert_eq!(*told, Notice { kind, credits, ..notice.clone() });
            }
        }
        let rest: Vec<&Notice> = notices.collect();
        let (payments, low): (Vec<&Notice>, Vec<&Notice>) =
            rest.iter().partition(|notice| notice.kind != NoticeKind::BalanceLow);
        assert_eq!([payments.clone(), low.clone()].concat(), rest, "payments first, then what is low");
        self.audit_low(before, &low);
        self.audit_payment_notices(before, changes, &payments);
    }

    fn audit_notice(&self, notice: &Notice, transaction: &Transaction) {
        let kind = match transaction.kind {
            TransactionKind::Held => "hold.created".to_owned(),
            TransactionKind::Captured => "hold.captured".to_owned(),
            TransactionKind::Released => "hold.released".to_owned(),
            TransactionKind::HoldExpired => "hold.expired".to_owned(),
            TransactionKind::DebtRepaid => "debt.repaid".to_owned(),
            TransactionKind::WrittenOff => "debt.written_off".to_owned(),
            other => format!("credits.{}", other.as_str()),
        };
        let sum =
            |sign: i64| -> i64 { transaction.postings.iter().map(|line| (sign * line.amount).max(0)).sum() };
        let captured = || self.book.holds[&transaction.hold.expect("captured")].captured;
        let credits = match transaction.kind {
            TransactionKind::Captured => captured(),
            TransactionKind::Adjusted => Credits(
                transaction
                    .postings
                    .iter()
                    .map(|line| match line.account {
                        ledger::Account::Adjusted => -line.amount,
                        _ => 0,
                    })
                    .sum(),
            ),
            _ => Credits(sum(1)),
        };
        let payment = transaction.payment.map(|id| self.key(id));
        let known = transaction.payment.map(|id| &self.book.payments[&id].knowledge);
        let price = known.filter(|_| transaction.kind == TransactionKind::Granted);
        let expected = Notice {
            kind: NoticeKind::from_name(&kind).expect("every kind of transaction has its notice"),
            tenant: transaction.tenant,
            at: transaction.at,
            transaction: Some(transaction.seq),
            credits: Some(credits),
            balance_after: Some(transaction.balance_after),
            payment,
            amount: price.map(|known| known.amount_paid()).filter(|amount| *amount > ledger::Minor::ZERO),
            currency: price
                .filter(|known| !known.amount_paid().is_zero())
                .and_then(|known| known.currency().map(str::to_owned)),
            hold: transaction.hold,
            reference: transaction.reference.clone(),
        };
        assert_eq!(*notice, expected);
    }

    /// EventRef when what is available falls below what the tenant wants to have, once.
    fn audit_low(&self, before: &Book, low: &[&Notice]) {
        let fell = |id| {
            let had = before.tenants.get(id).map_or(Balance::default(), |tenant| tenant.balance);
            let has = self.book.tenants[id];
            has.low_balance.is_some_and(|low| had.available >= low && has.balance.available < low)
        };
        let expected = self.book.tenants.values().filter(|tenant| fell(&tenant.id)).map(|tenant| {
            let balance = tenant.balance;
            (tenant.id, Some(balance.available), Some(balance))
        });
        let told: Vec<_> =
            low.iter().map(|notice| (notice.tenant, notice.credits, notice.balance_after)).collect();
        assert_eq!(told, expected.collect::<Vec<_>>());
    }

    /// A payment whose owner is known is told final once. A failed attempt is told, while nothing is paid.
    fn audit_payment_notices(&mut self, before: &Book, changes: &Changes, told: &[&Notice]) {
        let mut expected = Vec::new();
        if let Some(payment) = &changes.payment {
            let known = &payment.knowledge;
            let names: BTreeSet<_> = known.objects().cloned().collect();
            let so_far = &mut self.told_final;
            if !owned(known) || !known.is_paid() {
                // Whoever owns it once it is paid has not been told.
                so_far.retain(|name| !names.contains(name));
            }
            let finalized = owned(known) && known.is_paid() && is_final(known) && so_far.is_disjoint(&names);
            let same = changes.absorbed.iter().chain([&payment.id]);
            let heard = same.filter_map(|id| before.payments.get(id)).map(|one| &one.knowledge);
            let heard: usize = heard.filter(|known| owned(known)).map(failures).sum();
            if owned(known) && !known.is_paid() && failures(known) > heard {
                expected.push(NoticeKind::PaymentFailed);
            }
            if finalized {
                expected.push(NoticeKind::PaymentFinalized);
                so_far.extend(names);
            }
            assert!(told.iter().all(|notice| notice.payment.as_ref() == known.key()));
        }
        let kinds: Vec<_> = told.iter().map(|notice| notice.kind).collect();
        assert_eq!(kinds, expected, "{changes:?}");
    }
}

fn owned(known: &Knowledge) -> bool {
    entitlement(known).tenant.is_some() || known.claim().is_some_and(|claim| claim.is_accepted())
}

fn failures(known: &Knowledge) -> usize {
    known.charges.values().filter(|charge| charge.failed).count() + usize::from(known.async_failed)
}
