//! How the store is doing, and whether its books add up.

use ledger::Timestamp;
use ledger::chain::{GENESIS, hex};
use store::{ActionRefusal, ActionRequest, Audit, Health, Store};

use super::office;
use super::sale::{NOW, Sale, delivery, learn};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([health], an_empty_store_is_healthy),
    case!([health], health_counts_what_is_kept_waits_or_needs_a_person),
    case!([check_writable, check_file], what_can_be_written_is_found_writable_and_nothing_is_changed),
    case!([restore, ask_action], what_was_not_restored_has_nothing_to_confirm),
    case!([audit], an_empty_journal_adds_up),
    case!([audit, apply_events], a_journal_of_everything_that_can_happen_adds_up),
];

async fn an_empty_store_is_healthy(store: Store) {
    let health = store.health().await.unwrap();
    check(&health, [0, 0, 0, 0], [None, None]);
}

async fn health_counts_what_is_kept_waits_or_needs_a_person(store: Store) {
    learn(&store, &[Sale::new("a").bought(), Sale::new("b").bought_by_nobody()]).await;
    let health = store.health().await.unwrap();
    check(&health, [2, 0, 1, 1], [None, Some(NOW)]);
    for (id, seconds) in [("evt_1", 5), ("evt_2", 7)] {
        store.ingest(delivery(id), NOW.plus_seconds(seconds)).await.unwrap();
    }
    let health = store.health().await.unwrap();
    check(&health, [4, 2, 1, 1], [Some(NOW.plus_seconds(5)), Some(NOW.plus_seconds(7))]);
}

async fn what_can_be_written_is_found_writable_and_nothing_is_changed(store: Store) {
    learn(&store, &[Sale::new("a").bought()]).await;
    let before = (store.health().await.unwrap(), store.audit().await.unwrap());
    for _ in 0..3 {
        store.check_writable().await.unwrap();
        store.check_file().await.unwrap();
    }
    assert_eq!((store.health().await.unwrap(), store.audit().await.unwrap()), before);
}

async fn what_was_not_restored_has_nothing_to_confirm(store: Store) {
    office::open(&store).await;
    assert_eq!(store.restore().await.unwrap(), None);
    let confirmation = ActionRequest::RestoreConfirm { restored_at: NOW, source: "a.db".to_owned() };
    assert_eq!(office::refused(&store, "ann", confirmation).await, ActionRefusal::NoRestore);
}

fn check(health: &Health, counts: [i64; 4], times: [Option<Timestamp>; 2]) {
    let Health { events, pending, quarantined, transactions, .. } = *health;
    let Health { oldest_pending, last_event, endpoints_disabled, .. } = *health;
    assert_eq!([events, pending, quarantined, transactions], counts, "{health:?}");
    assert_eq!(([oldest_pending, last_event], endpoints_disabled), (times, 0), "{health:?}");
}

async fn an_empty_journal_adds_up(store: Store) {
    assert_eq!(store.audit().await.unwrap(), Audit { head: hex(&GENESIS), ..Audit::default() });
}

async fn a_journal_of_everything_that_can_happen_adds_up(store: Store) {
    let (a, b) = (Sale::new("a"), Sale::new("b").to(2));
    learn(&store, &[a.bought(), b.bought(), a.refunded(300), b.impossible()]).await;
    learn(&store, &[b.disputed(Default::default()), a.refunded(1000)]).await;
    let audit = store.audit().await.unwrap();
    assert_eq!((audit.transactions, audit.tenants, audit.lots), (5, 2, 2));
    assert_eq!((audit.head.len(), audit.faults), (64, Vec::new()));
}
