//! The conformance suite: the behaviour of a store, whatever its database. Each case names the verbs that it
//! tests, and gets an empty store of its own, whose journal must pass the audit afterwards. Another driver
//! needs one more test that calls [`check`].

pub(crate) mod action_requests;
mod actions;
mod arrivals;
mod batches;
mod clock;
pub(crate) mod command_requests;
mod commands;
pub(crate) mod endpoints;
mod expire;
mod health;
mod holds;
mod journal;
mod keys;
mod listings;
mod merges;
mod notices;
mod operators;
mod people;
mod permutations;
mod purchases;
mod quarantine;
mod replays;
mod settlements;
pub(crate) mod test_purchase;
mod waits;

use std::future::Future;
use std::pin::Pin;

use store::Store;

/// One test case. It panics if the store does not conform.
pub(crate) struct Case {
    /// A statement of the specified behaviour.
    pub(crate) name: &'static str,
    /// The verbs that it tests.
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
    expire::CASES,
    merges::CASES,
    operators::CASES,
    actions::CASES,
    people::CASES,
    permutations::CASES,
    quarantine::CASES,
    waits::CASES,
    listings::CASES,
    keys::CASES,
    endpoints::CASES,
    purchases::CASES,
    health::CASES,
    clock::CASES,
];

/// Runs every case on its own empty store, and reports all failures.
pub(crate) async fn check(open: impl Fn(&Case) -> Store) {
    let mut failed = Vec::new();
    for case in CASES.iter().copied().flatten() {
        let store = open(case);
        let outcome = tokio::spawn((case.run)(store.clone())).await;
        let faults = store.audit().await.map(|audit| audit.faults);
        match (outcome, faults) {
            (Err(panic), _) => failed.push(format!("{} (see its panic above): {panic}", case.name)),
            (Ok(()), Ok(faults)) if faults.is_empty() => {}
            (Ok(()), faults) => failed.push(format!("{}: the audit says {faults:?}", case.name)),
        }
    }
    assert!(failed.is_empty(), "{} cases failed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn every_verb_has_a_case_and_every_case_names_known_verbs() {
    let tested = || CASES.iter().copied().flatten().flat_map(|case| case.verbs).copied();
    let missing: Vec<_> =
        Store::VERBS.iter().filter(|verb| !tested().any(|tested| tested == **verb)).collect();
    assert!(missing.is_empty(), "no case tests {missing:?}");
    let unknown: Vec<_> = tested().filter(|verb| !Store::VERBS.contains(verb)).collect();
    assert!(unknown.is_empty(), "unknown verbs {unknown:?}");
}
