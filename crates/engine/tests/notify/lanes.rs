//! What is sent when and beside what, and what happens to the rest when one receiver fails or is slow.

use std::sync::Arc;
use std::time::Duration;

use engine::notify::{LANES_PER_ENDPOINT, MAX_LANES, MAX_LATE_LANES};
use store::DeliveryState;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{sleep, timeout};

use crate::NOW;
use crate::fixture::{Behaviour, Fixture};

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn first_attempts_keep_the_order_of_what_happened() {
    let fixture = Fixture::new();
    fixture.endpoint("a", Behaviour::Answers(200)).await;
    for _ in 0..40 {
        fixture.tell(1, &["a"]);
    }
    assert_eq!(fixture.deliver(&mut fixture.notifier()).await, None);
    let expected: Vec<_> = (1..=40).map(|seq| format!("msg_{seq:012x}")).collect();
    assert_eq!(fixture.sent_to("a"), expected);
    assert_eq!(fixture.most("a"), 1, "one tenant's notices go one at a time");
    assert!(fixture.deliveries("a").await.iter().all(|row| row.state == DeliveryState::Delivered));
}

#[tokio::test]
async fn what_fails_is_tried_again_on_schedule_and_holds_up_nothing() {
    let fixture = Fixture::new();
    fixture.endpoint("a", Behaviour::Answers(500)).await;
    let mut notifier = fixture.notifier();
    fixture.tell(1, &["a"]);
    assert_eq!(fixture.deliver(&mut notifier).await, Some(NOW.plus_seconds(300)));
    fixture.tell(1, &["a"]);
    fixture.behave("a", Behaviour::Answers(200));
    assert_eq!(fixture.deliver(&mut notifier).await, Some(NOW.plus_seconds(300)));
    assert_eq!(fixture.sent_to("a"), ["msg_000000000001", "msg_000000000002"], "the later one arrives first");
    fixture.behave("a", Behaviour::Answers(302));
    fixture.pass(300);
    assert_eq!(fixture.deliver(&mut notifier).await, Some(NOW.plus_seconds(2_100)));
    fixture.pass(1_800);
    assert_eq!(fixture.deliver(&mut notifier).await, None);
    let rows = fixture.deliveries("a").await;
    assert_eq!((rows[0].state, rows[0].attempts, rows[0].status), (DeliveryState::GivenUp, 3, Some(302)));
    assert_eq!(rows[1].state, DeliveryState::Delivered);
    // An operator asks for it again: it begins its whole schedule anew.
    fixture.store.resend("a".to_owned(), "msg_000000000001".to_owned(), fixture.clock().now()).await.unwrap();
    assert_eq!(fixture.deliver(&mut notifier).await, Some(NOW.plus_seconds(2_400)));
}

#[tokio::test]
async fn a_hanging_receiver_does_not_slow_the_one_beside_it() {
    let fixture = Fixture::new();
    fixture.endpoint("hangs", Behaviour::Hangs).await;
    fixture.endpoint("good", Behaviour::Answers(200)).await;
    for whose in 0..200 {
        fixture.tell(whose % 20, &["hangs", "good"]);
    }
    let mut notifier = fixture.notifier();
    while fixture.sent_to("good").len() < 200 {
        notifier.step(fixture.clock().now()).await.unwrap();
        tokio::task::yield_now().await;
    }
    // All of it, while the other still has its first requests.
    assert_eq!(fixture.sent_to("hangs").len(), LANES_PER_ENDPOINT);
    assert_eq!(fixture.most("hangs"), LANES_PER_ENDPOINT);
    let given_up_waiting = async {
        loop {
            notifier.lane_ended().await;
            notifier.step(fixture.clock().now()).await.unwrap();
            if let Some(row) = fixture.deliveries("hangs").await.into_iter().find(|row| row.attempts > 0) {
                return row;
            }
        }
    };
    let failed = timeout(PATIENCE, given_up_waiting).await.expect("attempts have a deadline");
    assert_eq!(failed.error.as_deref(), Some("no answer within 1 s"));
    assert_eq!(failed.due_at, Some(NOW.plus_seconds(300)));
}

