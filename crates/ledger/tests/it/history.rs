//! Random histories over three payments and three tenants, in the language of the statements, so that a
//! failure can be pasted into a statement file. They include events that Stripe does not send: a refund whose
//! amount changes, claims that contradict each other, ids that merge unrelated payments.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ledger::Outcome;
use ledger::Reason::ClaimsConflict;
use ledger::posting::TransactionKind;
use ledger::review_reason;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::step::Step;
use crate::world::World;

/// Steps with their text.
#[derive(Clone)]
pub(crate) struct History(pub(crate) Vec<(String, Step)>);

impl History {
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.0.iter().map(|line| &line.1)
    }
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\n== A random history\n")?;
        self.0.iter().try_for_each(|line| writeln!(f, "{}", line.0))
    }
}

/// Events, commands, a person's decisions, waits and the clock.
pub(crate) fn histories() -> impl Strategy<Value = History> {
    let line = prop_oneof![12 => event(), 12 => command(), 1 => ruling(), 1 => wait(), 2 => clock()];
    // Credits to start with, because otherwise too many commands would be refused.
    let purchase = Just("session P1 A 10 credits 25000 paid at 5");
    let first = prop_oneof![Just("adjust A 6 until 30"), Just("low A 4")];
    (purchase, first, vec(line, 4..34)).prop_map(|(purchase, first, lines)| {
        history([vec![purchase.to_owned(), first.to_owned()], lines].concat())
    })
}

/// A history of events only, and the same events in another order with some of them repeated.
pub(crate) fn shuffled_events() -> impl Strategy<Value = (History, History)> {
    vec(event(), 1..14).prop_map(history).prop_flat_map(|first| {
        let repeated = vec(select(first.0.clone()), 0..6);
        let second = (Just(first.0.clone()), repeated).prop_map(|(all, repeated)| [all, repeated].concat());
        (Just(first), second.prop_shuffle().prop_map(History))
    })
}

/// Results of commands and sweeps that are neither outcomes nor transaction kinds.
const ANSWERS: [&str; 9] = [
    "refused (insufficient)",
    "refused (not positive)",
    "refused (no such hold)",
    "refused (was captured)",
    "refused (was released)",
    "refused (was expired)",
    "refused (more than held)",
    "refused (more than owed)",
    "ended",
];

/// Random histories are useful only if they reach every case.
#[test]
fn histories_cover_every_outcome_transaction_kind_and_refusal() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeMap::new();
    for _ in 0..800 {
        let history = histories().new_tree(&mut runner).unwrap().current();
        let mut world = World::default();
        for step in history.steps() {
            let done = world.take(step);
            let moved = done.transactions.iter().map(|transaction| transaction.kind.as_str().to_owned());
            moved.chain([done.outcome]).for_each(|what| *seen.entry(what).or_insert(0) += 1);
        }
        let owes = world.book.tenants.values().any(|tenant| !tenant.balance.debt.is_zero());
        let lots = world.book.lots.values().map(|lot| (lot.payment, lot.tenant));
        let merged = lots.clone().count() > lots.collect::<BTreeSet<_>>().len();
        let conflict =
            world.book.payments.values().any(|p| review_reason(&p.knowledge) == Some(ClaimsConflict));
        let unmet = world.book.lots.values().any(|lot| lot.frozen < lot.freeze_target);
        for (what, here) in [("owes", owes), ("merged", merged), ("conflict", conflict), ("unmet", unmet)] {
            *seen.entry(what.to_owned()).or_insert(0) += usize::from(here);
        }
    }
    println!("{seen:?}");
    let kinds = TransactionKind::ALL.iter().map(|kind| kind.as_str());
    let outcomes = Outcome::ALL.iter().map(|outcome| outcome.as_str());
    for what in kinds.chain(outcomes).chain(["owes", "merged", "conflict", "unmet"]).chain(ANSWERS) {
        assert!(seen.get(what).is_some_and(|times| *times > 9), "{what} is too rare: {seen:?}");
    }
}

fn history(lines: Vec<String>) -> History {
    let mut holds = Vec::new();
    let numbered = lines.into_iter().enumerate();
    History(
        numbered
            .map(|(index, text)| {
                let text = with_hold(&text, &mut holds);
                let step = Step::parse(&text, index as i64 + 1);
                (text, step)
            })
            .collect(),
    )
}

