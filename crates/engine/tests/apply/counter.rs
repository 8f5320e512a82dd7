//! The command_queue and the sweep: commands gather while the last batch is made durable, whoever asked may go away,
//! and what ran out of time ends by itself.
//! Not here: what a batch does (the store's conformance suite), and money.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use engine::Next;
use engine::command_queue::MAX_QUEUED_COMMANDS;
use engine::{ChangeSignal, Clock, CommandQueue, Sweeper};
use ledger::{Cause, Command, CommandAction, Credits, HoldId, Now, TenantId, Timestamp};
use store::{CommandOutcome, CommandRequest, IdempotencyKey, Scope, StoreError};
use stripe::write::event;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

use crate::deployment::Deployment;
use crate::{NOW, purchase};

const PATIENCE: Duration = Duration::from_secs(10);

fn order(key: &str, action: CommandAction) -> CommandRequest {
    let tenant = TenantId(Uuid::from_u128(1));
    let command = Command { tenant, cause: Cause::Command(key.to_owned()), reference: None, action };
    CommandRequest {
        command,
        pin: Some(IdempotencyKey { scope: Scope::Tenant, key: key.to_owned(), fingerprint: [0; 32] }),
    }
}

fn spend(key: &str) -> CommandRequest {
    order(key, CommandAction::Spend { credits: Credits(1) })
}

/// A deployment whose tenant has ten credits, and a command_queue before it.
async fn open() -> (Deployment, CommandQueue) {
    let deployment = Deployment::new();
    let granting = event("checkout.session.completed", &purchase("a", 1), "1", None).unwrap();
    deployment.keep(&granting.body, NOW).await;
    deployment.apply(NOW).await;
    let command_queue = CommandQueue::new(deployment.store().clone(), ChangeSignal::default());
    (deployment, command_queue)
}

