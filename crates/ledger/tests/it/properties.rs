//! Properties of every history. [`World`] asserts most of them after every step: transactions and accounts
//! sum to zero, nothing falls below zero, a tenant in debt has no available credits, the books are the fold
//! of the journal, targets are met, the chain is intact, other tenants are not affected.

use ledger::money::prorate;
use ledger::posting::TransactionKind;
use ledger::{
    Account, Cause, Credits, EventId, HoldId, LotId, Minor, PaymentId, Posting, Rounding, TenantId,
    Timestamp, Transaction, chain,
};
use proptest::prelude::*;

use crate::history::{histories, shuffled_events};
use crate::step::{Step, tenant};
use crate::world::World;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_history_keeps_the_books_consistent(history in histories()) {
        let mut world = World::default();
        for (taken, step) in history.steps().enumerate() {
            world.take(step);
            let swept = world.clone().swept();
            history.steps().take(taken + 1).for_each(|step| swept.repeat(step));
        }
    }

    #[test]
    fn order_and_repetition_make_no_difference((first, second) in shuffled_events()) {
        let run = |steps: &mut dyn Iterator<Item = &Step>| {
            let mut world = World::default();
            steps.for_each(|step| drop(world.take(step)));
            world.position()
        };
        prop_assert_eq!(run(&mut first.steps()), run(&mut second.steps()));
    }

    /// After any history, a won dispute leaves the balances unchanged, and a failed refund the net balances.
    #[test]
    fn won_disputes_and_failed_refunds_take_nothing(history in histories(), amount in 1..40_000_i64) {
        let mut world = World::default();
        history.steps().for_each(|step| drop(world.take(step)));
        let mut world = world.swept();
        let take = |world: &mut World, text: String| world.take(&Step::parse(&text, 99));
        let before = world.position().balances;
        take(&mut world, format!("dispute P1 d_new {amount} open"));
        take(&mut world, format!("dispute P1 d_new {amount} won"));
        prop_assert_eq!(&world.position().balances, &before);
        let before = world.net_before_commands();
        take(&mut world, format!("refund P1 re_new {amount} pending"));
        take(&mut world, format!("refund P1 re_new {amount} succeeded"));
        take(&mut world, format!("refund P1 re_new {amount} failed"));
        // If the charge reported more than the refunds, a failed refund is subtracted from that.
        let watermark = history.0.iter().any(|line| line.0.starts_with("watermark"));
        prop_assert!(watermark || world.net_before_commands() == before);
    }

    #[test]
    fn prorated_shares_are_monotone_bounded_and_exact_at_both_ends(
        credits in 0..=1_000_000_000_i64, whole in 1..i64::MAX, part in 0..i64::MAX, more in 0..i64::MAX,
    ) {
        let share = |part, rounding| prorate(Credits(credits), Minor(part), Minor(whole), rounding).0;
        for rounding in [Rounding::Floor, Rounding::Ceil] {
            prop_assert_eq!(share(0, rounding), 0);
            prop_assert_eq!(share(whole, rounding), credits);
            prop_assert!(share(part.min(more), rounding) <= share(part.max(more), rounding));
            prop_assert!((0..=credits).contains(&share(part, rounding)));
        }
        let gap = share(part, Rounding::Ceil) - share(part, Rounding::Floor);
        prop_assert!((0..=1).contains(&gap));
    }

    #[test]
    fn any_change_to_a_journal_entry_changes_its_hash(
        history in histories(), at in any::<prop::sample::Index>(),
    ) {
        let mut world = World::default();
        history.steps().for_each(|step| drop(world.take(step)));
        if world.journal.is_empty() {
            return Ok(());
        }
        let index = at.index(world.journal.len());
        let previous = if index == 0 { chain::GENESIS } else { world.journal[index - 1].hash };
        let transaction = &world.journal[index];
        for (what, changed) in tampered(transaction) {
            prop_assert_ne!(&changed, transaction);
            prop_assert_ne!(chain::seal(&previous, &changed), transaction.hash, "{}", what);
        }
        let mut other = previous;
        other[7] ^= 1;
        prop_assert_ne!(chain::seal(&other, transaction), transaction.hash);
    }
}

