//! Every shape in which Stripe's objects carry money, and what it becomes: the table in
//! `docs/payment-shapes.md`, held against the program. Each row's events are read and decided in every order,
//! each of them twice, and whatever the payment then waits for does not come in time.

mod events;

use std::collections::BTreeMap;

use engine::{DeploymentScope, MetadataKeys, read};
use ledger::review::waits_for;
use ledger::{Book, Now, PaymentStatus, Policy, Timestamp, decide, overdue, review_reason};
use serde_json::Value;
use store::{Mode, Reading};

const TABLE: &str = include_str!("../../../../docs/payment-shapes.md");
const NOW: Now = Now::trusted(Timestamp(0));

/// What a shape became: credits, where its payments stand, and why a person is asked.
type Row = (String, String, String);

#[test]
fn every_shape_becomes_what_the_table_says() {
    let told: BTreeMap<String, Vec<Value>> = events::shapes();
    let written: Vec<(String, Row)> = rows(TABLE);
    let names: Vec<_> = written.iter().map(|(name, _)| name.as_str()).collect();
    for name in told.keys() {
        assert!(names.contains(&name.as_str()), "docs/payment-shapes.md has no row {name:?}");
    }
    let mut wrong = Vec::new();
    for (name, expected) in &written {
        let events = told.get(name).unwrap_or_else(|| panic!("{name:?} has no events"));
        let mut order: Vec<usize> = (0..events.len()).collect();
        let mut found = Vec::new();
        permute(&mut order, 0, &mut |order| {
            let became = became(order.iter().map(|index| &events[*index]));
            if !found.contains(&became) {
                found.push(became);
            }
        });
        if found != [expected.clone()] {
            wrong.push(format!("{name}: {found:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The rows of the table: its first column in backquotes, then the shape in words, and what it becomes.
fn rows(page: &str) -> Vec<(String, Row)> {
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect()
    };
    let rows = page.lines().filter(|line| line.starts_with("| `")).map(cells);
    rows.map(|cells| (cells[0].clone(), (cells[2].clone(), cells[3].clone(), cells[4].clone()))).collect()
}

/// Reads and decides these events in this order, each of them twice.
fn became<'e>(events: impl Iterator<Item = &'e Value>) -> Row {
    let world = DeploymentScope { mode: Mode::Test, account: None, metadata: MetadataKeys::default() };
    let (mut book, policy, mut asked) = (Book::default(), Policy::default(), Vec::new());
    for event in events {
        for _ in 0..2 {
            match read(event.to_string().as_bytes(), &world) {
                Reading::Fact(fact) => book.apply(&decide(&book, &fact, &policy, NOW).changes),
                Reading::Partial { fact, .. } => {
                    asked.push("unreadable (the event)".to_owned());
                    book.apply(&decide(&book, &fact, &policy, NOW).changes);
                }
                Reading::Quarantined { reason, .. } => asked.push(format!("{reason} (the event)")),
                Reading::Ignored => {}
            }
        }
    }
    let waiting = |book: &Book| {
        let payments = book.payments.values();
        payments.filter_map(|one| Some((one.id, waits_for(&one.knowledge, &policy)?))).next()
    };
    while let Some((payment, wait)) = waiting(&book) {
        book.apply(&overdue(&book, payment, wait, &policy, NOW).expect("it waits").changes);
    }
    let payments = || book.payments.values().map(|payment| &payment.knowledge);
    asked.extend(payments().filter_map(review_reason).map(|reason| reason.as_str().to_owned()));
    asked.sort();
    asked.dedup();
    let mut stands: Vec<_> = payments().map(|known| PaymentStatus::of(known).as_str()).collect();
    stands.sort_unstable();
    let balances = book.tenants.values().map(|tenant| tenant.balance);
    let [available, frozen] = [
        balances.clone().map(|balance| balance.available.0).sum::<i64>(),
        balances.map(|balance| balance.frozen.0).sum::<i64>(),
    ];
    let credits = if frozen > 0 { format!("{available}, {frozen} frozen") } else { available.to_string() };
    let or_none = |texts: String| if texts.is_empty() { "–".to_owned() } else { texts };
    (credits, or_none(stands.join(", ")), or_none(asked.join(", ")))
}

/// Calls `done` with every order of `items[from..]`.
fn permute(items: &mut [usize], from: usize, done: &mut impl FnMut(&[usize])) {
    if from == items.len() {
        return done(items);
    }
    for next in from..items.len() {
        items.swap(from, next);
        permute(items, from + 1, done);
        items.swap(from, next);
    }
}
