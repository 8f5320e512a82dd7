//! The sweep: holds expire without a command.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use engine::{Clock, Next, Sweeper};
use ledger::{Now, Timestamp};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::NOW;
use crate::command_queue::{hold, open};

const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_sweep_returns_when_the_next_is_due() {
    let (deployment, ..) = open().await;
    let sweeper = Sweeper { store: deployment.store().clone() };
    assert_eq!(sweeper.step(Now::trusted(NOW)).await.unwrap(), Next::OnArrival, "nothing expires");
    hold(&deployment).await;
    let end = NOW.plus_seconds(60);
    assert_eq!(sweeper.step(Now::trusted(NOW)).await.unwrap(), Next::At(end));
    assert_eq!(sweeper.step(Now::trusted(end)).await.unwrap(), Next::Soon, "the hold expired");
    assert_eq!(sweeper.step(Now::trusted(end)).await.unwrap(), Next::OnArrival);
    assert_eq!(deployment.balance(1).await.available.0, 10);
}

#[tokio::test]
async fn the_loop_expires_holds_that_are_due_and_stops() {
    let (deployment, ..) = open().await;
    let time = Arc::new(AtomicI64::new(NOW.0));
    let clock_time = time.clone();
    let clock = Clock::from_fn(move || Timestamp(clock_time.load(Ordering::Relaxed)));
    let sweeper = Sweeper { store: deployment.store().clone() };
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(async move { sweeper.run(&clock, async { drop(stopped.await) }).await });
    hold(&deployment).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(deployment.balance(1).await.held.0, 4, "before it expires");
    time.store(NOW.plus_seconds(60).0, Ordering::Relaxed);
    let returned = async {
        while deployment.balance(1).await.held.0 > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, returned).await.expect("the hold does not expire");
    stop.send(()).unwrap();
    timeout(PATIENCE, running).await.expect("the loop does not stop").unwrap();
}