fn clock() -> Clock {
    Clock::from_fn(|| NOW)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racers_for_the_last_credits_get_them_once() {
    let (deployment, command_queue) = open().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let running = {
        let command_queue = command_queue.clone();
        tokio::spawn(async move { command_queue.run(&clock(), async { drop(stopped.await) }).await })
    };
    let mut racers = JoinSet::new();
    for number in 0..300 {
        let command_queue = command_queue.clone();
        // Every key is used twice.
        racers.spawn(async move { command_queue.submit(spend(&format!("k{}", number / 2))).await.unwrap() });
    }
    let answers = racers.join_all().await;
    let done = |answer: &&CommandOutcome| matches!(answer, CommandOutcome::Decided { answer: Ok(_), .. });
    let again = |answer: &&CommandOutcome| matches!(answer, CommandOutcome::Decided { replayed: true, .. });
    assert_eq!(answers.iter().filter(done).count(), 20, "ten keys, each answered twice");
    assert_eq!(answers.iter().filter(again).count(), 150);
    deployment.check_settled().await;
    assert_eq!(deployment.balance(1).await.available.0, 0);
    stop.send(()).unwrap();
    timeout(PATIENCE, running).await.expect("the command_queue does not close").unwrap();
    assert!(matches!(command_queue.submit(spend("late")).await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn what_was_taken_is_done_though_whoever_asked_went_away_and_the_desk_closes() {
    let (deployment, command_queue) = open().await;
    // Nobody runs the command_queue yet, so all of these wait, until whoever asked has no more patience.
    for number in 0..5 {
        let key = format!("k{number}");
        timeout(Duration::from_millis(5), command_queue.submit(spend(&key)))
            .await
            .expect_err("nobody runs it");
    }
    timeout(PATIENCE, command_queue.run(&clock(), async {})).await.expect("it does not close");
    assert_eq!(deployment.balance(1).await.available.0, 5);
    deployment.check_settled().await;
}

#[tokio::test]
async fn a_full_desk_refuses_at_once() {
    let (deployment, command_queue) = open().await;
    let mut waiting = JoinSet::new();
    for number in 0..MAX_QUEUED_COMMANDS {
        let command_queue = command_queue.clone();
        waiting.spawn(async move { command_queue.submit(spend(&format!("k{number}"))).await });
    }
    for _ in 0..MAX_QUEUED_COMMANDS {
        tokio::task::yield_now().await;
    }
    let more = timeout(PATIENCE, command_queue.submit(spend("more"))).await.expect("it was taken");
    assert!(matches!(more, Err(StoreError::Busy)));
    timeout(PATIENCE, command_queue.run(&clock(), async {})).await.expect("it does not close");
    assert!(waiting.join_all().await.iter().all(Result::is_ok));
    assert_eq!(deployment.balance(1).await.available.0, 0);
}

#[tokio::test]
async fn a_batch_that_fails_is_carried_out_one_by_one() {
    let (deployment, command_queue) = open().await;
    deployment.poison("poisoned");
    let mut waiting = JoinSet::new();
    for key in ["a", "poisoned", "b"] {
        let command_queue = command_queue.clone();
        waiting.spawn(async move { (key, command_queue.submit(spend(key)).await) });
    }
    tokio::task::yield_now().await;
    timeout(PATIENCE, command_queue.run(&clock(), async {})).await.expect("it does not close");
    for (key, answer) in waiting.join_all().await {
        match answer {
            Ok(CommandOutcome::Decided { answer: Ok(_), .. }) if key != "poisoned" => {}
            Err(StoreError::Refused(_)) if key == "poisoned" => {}
            other => panic!("{key}: {other:?}"),
        }
    }
    assert_eq!(deployment.balance(1).await.available.0, 8);
}

#[tokio::test]
async fn what_is_carried_out_rings_the_bell() {
    let (deployment, _) = open().await;
    let changes = ChangeSignal::default();
    let mut heard = changes.listen();
    let command_queue = CommandQueue::new(deployment.store().clone(), changes.clone());
    timeout(Duration::from_millis(5), command_queue.submit(spend("a"))).await.expect_err("nobody runs it");
    command_queue.run(&clock(), async {}).await;
    timeout(PATIENCE, heard.changed()).await.expect("the command_queue does not ring");
    hold(&deployment).await;
    let sweeper = Sweeper { store: deployment.store().clone(), changes: changes };
    sweeper.step(Now::trusted(NOW.plus_seconds(60))).await.unwrap();
    timeout(PATIENCE, heard.changed()).await.expect("the sweep does not ring");
}

/// Holds four credits for a minute.
async fn hold(deployment: &Deployment) {
    let id = HoldId(Uuid::from_u128(7));
    let hold = order("hold", CommandAction::Hold { id, credits: Credits(4), lasts_seconds: 60 });
    deployment.store().execute_commands(vec![hold], Now::trusted(NOW)).await.unwrap().remove(0).unwrap();
}

#[tokio::test]
async fn a_sweep_says_when_it_wants_the_next() {
    let (deployment, _) = open().await;
    let sweeper = Sweeper { store: deployment.store().clone(), changes: ChangeSignal::default() };
    assert_eq!(sweeper.step(Now::trusted(NOW)).await.unwrap(), Next::OnArrival, "nothing has an end");
    hold(&deployment).await;
    let end = NOW.plus_seconds(60);
    assert_eq!(sweeper.step(Now::trusted(NOW)).await.unwrap(), Next::At(end));
    assert_eq!(sweeper.step(Now::trusted(end)).await.unwrap(), Next::Soon, "it ended");
    assert_eq!(sweeper.step(Now::trusted(end)).await.unwrap(), Next::OnArrival);
    assert_eq!(deployment.balance(1).await.available.0, 10);
}

#[tokio::test]
async fn the_loop_ends_what_is_due_and_stops() {
    let (deployment, _) = open().await;
    let hand = Arc::new(AtomicI64::new(NOW.0));
    let read_hand = hand.clone();
    let clock = Clock::from_fn(move || Timestamp(read_hand.load(Ordering::Relaxed)));
    let sweeper = Sweeper { store: deployment.store().clone(), changes: ChangeSignal::default() };
    let (stop, stopped) = oneshot::channel::<()>();
    let looping = tokio::spawn(async move { sweeper.run(&clock, async { drop(stopped.await) }).await });
    hold(&deployment).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(deployment.balance(1).await.held.0, 4, "before its time");
    hand.store(NOW.plus_seconds(60).0, Ordering::Relaxed);
    let returned = async {
        while deployment.balance(1).await.held.0 > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, returned).await.expect("the hold does not end");
    stop.send(()).unwrap();
    timeout(PATIENCE, looping).await.expect("the loop does not stop").unwrap();
}
