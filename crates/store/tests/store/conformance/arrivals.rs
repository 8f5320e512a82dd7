//! Events are ingested, become due, and are retried.

use ledger::{Outcome, Reason};
use store::{IncomingEvent, Ingested, Postponed, QuarantineFilter, Store, body};

use super::test_purchase::{ALL, NOW, TestPurchase, apply, apply_batch, delivery, event_to_apply, ingest};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([ingest, event], an_event_is_stored_once_and_each_delivery_is_counted),
    case!([event], an_unknown_event_is_none),
    case!([ingest, due], a_duplicate_of_an_applied_event_is_counted_and_not_applied_again),
    case!([due, postpone], events_are_due_at_their_time_the_longest_due_first),
    case!([next_due, postpone], the_next_due_time_is_that_of_the_earliest_event),
    case!([postpone, event], a_failed_attempt_is_counted_with_its_error),
    case!([postpone, quarantine, event], an_event_without_retries_left_is_quarantined),
    case!([postpone], an_applied_event_is_not_postponed),
];

async fn an_event_is_stored_once_and_each_delivery_is_counted(store: Store) {
    let first = IncomingEvent {
        id: "evt_1".into(),
        kind: "charge.succeeded".to_owned(),
        created: 1_789_999_999,
        livemode: Some(true),
        body: body::pack(b"first"),
    };
    let other = IncomingEvent { livemode: None, ..delivery("evt_2") };
    let second = IncomingEvent { body: body::pack(b"second"), ..first.clone() };
    assert_eq!(store.ingest(first, NOW).await.unwrap(), Ingested { seq: 1, deliveries: 1 });
    assert_eq!(store.ingest(other, NOW).await.unwrap(), Ingested { seq: 2, deliveries: 1 });
    let later = NOW.plus_seconds(5);
    assert_eq!(store.ingest(second, later).await.unwrap(), Ingested { seq: 1, deliveries: 2 });

    let (event, packed) = store.event("evt_1".into()).await.unwrap().unwrap();
    assert_eq!(body::unpack(&packed).unwrap(), b"first", "the first bytes are kept");
    assert_eq!((event.seq, event.id.as_str(), event.kind.as_str()), (1, "evt_1", "charge.succeeded"));
    assert_eq!((event.created, event.livemode), (1_789_999_999, Some(true)));
    assert_eq!((event.received_at, event.deliveries), (NOW, 2));
    assert_eq!((event.attempts, event.due_at), (0, Some(NOW)));
    assert_eq!((event.outcome, event.reason, event.payment), (None, None, None));
    let (other, _) = store.event("evt_2".into()).await.unwrap().unwrap();
    assert_eq!((other.livemode, other.deliveries), (None, 1));
}

async fn an_unknown_event_is_none(store: Store) {
    assert!(store.event("evt_1".into()).await.unwrap().is_none());
}

async fn a_duplicate_of_an_applied_event_is_counted_and_not_applied_again(store: Store) {
    let bought = TestPurchase::new("a").bought();
    assert_eq!(apply(&store, std::slice::from_ref(&bought)).await, [Outcome::Granted]);
    ingest(&store, &bought.event.id).await;
    assert_eq!(due(&store, 0).await, [""; 0]);
    let (event, _) = store.event(bought.event.id).await.unwrap().unwrap();
    assert_eq!((event.deliveries, event.outcome), (2, Some(Outcome::Granted)));
}

