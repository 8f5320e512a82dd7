//! Health counts, and the consistency of the journal.

use ledger::Timestamp;
use ledger::chain::{GENESIS, hex};
use store::{ActionRefusal, ActionRequest, AuditReport, Store, StoreHealth};

use super::action_requests;
use super::test_purchase::{NOW, TestPurchase, apply, delivery};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([health], an_empty_store_is_healthy),
    case!([health], health_counts_events_pending_events_and_quarantine_items),
    case!([check_writable, check_file], a_writable_store_passes_the_checks_unchanged),
    case!([unconfirmed_restore, request_action], without_a_restore_there_is_nothing_to_confirm),
    case!([audit], an_empty_journal_is_consistent),
    case!([audit, apply_events], a_journal_of_many_kinds_is_consistent),
];

async fn an_empty_store_is_healthy(store: Store) {
    let health = store.health().await.unwrap();
    check(&health, [0, 0, 0, 0], [None, None]);
}

async fn health_counts_events_pending_events_and_quarantine_items(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought(), TestPurchase::new("b").bought_with_invalid_tenant()])
        .await;
    let health = store.health().await.unwrap();
    check(&health, [2, 0, 1, 1], [None, Some(NOW)]);
    for (id, seconds) in [("evt_1", 5), ("evt_2", 7)] {
        store.ingest(delivery(id), NOW.plus_seconds(seconds)).await.unwrap();
    }
    let health = store.health().await.unwrap();
    check(&health, [4, 2, 1, 1], [Some(NOW.plus_seconds(5)), Some(NOW.plus_seconds(7))]);
}

async fn a_writable_store_passes_the_checks_unchanged(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    let before = (store.health().await.unwrap(), store.audit().await.unwrap());
    for _ in 0..3 {
        store.check_writable().await.unwrap();
        store.check_file().await.unwrap();
    }
    assert_eq!((store.health().await.unwrap(), store.audit().await.unwrap()), before);
}

async fn without_a_restore_there_is_nothing_to_confirm(store: Store) {
    action_requests::register_ann(&store).await;
    assert_eq!(store.unconfirmed_restore().await.unwrap(), None);
    let confirmation = ActionRequest::RestoreConfirm { restored_at: NOW, source: "a.db".to_owned() };
    assert_eq!(action_requests::refused(&store, "ann", confirmation).await, ActionRefusal::NoRestore);
}

fn check(health: &StoreHealth, counts: [i64; 4], times: [Option<Timestamp>; 2]) {
    let StoreHealth { events, pending, quarantined, transactions, .. } = *health;
    let StoreHealth { oldest_pending, last_event, endpoints_disabled, .. } = *health;
    assert_eq!([events, pending, quarantined, transactions], counts, "{health:?}");
    assert_eq!(([oldest_pending, last_event], endpoints_disabled), (times, 0), "{health:?}");
}

async fn an_empty_journal_is_consistent(store: Store) {
    assert_eq!(store.audit().await.unwrap(), AuditReport { head: hex(&GENESIS), ..AuditReport::default() });
}

async fn a_journal_of_many_kinds_is_consistent(store: Store) {
    let (a, b) = (TestPurchase::new("a"), TestPurchase::new("b").for_tenant(2));
    apply(&store, &[a.bought(), b.bought(), a.refunded(300), b.causing_panic()]).await;
    apply(&store, &[b.disputed(Default::default()), a.refunded(1000)]).await;
    let audit = store.audit().await.unwrap();
    assert_eq!((audit.transactions, audit.tenants, audit.lots), (5, 2, 2));
    assert_eq!((audit.head.len(), audit.faults), (64, Vec::new()));
}
