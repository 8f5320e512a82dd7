//! Deliveries to an endpoint: in order, signed, retried on schedule, given up, and every way in which an
//! endpoint can fail. Misbehaviour of the sender is tested in `misbehaviour`.

use std::sync::atomic::Ordering;
use std::time::Duration;

use emulator::act::control::{Enable, RotateSecret};
use emulator::world::{DeliveryState, Outcome};
use stripe::write::{ApiVersion, pretty};

use crate::life::{SECRET, START, add_endpoint, edit, hold, release, resend, run};
use crate::receiver::{Answer, Receiver, Rig, WALL, all_verify, buy, within};

const CARD: &str = "4242424242424242";

/// The times of all attempts, in seconds after the first.
const SCHEDULE: [i64; 6] = [0, 300, 2_100, 9_300, 38_100, 124_500];

impl Rig {
    /// The times of the oldest delivery's attempts, in milliseconds after `START`, and its state.
    fn oldest(&self) -> (Vec<i64>, DeliveryState) {
        self.emulator.with(|world| {
            let delivery = world.deliveries().next().expect("a delivery");
            let made = delivery.attempts.iter().map(|attempt| attempt.at_ms - START * 1_000);
            (made.collect(), delivery.state)
        })
    }

    /// Emits one event: a session expires.
    async fn one_event(&self) {
        self.emulator.with(|world| {
            let session = crate::life::new_session(world, 2_500, "eur");
            emulator::act::checkout::expire(world, &session);
        });
        self.advance(0).await;
    }
}

#[tokio::test]
async fn hundreds_of_events_reach_each_endpoint_in_order() {
    let (rig, other) = (Rig::start().await, Receiver::start().await);
    let url = other.url.clone();
    rig.emulator.with(|world| {
        add_endpoint(world, "we_2", &url, ApiVersion::V2022_11_15);
        for _ in 0..60 {
            buy(world, CARD);
            buy(world, "4000000000000259");
        }
    });
    rig.advance(3_600).await;
    let (mut expected, mut older) = (Vec::new(), Vec::new());
    rig.emulator.with(|world| {
        for event in world.events().iter() {
            expected.push((event.id.clone(), pretty(&event.render(ApiVersion::Endive, event.recipients))));
            older.push((event.id.clone(), pretty(&event.render(ApiVersion::V2022_11_15, event.recipients))));
        }
    });
    assert_eq!(expected.len(), 60 * (5 + 7));
    for (receiver, expected) in [(&rig.receiver, expected), (&other, older)] {
        let arrived = receiver.take();
        assert!(all_verify(&arrived));
        let arrived: Vec<_> = arrived.into_iter().map(|arrived| (arrived.id, arrived.body)).collect();
        assert!(arrived == expected, "{} arrived of {}", arrived.len(), expected.len());
    }
}

#[tokio::test]
async fn a_failing_delivery_is_retried_on_schedule_and_then_given_up() {
    let rig = Rig::start().await;
    rig.receiver.answer(Answer::Status(500));
    rig.one_event().await;
    rig.advance(3 * 24 * 60 * 60).await;
    let expected: Vec<_> = SCHEDULE.iter().map(|seconds| seconds * 1_000).collect();
    assert_eq!(rig.oldest(), (expected, DeliveryState::Exhausted));
    let arrived = rig.receiver.take();
    assert_eq!(arrived.len(), 6);
    assert!(all_verify(&arrived), "every attempt is signed with its own time of the machine's clock");
    assert!(arrived.iter().all(|other| other.body == arrived[0].body), "the same bytes every time");
    let pending = rig.emulator.with(|world| world.events().iter().next().map(|event| event.pending));
    assert_eq!(pending, Some(1));
}

