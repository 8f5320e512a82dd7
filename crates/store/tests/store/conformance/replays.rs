//! Applied events are made due again, and nothing is applied twice.

use ledger::{EventId, Outcome, Policy, Reason};
use store::{EventToApply, Postponed, QuarantineFilter, Reading, Store};

use super::test_purchase::{
    ALL, NOW, TestPurchase, apply, apply_batch, balance, delivery, event_to_apply, ingest,
};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([replay, due], a_replayed_event_is_due_immediately_with_no_attempts),
    case!([replay, apply_events, event], a_replay_moves_nothing_twice_and_keeps_the_outcome),
    case!([replay, postpone, event], applying_an_event_clears_the_error_of_a_failed_attempt),
    case!([replay, apply_events, quarantine], applying_a_quarantined_event_clears_its_item),
    case!([replay, apply_events, quarantine], applying_a_quarantined_event_without_new_facts_clears_its_item),
];

async fn a_replayed_event_is_due_immediately_with_no_attempts(store: Store) {
    for id in ["evt_1", "evt_2", "evt_3"] {
        store.ingest(delivery(id), NOW).await.unwrap();
    }
    exhaust_retries(&store, 1).await;
    let later = NOW.plus_seconds(100);
    let ids: Vec<EventId> = ["evt_1", "evt_2", "evt_none"].map(EventId::from).into();
    assert_eq!(store.replay(ids, later).await.unwrap(), 2, "the number of existing events");
    assert_eq!(store.replay(Vec::new(), later).await.unwrap(), 0);
    let due = store.due(later, 9).await.unwrap();
    let due: Vec<_> = due.iter().map(|event| (event.id.as_str(), event.attempts)).collect();
    assert_eq!(due, [("evt_3", 0), ("evt_1", 0), ("evt_2", 0)]);
}

async fn a_replay_moves_nothing_twice_and_keeps_the_outcome(store: Store) {
    let purchase = TestPurchase::new("a");
    let facts = [purchase.bought(), purchase.charged(), purchase.refunded(300)];
    let first = apply(&store, &facts).await;
    assert_eq!(first, [Outcome::Granted, Outcome::Finalized, Outcome::Revoked]);
    store.replay(facts.iter().map(|fact| fact.event.id.clone()).collect(), NOW).await.unwrap();
    assert_eq!(apply(&store, &facts).await, [Outcome::AlreadyKnown; 3]);
    assert_eq!(balance(&store, 1).await, [7, 0, 0, 0]);
    assert_eq!(store.transactions(Default::default(), ALL).await.unwrap().total, 2);
    for (fact, outcome) in facts.iter().zip(first) {
        let (event, _) = store.event(fact.event.id.clone()).await.unwrap().unwrap();
        assert_eq!((event.outcome, event.due_at), (Some(outcome), None), "{}", event.id);
        assert_eq!(event.payment.as_deref(), Some("pi_a"), "{}", event.id);
    }
}

async fn applying_an_event_clears_the_error_of_a_failed_attempt(store: Store) {
    let facts = [TestPurchase::new("a").bought(), TestPurchase::new("b").bought_with_invalid_tenant()];
    apply(&store, &facts).await;
    store.replay(facts.iter().map(|fact| fact.event.id.clone()).collect(), NOW).await.unwrap();
    let failed = |seq| Postponed { seq, due_at: Some(NOW), error: "no disk".to_owned() };
    store.postpone(vec![failed(1), failed(2)], NOW).await.unwrap();
    apply(&store, &facts).await;
    let reasons = [(Outcome::Granted, None), (Outcome::Quarantined, Some("tenant_invalid"))];
    for (fact, (outcome, reason)) in facts.into_iter().zip(reasons) {
        let (event, _) = store.event(fact.event.id).await.unwrap().unwrap();
        assert_eq!((event.outcome, event.reason.as_deref()), (Some(outcome), reason), "{}", event.id);
    }
}

async fn applying_a_quarantined_event_clears_its_item(store: Store) {
    let bought = TestPurchase::new("a").bought();
    let seq = ingest(&store, &bought.event.id).await;
    exhaust_retries(&store, seq).await;
    replay_and_apply(&store, seq, event_to_apply(seq, &bought), bought.event.id, Outcome::Granted).await;
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
}

async fn applying_a_quarantined_event_without_new_facts_clears_its_item(store: Store) {
    let purchase = TestPurchase::new("a");
    let bought = purchase.bought();
    let again = ledger::Fact {
        event: ledger::EventRef { id: "evt_again".into(), ..bought.event.clone() },
        ..bought.clone()
    };
    apply(&store, &[bought]).await;
    let seq = ingest(&store, &again.event.id).await;
    exhaust_retries(&store, seq).await;
    replay_and_apply(&store, seq, event_to_apply(seq, &again), again.event.id, Outcome::AlreadyKnown).await;

    let ignored: EventId = "evt_ignored".into();
    let seq = ingest(&store, &ignored).await;
    exhaust_retries(&store, seq).await;
    let event = EventToApply { seq, reading: Reading::Ignored };
    replay_and_apply(&store, seq, event, ignored, Outcome::Ignored).await;
}

/// Replays a quarantined event; it must get this outcome, and its item must be closed.
async fn replay_and_apply(store: &Store, seq: i64, event: EventToApply, id: EventId, outcome: Outcome) {
    let open = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().rows;
    assert_eq!((open.len(), open[0].reason), (1, Reason::RetriesExhausted));
    assert_eq!(store.replay(vec![id.clone()], NOW.plus_seconds(9)).await.unwrap(), 1);
    let applied = apply_batch(store, &Policy::default(), vec![event]).await;
    assert_eq!((applied[0].seq, applied[0].outcome), (seq, outcome));
    let (event, _) = store.event(id).await.unwrap().unwrap();
    assert_eq!((event.outcome, event.reason, event.due_at), (Some(outcome), None, None));
    assert_eq!(store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().total, 0, "no item is open");
    let item = store.quarantine_item(open[0].id).await.unwrap().unwrap();
    assert_eq!((item.closed_at, item.resolution.as_deref()), (Some(NOW), Some("cleared")));
}

async fn exhaust_retries(store: &Store, seq: i64) {
    let failed = Postponed { seq, due_at: None, error: "no disk".to_owned() };
    store.postpone(vec![failed], NOW).await.unwrap();
}