/// Gives every hold an id of its own. Captures and releases name a requested hold, and nine times out of ten
/// its tenant.
pub(crate) fn with_hold(text: &str, holds: &mut Vec<String>) -> String {
    let mut words: Vec<String> = text.split(' ').map(String::from).collect();
    match words[0].as_str() {
        "hold" => {
            holds.push(words[1].clone());
            words[2] = format!("h{}", holds.len());
        }
        "capture" | "release" if !holds.is_empty() => {
            let any: usize = words[2].parse().unwrap();
            let index = any % holds.len();
            words[2] = format!("h{}", index + 1);
            if !any.is_multiple_of(10) {
                words[1].clone_from(&holds[index]);
            }
        }
        "capture" | "release" => words[2] = "h1".to_owned(),
        _ => {}
    }
    words.join(" ")
}

fn event() -> impl Strategy<Value = String> {
    let of = |verb: &'static str, rest: BoxedStrategy<String>| {
        (keys(), rest).prop_map(move |(keys, rest)| format!("{verb} {keys} {rest}"))
    };
    prop_oneof![
        5 => of("session", session()),
        2 => of("charge", charge()),
        2 => of("intent", intent()),
        1 => of("watermark", (payment(), amount()).prop_map(|(n, amount)| format!("c{n} {amount}")).boxed()),
        4 => of("refund", refund()),
        3 => of("dispute", dispute()),
    ]
}

/// Any ids of one payment, and sometimes one of another payment.
fn keys() -> impl Strategy<Value = String> {
    let stray = prop_oneof![19 => Just(None), 1 => payment().prop_map(Some)];
    (payment(), 1..8_u8, stray).prop_map(|(n, which, stray)| {
        let mut keys: Vec<String> = Vec::new();
        for (bit, letter) in ["s", "P", "c"].iter().enumerate() {
            if which & (1 << bit) != 0 {
                keys.push(format!("{letter}{n}"));
            }
        }
        keys.extend(stray.map(|other| format!("P{other}")));
        keys.join("+")
    })
}

fn payment() -> impl Strategy<Value = u8> {
    1..4_u8
}

fn amount() -> impl Strategy<Value = i64> {
    prop_oneof![select(vec![0, 1, 2_499, 2_500, 5_000, 7_500, 12_500, 25_000, 30_250]), 0..30_000_i64]
}

fn session() -> BoxedStrategy<String> {
    let tenant = prop_oneof![9 => select(vec!["A", "A", "A", "B", "C"]), 1 => select(vec!["acme", "-"])];
    let credits = prop_oneof![9 => Just("10"), 2 => select(vec!["5", "7"]), 1 => select(vec!["0", "-"])];
    let other = vec!["unpaid", "async_succeeded", "async_failed", "expired", "in_doubt"];
    let status = prop_oneof![2 => Just("paid"), 1 => select(other)];
    let amount = prop_oneof![4 => Just("25000"), 1 => select(vec!["30250", "0", "3", "-"])];
    let line = (tenant, credits, amount, status, 1..9_u8);
    let ours = line.prop_map(|(t, c, a, s, at)| format!("{t} {c} credits {a} {s} at {at}"));
    let strange = (1..900_i64).prop_map(|amount| format!("- - credits {amount} paid"));
    prop_oneof![19 => ours, 1 => strange].boxed()
}

fn charge() -> BoxedStrategy<String> {
    let state = select(vec!["succeeded", "succeeded", "authorised", "captured", "failed"]);
    let amount = prop_oneof![3 => Just(25_000), 1 => amount()];
    let metadata =
        prop_oneof![4 => Just(""), 1 => Just(" of 25000"), 1 => Just(" for A 10"), 1 => Just(" for B 7")];
    let line = (payment(), select(vec!["", "", "x"]), amount, state, metadata);
    line.prop_map(|(n, which, amount, state, more)| format!("c{n}{which} {amount} {state}{more}")).boxed()
}

