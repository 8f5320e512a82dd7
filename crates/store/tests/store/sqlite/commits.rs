//! Many writers share commits: every answer is durable, no failure takes a neighbour with it, and overload
//! is refused before it grows.

use std::time::Duration;

use ledger::{Now, Outcome, Policy};
use rusqlite::Connection;
use store::sqlite::{MAX_COMMIT_JOBS, MAX_QUEUE_JOBS};
use store::{Access, Asked, CommandOutcome, Ingested, KeyHolder, KeyRow, StoreError};
use tokio::task::JoinSet;

use super::{open, raw};
use crate::conformance::office;
use crate::conformance::requests::{batch, hold, order, spend};
use crate::conformance::sale::{NOW, Sale, arrive, balance, delivery, learn, settle, told};
use crate::folder::Folder;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_at_once_are_all_answered_and_all_there() {
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
    // Another program sees what was answered, before anything is closed.
    let sum = "SELECT count(*) FROM events UNION ALL SELECT sum(deliveries) FROM events";
    assert_eq!(numbers(&raw(&path), sum), [900, 1000]);
    drop(store);
    assert_eq!(open(&path).health().await.unwrap().events, 900);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_fails_leaves_its_neighbours_alone() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let store = open(&path);
    learn(&store, &[Sale::new("x").bought(), Sale::new("y").bought_by_nobody()]).await;
    office::open(&store).await;
    let bought = Sale::new("a").bought();
    let seq = arrive(&store, &bought.event.id).await;
    let blocked = block(&path);
    // All of these wait for the same commit.
    let mut waiting = JoinSet::new();
    for number in 0..100 {
        let (store, batch) = (store.clone(), vec![told(seq, &bought)]);
        waiting.spawn(async move {
            match number % 5 {
                // The same name and secret for each: all but the first fail after they made a tenant known.
                0 => store.create_key(key(number), [7; 32]).await.is_ok(),
                // All but the first find nothing to settle.
                1 => !store
                    .apply_events(batch, Policy::default().into(), Now::trusted(NOW))
                    .await
                    .unwrap()
                    .is_empty(),
                // So many credits nobody can mean: each is refused.
                2 => {
                    let too_many = office::new("ann", office::grant(1, 1, i64::MAX));
                    matches!(office::ask(&store, too_many, NOW).await, Asked::Kept { .. })
                }
                _ => store.ingest(delivery(&format!("evt_{number}")), NOW).await.is_ok(),
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(blocked);
    let done = waiting.join_all().await.into_iter().filter(|done| *done).count();
    assert_eq!(done, 1 + 1 + 40, "one key, one settlement and every delivery");
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
async fn a_full_queue_refuses_and_loses_nothing_that_it_took() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let store = open(&path);
    let blocked = block(&path);
    let mut waiting = JoinSet::new();
    // More than the queue holds, and the one job that the writer has taken from it.
    let asked = MAX_QUEUE_JOBS + 1 + MAX_COMMIT_JOBS;
    for number in 0..asked {
        let store = store.clone();
        waiting.spawn(async move { store.ingest(delivery(&format!("evt_{number}")), NOW).await });
    }
    let mut refused = 0;
    while refused < MAX_COMMIT_JOBS {
        match waiting.join_next().await.unwrap().unwrap() {
            Err(StoreError::Busy) => refused += 1,
            other => panic!("answered while nothing could be written: {other:?}"),
        }
    }
    drop(blocked);
    let answers = waiting.join_all().await;
    let kept = answers.iter().filter(|answer| answer.is_ok()).count();
    let late = answers.iter().filter(|answer| matches!(answer, Err(StoreError::Busy))).count();
    assert_eq!(kept + late, asked - refused, "{answers:?}");
    assert!(late <= 1, "{late} more were refused than had to be");
    assert_eq!(store.health().await.unwrap().events, kept as i64);
    store.ingest(delivery("evt_afterwards"), NOW).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_goes_away_does_not_stop_the_work() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let store = open(&path);
    let bought = Sale::new("a").bought();
    let seq = arrive(&store, &bought.event.id).await;
    let blocked = block(&path);
    let gone = {
        let (store, bought) = (store.clone(), bought.clone());
        tokio::spawn(async move { settle(&store, &Policy::default(), vec![told(seq, &bought)]).await })
    };
    tokio::time::sleep(Duration::from_millis(100)).await;
    gone.abort();
    drop(blocked);
    // Jobs run in order, so this one is answered after the other is durable.
    arrive(&store, &"evt_later".into()).await;
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    let (event, _) = store.event(bought.event.id).await.unwrap().unwrap();
    assert_eq!(event.outcome, Some(Outcome::Granted));
}

/// What a crash leaves behind is what is on the disk when an answer comes: a copy of the files, made then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_was_answered_is_there_after_a_crash() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let store = open(&path);
    learn(&store, &[Sale::new("a").of(100).bought()]).await;
    for round in 0..8_u128 {
        let key = |number: u128| format!("{round} {number}");
        let mut orders: Vec<_> = (0..3).map(|number| order(&key(number), spend(1))).collect();
        orders.push(order(&key(3), hold(round, 2)));
        orders.push(order(&key(4), spend(1000)));
        let answers = batch(&store, orders.clone(), NOW).await;
        let after = folder.file(&format!("after {round}.db"));
        for end in ["", "-wal"] {
            let name = |path: &std::path::Path| format!("{}{end}", path.display());
            std::fs::copy(name(&path), name(&after)).unwrap();
        }
        let again = open(&after);
        for (before, after) in answers.into_iter().zip(batch(&again, orders, NOW.plus_seconds(60)).await) {
            let Ok(CommandOutcome::Decided { answer, at, .. }) = before else { panic!("{before:?}") };
            let kept = CommandOutcome::Decided { answer, at, replayed: true };
            assert!(matches!(&after, Ok(after) if *after == kept), "{after:?} is not {kept:?}");
        }
        let left = 100 - 5 * (round as i64 + 1);
        assert_eq!(balance(&again, 1).await, [left, 2 * (round as i64 + 1), 0, 0]);
        assert_eq!(again.audit().await.unwrap().faults, [""; 0]);
    }
}

/// Keeps the writer waiting, for as long as this connection lives; it waits for up to five seconds.
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
            tenant: crate::conformance::sale::tenant(1000 + number),
            access: Access::Read,
        },
        created_at: NOW,
        expires_at: None,
        revoked_at: None,
    }
}
