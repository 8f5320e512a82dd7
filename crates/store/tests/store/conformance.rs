//! What a store must do, whatever database it is: a list of cases, each of which names the verbs that it
//! proves. Every case gets a store of its own, open and empty, and every journal must pass its audit
//! afterwards. A further database is one more test that calls [`check`].
//!
//! Not here: what only one database promises (`sqlite`), and what a decision should be (`ledger`).

mod actions;
mod arrivals;
mod batches;
mod clock;
mod commands;
pub(crate) mod endpoints;
mod health;
mod holds;
mod journal;
mod keys;
mod listings;
mod merges;
mod notices;
pub(crate) mod office;
mod operators;
mod orders;
mod people;
mod purchases;
mod quarantine;
mod replays;
pub(crate) mod requests;
pub(crate) mod sale;
mod settlements;
mod sweep;
mod waits;

use std::future::Future;
use std::pin::Pin;

use store::Store;

/// One thing that a store must do, as a test that panics where it does not.
pub(crate) struct Case {
    /// Reads like a specification.
    pub(crate) name: &'static str,
    /// The verbs that it proves.
    pub(crate) verbs: &'static [&'static str],
    run: fn(Store) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// `case!([verbs], function)`.
macro_rules! case {
    ([$($verb:ident),+], $run:ident) => {
        $crate::conformance::Case {
            name: stringify!($run),
            verbs: &[$(stringify!($verb)),+],
            run: |store| Box::pin($run(store)),
        }
    };
}
use case;

/// Every case, by subject.
pub(crate) const CASES: &[&[Case]] = &[
    arrivals::CASES,
    replays::CASES,
    settlements::CASES,
    journal::CASES,
    commands::CASES,
    batches::CASES,
    holds::CASES,
    notices::CASES,
    sweep::CASES,
    merges::CASES,
    operators::CASES,
    actions::CASES,
    people::CASES,
    orders::CASES,
    quarantine::CASES,
    waits::CASES,
    listings::CASES,
    keys::CASES,
    endpoints::CASES,
    purchases::CASES,
    health::CASES,
    clock::CASES,
];

/// Runs every case on an empty store of its own, and reports all that failed.
pub(crate) async fn check(open: impl Fn(&Case) -> Store) {
    let mut failed = Vec::new();
    for case in CASES.iter().copied().flatten() {
        let store = open(case);
        let outcome = tokio::spawn((case.run)(store.clone())).await;
        let faults = store.audit().await.map(|audit| audit.faults);
        match (outcome, faults) {
            (Err(panic), _) => failed.push(format!("{} (its panic stands above): {panic}", case.name)),
            (Ok(()), Ok(faults)) if faults.is_empty() => {}
            (Ok(()), faults) => failed.push(format!("{}: the audit says {faults:?}", case.name)),
        }
    }
    assert!(failed.is_empty(), "{} cases failed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn every_verb_has_a_case_and_every_case_a_verb() {
    let proven = || CASES.iter().copied().flatten().flat_map(|case| case.verbs).copied();
    let missing: Vec<_> =
        Store::VERBS.iter().filter(|verb| !proven().any(|proven| proven == **verb)).collect();
    assert!(missing.is_empty(), "no case proves {missing:?}");
    let unknown: Vec<_> = proven().filter(|verb| !Store::VERBS.contains(verb)).collect();
    assert!(unknown.is_empty(), "a store has no verb {unknown:?}");
}
