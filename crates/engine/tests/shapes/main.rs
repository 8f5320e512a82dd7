//! Compares the table in `docs/payment-shapes.md` with the program: every shape of Stripe's payment objects,
//! and its result. The events of each row are read and decided in every order, each of them twice. Events
//! that the payment still waits for then do not arrive in time.

mod events;

use std::collections::BTreeMap;

use engine::{DeploymentScope, MetadataKeys, read};
use ledger::review::waits_for;
use ledger::{Book, Now, PaymentStatus, Policy, Timestamp, decide, overdue, review_reason};
use serde_json::Value;
use store::{Mode, Reading};

const TABLE: &str = include_str!("../../../../docs/payment-shapes.md");
const NOW: Now = Now::trusted(Timestamp(0));

/// The result of a shape: credits, payment statuses, and the reasons for a review.
type Row = (String, String, String);

#[test]
fn every_shape_has_the_result_in_the_table() {
    let shapes_by_name: BTreeMap<String, Vec<Value>> = events::shapes();
    let table: Vec<(String, Row)> = rows(TABLE);
    let names: Vec<_> = table.iter().map(|(name, _)| name.as_str()).collect();
    for name in shapes_by_name.keys() {
        assert!(names.contains(&name.as_str()), "docs/payment-shapes.md has no row {name:?}");
    }
    let mut wrong = Vec::new();
    for (name, expected) in &table {
        let events = shapes_by_name.get(name).unwrap_or_else(|| panic!("{name:?} has no events"));
        let mut order: Vec<usize> = (0..events.len()).collect();
        let mut found = Vec::new();
        permute(&mut order, 0, &mut |order| {
            let result = result_of(order.iter().map(|index| &events[*index]));
            if !found.contains(&result) {
                found.push(result);
            }
        });
        if found != [expected.clone()] {
            wrong.push(format!("{name}: {found:?}, not {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The rows of the table: the shape's name in backquotes, the shape in words, and the three columns of the
/// result.
fn rows(page: &str) -> Vec<(String, Row)> {
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect()
    };
    let rows = page.lines().filter(|line| line.starts_with("| `")).map(cells);
    rows.map(|cells| (cells[0].clone(), (cells[2].clone(), cells[3].clone(), cells[4].clone()))).collect()
}

/// The result of reading and deciding these events in this order, each of them twice.
fn result_of<'e>(events: impl Iterator<Item = &'e Value>) -> Row {
    let scope = DeploymentScope { mode: Mode::Test, account: None, metadata: MetadataKeys::default() };
    let (mut book, policy, mut reasons) = (Book::default(), Policy::default(), Vec::new());
    for event in events {
        for _ in 0..2 {
            match read(event.to_string().as_bytes(), &scope) {
                Reading::Fact(fact) => book.apply(&decide(&book, &fact, &policy, NOW).changes),
                Reading::Partial { fact, .. } => {
                    reasons.push("unreadable (the event)".to_owned());
                    book.apply(&decide(&book, &fact, &policy, NOW).changes);
                }
                Reading::Quarantined { reason, .. } => reasons.push(format!("{reason} (the event)")),
                Reading::Ignored => {}
            }
        }
    }
    let waiting = |book: &Book| {
        let payments = book.payments.values();
        payments.filter_map(|one| Some((one.id, waits_for(&one.knowledge, &policy)?))).next()
    };
    while let Some((payment, wait)) = waiting(&book) {
        book.apply(&overdue(&book, payment, wait, &policy, NOW).expect("the payment waits").changes);
    }
    let payments = || book.payments.values().map(|payment| &payment.knowledge);
    reasons.extend(payments().filter_map(review_reason).map(|reason| reason.as_str().to_owned()));
    reasons.sort();
    reasons.dedup();
    let mut statuses: Vec<_> = payments().map(|known| PaymentStatus::of(known).as_str()).collect();
    statuses.sort_unstable();
    let balances = book.tenants.values().map(|tenant| tenant.balance);
    let [available, frozen] = [
        balances.clone().map(|balance| balance.available.0).sum::<i64>(),
        balances.map(|balance| balance.frozen.0).sum::<i64>(),
    ];
    let credits = if frozen > 0 { format!("{available}, {frozen} frozen") } else { available.to_string() };
    let or_none = |texts: String| if texts.is_empty() { "–".to_owned() } else { texts };
    (credits, or_none(statuses.join(", ")), or_none(reasons.join(", ")))
}

/// Calls `visit` with every order of `items[from..]`.
fn permute(items: &mut [usize], from: usize, visit: &mut impl FnMut(&[usize])) {
    if from == items.len() {
        return visit(items);
    }
    for next in from..items.len() {
        items.swap(from, next);
        permute(items, from + 1, visit);
        items.swap(from, next);
    }
}
