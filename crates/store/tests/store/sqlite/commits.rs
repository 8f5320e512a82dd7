//! Concurrent writers share commits: every acknowledged write is durable, a failing job does not affect
//! others, and overload is refused early.

use std::time::Duration;

use ledger::{Now, Outcome, Policy};
use rusqlite::Connection;
use store::sqlite::{MAX_COMMIT_JOBS, MAX_QUEUE_JOBS};
use store::{Access, CommandOutcome, Ingested, KeyHolder, KeyRow, RequestedAction, StoreError};
use tokio::task::JoinSet;

use super::{open, raw};
use crate::conformance::action_requests;
use crate::conformance::command_requests::{execute_batch, hold, request, spend};
use crate::conformance::test_purchase::{
    NOW, TestPurchase, apply, apply_batch, balance, delivery, event_to_apply, ingest,
};
use crate::folder::Folder;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_concurrent_writes_are_all_durable() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let store = open(&path);
    let mut waiting = JoinSet::new();
    for number in 0..1000 {
        let store = store.clone();
        // Every tenth event is delivered twice.
        let id = format!("evt_{}", if number % 10 == 9 { number - 1 } else { number });
        waiting.spawn(async move { store.ingest(delivery(&id), NOW).await.unwrap() });
    }
    let receipts: Vec<Ingested> = waiting.join_all().await;
    assert_eq!(receipts.len(), 1000);
    assert_eq!(receipts.iter().filter(|receipt| receipt.deliveries == 2).count(), 100);
    // Another program sees the acknowledged writes before anything is closed.
    let sum = "SELECT count(*) FROM events UNION ALL SELECT sum(deliveries) FROM events";
    assert_eq!(numbers(&raw(&path), sum), [900, 1000]);
    drop(store);
    assert_eq!(open(&path).health().await.unwrap().events, 900);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_job_does_not_affect_the_others() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let store = open(&path);
    apply(&store, &[TestPurchase::new("x").bought(), TestPurchase::new("y").bought_with_invalid_tenant()])
        .await;
    action_requests::register_ann(&store).await;
    let bought = TestPurchase::new("a").bought();
    let seq = ingest(&store, &bought.event.id).await;
    let blocked = block(&path);
    // All of these wait for the same commit.
    let mut waiting = JoinSet::new();
    for number in 0..100 {
        let (store, batch) = (store.clone(), vec![event_to_apply(seq, &bought)]);
        waiting.spawn(async move {
            match number % 5 {
                // The same id and secret each time: all but the first fail after they created a tenant.
                0 => store.create_key(key(number), [7; 32]).await.is_ok(),
                // All but the first find nothing to apply.
                1 => !store
                    .apply_events(batch, Policy::default().into(), Now::trusted(NOW))
                    .await
                    .unwrap()
                    .is_empty(),
                // Out of range: each is refused.
                2 => {
                    let too_many = action_requests::new_action("ann", action_requests::grant(1, 1, i64::MAX));
                    matches!(
                        action_requests::submit(&store, too_many, NOW).await,
                        RequestedAction::Recorded { .. }
                    )
                }
                _ => store.ingest(delivery(&format!("evt_{number}")), NOW).await.is_ok(),
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(blocked);
    let done = waiting.join_all().await.into_iter().filter(|done| *done).count();
    assert_eq!(done, 1 + 1 + 40, "one key, one applied event and every ingested event");
    let counts = "SELECT count(*) FROM api_keys UNION ALL SELECT count(*) FROM tenants
         UNION ALL SELECT count(*) FROM events UNION ALL SELECT count(*) FROM transactions
         UNION ALL SELECT count(*) FROM operator_actions";
    assert_eq!(
        numbers(&raw(&path), counts),
        [2, 2, 43, 2, 0],
        "keys, tenants, events, transactions, actions"
    );
    assert_eq!(balance(&store, 1).await, [20, 0, 0, 0]);
    assert_eq!(store.audit().await.unwrap().faults, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_jobs_and_loses_no_accepted_one() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let store = open(&path);
    let blocked = block(&path);
    let mut waiting = JoinSet::new();
    // More than the queue holds plus the one job that the writer has taken.
    let requested = MAX_QUEUE_JOBS + 1 + MAX_COMMIT_JOBS;
    for number in 0..requested {
        let store = store.clone();
        waiting.spawn(async move { store.ingest(delivery(&format!("evt_{number}")), NOW).await });
    }
    let mut refused = 0;
    while refused < MAX_COMMIT_JOBS {
        match waiting.join_next().await.unwrap().unwrap() {
            Err(StoreError::Busy) => refused += 1,
            other => panic!("answered while the writer was blocked: {other:?}"),
        }
    }
    drop(blocked);
    let answers = waiting.join_all().await;
    let stored = answers.iter().filter(|answer| answer.is_ok()).count();
    let late = answers.iter().filter(|answer| matches!(answer, Err(StoreError::Busy))).count();
    assert_eq!(stored + late, requested - refused, "{answers:?}");
    assert!(late <= 1, "{late} more were refused than necessary");
    assert_eq!(store.health().await.unwrap().events, stored as i64);
    store.ingest(delivery("evt_afterwards"), NOW).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_aborted_request_does_not_stop_the_work() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let store = open(&path);
    let bought = TestPurchase::new("a").bought();
    let seq = ingest(&store, &bought.event.id).await;
    let blocked = block(&path);
    let aborted = {
        let (store, bought) = (store.clone(), bought.clone());
        tokio::spawn(async move {
            apply_batch(&store, &Policy::default(), vec![event_to_apply(seq, &bought)]).await
        })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    aborted.abort();
    drop(blocked);
    // Jobs run in order, so this one is answered after the other is durable.
    ingest(&store, &"evt_later".into()).await;
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    let (event, _) = store.event(bought.event.id).await.unwrap().unwrap();
    assert_eq!(event.outcome, Some(Outcome::Granted));
}

/// A crash leaves what is on disk when an answer arrives: the test copies the files at that moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answered_command_survives_a_crash() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let store = open(&path);
    apply(&store, &[TestPurchase::new("a").with_credits(100).bought()]).await;
    for round in 0..8_u128 {
        let key = |number: u128| format!("{round} {number}");
        let mut requests: Vec<_> = (0..3).map(|number| request(&key(number), spend(1))).collect();
        requests.push(request(&key(3), hold(round, 2)));
        requests.push(request(&key(4), spend(1000)));
        let answers = execute_batch(&store, requests.clone(), NOW).await;
        let after = folder.file(&format!("after {round}.db"));
        for end in ["", "-wal"] {
            let name = |path: &std::path::Path| format!("{}{end}", path.display());
            std::fs::copy(name(&path), name(&after)).unwrap();
        }
        let reopened = open(&after);
        for (before, after) in
            answers.into_iter().zip(execute_batch(&reopened, requests, NOW.plus_seconds(60)).await)
        {
            let Ok(CommandOutcome::Decided { answer, at, .. }) = before else { panic!("{before:?}") };
            let expected = CommandOutcome::Decided { answer, at, replayed: true };
            assert!(matches!(&after, Ok(after) if *after == expected), "{after:?} is not {expected:?}");
        }
        let left = 100 - 5 * (round as i64 + 1);
        assert_eq!(balance(&reopened, 1).await, [left, 2 * (round as i64 + 1), 0, 0]);
        assert_eq!(reopened.audit().await.unwrap().faults, [""; 0]);
    }
}

/// Blocks the writer as long as this connection lives; the writer waits for up to five seconds.
fn block(path: &std::path::Path) -> Connection {
    let connection = raw(path);
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

fn numbers(connection: &Connection, sql: &str) -> Vec<i64> {
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn key(number: u128) -> KeyRow {
    KeyRow {
        id: "key_a".to_owned(),
        name: "shop".to_owned(),
        holder: KeyHolder::Tenant {
            tenant: crate::conformance::test_purchase::tenant(1000 + number),
            access: Access::Read,
        },
        created_at: NOW,
        expires_at: None,
        revoked_at: None,
    }
}
