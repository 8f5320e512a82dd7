//! Stored times, and what becomes due that a clock running ahead had dated.

use std::time::Duration;

use ledger::{EventId, Timestamp};
use store::{ClockMark, ClockRecord, Postponed, Store};

use super::test_purchase::{NOW, TestPurchase, apply, apply_at, ingest};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([remember_clock, clock_record], the_last_mark_is_stored_with_the_newest_timestamp_at_that_time),
    case!([remember_clock], what_is_due_later_than_any_retry_becomes_due),
];

fn mark(seconds: i64) -> ClockMark {
    let since_boot = Duration::from_micros(7_000_001);
    ClockMark { at: NOW.plus_seconds(seconds), boot_id: Some("a boot".to_owned()), since_boot }
}

async fn the_last_mark_is_stored_with_the_newest_timestamp_at_that_time(store: Store) {
    let record = async || store.clock_record().await.unwrap();
    assert_eq!(record().await, ClockRecord::default());
    assert_eq!(record().await.last_written(), None);
    let far = NOW.plus_seconds(86_400);
    store.remember_clock(mark(-5), far).await.unwrap();
    let expected = ClockRecord { mark: Some(mark(-5)), newest_at_mark: None, newest: None };
    assert_eq!(record().await, expected);
    assert_eq!(record().await.last_written(), Some(NOW.plus_seconds(-5)));
    // An event is newer than the mark.
    ingest(&store, &EventId::from("evt_1")).await;
    assert_eq!(record().await, ClockRecord { newest: Some(NOW), ..expected });
    assert_eq!(record().await.last_written(), Some(NOW));
    // So is a transaction; here by a clock that is a day ahead.
    apply_at(&store, &[TestPurchase::new("a").bought()], ledger::Now::trusted(far)).await;
    assert_eq!(record().await.last_written(), Some(far));
    // That clock was wrong: from the next mark on, its dates are ignored.
    store.remember_clock(mark(60), far).await.unwrap();
    apply(&store, &[TestPurchase::new("b").bought()]).await;
    let expected = ClockRecord { mark: Some(mark(60)), newest_at_mark: Some(far), newest: Some(far) };
    assert_eq!(record().await, expected);
    assert_eq!(record().await.last_written(), Some(NOW.plus_seconds(60)));
}

async fn what_is_due_later_than_any_retry_becomes_due(store: Store) {
    let (soon, late) = (ingest(&store, &EventId::from("a")).await, ingest(&store, &EventId::from("b")).await);
    let postponed = |seq, seconds| {
        let due_at = Some(NOW.plus_seconds(seconds));
        Postponed { seq, due_at, error: "an error".to_owned() }
    };
    store.postpone(vec![postponed(soon, 86_400), postponed(late, 366 * 86_400)], NOW).await.unwrap();
    store.remember_clock(mark(1), NOW.plus_seconds(86_401)).await.unwrap();
    let due = async |at: Timestamp| -> Vec<i64> {
        store.due(at, 9).await.unwrap().iter().map(|event| event.seq).collect()
    };
    assert_eq!(due(NOW.plus_seconds(1)).await, [late]);
    assert_eq!(due(NOW.plus_seconds(86_400)).await, [late, soon]);
}