#[tokio::test]
async fn an_accepted_delivery_is_not_retried() {
    let rig = Rig::start().await;
    rig.receiver.answer(Answer::Status(503));
    rig.one_event().await;
    rig.advance(2_099).await;
    rig.receiver.answer(Answer::Status(204));
    rig.advance(10 * 24 * 60 * 60).await;
    assert_eq!(rig.oldest(), (vec![0, 300_000, 2_100_000], DeliveryState::Delivered));
    let pending = rig.emulator.with(|world| world.events().iter().next().map(|event| event.pending));
    assert_eq!(pending, Some(0));
}

#[tokio::test]
async fn only_2xx_is_acceptance_and_long_responses_are_cut() {
    let cases = [
        (Answer::Status(200), true, "ok"),
        (Answer::Status(299), true, "ok"),
        (Answer::Status(400), false, "ok"),
        (Answer::Status(500), false, "ok"),
        (Answer::Redirect, false, "ok"),
        (Answer::Hang, false, "no answer within"),
        (Answer::Close, false, "the connection broke"),
        (Answer::Garbage, false, "the connection broke"),
        (Answer::Endless, true, "xxx"),
        (Answer::Short, true, "ok"),
    ];
    for (answer, accepted, words) in cases {
        let rig = Rig::start().await;
        rig.receiver.answer(answer);
        within(rig.one_event()).await;
        assert_eq!(rig.receiver.take().len(), 1, "{answer:?}: sent once, and no redirect is followed");
        let attempt = rig.emulator.with(|world| world.deliveries().next().map(|d| d.attempts.clone()));
        let outcome = attempt.expect("a delivery").remove(0).outcome;
        assert_eq!(outcome.accepted(), accepted, "{answer:?}: {outcome:?}");
        let (Outcome::Answered { excerpt: text, .. } | Outcome::Failed(text)) = &outcome;
        assert!(text.contains(words) && text.len() <= 200, "{answer:?}: {outcome:?}");
        assert!(rig.receiver.written.load(Ordering::Relaxed) < 64 << 20, "{answer:?}: everything was read");
    }
}

#[tokio::test]
async fn retries_continue_where_nothing_listens() {
    let rig = Rig::start().await;
    let unused_url = Receiver::start().await.url.clone();
    rig.emulator.with(|world| edit(world, |saved| saved["endpoints"][0]["url"] = unused_url.into()));
    rig.one_event().await;
    rig.advance(300).await;
    let outcomes = rig.emulator.with(|world| world.deliveries().next().map(|d| d.attempts.clone()));
    let outcomes = outcomes.expect("a delivery");
    assert_eq!(outcomes.len(), 2);
    let refused =
        |outcome: &Outcome| matches!(outcome, Outcome::Failed(why) if why.starts_with("nothing listens"));
    assert!(outcomes.iter().all(|attempt| refused(&attempt.outcome)), "{outcomes:?}");
}

#[tokio::test]
async fn both_secrets_sign_during_the_grace_period() {
    let rig = Rig::start().await;
    let rotate = RotateSecret { endpoint: "we_1".to_owned(), grace_period_seconds: 60 };
    let new = rig.emulator.with(|world| run(world, rotate));
    for (after, old) in [(0, true), (59, true), (1, false)] {
        rig.advance(after).await;
        rig.one_event().await;
        let arrived = rig.receiver.take().remove(0);
        assert_eq!(arrived.header.matches("v1=").count(), 1 + usize::from(old));
        assert!(arrived.verifies(&new, WALL));
        assert_eq!(arrived.verifies(SECRET, WALL), old);
    }
}

#[tokio::test]
async fn an_endpoint_that_accepts_nothing_for_days_is_disabled() {
    let rig = Rig::start().await;
    rig.receiver.answer(Answer::Status(500));
    for _ in 0..8 {
        rig.one_event().await;
        rig.advance(12 * 60 * 60).await;
    }
    assert!(!rig.emulator.with(|world| world.endpoints().get("we_1").expect("the endpoint").enabled));
    rig.receiver.take();
    let created = rig.emulator.with(|world| world.deliveries().count());
    rig.receiver.answer(Answer::Status(200));
    rig.one_event().await;
    rig.advance(9 * 24 * 60 * 60).await;
    assert_eq!(rig.types(), Vec::<String>::new(), "nothing goes to a disabled endpoint");
    assert_eq!(rig.emulator.with(|world| world.deliveries().count()), created, "and no delivery is created");
    let waiting = |world: &mut emulator::world::World| {
        world.deliveries().filter(|d| matches!(d.state, DeliveryState::Waiting { .. })).count()
    };
    assert_eq!(rig.emulator.with(waiting), 0);
    rig.emulator.with(|world| run(world, Enable { endpoint: "we_1".to_owned() }));
    rig.one_event().await;
    assert_eq!(rig.types(), ["checkout.session.expired"], "only new events");
}

