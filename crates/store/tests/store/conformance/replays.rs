//! Applied events are made due again, and nothing happens twice.

use ledger::{EventId, Outcome, Policy, Reason};
use store::{EventToApply, Postponed, QuarantineFilter, Reading, Store};

use super::sale::{ALL, NOW, Sale, arrive, balance, delivery, learn, settle, told};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([replay, due], a_replayed_event_is_due_at_once_and_its_attempts_are_forgotten),
    case!([replay, apply_events, event], a_replay_moves_nothing_twice_and_keeps_what_became_of_the_event),
    case!([replay, postpone, event], the_error_of_a_failed_attempt_goes_when_it_is_applied),
    case!([replay, apply_events, quarantine], an_event_that_was_given_up_and_is_applied_needs_nobody),
    case!([replay, apply_events, quarantine], so_does_one_in_which_nothing_new_is_left),
];

async fn a_replayed_event_is_due_at_once_and_its_attempts_are_forgotten(store: Store) {
    for id in ["evt_1", "evt_2", "evt_3"] {
        store.ingest(delivery(id), NOW).await.unwrap();
    }
    give_up(&store, 1).await;
    let later = NOW.plus_seconds(100);
    let ids: Vec<EventId> = ["evt_1", "evt_2", "evt_none"].map(EventId::from).into();
    assert_eq!(store.replay(ids, later).await.unwrap(), 2, "how many there were");
    assert_eq!(store.replay(Vec::new(), later).await.unwrap(), 0);
    let due = store.due(later, 9).await.unwrap();
    let due: Vec<_> = due.iter().map(|event| (event.id.as_str(), event.attempts)).collect();
    assert_eq!(due, [("evt_3", 0), ("evt_1", 0), ("evt_2", 0)]);
}

async fn a_replay_moves_nothing_twice_and_keeps_what_became_of_the_event(store: Store) {
    let sale = Sale::new("a");
    let facts = [sale.bought(), sale.charged(), sale.refunded(300)];
    let first = learn(&store, &facts).await;
    assert_eq!(first, [Outcome::Granted, Outcome::Finalized, Outcome::Revoked]);
    store.replay(facts.iter().map(|fact| fact.event.id.clone()).collect(), NOW).await.unwrap();
    assert_eq!(learn(&store, &facts).await, [Outcome::AlreadyKnown; 3]);
    assert_eq!(balance(&store, 1).await, [7, 0, 0, 0]);
    assert_eq!(store.transactions(Default::default(), ALL).await.unwrap().total, 2);
    for (fact, outcome) in facts.iter().zip(first) {
        let (event, _) = store.event(fact.event.id.clone()).await.unwrap().unwrap();
        assert_eq!((event.outcome, event.due_at), (Some(outcome), None), "{}", event.id);
        assert_eq!(event.payment.as_deref(), Some("pi_a"), "{}", event.id);
    }
}

async fn the_error_of_a_failed_attempt_goes_when_it_is_applied(store: Store) {
    let facts = [Sale::new("a").bought(), Sale::new("b").bought_by_nobody()];
    learn(&store, &facts).await;
    store.replay(facts.iter().map(|fact| fact.event.id.clone()).collect(), NOW).await.unwrap();
    let failed = |seq| Postponed { seq, due_at: Some(NOW), error: "no disk".to_owned() };
    store.postpone(vec![failed(1), failed(2)], NOW).await.unwrap();
    learn(&store, &facts).await;
    let reasons = [(Outcome::Granted, None), (Outcome::Quarantined, Some("tenant_invalid"))];
    for (fact, (outcome, reason)) in facts.into_iter().zip(reasons) {
        let (event, _) = store.event(fact.event.id).await.unwrap().unwrap();
        assert_eq!((event.outcome, event.reason.as_deref()), (Some(outcome), reason), "{}", event.id);
    }
}

async fn an_event_that_was_given_up_and_is_applied_needs_nobody(store: Store) {
    let bought = Sale::new("a").bought();
    let seq = arrive(&store, &bought.event.id).await;
    give_up(&store, seq).await;
    replay_and_settle(&store, seq, told(seq, &bought), bought.event.id, Outcome::Granted).await;
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
}

async fn so_does_one_in_which_nothing_new_is_left(store: Store) {
    let sale = Sale::new("a");
    let bought = sale.bought();
    let again = ledger::Fact {
        event: ledger::EventRef { id: "evt_again".into(), ..bought.event.clone() },
        ..bought.clone()
    };
    learn(&store, &[bought]).await;
    let seq = arrive(&store, &again.event.id).await;
    give_up(&store, seq).await;
    replay_and_settle(&store, seq, told(seq, &again), again.event.id, Outcome::AlreadyKnown).await;

    let ignored: EventId = "evt_ignored".into();
    let seq = arrive(&store, &ignored).await;
    give_up(&store, seq).await;
    let settlement = EventToApply { seq, reading: Reading::Ignored };
    replay_and_settle(&store, seq, settlement, ignored, Outcome::Ignored).await;
}

/// Replays an event that was given up; it must become `outcome`, and its question must be closed.
async fn replay_and_settle(store: &Store, seq: i64, settlement: EventToApply, id: EventId, outcome: Outcome) {
    let open = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().rows;
    assert_eq!((open.len(), open[0].reason), (1, Reason::RetriesExhausted));
    assert_eq!(store.replay(vec![id.clone()], NOW.plus_seconds(9)).await.unwrap(), 1);
    let settled = settle(store, &Policy::default(), vec![settlement]).await;
    assert_eq!((settled[0].seq, settled[0].outcome), (seq, outcome));
    let (event, _) = store.event(id).await.unwrap().unwrap();
    assert_eq!((event.outcome, event.reason, event.due_at), (Some(outcome), None, None));
    assert_eq!(
        store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().total,
        0,
        "nobody is needed any more"
    );
    let item = store.quarantine_item(open[0].id).await.unwrap().unwrap();
    assert_eq!((item.closed_at, item.resolution.as_deref()), (Some(NOW), Some("cleared")));
}

async fn give_up(store: &Store, seq: i64) {
    let failed = Postponed { seq, due_at: None, error: "no disk".to_owned() };
    store.postpone(vec![failed], NOW).await.unwrap();
}