async fn events_are_due_at_their_time_the_longest_due_first(store: Store) {
    for (id, seconds) in [("evt_c", 2), ("evt_a", 1), ("evt_b", 1)] {
        store.ingest(delivery(id), NOW.plus_seconds(seconds)).await.unwrap();
    }
    assert_eq!(due(&store, 0).await, [""; 0]);
    assert_eq!(due(&store, 1).await, ["evt_a", "evt_b"]);
    assert_eq!(due(&store, 2).await, ["evt_a", "evt_b", "evt_c"]);
    postpone(&store, 2, Some(3)).await;
    assert_eq!(due(&store, 2).await, ["evt_b", "evt_c"]);
    assert_eq!(due(&store, 3).await, ["evt_b", "evt_c", "evt_a"]);

    let first = store.due(NOW.plus_seconds(3), 2).await.unwrap();
    assert_eq!(first.len(), 2, "no more than the limit");
    assert_eq!((first[0].seq, first[0].attempts), (3, 0));
    assert_eq!(body::unpack(&first[0].body).unwrap(), br#"{"id":"evt_b"}"#);
    let all = store.due(NOW.plus_seconds(3), 9).await.unwrap();
    assert_eq!((all[2].seq, all[2].attempts), (2, 1), "postponed once");
}

async fn the_next_due_time_is_that_of_the_earliest_event(store: Store) {
    assert_eq!(store.next_due().await.unwrap(), None);
    store.ingest(delivery("evt_1"), NOW).await.unwrap();
    store.ingest(delivery("evt_2"), NOW.plus_seconds(5)).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(NOW));
    postpone(&store, 1, Some(9)).await;
    assert_eq!(store.next_due().await.unwrap(), Some(NOW.plus_seconds(5)));
    postpone(&store, 1, None).await;
    postpone(&store, 2, None).await;
    assert_eq!(store.next_due().await.unwrap(), None);
}

async fn a_failed_attempt_is_counted_with_its_error(store: Store) {
    store.ingest(delivery("evt_1"), NOW).await.unwrap();
    postpone(&store, 1, Some(5)).await;
    postpone(&store, 1, Some(30)).await;
    let (event, _) = store.event("evt_1".into()).await.unwrap().unwrap();
    assert_eq!((event.attempts, event.due_at), (2, Some(NOW.plus_seconds(30))));
    assert_eq!((event.outcome, event.reason.as_deref()), (None, Some("no disk")));
}

async fn an_event_without_retries_left_is_quarantined(store: Store) {
    store.ingest(delivery("evt_1"), NOW).await.unwrap();
    postpone(&store, 1, None).await;
    let (event, _) = store.event("evt_1".into()).await.unwrap().unwrap();
    assert_eq!((event.attempts, event.due_at), (1, None));
    assert_eq!(
        (event.outcome, event.reason.as_deref()),
        (Some(Outcome::Quarantined), Some("retries_exhausted"))
    );
    let open = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().rows;
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].event.clone(), open[0].payment.clone()), (Some("evt_1".into()), None));
    assert_eq!((open[0].reason, open[0].detail.as_str()), (Reason::RetriesExhausted, "no disk"));
}

async fn an_applied_event_is_not_postponed(store: Store) {
    let bought = TestPurchase::new("a").bought();
    let seq = ingest(&store, &bought.event.id).await;
    apply_batch(&store, &Default::default(), vec![event_to_apply(seq, &bought)]).await;
    postpone(&store, seq, Some(5)).await;
    postpone(&store, seq, None).await;
    let (event, _) = store.event(bought.event.id).await.unwrap().unwrap();
    assert_eq!((event.attempts, event.due_at, event.outcome), (0, None, Some(Outcome::Granted)));
    assert_eq!(
        store
            .quarantine(QuarantineFilter { all: true, ..QuarantineFilter::default() }, ALL)
            .await
            .unwrap()
            .total,
        0
    );
}

/// The ids of the events that are due so many seconds from now.
async fn due(store: &Store, seconds: i64) -> Vec<String> {
    let due = store.due(NOW.plus_seconds(seconds), 100).await.unwrap();
    due.into_iter().map(|event| event.id.to_string()).collect()
}

/// Records a failed attempt: retry so many seconds from now, or never.
async fn postpone(store: &Store, seq: i64, seconds: Option<i64>) {
    let due_at = seconds.map(|seconds| NOW.plus_seconds(seconds));
    store.postpone(vec![Postponed { seq, due_at, error: "no disk".to_owned() }], NOW).await.unwrap();
}