#[tokio::test]
async fn held_deliveries_are_released_in_the_requested_order_and_number() {
    let rig = Rig::start().await;
    let mut orders = Vec::new();
    for (shuffle, times) in [(None, 1), (Some(1), 3), (Some(1), 3), (Some(2), 3)] {
        rig.emulator.with(hold);
        rig.buy(CARD).await;
        rig.advance(100).await;
        assert_eq!(rig.types(), Vec::<String>::new());
        rig.emulator.with(|world| release(world, shuffle, times));
        rig.advance(0).await;
        let types = rig.types();
        assert_eq!(types.len(), 5 * usize::try_from(times).expect("a few"));
        orders.push(types);
    }
    let plain = orders.remove(0);
    assert_eq!(orders[0], orders[1], "the same seed, the same order");
    assert_ne!(orders[0], orders[2]);
    let three_times: Vec<_> = plain.iter().flat_map(|name| [name, name, name]).collect();
    assert_ne!(orders[0].iter().collect::<Vec<_>>(), three_times);
    orders.iter_mut().for_each(|order| order.sort());
    let mut three_times: Vec<_> = three_times.into_iter().cloned().collect();
    three_times.sort();
    assert_eq!(orders, [three_times.clone(), three_times.clone(), three_times]);
}

#[tokio::test]
async fn a_manual_resend_does_not_stop_the_retries() {
    let rig = Rig::start().await;
    rig.receiver.answer(Answer::Status(500));
    rig.one_event().await;
    let event = rig.receiver.take().remove(0).id;
    rig.receiver.answer(Answer::Status(200));
    assert_eq!(rig.emulator.with(|world| resend(world, &event)), 1);
    rig.advance(10).await;
    assert_eq!(rig.oldest(), (vec![0, 0], DeliveryState::Delivered));
    rig.receiver.answer(Answer::Status(500));
    rig.advance(300).await;
    rig.receiver.answer(Answer::Status(200));
    rig.advance(10 * 24 * 60 * 60).await;
    assert_eq!(rig.oldest(), (vec![0, 0, 300_000, 2_100_000], DeliveryState::Delivered));
    let pending = rig.emulator.with(|world| world.events().iter().next().map(|event| event.pending));
    assert_eq!(pending, Some(0));
}

#[tokio::test]
async fn a_deleted_endpoint_receives_nothing_more_even_with_an_attempt_in_flight() {
    let rig = Rig::start().await;
    rig.receiver.answer(Answer::Status(500));
    rig.one_event().await;
    rig.receiver.answer(Answer::Hang);
    rig.receiver.take();
    rig.emulator.with(|world| buy(world, CARD));
    within(rig.receiver.wait_for_delivery()).await;
    rig.emulator.with(|world| emulator::act::endpoint::delete(world, "we_1"));
    rig.receiver.take();
    rig.advance(5 * 24 * 60 * 60).await;
    // Longer than the timeout of the attempt in flight.
    tokio::time::sleep(Duration::from_millis(600)).await;
    rig.advance(5 * 24 * 60 * 60).await;
    assert_eq!(rig.types(), Vec::<String>::new());
    let still_waits = rig.emulator.with(|world| {
        world.deliveries().filter(|d| matches!(d.state, DeliveryState::Waiting { .. })).count()
    });
    assert_eq!((rig.oldest().1, still_waits), (DeliveryState::Stopped, 0));
}
