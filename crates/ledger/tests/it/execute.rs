//! Commands, purchases and refunds in random histories, compared with `coin_model`: after every step both
//! must give the same answer and have the same credits in the same places. Histories share prefixes, so that
//! very many can be tried.

use ledger::decide::decide;
use ledger::{Book, Policy, Receipt, Refusal, execute, expire};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::coin_model::{CoinModel, Place};
use crate::command_syntax::hold_id;
use crate::history::{command, with_hold};
use crate::step::{Step, letter, tenant};

/// The number of shared prefixes.
const PREFIXES: usize = 392;
/// The steps of a prefix.
const PREFIX_STEPS: usize = 12;
/// How many continuations are tried at each step after the prefix.
const BRANCHES: [usize; 4] = [4, 4, 4, 4];

#[derive(Clone, Default)]
struct Both {
    book: Book,
    model: CoinModel,
    text: Vec<String>,
    holds: Vec<String>,
}

impl Both {
    fn take(&mut self, line: &str) -> Result<(), String> {
        let line = with_hold(line, &mut self.holds);
        let words: Vec<&str> = line.split_whitespace().collect();
        let now = self.model.now();
        let number = |index: usize| words[index].parse::<i64>().unwrap();
        self.text.push(line.clone());
        match Step::parse(&line, self.text.len() as i64) {
            Step::Clock(now) => (self.model.at, self.model.in_doubt) = (now.at.0, !now.trusted),
            Step::Fact(fact) => {
                self.book.apply(&decide(&self.book, &fact, &Policy::default(), now).changes);
                match words[0] {
                    "session" => self.model.sold(words[1], words[2], number(3)),
                    _ => {
                        let rank = ["pending", "succeeded", "failed"].iter().position(|one| one == &words[4]);
                        self.model.refund(words[1], words[2], number(3), rank.unwrap() as u8);
                    }
                }
            }
            Step::Sweep(tenant) => {
                self.book.apply(&expire(&self.book, tenant, now));
                self.model.sweep(words[1]);
            }
            Step::Command(command) => {
                let execution = execute(&self.book, &command, now);
                self.book.apply(&execution.changes);
                let answer = execution.answer.map(|receipt: Receipt| receipt.credits.0);
                let expected: Result<i64, Refusal> = self.model.execute(words[1], &command);
                self.same("the answer", &answer, &expected)?;
            }
            other => panic!("{other:?} is not generated here"),
        }
        self.compare()
    }

    fn compare(&self) -> Result<(), String> {
        for lot in self.book.lots.values() {
            let model = &self.model.tenants[&letter(lot.tenant)];
            let of = |wanted: fn(Place) -> bool| model.count(Some(lot.id.0), wanted);
            let expected = [
                of(|place| place == Place::Available),
                of(|place| matches!(place, Place::Held(_))),
                of(|place| place == Place::Frozen),
                model.to_freeze(lot.id.0),
            ];
            let columns = [lot.available.0, lot.held.0, lot.frozen.0, lot.freeze_target.0];
            self.same(&format!("lot {}", lot.id), &columns, &expected)?;
        }
        for (letter, model) in &self.model.tenants {
            let id = tenant(letter).unwrap();
            let balance = self.book.tenants.get(&id).map(|tenant| tenant.balance).unwrap_or_default();
            let all = |wanted: fn(Place) -> bool| model.count(None, wanted);
            let expected = [
                all(|place| place == Place::Available),
                all(|place| matches!(place, Place::Held(_))),
                all(|place| place == Place::Frozen),
                model.debt,
            ];
            let columns = [balance.available.0, balance.held.0, balance.frozen.0, balance.debt.0];
            self.same(letter, &columns, &expected)?;
            for (name, hold) in &model.holds {
                let known = &self.book.holds[&hold_id(&format!("h{name}"))];
                self.same("hold", &(known.state, known.captured.0), &(hold.state, hold.captured))?;
            }
        }
        Ok(())
    }

    fn same<T: PartialEq + std::fmt::Debug>(
        &self,
        what: &str,
        actual: &T,
        expected: &T,
    ) -> Result<(), String> {
        if actual == expected {
            return Ok(());
        }
        let mut text = format!("{what}: the ledger has {actual:?}, the model {expected:?}, after\n");
        text += &self.text.join("\n");
        Err(text)
    }
}

/// A random step.
fn line() -> impl Strategy<Value = String> {
    let purchase = || select(vec!["P1 A 6", "P2 A 4", "P3 B 5"]);
    let session = purchase().prop_map(|sold| {
        let credits = &sold[5..];
        format!("session {sold} credits {credits}00 paid at 5")
    });
    let refund = (purchase(), select(vec!["a 100", "b 250", "c 400"]), select(RANKS.to_vec()))
        .prop_map(|(sold, refund, rank)| format!("refund {} {}{refund} {rank}", &sold[..2], &sold[..2]));
    let clock = (0..60_u8, 0..4_u8).prop_map(|(time, trust)| {
        let doubt = if trust == 0 { " in doubt" } else { "" };
        format!("clock {time}{doubt}")
    });
    let command = command().prop_filter("the model has no notices", |line| !line.starts_with("low"));
    prop_oneof![3 => session, 4 => refund, 2 => clock, 14 => command]
}

const RANKS: [&str; 5] = ["pending", "pending", "succeeded", "succeeded", "failed"];

#[test]
fn the_ledger_agrees_with_the_coin_model() {
    let mut runner = TestRunner::deterministic();
    let mut draw = || line().new_tree(&mut runner).unwrap().current();
    let (mut histories, mut steps) = (0_usize, 0_usize);
    for _ in 0..PREFIXES {
        let mut both = Both::default();
        both.take("session P1 A 6 credits 600 paid at 5").unwrap();
        for _ in 1..PREFIX_STEPS {
            both.take(&draw()).unwrap_or_else(|wrong| panic!("{wrong}"));
        }
        steps += PREFIX_STEPS;
        let mut ends = vec![both];
        for branches in BRANCHES {
            let mut next = Vec::with_capacity(ends.len() * branches);
            for end in &ends {
                for _ in 0..branches {
                    let mut both = end.clone();
                    both.take(&draw()).unwrap_or_else(|wrong| panic!("{wrong}"));
                    next.push(both);
                }
            }
            steps += next.len();
            ends = next;
        }
        histories += ends.len();
    }
    println!("{histories} histories, {steps} steps");
    assert!(histories >= 100_000);
}
