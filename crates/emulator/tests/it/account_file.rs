//! The account's file: the account continues where it stopped, also with attempts in flight.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use emulator::object::Misbehaviour;
use emulator::world::{ClockMode, DeliveryState};
use emulator::{Emulator, Options};

use crate::life::{START, misbehave};
use crate::receiver::{Answer, Receiver, Rig, WALL, buy, options, within};

const CARD: &str = "4242424242424242";

/// A path in the build directory where no file exists.
fn file(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.json"));
    let _ = std::fs::remove_file(&path);
    let _ = std::fs::remove_dir(&path);
    path
}

fn options_with_file(path: &std::path::Path) -> Options {
    Options { file: Some(path.to_owned()), ..options() }
}

fn account_json(emulator: &Emulator) -> serde_json::Value {
    emulator.with(|world| serde_json::to_value(world).expect("JSON"))
}

#[tokio::test]
async fn an_account_continues_where_it_stopped() {
    let path = file("continues");
    let rig = Rig::with(options_with_file(&path)).await;
    rig.receiver.answer(Answer::Status(500));
    rig.buy(CARD).await;
    rig.advance(310).await;
    let before = account_json(&rig.emulator);
    let receiver = rig.stop().await;
    receiver.take();
    assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
    receiver.answer(Answer::Status(200));
    let rig = Rig::reopen(options_with_file(&path), receiver);
    assert_eq!(account_json(&rig.emulator), before);
    rig.advance(2_099 - 310).await;
    assert_eq!(rig.types(), ["charge.updated"]);
    rig.advance(1).await;
    assert_eq!(rig.types().len(), 4);
    rig.advance(3_600).await;
    assert_eq!(rig.types(), Vec::<String>::new());
    rig.buy(CARD).await;
    assert_eq!(rig.types().len(), 4, "new ids, and no event twice");
    within(rig.stop()).await;
}

#[tokio::test]
async fn two_emulators_cannot_share_a_file() {
    let path = file("shared");
    let first = Emulator::open(options_with_file(&path)).expect("the first");
    let error = Emulator::open(options_with_file(&path)).map(drop).expect_err("the second");
    assert!(error.to_string().contains("another emulator uses this account"), "{error}");
    drop(first);
    Emulator::open(options_with_file(&path)).expect("the next");
}

#[tokio::test]
async fn attempts_in_flight_at_the_stop_are_sent_again() {
    let path = file("in_flight");
    let rig = Rig::with(options_with_file(&path)).await;
    rig.receiver.answer(Answer::Hang);
    rig.emulator.with(|world| buy(world, CARD));
    within(rig.receiver.wait_for_delivery()).await;
    let receiver = rig.stop().await;
    let first = receiver.take().remove(0);
    receiver.answer(Answer::Status(200));
    let rig = Rig::reopen(options_with_file(&path), receiver);
    rig.advance(0).await;
    let arrived = rig.receiver.take();
    assert_eq!(arrived.len(), 4);
    assert!(arrived.contains(&first));
    let states = rig.emulator.with(|world| world.deliveries().map(|d| d.state).collect::<Vec<_>>());
    assert_eq!(states, [DeliveryState::Delivered; 4]);
    within(rig.stop()).await;
}

#[tokio::test]
async fn misbehaviour_is_the_same_across_restarts() {
    let knobs = Misbehaviour { seed: 5, never: 40, twin: 20, duplicate: 20, ..Default::default() };
    let mut runs = Vec::new();
    for interrupted in [false, true] {
        let path = file("misbehaviour");
        let mut rig = Rig::with(options_with_file(&path)).await;
        rig.emulator.with(|world| misbehave(world, knobs));
        for _ in 0..6 {
            rig.buy(CARD).await;
            // Old events are dropped during the advance.
            rig.advance(12 * 24 * 3_600).await;
            if interrupted {
                rig = Rig::reopen(options_with_file(&path), rig.stop().await);
            }
        }
        runs.push(rig.receiver.take().into_iter().map(|arrived| arrived.id).collect::<Vec<_>>());
        within(rig.stop()).await;
    }
    assert!(runs[0].len() > 10);
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn a_clock_stopped_during_an_advance_runs_again() {
    let path = file("advanced");
    let wall: emulator::Wall = Arc::new(|| WALL * 1_000);
    let running = || Options { still_at_ms: None, wall: wall.clone(), ..options_with_file(&path) };
    let rig = Rig::with(running()).await;
    rig.receiver.answer(Answer::Hang);
    rig.emulator.with(|world| buy(world, CARD));
    let emulator = rig.emulator.clone();
    let advancing = tokio::spawn(async move { emulator.advance(3_600).await });
    within(rig.receiver.wait_for_delivery()).await;
    let receiver = rig.stop().await;
    advancing.abort();
    let rig = Rig::reopen(running(), receiver);
    assert_eq!(rig.emulator.with(|world| world.clock()), ClockMode::Running { ahead_ms: 0 });
    within(rig.stop()).await;
}

#[tokio::test]
async fn a_file_that_is_not_an_account_is_refused_and_kept() {
    let path = file("foreign");
    for text in ["", "{}", "[]", "not JSON", "{\"time\": {\"still\": {\"at_ms\": 1}}}"] {
        std::fs::write(&path, text).expect("a file");
        let error = Emulator::open(options_with_file(&path)).err().expect("refused").to_string();
        assert!(error.contains("is not an account of this version"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).expect("a file"), text);
    }
    std::fs::remove_file(&path).expect("a file");
    std::fs::create_dir(&path).expect("a directory");
    let error = Emulator::open(options_with_file(&path)).err().expect("refused").to_string();
    assert!(error.contains("cannot be read"), "{error}");
    std::fs::remove_dir(&path).expect("a directory");
}

#[tokio::test]
async fn an_unwritable_file_does_not_stop_the_emulator() {
    let path = PathBuf::from("/nonexistent-directory/account.json");
    let rig = Rig::with(options_with_file(&path)).await;
    rig.buy(CARD).await;
    assert_eq!(rig.types().len(), 4);
    let receiver: Receiver = within(rig.stop()).await;
    drop((receiver, START));
}
