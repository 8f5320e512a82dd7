//! A fault of one event affects that event alone; a fault of the database counts against no event.

use std::time::Duration;

use emulator::scenario::{Scenario, event};
use engine::Next;
use engine::{DeploymentScope, read};
use ledger::{Now, Outcome, Reason, Timestamp};
use store::{EventToApply, Reading};
use stripe::write::WrittenEvent;

use crate::deployment::Deployment;
use crate::{NOW, ten_credits};

/// The event of a paid purchase that grants its ten credits.
fn completed(reference: &str, tenant: u128) -> WrittenEvent {
    event("checkout.session.completed", &ten_credits(reference, tenant), "1", None).unwrap()
}

/// Stores the events of three purchases by three tenants. Tests make the second one fail.
async fn store_three(deployment: &Deployment) -> [WrittenEvent; 3] {
    let events = [completed("good", 1), completed("bad", 2), completed("fine", 3)];
    for event in &events {
        deployment.keep(&event.body, NOW).await;
    }
    events
}

async fn available(deployment: &Deployment) -> [i64; 3] {
    let mut credits = [0; 3];
    for (tenant, credits) in (1..).zip(&mut credits) {
        *credits = deployment.balance(tenant).await.available.0;
    }
    credits
}

#[tokio::test]
async fn a_reader_that_panics_quarantines_that_event_alone() {
    fn reader(raw: &[u8], scope: &DeploymentScope) -> Reading {
        assert!(!String::from_utf8_lossy(raw).contains("evt_bad"), "panics on purpose");
        read(raw, scope)
    }
    let mut deployment = Deployment::new();
    deployment.applier.reader = reader;
    let [_, bad, _] = store_three(&deployment).await;
    assert_eq!(deployment.apply(NOW).await, Next::OnArrival);
    assert_eq!(available(&deployment).await, [10, 0, 10]);
    let open = deployment.quarantine().await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!((open[0].reason, open[0].event.as_ref().unwrap().as_str()), (Reason::Panicked, &*bad.id));

    // After the fix, the replayed event counts, and the quarantine item is closed.
    deployment.applier.reader = read;
    deployment.store().replay(vec![bad.id.as_str().into()], NOW).await.unwrap();
    deployment.apply(NOW).await;
    assert_eq!(available(&deployment).await, [10, 10, 10]);
    deployment.check_settled().await;
}

#[tokio::test]
async fn an_event_that_the_database_refuses_affects_no_other() {
    let deployment = Deployment::new();
    let [_, bad, _] = store_three(&deployment).await;
    deployment.poison(&bad.id);
    assert_eq!(deployment.apply(NOW).await, Next::At(NOW.plus_seconds(300)));
    assert_eq!(available(&deployment).await, [10, 0, 10]);
    let row = deployment.event(&bad.id).await;
    assert_eq!((row.attempts, row.outcome, row.due_at), (1, None, Some(NOW.plus_seconds(300))));
    assert!(row.reason.unwrap().contains("poisoned"), "the operator must see the reason");
}

#[tokio::test]
async fn failed_applications_follow_the_schedule_and_end_in_quarantine() {
    let deployment = Deployment::new();
    let bad = completed("bad", 1);
    deployment.keep(&bad.body, NOW).await;
    deployment.poison(&bad.id);
    let mut now = NOW;
    for (attempt, delay) in (1..).zip([300, 1_800, 7_200, 28_800, 86_400]) {
        let due = now.plus_seconds(delay);
        assert_eq!(deployment.apply(now).await, Next::At(due), "attempt {attempt}");
        assert_eq!(deployment.event(&bad.id).await.attempts, attempt);
        // Just before it is due, nothing is retried.
        assert_eq!(deployment.apply(Timestamp(due.0 - 1)).await, Next::At(due), "before {due}");
        assert_eq!(deployment.event(&bad.id).await.attempts, attempt);
        now = due;
    }
    assert_eq!(deployment.apply(now).await, Next::OnArrival, "the last attempt");
    let row = deployment.event(&bad.id).await;
    assert_eq!((row.attempts, row.outcome, row.due_at), (6, Some(Outcome::Quarantined), None));
    assert_eq!(row.reason.as_deref(), Some("retries_exhausted"));
    let open = deployment.quarantine().await;
    assert_eq!((open.len(), open[0].reason), (1, Reason::RetriesExhausted));
    assert!(open[0].detail.contains("poisoned"), "{}", open[0].detail);

    // An operator fixes the cause and replays the event.
    deployment.heal();
    deployment.store().replay(vec![bad.id.as_str().into()], now).await.unwrap();
    assert_eq!(deployment.apply(now).await, Next::OnArrival);
    assert_eq!(deployment.balance(1).await.available.0, 10);
    deployment.check_settled().await;
}

#[tokio::test]
async fn an_applied_event_is_not_applied_again() {
    let deployment = Deployment::new();
    let event = completed("once", 1);
    deployment.keep(&event.body, NOW).await;
    let due = deployment.store().due(NOW, 10).await.unwrap();
    deployment.apply(NOW).await;
    let reading = read(event.body.as_bytes(), &deployment.applier.scope);
    let again = vec![EventToApply { seq: due[0].seq, reading }];
    let policy = deployment.applier.policy.clone();
    let settled = deployment.store().apply_events(again, policy, Now::trusted(NOW)).await.unwrap();
    assert_eq!(settled, [], "it is no longer due");
    assert_eq!(deployment.balance(1).await.available.0, 10);
    assert_eq!(deployment.event(&event.id).await.outcome, Some(Outcome::Granted));
}

/// Another program (a backup, a shell) holds the database for longer than a write waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_locked_database_counts_against_no_event() {
    let deployment = Deployment::new();
    let events = store_three(&deployment).await;
    let backdoor = deployment.backdoor();
    backdoor.execute_batch("BEGIN IMMEDIATE").unwrap();
    let unlock = std::thread::spawn(move || {
        // The store waits for five seconds.
        std::thread::sleep(Duration::from_secs(7));
        backdoor.execute_batch("ROLLBACK").unwrap();
    });
    assert!(
        deployment.applier.step(Now::trusted(NOW)).await.is_err(),
        "the lock is held, so the step must fail"
    );
    let mut tries = 0;
    while deployment.applier.step(Now::trusted(NOW)).await.is_err() {
        tries += 1;
        assert!(tries < 5, "writes still fail after the lock was released");
    }
    unlock.join().unwrap();
    assert_eq!(available(&deployment).await, [10, 10, 10]);
    for event in &events {
        assert_eq!(deployment.event(&event.id).await.attempts, 0, "{}", event.id);
    }
}

#[tokio::test]
async fn unreadable_bodies_are_stored_once_each_and_quarantined() {
    let deployment = Deployment::new();
    for body in ["", "{", "[]", "{"] {
        deployment.keep(body, NOW).await;
    }
    for body in Scenario::Purchase.events(&ten_credits("good", 1)) {
        deployment.keep(&body.body, NOW).await;
    }
    deployment.apply(NOW).await;
    let open = deployment.quarantine().await;
    assert_eq!(open.iter().map(|item| item.reason).collect::<Vec<_>>(), [Reason::Unreadable; 3]);
    assert_eq!(deployment.balance(1).await.available.0, 10);
}
