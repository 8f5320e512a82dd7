//! The command queue: commands are collected while the previous batch is committed, and callers may be
//! cancelled. The result of a batch is tested by the store's conformance suite.

use std::time::Duration;

use emulator::scenario::event;
use engine::command_queue::MAX_QUEUED_COMMANDS;
use engine::{Clock, CommandQueue, CommandWorker, Sweeper};
use ledger::{Cause, Command, CommandAction, Credits, HoldId, Now, TenantId};
use store::{CommandOutcome, CommandRequest, IdempotencyKey, Scope, StoreError};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;
use uuid::Uuid;

use crate::deployment::Deployment;
use crate::{NOW, ten_credits};

const PATIENCE: Duration = Duration::from_secs(10);

fn command(key: &str, action: CommandAction) -> CommandRequest {
    let tenant = TenantId(Uuid::from_u128(1));
    let command = Command { tenant, cause: Cause::Command(key.to_owned()), reference: None, action };
    CommandRequest {
        command,
        idempotency_key: Some(IdempotencyKey {
            scope: Scope::Tenant,
            key: key.to_owned(),
            fingerprint: [0; 32],
        }),
    }
}

fn spend(key: &str) -> CommandRequest {
    command(key, CommandAction::Spend { credits: Credits(1) })
}

/// A deployment whose tenant has ten credits, a command queue in front of it, and the queue's worker.
pub(crate) async fn open() -> (Deployment, CommandQueue, CommandWorker) {
    let deployment = Deployment::new();
    let granting = event("checkout.session.completed", &ten_credits("a", 1), "1", None).unwrap();
    deployment.keep(&granting.body, NOW).await;
    deployment.apply(NOW).await;
    let (commands, worker) = CommandQueue::new(deployment.store().clone());
    (deployment, commands, worker)
}

fn clock() -> Clock {
    Clock::from_fn(|| NOW)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_spends_of_the_last_credits_succeed_once_each() {
    let (deployment, commands, worker) = open().await;
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(async move { worker.run(&clock(), async { drop(stopped.await) }).await });
    let mut spends = JoinSet::new();
    for number in 0..300 {
        let commands = commands.clone();
        // Every key is used twice.
        spends.spawn(async move { commands.submit(spend(&format!("k{}", number / 2))).await.unwrap() });
    }
    let answers = spends.join_all().await;
    let executed = |answer: &&CommandOutcome| matches!(answer, CommandOutcome::Decided { answer: Ok(_), .. });
    let replayed =
        |answer: &&CommandOutcome| matches!(answer, CommandOutcome::Decided { replayed: true, .. });
    assert_eq!(answers.iter().filter(executed).count(), 20, "ten keys, each answered twice");
    assert_eq!(answers.iter().filter(replayed).count(), 150);
    deployment.check_settled().await;
    assert_eq!(deployment.balance(1).await.available.0, 0);
    stop.send(()).unwrap();
    timeout(PATIENCE, running).await.expect("the worker does not stop").unwrap();
    assert!(matches!(commands.submit(spend("late")).await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn queued_commands_are_executed_after_callers_are_cancelled_and_the_queue_closes() {
    let (deployment, commands, worker) = open().await;
    // The worker does not run yet, so these commands wait until their callers time out.
    for number in 0..5 {
        let key = format!("k{number}");
        timeout(Duration::from_millis(5), commands.submit(spend(&key)))
            .await
            .expect_err("the worker does not run");
    }
    timeout(PATIENCE, worker.run(&clock(), async {})).await.expect("the worker does not stop");
    assert_eq!(deployment.balance(1).await.available.0, 5);
    deployment.check_settled().await;
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let (deployment, commands, worker) = open().await;
    let mut waiting = JoinSet::new();
    for number in 0..MAX_QUEUED_COMMANDS {
        let commands = commands.clone();
        waiting.spawn(async move { commands.submit(spend(&format!("k{number}"))).await });
    }
    for _ in 0..MAX_QUEUED_COMMANDS {
        tokio::task::yield_now().await;
    }
    let refused =
        timeout(PATIENCE, commands.submit(spend("more"))).await.expect("no answer: the command waits");
    assert!(matches!(refused, Err(StoreError::Busy)));
    timeout(PATIENCE, worker.run(&clock(), async {})).await.expect("the worker does not stop");
    assert!(waiting.join_all().await.iter().all(Result::is_ok));
    assert_eq!(deployment.balance(1).await.available.0, 0);
}

#[tokio::test]
async fn the_commands_of_a_failed_batch_are_executed_one_by_one() {
    let (deployment, commands, worker) = open().await;
    deployment.poison("poisoned");
    let mut waiting = JoinSet::new();
    for key in ["a", "poisoned", "b"] {
        let commands = commands.clone();
        waiting.spawn(async move { (key, commands.submit(spend(key)).await) });
    }
    tokio::task::yield_now().await;
    timeout(PATIENCE, worker.run(&clock(), async {})).await.expect("the worker does not stop");
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
async fn the_store_signals_executed_commands_and_ended_holds() {
    let (deployment, commands, worker) = open().await;
    let mut changes = deployment.store().changes();
    timeout(Duration::from_millis(5), commands.submit(spend("a")))
        .await
        .expect_err("the worker does not run");
    assert!(!changes.has_changed().unwrap());
    worker.run(&clock(), async {}).await;
    timeout(PATIENCE, changes.changed()).await.expect("no signal after a command").unwrap();
    hold(&deployment).await;
    timeout(PATIENCE, changes.changed()).await.expect("no signal after a hold").unwrap();
    let sweeper = Sweeper { store: deployment.store().clone() };
    sweeper.step(Now::trusted(NOW)).await.unwrap();
    assert!(!changes.has_changed().unwrap(), "nothing ended");
    sweeper.step(Now::trusted(NOW.plus_seconds(60))).await.unwrap();
    timeout(PATIENCE, changes.changed()).await.expect("no signal after the sweep").unwrap();
}

/// Holds four credits for a minute.
pub(crate) async fn hold(deployment: &Deployment) {
    let id = HoldId(Uuid::from_u128(7));
    let hold = command("hold", CommandAction::Hold { id, credits: Credits(4), lasts_seconds: 60 });
    deployment.store().execute_commands(vec![hold], Now::trusted(NOW)).await.unwrap().remove(0).unwrap();
}
