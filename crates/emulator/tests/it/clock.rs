//! Advancing a running or a stopped clock while the account is used, and that every advance ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use emulator::Options;
use emulator::act::endpoint;
use emulator::act::refund::{self, NewRefund};
use emulator::object::{MetadataMap, Misbehaviour};
use emulator::world::ClockMode;

use crate::life::{START, hold, misbehave, new_session, release};
use crate::receiver::{Answer, Rig, WALL, buy, options, within};

const CARD: &str = "4242424242424242";

/// An account whose clock runs with the machine's clock, and the time of that clock for the test to set.
async fn with_running_clock() -> (Rig, Arc<AtomicI64>) {
    let wall_ms = Arc::new(AtomicI64::new(WALL * 1_000));
    let wall = wall_ms.clone();
    let wall: emulator::Wall = Arc::new(move || wall.load(Ordering::SeqCst));
    (Rig::with(Options { wall, still_at_ms: None, ..options() }).await, wall_ms)
}

#[tokio::test]
async fn a_running_clock_keeps_running_after_an_advance() {
    let (rig, wall_ms) = with_running_clock().await;
    rig.emulator.with(|world| buy(world, CARD));
    within(rig.emulator.quiet()).await;
    assert_eq!(rig.types().len(), 4);
    wall_ms.fetch_add(10_000, Ordering::SeqCst);
    rig.advance(79).await;
    assert_eq!((rig.types().len(), rig.emulator.with(|world| world.now())), (0, WALL + 89));
    wall_ms.fetch_add(1_000, Ordering::SeqCst);
    assert_eq!(
        rig.emulator.with(|world| (world.now(), world.clock())),
        (WALL + 90, ClockMode::Running { ahead_ms: 79_000 })
    );
    within(rig.emulator.quiet()).await;
    assert_eq!(rig.types(), ["charge.updated"]);
    // Setting the machine's clock back does not set the account's clock back.
    wall_ms.fetch_sub(50_000, Ordering::SeqCst);
    assert_eq!(rig.emulator.with(|world| world.now()), WALL + 90);
}

#[tokio::test]
async fn events_that_a_read_causes_are_delivered() {
    let (rig, wall_ms) = with_running_clock().await;
    rig.emulator.with(|world| buy(world, CARD));
    within(rig.emulator.quiet()).await;
    rig.types();
    wall_ms.fetch_add(90_000, Ordering::SeqCst);
    rig.emulator.acknowledged("cs_none").await;
    within(rig.receiver.wait_for_delivery()).await;
    assert_eq!(rig.types(), ["charge.updated"]);
}

#[tokio::test]
async fn due_tasks_run_without_any_request() {
    let began = tokio::time::Instant::now();
    let wall: emulator::Wall =
        Arc::new(move || WALL * 1_000 + i64::try_from(began.elapsed().as_millis()).expect("a short test"));
    let rig = Rig::with(Options { wall, still_at_ms: None, ..options() }).await;
    rig.emulator.with(|world| {
        let mut new = crate::life::wanted(2_500, "eur");
        new.expires_at = Some(world.now() + 1);
        emulator::act::checkout::create(world, new, "http://127.0.0.1:1");
    });
    within(rig.receiver.wait_for_delivery()).await;
    assert_eq!(rig.types(), ["checkout.session.expired"]);
}

#[tokio::test]
async fn concurrent_advances_add_up() {
    let rig = Rig::start().await;
    rig.emulator.with(|world| buy(world, CARD));
    let (a, b) = tokio::join!(rig.advance(60), rig.advance(60));
    assert_eq!(rig.emulator.with(|world| world.now()), START + 120);
    // Settling the charge, and delivering its event. All other tasks were due before.
    assert_eq!((a + b, rig.types().len()), (2, 5));
}

#[tokio::test]
async fn an_advance_completes_after_its_caller_is_gone() {
    let rig = Rig::start().await;
    rig.receiver.answer(Answer::Hang);
    rig.emulator.with(|world| buy(world, CARD));
    let emulator = rig.emulator.clone();
    let advancing = tokio::spawn(async move { emulator.advance(3_600).await });
    within(rig.receiver.wait_for_delivery()).await;
    advancing.abort();
    rig.receiver.answer(Answer::Status(200));
    rig.advance(0).await;
    assert_eq!(rig.emulator.with(|world| world.now()), START + 3_600);
}