/// The transaction with one field changed, for each of its fields.
fn tampered(transaction: &Transaction) -> Vec<(&'static str, Transaction)> {
    type Change = (&'static str, fn(&mut Transaction));
    let changes: &[Change] = &[
        ("seq", |t| t.seq += 1),
        ("tenant", |t| t.tenant = TenantId(uuid::Uuid::nil())),
        ("kind", |t| {
            t.kind = if t.kind == TransactionKind::Spent {
                TransactionKind::Granted
            } else {
                TransactionKind::Spent
            }
        }),
        ("event", |t| t.cause = Cause::Event(EventId::from("evt_other"))),
        ("command", |t| t.cause = Cause::Command("other".into())),
        ("operator", |t| t.cause = Cause::Operator { by: "eve".into(), reason: "because".into() }),
        ("payment", |t| t.payment = t.payment.xor(Some(PaymentId(77)))),
        ("hold", |t| t.hold = t.hold.xor(Some(HoldId(uuid::Uuid::nil())))),
        ("reference", |t| t.reference = t.reference.take().xor(Some("lease 7".into()))),
        ("clock", |t| t.cause = Cause::Clock("lot x".into())),
        ("at", |t| t.at = Timestamp(t.at.0 + 1)),
        ("amount", |t| t.postings[0].amount += 1),
        ("account", |t| {
            let other = t.postings[0].account != Account::Held;
            t.postings[0].account = if other { Account::Held } else { Account::Frozen };
        }),
        ("lot", |t| t.postings[0].lot = Some(LotId(77))),
        ("fewer lines", |t| t.postings.truncate(1)),
        ("more lines", |t| t.postings.push(Posting { account: Account::Debt, lot: None, amount: 1 })),
        ("order of lines", |t| t.postings.reverse()),
        ("available", |t| t.balance_after.available += Credits(1)),
        ("held", |t| t.balance_after.held += Credits(1)),
        ("frozen", |t| t.balance_after.frozen += Credits(1)),
        ("debt", |t| t.balance_after.debt += Credits(1)),
    ];
    let change = |(what, change): &Change| {
        let mut changed = transaction.clone();
        change(&mut changed);
        (*what, changed)
    };
    changes.iter().map(change).collect()
}

/// Names, reasons and references that try to pass for other fields.
#[test]
fn different_entries_have_different_hashes() {
    let operator = |by: &str, reason: &str| Cause::Operator { by: by.into(), reason: reason.into() };
    let command = |key: &str| Cause::Command(key.into());
    let hold = Some(HoldId(uuid::Uuid::nil()));
    let plain = [
        operator("ann", "b: c"),
        operator("ann: b", "c"),
        operator("ann\nreason b", "c"),
        operator("ann", "b\nreason c"),
        operator("ann", "b\\nreason c"),
        operator("ann\\", "b"),
        operator("ann", "\\b"),
        Cause::Event(EventId::from("ann")),
        Cause::Event(EventId::from("ann\nreason b")),
        Cause::Command("ann\nreason b".into()),
        Cause::Command("ann\\nreason b".into()),
        Cause::Clock("ann".into()),
        Cause::Clock("ann\nreason b".into()),
    ];
    let mut all: Vec<_> = plain.into_iter().map(|cause| (cause, None, None)).collect();
    for reference in ["", "b", "b\n0 0 0 0", "b\\n0 0 0 0", "b\\", "b\nreference c"] {
        all.extend([None, hold].map(|hold| (command("ann"), hold, Some(reference))));
    }
    all.extend([
        (command("ann"), None, None),
        (command("ann"), hold, None),
        (command("ann\nreference b"), None, None),
        (command("ann\nhold hold_00000000000000000000000000000000"), None, None),
    ]);
    let seal = |(cause, hold, reference): &(Cause, Option<HoldId>, Option<&str>)| {
        let transaction = Transaction {
            seq: 1,
            tenant: tenant("A").unwrap(),
            kind: TransactionKind::Granted,
            cause: cause.clone(),
            payment: None,
            hold: *hold,
            reference: reference.map(String::from),
            at: Timestamp(0),
            postings: Vec::new(),
            balance_after: ledger::Balance::default(),
            hash: chain::GENESIS,
        };
        let text = chain::text(&chain::GENESIS, &transaction);
        let lines = 5 + usize::from(hold.is_some()) + usize::from(reference.is_some());
        let more = usize::from(matches!(cause, Cause::Operator { .. }));
        assert_eq!(text.lines().count(), lines + more, "{text}");
        chain::seal(&chain::GENESIS, &transaction)
    };
    let seals: std::collections::BTreeSet<_> = all.iter().map(seal).collect();
    assert_eq!(seals.len(), all.len());
}
