//! When the next step is due, according to the one before it, and the loop that runs the steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use emulator::scenario::event;
use engine::Clock;
use engine::Next;
use engine::apply::MAX_BATCH_EVENTS;
use ledger::{Now, Outcome, Timestamp};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

use crate::deployment::Deployment;
use crate::{NOW, ten_credits};

/// Much shorter than the loop sleeps without a signal.
const PATIENCE: Duration = Duration::from_secs(10);

fn granting(reference: &str) -> (String, String) {
    let written = event("checkout.session.completed", &ten_credits(reference, 1), "1", None).unwrap();
    (written.id, written.body)
}

#[tokio::test]
async fn a_step_returns_when_the_next_is_due() {
    let deployment = Deployment::new();
    let step = async || deployment.applier.step(Now::trusted(NOW)).await.unwrap();
    assert_eq!(step().await, Next::OnArrival, "no event is stored");

    let (_, body) = granting("later");
    deployment.keep(&body, NOW.plus_seconds(60)).await;
    assert_eq!(step().await, Next::At(NOW.plus_seconds(60)), "the stored event is not due yet");

    for number in 0..=MAX_BATCH_EVENTS {
        deployment.keep(&granting(&format!("r{number}")).1, NOW).await;
    }
    assert_eq!(step().await, Next::Now, "a full batch");
    let applied = deployment.balance(1).await.available.0;
    assert_eq!(applied, 10 * i64::from(MAX_BATCH_EVENTS), "no more than one batch");
    assert_eq!(
        step().await,
        Next::At(NOW.plus_seconds(60)),
        "applies the one that was left; the other is not due yet"
    );
}

/// Waits until the loop has given this event an outcome.
async fn applied(deployment: &Deployment, id: &str) -> Outcome {
    let outcome = async {
        loop {
            match deployment.event(id).await.outcome {
                Some(outcome) => return outcome,
                None => sleep(Duration::from_millis(5)).await,
            }
        }
    };
    timeout(PATIENCE, outcome).await.unwrap_or_else(|_| panic!("{id} is not applied"))
}

#[tokio::test]
async fn the_loop_wakes_up_on_arrival_and_when_a_retry_is_due_and_stops() {
    let deployment = Deployment::new();
    let time = Arc::new(AtomicI64::new(NOW.0));
    let clock_time = time.clone();
    let clock = Clock::from_fn(move || Timestamp(clock_time.load(Ordering::Relaxed)));
    let (stop, stopped) = oneshot::channel::<()>();
    let applier = deployment.applier.clone();
    let running = tokio::spawn(async move {
        applier.run(&clock, async { drop(stopped.await) }).await;
    });

    for reference in ["first", "second"] {
        let (id, body) = granting(reference);
        deployment.keep(&body, NOW).await;
        assert_eq!(applied(&deployment, &id).await, Outcome::Granted);
    }

    let (id, body) = granting("poisoned");
    deployment.poison(&id);
    deployment.keep(&body, NOW).await;
    let failed = async {
        while deployment.event(&id).await.attempts == 0 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, failed).await.expect("the poisoned event was not tried");
    deployment.heal();
    // Shortly before the retry is due, the loop sleeps until then. A repeated event wakes it up.
    time.store(NOW.plus_seconds(300).0 - 50_000, Ordering::Relaxed);
    deployment.keep(&granting("first").1, NOW).await;
    sleep(Duration::from_millis(100)).await;
    assert_eq!(deployment.event(&id).await.outcome, None, "before the retry is due");
    time.store(NOW.plus_seconds(300).0, Ordering::Relaxed);
    assert_eq!(applied(&deployment, &id).await, Outcome::Granted);

    stop.send(()).unwrap();
    timeout(PATIENCE, running).await.expect("the loop does not stop").unwrap();
}

#[tokio::test]
async fn a_cancelled_caller_does_not_prevent_the_wake_up() {
    let deployment = Deployment::new();
    let mut arrivals = deployment.store().arrivals();
    let writer = deployment.backdoor();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (_, body) = granting("abandoned");
    let waiting = deployment.intake.keep(body.as_bytes(), NOW);
    timeout(Duration::from_millis(100), waiting)
        .await
        .expect_err("stored although another connection held the lock");
    drop(writer);
    timeout(PATIENCE, arrivals.changed()).await.expect("no signal arrived").unwrap();
    assert_eq!(deployment.apply(NOW).await, Next::OnArrival);
    assert_eq!(deployment.balance(1).await.available.0, 10);
}
