//! Random histories over three payments and three tenants, in the language of the statements, so that a
//! failure can be pasted into a statement file. Deliberately nastier than Stripe: amounts of one refund that
//! change, claims that contradict each other, keys that join payments which have nothing in common.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::step::Step;

/// Steps, each with its text.
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

/// Events, spends and a person's words.
pub(crate) fn histories() -> impl Strategy<Value = History> {
    let line = prop_oneof![8 => event(), 2 => spend(), 1 => word()];
    vec(line, 1..30).prop_map(history)
}

/// Events only, and the same ones again in another order, some of them repeated.
pub(crate) fn shuffled_events() -> impl Strategy<Value = (History, History)> {
    vec(event(), 1..14).prop_map(history).prop_flat_map(|told| {
        let again = vec(select(told.0.clone()), 0..6);
        let other = (Just(told.0.clone()), again).prop_map(|(told, again)| [told, again].concat());
        (Just(told), other.prop_shuffle().prop_map(History))
    })
}

fn history(lines: Vec<String>) -> History {
    let number = |(index, text): (usize, String)| {
        let step = Step::parse(&text, index as i64 + 1);
        (text, step)
    };
    History(lines.into_iter().enumerate().map(number).collect())
}

fn event() -> impl Strategy<Value = String> {
    let of = |verb: &'static str, rest: BoxedStrategy<String>| {
        (keys(), rest).prop_map(move |(keys, rest)| format!("{verb} {keys} {rest}"))
    };
    prop_oneof![
        3 => of("session", session()),
        2 => of("charge", charge()),
        1 => of("watermark", (payment(), amount()).prop_map(|(n, amount)| format!("c{n} {amount}")).boxed()),
        4 => of("refund", refund()),
        3 => of("dispute", dispute()),
    ]
}

/// Any of the names of one payment, and now and then one of another.
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
    let tenant = select(vec!["A", "A", "A", "B", "B", "C", "acme", "-"]);
    let credits = select(vec!["10", "10", "10", "10", "5", "7", "0", "-"]);
    let status = select(vec![
        "paid",
        "paid",
        "paid",
        "paid",
        "unpaid",
        "async_succeeded",
        "async_failed",
        "expired",
        "in_doubt",
    ]);
    let amount = select(vec!["25000", "25000", "25000", "30250", "0", "3", "-"]);
    let line = (tenant, credits, amount, status, 1..9_u8);
    line.prop_map(|(t, c, a, s, at)| format!("{t} {c} credits {a} {s} at {at}")).boxed()
}

fn charge() -> BoxedStrategy<String> {
    let state = select(vec!["succeeded", "succeeded", "authorised", "captured", "failed"]);
    let amount = prop_oneof![3 => Just(25_000), 1 => amount()];
    let line = (payment(), select(vec!["", "", "x"]), amount, state);
    line.prop_map(|(n, which, amount, state)| format!("c{n}{which} {amount} {state}")).boxed()
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

fn spend() -> impl Strategy<Value = String> {
    (select(vec!["A", "A", "B", "C"]), 0..12_u8).prop_map(|(tenant, n)| format!("spend {tenant} {n}"))
}

fn word() -> impl Strategy<Value = String> {
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
