//! The invariants of notices after every step: one for each transaction, in order, and one whenever a debt
//! arises, a balance falls below its threshold, or a payment becomes final or fails. No others, and none
//! twice.

use std::collections::BTreeSet;

use ledger::posting::TransactionKind;
use ledger::status::is_final;
use ledger::{Balance, Book, Changes, Credits, Knowledge, Notice, NoticeKind, Transaction, entitlement};

use crate::world::World;

impl World {
    pub(crate) fn audit_notices(&mut self, before: &Book, changes: &Changes) {
        let mut notices = changes.notices.iter();
        let mut debts: std::collections::BTreeMap<_, _> =
            before.tenants.iter().map(|(id, tenant)| (*id, tenant.balance.debt)).collect();
        for transaction in &changes.transactions {
            let notice = notices.next().expect("a transaction has a notice");
            self.audit_notice(notice, transaction);
            let debt = transaction.balance_after.debt;
            let more = debt.less(debts.insert(transaction.tenant, debt).unwrap_or_default());
            if more > Credits::ZERO {
                let debt_notice = notices.next().expect("a new debt has a notice");
                let (kind, credits) = (NoticeKind::DebtCreated, Some(more));
                assert_eq!(*debt_notice, Notice { kind, credits, ..notice.clone() });
            }
        }
        let rest: Vec<&Notice> = notices.collect();
        let (payments, low): (Vec<&Notice>, Vec<&Notice>) =
            rest.iter().partition(|notice| notice.kind != NoticeKind::BalanceLow);
        assert_eq!([payments.clone(), low.clone()].concat(), rest, "payments first, then low balances");
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

    /// One notice when the available credits fall below the threshold, and no more while they stay low.
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
        let reported: Vec<_> =
            low.iter().map(|notice| (notice.tenant, notice.credits, notice.balance_after)).collect();
        assert_eq!(reported, expected.collect::<Vec<_>>());
    }

    /// Finality is reported once, when the owner is known. A failed attempt is reported unless the payment is
    /// paid.
    fn audit_payment_notices(&mut self, before: &Book, changes: &Changes, notices: &[&Notice]) {
        let mut expected = Vec::new();
        if let Some(payment) = &changes.payment {
            let known = &payment.knowledge;
            let names: BTreeSet<_> = known.objects().cloned().collect();
            let reported = &mut self.reported_final;
            if !owned(known) || !known.is_paid() {
                // It is reported again when it has an owner and is paid.
                reported.retain(|name| !names.contains(name));
            }
            let finalized =
                owned(known) && known.is_paid() && is_final(known) && reported.is_disjoint(&names);
            let merged = changes.absorbed.iter().chain([&payment.id]);
            let known_before = merged.filter_map(|id| before.payments.get(id)).map(|one| &one.knowledge);
            let failures_before: usize = known_before.filter(|known| owned(known)).map(failures).sum();
            if owned(known) && !known.is_paid() && failures(known) > failures_before {
                expected.push(NoticeKind::PaymentFailed);
            }
            if finalized {
                expected.push(NoticeKind::PaymentFinalized);
                reported.extend(names);
            }
            assert!(notices.iter().all(|notice| notice.payment.as_ref() == known.key()));
        }
        let kinds: Vec<_> = notices.iter().map(|notice| notice.kind).collect();
        assert_eq!(kinds, expected, "{changes:?}");
    }
}

fn owned(known: &Knowledge) -> bool {
    entitlement(known).tenant.is_some() || known.claim().is_some_and(|claim| claim.is_accepted())
}

fn failures(known: &Knowledge) -> usize {
    known.charges.values().filter(|charge| charge.failed).count() + usize::from(known.async_failed)
}