/// `received` is the amount of the first payment intent among the keys.
fn intent() -> BoxedStrategy<String> {
    let tenant = select(vec!["A", "A", "B", "acme", "-"]);
    let received =
        prop_oneof![1 => Just(String::new()), 1 => amount().prop_map(|n| format!(" received {n}"))];
    let line = (tenant, select(vec!["10", "10", "7", "-"]), select(vec![25_000, 30_250]), received);
    line.prop_map(|(tenant, credits, amount, received)| {
        format!("{tenant} {credits} credits {amount}{received}")
    })
    .boxed()
}

/// A payment has waited in vain.
fn wait() -> impl Strategy<Value = String> {
    (select(vec!["s", "P", "c"]), payment()).prop_map(|(letter, n)| format!("wait {letter}{n}"))
}

fn refund() -> BoxedStrategy<String> {
    let state = select(vec!["pending", "succeeded", "succeeded", "failed", "canceled"]);
    let line = (payment(), select(vec!["a", "b", "c"]), amount(), state);
    line.prop_map(|(n, which, amount, state)| format!("re{n}{which} {amount} {state}")).boxed()
}

fn dispute() -> BoxedStrategy<String> {
    let state = select(vec!["inquiry", "open", "open", "lost", "won"]);
    let back = prop_oneof![
        3 => Just(String::new()),
        1 => amount().prop_map(|amount| format!(" reinstated {amount}")),
    ];
    let line = (payment(), select(vec!["a", "b"]), amount(), state, back);
    line.prop_map(|(n, which, amount, state, back)| format!("d{n}{which} {amount} {state}{back}")).boxed()
}

/// A command of a tenant or an operator, a sweep or a threshold. Times and holds are few, so that they
/// collide.
pub(crate) fn command() -> impl Strategy<Value = String> {
    let tenants = || select(vec!["A", "A", "A", "A", "B", "C"]);
    let of = |verb: &'static str, rest: BoxedStrategy<String>| {
        (tenants(), rest).prop_map(move |(tenant, rest)| format!("{verb} {tenant} {rest}"))
    };
    let credits = || prop_oneof![8 => 1..5_i64, 2 => select(vec![-1, 0, 7, 9, 11])];
    let some = || prop_oneof![Just(String::new()), credits().prop_map(|n| n.to_string())];
    let hold = || (0..100_u8).prop_map(|n| n.to_string());
    let adjust = (prop_oneof![3 => 1..6_i64, 2 => -4..1_i64], select(vec![0, 10, 50, 60]), 0..8_i64);
    prop_oneof![
        5 => of("spend", credits().prop_map(|n| n.to_string()).boxed()),
        7 => of("hold", (credits(), select(vec![1, 5, 10, 40])).prop_map(
            |(credits, lasts)| format!("h {credits} lasts {lasts}")
        ).boxed()),
        4 => of("capture", (hold(), some()).prop_map(|(hold, n)| format!("{hold} {n}")).boxed()),
        3 => of("release", hold().boxed()),
        4 => of("adjust", adjust.prop_map(|(n, priority, until)| match until {
            0..=5 => format!("{n} priority {priority} until {}", until * 10),
            _ => format!("{n} priority {priority}"),
        }).boxed()),
        2 => of("forgive", some().boxed()),
        3 => of("sweep", Just(String::new()).boxed()),
        1 => of("low", select(vec!["", "1", "4", "8"]).prop_map(String::from).boxed()),
    ]
}

/// Any time, so the clock may go back; sometimes it is in doubt.
fn clock() -> impl Strategy<Value = String> {
    (0..60_u8, 0..8_u8).prop_map(|(time, trust)| {
        let doubt = if trust == 0 { " in doubt" } else { "" };
        format!("clock {time}{doubt}")
    })
}

/// A person's decision.
fn ruling() -> impl Strategy<Value = String> {
    let key = (select(vec!["s", "P", "c"]), payment()).prop_map(|(letter, n)| format!("{letter}{n}"));
    let verdict = prop_oneof![
        (select(vec!["A", "B", "C"]), 0..12_u8).prop_map(|(tenant, n)| Some((tenant, n))),
        Just(None),
    ];
    (key, verdict).prop_map(|(key, verdict)| match verdict {
        Some((tenant, credits)) => format!("grant {key} {tenant} {credits} credits"),
        None => format!("dismiss {key}"),
    })
}