#[tokio::test]
async fn there_are_bounds_for_each_endpoint_for_failing_ones_and_for_all() {
    let fixture = Fixture::new();
    let permits = Arc::new(Semaphore::new(0));
    let names: Vec<String> = (0..20).map(|number| format!("e{number}")).collect();
    for name in &names {
        fixture.endpoint(name, Behaviour::Waits(permits.clone())).await;
    }
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    for whose in 0..20 {
        fixture.tell(whose, &all);
    }
    let mut notifier = fixture.notifier();
    for _ in 0..5 {
        notifier.step(fixture.clock().now()).await.unwrap();
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(fixture.most(""), MAX_LANES);
    permits.add_permits(1_000);
    timeout(PATIENCE, fixture.deliver(&mut notifier)).await.unwrap();
    assert_eq!(fixture.sent().len(), 400);
    assert!(names.iter().all(|name| fixture.most(name) <= LANES_PER_ENDPOINT));

    let fixture = Fixture::new();
    let failing: Vec<String> = (0..60).map(|number| format!("f{number}")).collect();
    for name in &failing {
        fixture.endpoint(name, Behaviour::Answers(500)).await;
        fixture.tell(1, &[name]);
    }
    let mut notifier = fixture.notifier();
    fixture.deliver(&mut notifier).await;
    for name in &failing {
        fixture.behave(name, Behaviour::Hangs);
        fixture.tell(2, &[name]);
        fixture.tell(3, &[name]);
    }
    let before = fixture.sent().len();
    notifier.step(fixture.clock().now()).await.unwrap();
    sleep(Duration::from_millis(10)).await;
    assert_eq!(fixture.sent().len() - before, MAX_LATE_LANES, "one each, in slots of their own");
}

/// However many receivers are slow, and answer 200 in the end.
#[tokio::test]
async fn slow_receivers_do_not_take_the_slots_of_quick_ones() {
    let fixture = Fixture::new();
    let permits = Arc::new(Semaphore::new(0));
    let slow: Vec<String> = (0..2 * MAX_LANES).map(|number| format!("s{number}")).collect();
    for name in &slow {
        fixture.endpoint(name, Behaviour::Waits(permits.clone())).await;
        fixture.tell(1, &[name]);
    }
    // Last in the order of names, which decides between deliveries that are due at the same time.
    fixture.endpoint("healthy", Behaviour::Answers(200)).await;
    let mut notifier = fixture.patient_notifier();
    let mut told = 0;
    let mut tell_healthy = async |steps: u32| {
        fixture.tell(2, &["healthy"]);
        told += 1;
        for _ in 0..steps {
            notifier.step(fixture.clock().now()).await.unwrap();
            sleep(Duration::from_millis(50)).await;
            if fixture.sent_to("healthy").len() == told {
                return;
            }
        }
        panic!("the healthy one waits for the slow ones: {}", fixture.sent().len());
    };
    // The slow ones are not known as slow yet: they have every slot, until they are seen to be slow.
    tell_healthy(140).await;
    permits.add_permits(slow.len());
    // That they are slow is remembered, although everything was delivered.
    let before = fixture.sent().len();
    for name in &slow {
        fixture.tell(1, &[name]);
    }
    tell_healthy(20).await;
    assert!(
        fixture.sent().len() - before <= slow.len() + MAX_LATE_LANES,
        "{}",
        fixture.sent().len() - before
    );
}

#[tokio::test]
async fn what_was_sent_and_not_recorded_is_sent_again_under_its_id() {
    let fixture = Fixture::new();
    fixture.endpoint("a", Behaviour::Answers(200)).await;
    fixture.tell(1, &["a"]);
    let mut killed = fixture.notifier();
    killed.step(fixture.clock().now()).await.unwrap();
    killed.lane_ended().await;
    drop(killed);
    assert_eq!(fixture.deliver(&mut fixture.notifier()).await, None);
    assert_eq!(fixture.sent_to("a"), ["msg_000000000001", "msg_000000000001"]);
    assert_eq!(fixture.deliveries("a").await[0].attempts, 1, "as far as anybody knows");
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_sent_again() {
    let fixture = Fixture::new();
    fixture.endpoint("a", Behaviour::Answers(200)).await;
    fixture.tell(1, &["a"]);
    let raw = fixture.backdoor();
    raw.execute_batch(
        "CREATE TRIGGER sick BEFORE UPDATE ON deliveries BEGIN SELECT RAISE(ABORT, 'sick'); END",
    )
    .unwrap();
    let mut notifier = fixture.notifier();
    notifier.step(fixture.clock().now()).await.unwrap();
    notifier.lane_ended().await;
    for _ in 0..3 {
        notifier.step(fixture.clock().now()).await.unwrap_err();
    }
    raw.execute_batch("DROP TRIGGER sick").unwrap();
    assert_eq!(fixture.deliver(&mut notifier).await, None);
    assert_eq!(fixture.sent_to("a"), ["msg_000000000001"]);
    assert_eq!(fixture.deliveries("a").await[0].state, DeliveryState::Delivered);
}

#[tokio::test]
async fn an_endpoint_that_is_gone_gets_no_more_requests() {
    let fixture = Fixture::new();
    fixture.endpoint("gone", Behaviour::Answers(410)).await;
    for whose in [1, 1, 2] {
        fixture.tell(whose, &["gone"]);
    }
    assert_eq!(fixture.deliver(&mut fixture.notifier()).await, None);
    assert!(fixture.sent_to("gone").len() <= 2, "one for each tenant at most: {:?}", fixture.sent());
    let endpoint = fixture.store.endpoint("gone".to_owned()).await.unwrap().unwrap();
    assert_eq!(endpoint.disabled_reason.as_deref(), Some("it answered 410 Gone"));
    fixture.tell(3, &["gone"]);
    assert_eq!(fixture.deliver(&mut fixture.notifier()).await, None);
    assert!(fixture.sent_to("gone").len() <= 2);
}

#[tokio::test]
async fn a_changed_endpoint_counts_from_the_next_notice_on() {
    for (change, signatures) in [
        ("DELETE FROM endpoints", &[1][..]),
        ("UPDATE endpoints SET disabled_at = 1", &[1]),
        // The old secret signs too, until then.
        ("UPDATE endpoints SET old_secret = 'whsec_BBBB', old_secret_until = 9e17", &[1, 2, 2]),
        ("UPDATE endpoints SET old_secret = 'whsec_BBBB', old_secret_until = 0", &[1, 1, 1]),
        ("UPDATE deliveries SET due_at = NULL WHERE notice = 2", &[1, 1]),
    ] {
        let fixture = Fixture::new();
        let permits = Arc::new(Semaphore::new(0));
        fixture.endpoint("a", Behaviour::Waits(permits.clone())).await;
        for _ in 0..3 {
            fixture.tell(1, &["a"]);
        }
        let mut notifier = fixture.notifier();
        notifier.step(fixture.clock().now()).await.unwrap();
        while fixture.sent().is_empty() {
            tokio::task::yield_now().await;
        }
        fixture.backdoor().execute(change, []).unwrap();
        permits.add_permits(3);
        timeout(PATIENCE, fixture.deliver(&mut notifier)).await.unwrap();
        assert_eq!(fixture.signed(), signatures, "{change}: {:?}", fixture.sent());
    }
}

#[tokio::test]
async fn a_transport_that_panics_fails_one_attempt() {
    let fixture = Fixture::new();
    fixture.endpoint("bad", Behaviour::Panics).await;
    fixture.endpoint("good", Behaviour::Answers(200)).await;
    fixture.tell(1, &["bad", "good"]);
    assert_eq!(fixture.deliver(&mut fixture.notifier()).await, Some(NOW.plus_seconds(300)));
    assert_eq!(fixture.deliveries("bad").await[0].error.as_deref(), Some("sending it panicked"));
    assert_eq!(fixture.deliveries("good").await[0].state, DeliveryState::Delivered);
}

#[tokio::test]
async fn what_cannot_be_written_is_not_sent_and_the_attempt_says_why() {
    for (damage, words) in [
        ("UPDATE notices SET data = 'nothing' WHERE seq = 1", "this notice cannot be read where it is kept"),
        ("UPDATE endpoints SET secret = 'whsec_?'", "the secret of this endpoint cannot be read: rotate it"),
    ] {
        let fixture = Fixture::new();
        fixture.endpoint("a", Behaviour::Answers(200)).await;
        fixture.tell(1, &["a"]);
        fixture.backdoor().execute(damage, []).unwrap();
        assert_eq!(fixture.deliver(&mut fixture.notifier()).await, Some(NOW.plus_seconds(300)), "{damage}");
        assert_eq!(fixture.deliveries("a").await[0].error.as_deref(), Some(words));
        assert_eq!(fixture.sent(), [""; 0], "{damage}");
    }
}

#[tokio::test]
async fn the_loop_wakes_up_when_the_store_signals_and_stops_when_told() {
    let fixture = Fixture::new();
    fixture.endpoint("a", Behaviour::Answers(200)).await;
    fixture.endpoint("hangs", Behaviour::Hangs).await;
    let mut notifier = fixture.notifier();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(async move {
        notifier.run(async { drop(stopped.await) }).await;
    });
    for seq in 1..=3 {
        // It sleeps: only the signal wakes it up.
        sleep(Duration::from_millis(50)).await;
        fixture.tell(1, &["a"]);
        fixture.signal().await;
        let arrived = async {
            while fixture.deliveries("a").await.iter().any(|row| row.state == DeliveryState::Pending) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, arrived).await.unwrap_or_else(|_| panic!("{seq} was not recorded"));
    }
    fixture.tell(1, &["hangs"]);
    fixture.signal().await;
    sleep(Duration::from_millis(50)).await;
    stop.send(()).unwrap();
    timeout(PATIENCE, running).await.expect("the loop does not stop").unwrap();
    assert_eq!(fixture.deliveries("hangs").await[0].attempts, 1, "what was under way ended, and is recorded");
}