#[tokio::test]
async fn the_account_can_be_used_during_an_advance() {
    let rig = Rig::start().await;
    rig.emulator.with(|world| buy(world, "4000000000000259"));
    let emulator = rig.emulator.clone();
    // During the advance, refunds and sessions are created.
    let busy = async {
        for _ in 0..50 {
            emulator.with(|world| {
                new_session(world, 2_500, "eur");
                let charge = world.charges().iter().next().expect("a charge").id.clone();
                let new = NewRefund { charge, amount: Some(10), reason: None, metadata: MetadataMap::new() };
                drop(refund::create(world, new));
            });
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::join!(rig.advance(9 * 24 * 3_600), busy);
    rig.advance(9 * 24 * 3_600).await;
    let (events, now) = rig.emulator.with(|world| {
        assert!(world.quiet());
        (world.events().iter().map(|event| event.id.clone()).collect::<Vec<_>>(), world.now())
    });
    let arrived: Vec<_> = rig.receiver.take().into_iter().map(|arrived| arrived.id).collect();
    assert_eq!((arrived, now), (events, START + 18 * 24 * 3_600));
}

#[tokio::test]
async fn the_clock_advances_whatever_state_an_endpoint_is_in() {
    for state in ["held", "disabled", "gathering", "deleted", "hanging"] {
        let rig = Rig::start().await;
        rig.emulator.with(|world| {
            buy(world, CARD);
            match state {
                "held" => hold(world),
                "disabled" => {
                    hold(world);
                    endpoint::enable(world, "we_1", false);
                }
                "gathering" => misbehave(world, Misbehaviour { burst: 3, ..Default::default() }),
                "deleted" => assert!(endpoint::delete(world, "we_1")),
                _ => rig.receiver.answer(Answer::Hang),
            }
        });
        rig.advance(90).await;
        if state == "disabled" {
            rig.emulator.with(|world| release(world, None, 1));
        }
        rig.advance(if state == "hanging" { 0 } else { 30 * 24 * 3_600 }).await;
        assert!(rig.emulator.with(|world| world.quiet()), "{state}");
        let arrived = rig.types().len();
        let expected = match state {
            "gathering" => 5..=5,
            "hanging" => 5..=5,
            _ => 0..=0,
        };
        assert!(expected.contains(&arrived), "{state}: {arrived}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dropped_deliveries_wake_waiting_tasks() {
    let rig = Rig::start().await;
    let set = |enabled: bool| {
        rig.emulator.with(|world| {
            if enabled {
                hold(world);
            } else {
                release(world, None, 1);
            }
            endpoint::enable(world, "we_1", enabled);
        });
    };
    for _ in 0..200 {
        set(true);
        rig.emulator.with(|world| buy(world, CARD));
        rig.advance(0).await;
        let waiting = tokio::spawn({
            let emulator = rig.emulator.clone();
            async move { within(emulator.quiet()).await }
        });
        set(false);
        rig.advance(0).await;
        within(waiting).await.expect("no panic");
    }
    assert_eq!(rig.types(), Vec::<String>::new());
}

#[tokio::test]
async fn the_account_is_usable_after_a_panic() {
    let rig = Rig::start().await;
    let emulator = rig.emulator.clone();
    let panicked = tokio::spawn(async move { emulator.with(|_| panic!("on purpose")) }).await;
    assert!(panicked.is_err());
    rig.buy(CARD).await;
    assert_eq!(rig.types().len(), 4);
}

#[tokio::test]
async fn checkout_waits_until_the_endpoint_accepts() {
    let rig = Rig::start().await;
    let session = rig.emulator.with(|world| buy(world, CARD));
    within(rig.emulator.acknowledged(&session)).await;
    assert_eq!(rig.types().last().map(String::as_str), Some("checkout.session.completed"));
}
