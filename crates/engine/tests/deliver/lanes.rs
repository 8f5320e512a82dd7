//! What is sent when, beside what, and what happens to the rest when one receiver does not do its part.

use std::sync::Arc;
use std::time::Duration;

use engine::deliver::{LANES_PER_ENDPOINT, MAX_LANES, MAX_LATE_LANES};
use store::DeliveryState;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{sleep, timeout};

use crate::NOW;
use crate::post::{Manner, Post};

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn first_attempts_keep_the_order_of_what_happened() {
    let post = Post::new();
    post.endpoint("a", Manner::Answers(200)).await;
    for _ in 0..40 {
        post.tell(1, &["a"]);
    }
    assert_eq!(post.deliver(&mut post.deliverer()).await, None);
    let expected: Vec<_> = (1..=40).map(|seq| format!("msg_{seq:012x}")).collect();
    assert_eq!(post.sent_to("a"), expected);
    assert_eq!(post.most("a"), 1, "one tenant's notices go one at a time");
    assert!(post.deliveries("a").await.iter().all(|row| row.state == DeliveryState::Delivered));
}

#[tokio::test]
async fn what_fails_is_tried_again_on_schedule_and_holds_up_nothing() {
    let post = Post::new();
    post.endpoint("a", Manner::Answers(500)).await;
    let mut deliverer = post.deliverer();
    post.tell(1, &["a"]);
    assert_eq!(post.deliver(&mut deliverer).await, Some(NOW.plus_seconds(300)));
    post.tell(1, &["a"]);
    post.behave("a", Manner::Answers(200));
    assert_eq!(post.deliver(&mut deliverer).await, Some(NOW.plus_seconds(300)));
    assert_eq!(post.sent_to("a"), ["msg_000000000001", "msg_000000000002"], "the later one arrives first");
    post.behave("a", Manner::Answers(302));
    post.pass(300);
    assert_eq!(post.deliver(&mut deliverer).await, Some(NOW.plus_seconds(2_100)));
    post.pass(1_800);
    assert_eq!(post.deliver(&mut deliverer).await, None);
    let rows = post.deliveries("a").await;
    assert_eq!((rows[0].state, rows[0].attempts, rows[0].status), (DeliveryState::GivenUp, 3, Some(302)));
    assert_eq!(rows[1].state, DeliveryState::Delivered);
    // A person asks for it again: it has its whole schedule before it.
    post.store.resend("a".to_owned(), "msg_000000000001".to_owned(), post.clock().now()).await.unwrap();
    assert_eq!(post.deliver(&mut deliverer).await, Some(NOW.plus_seconds(2_400)));
}

#[tokio::test]
async fn a_hanging_receiver_does_not_slow_the_one_beside_it() {
    let post = Post::new();
    post.endpoint("hangs", Manner::Hangs).await;
    post.endpoint("good", Manner::Answers(200)).await;
    for whose in 0..200 {
        post.tell(whose % 20, &["hangs", "good"]);
    }
    let mut deliverer = post.deliverer();
    while post.sent_to("good").len() < 200 {
        deliverer.step(post.clock().now()).await.unwrap();
        tokio::task::yield_now().await;
    }
    // All of it, while the other still has its first letters in hand.
    assert_eq!(post.sent_to("hangs").len(), LANES_PER_ENDPOINT);
    assert_eq!(post.most("hangs"), LANES_PER_ENDPOINT);
    let given_up_waiting = async {
        loop {
            deliverer.landing().await;
            deliverer.step(post.clock().now()).await.unwrap();
            if let Some(row) = post.deliveries("hangs").await.into_iter().find(|row| row.attempts > 0) {
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
    let post = Post::new();
    let permits = Arc::new(Semaphore::new(0));
    let names: Vec<String> = (0..20).map(|number| format!("e{number}")).collect();
    for name in &names {
        post.endpoint(name, Manner::Waits(permits.clone())).await;
    }
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    for whose in 0..20 {
        post.tell(whose, &all);
    }
    let mut deliverer = post.deliverer();
    for _ in 0..5 {
        deliverer.step(post.clock().now()).await.unwrap();
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(post.most(""), MAX_LANES);
    permits.add_permits(1_000);
    timeout(PATIENCE, post.deliver(&mut deliverer)).await.unwrap();
    assert_eq!(post.sent().len(), 400);
    assert!(names.iter().all(|name| post.most(name) <= LANES_PER_ENDPOINT));

    let post = Post::new();
    let failing: Vec<String> = (0..60).map(|number| format!("f{number}")).collect();
    for name in &failing {
        post.endpoint(name, Manner::Answers(500)).await;
        post.tell(1, &[name]);
    }
    let mut deliverer = post.deliverer();
    post.deliver(&mut deliverer).await;
    for name in &failing {
        post.behave(name, Manner::Hangs);
        post.tell(2, &[name]);
        post.tell(3, &[name]);
    }
    let before = post.sent().len();
    deliverer.step(post.clock().now()).await.unwrap();
    sleep(Duration::from_millis(10)).await;
    assert_eq!(post.sent().len() - before, MAX_LATE_LANES, "one each, in places of their own");
}

/// However many receivers take their time, to answer 200 in the end.
#[tokio::test]
async fn slow_receivers_do_not_take_the_places_of_quick_ones() {
    let post = Post::new();
    let permits = Arc::new(Semaphore::new(0));
    let slow: Vec<String> = (0..2 * MAX_LANES).map(|number| format!("s{number}")).collect();
    for name in &slow {
        post.endpoint(name, Manner::Waits(permits.clone())).await;
        post.tell(1, &[name]);
    }
    // Last in the order of names, which decides among those that are due alike.
    post.endpoint("well", Manner::Answers(200)).await;
    let mut deliverer = post.patient_deliverer();
    let mut told = 0;
    let mut tell_well = async |steps: u32| {
        post.tell(2, &["well"]);
        told += 1;
        for _ in 0..steps {
            deliverer.step(post.clock().now()).await.unwrap();
            sleep(Duration::from_millis(50)).await;
            if post.sent_to("well").len() == told {
                return;
            }
        }
        panic!("the one that is well waits for those that are slow: {}", post.sent().len());
    };
    // Nothing is known of the slow ones: they have every place, until they are seen to be slow.
    tell_well(140).await;
    permits.add_permits(slow.len());
    // What they are is remembered, though all has arrived.
    let before = post.sent().len();
    for name in &slow {
        post.tell(1, &[name]);
    }
    tell_well(20).await;
    assert!(post.sent().len() - before <= slow.len() + MAX_LATE_LANES, "{}", post.sent().len() - before);
}

#[tokio::test]
async fn what_was_sent_and_not_recorded_is_sent_again_under_its_id() {
    let post = Post::new();
    post.endpoint("a", Manner::Answers(200)).await;
    post.tell(1, &["a"]);
    let mut killed = post.deliverer();
    killed.step(post.clock().now()).await.unwrap();
    killed.landing().await;
    drop(killed);
    assert_eq!(post.deliver(&mut post.deliverer()).await, None);
    assert_eq!(post.sent_to("a"), ["msg_000000000001", "msg_000000000001"]);
    assert_eq!(post.deliveries("a").await[0].attempts, 1, "as far as anybody knows");
}

#[tokio::test]
async fn what_cannot_be_recorded_is_not_sent_again() {
    let post = Post::new();
    post.endpoint("a", Manner::Answers(200)).await;
    post.tell(1, &["a"]);
    let raw = post.backdoor();
    raw.execute_batch(
        "CREATE TRIGGER sick BEFORE UPDATE ON deliveries BEGIN SELECT RAISE(ABORT, 'sick'); END",
    )
    .unwrap();
    let mut deliverer = post.deliverer();
    deliverer.step(post.clock().now()).await.unwrap();
    deliverer.landing().await;
    for _ in 0..3 {
        deliverer.step(post.clock().now()).await.unwrap_err();
    }
    raw.execute_batch("DROP TRIGGER sick").unwrap();
    assert_eq!(post.deliver(&mut deliverer).await, None);
    assert_eq!(post.sent_to("a"), ["msg_000000000001"]);
    assert_eq!(post.deliveries("a").await[0].state, DeliveryState::Delivered);
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_asked_nothing_more() {
    let post = Post::new();
    post.endpoint("gone", Manner::Answers(410)).await;
    for whose in [1, 1, 2] {
        post.tell(whose, &["gone"]);
    }
    assert_eq!(post.deliver(&mut post.deliverer()).await, None);
    assert!(post.sent_to("gone").len() <= 2, "one for each tenant at most: {:?}", post.sent());
    let endpoint = post.store.endpoint("gone".to_owned()).await.unwrap().unwrap();
    assert_eq!(endpoint.disabled_reason.as_deref(), Some("it answered 410 Gone"));
    post.tell(3, &["gone"]);
    assert_eq!(post.deliver(&mut post.deliverer()).await, None);
    assert!(post.sent_to("gone").len() <= 2);
}

#[tokio::test]
async fn what_becomes_of_an_endpoint_counts_from_the_next_letter_on() {
    for (change, signatures) in [
        ("DELETE FROM endpoints", &[1][..]),
        ("UPDATE endpoints SET disabled_at = 1", &[1]),
        // The old secret signs too, until then.
        ("UPDATE endpoints SET old_secret = 'whsec_BBBB', old_secret_until = 9e17", &[1, 2, 2]),
        ("UPDATE endpoints SET old_secret = 'whsec_BBBB', old_secret_until = 0", &[1, 1, 1]),
        ("UPDATE deliveries SET due_at = NULL WHERE notice = 2", &[1, 1]),
    ] {
        let post = Post::new();
        let permits = Arc::new(Semaphore::new(0));
        post.endpoint("a", Manner::Waits(permits.clone())).await;
        for _ in 0..3 {
            post.tell(1, &["a"]);
        }
        let mut deliverer = post.deliverer();
        deliverer.step(post.clock().now()).await.unwrap();
        while post.sent().is_empty() {
            tokio::task::yield_now().await;
        }
        post.backdoor().execute(change, []).unwrap();
        permits.add_permits(3);
        timeout(PATIENCE, post.deliver(&mut deliverer)).await.unwrap();
        assert_eq!(post.signed(), signatures, "{change}: {:?}", post.sent());
    }
}

#[tokio::test]
async fn a_carrier_that_panics_fails_one_attempt() {
    let post = Post::new();
    post.endpoint("bad", Manner::Panics).await;
    post.endpoint("good", Manner::Answers(200)).await;
    post.tell(1, &["bad", "good"]);
    assert_eq!(post.deliver(&mut post.deliverer()).await, Some(NOW.plus_seconds(300)));
    assert_eq!(post.deliveries("bad").await[0].error.as_deref(), Some("sending it panicked"));
    assert_eq!(post.deliveries("good").await[0].state, DeliveryState::Delivered);
}

#[tokio::test]
async fn what_cannot_be_written_is_not_sent_and_the_attempt_says_why() {
    for (damage, words) in [
        ("UPDATE notices SET data = 'nothing' WHERE seq = 1", "this notice cannot be read where it is kept"),
        ("UPDATE endpoints SET secret = 'whsec_?'", "the secret of this endpoint cannot be read: roll it"),
    ] {
        let post = Post::new();
        post.endpoint("a", Manner::Answers(200)).await;
        post.tell(1, &["a"]);
        post.backdoor().execute(damage, []).unwrap();
        assert_eq!(post.deliver(&mut post.deliverer()).await, Some(NOW.plus_seconds(300)), "{damage}");
        assert_eq!(post.deliveries("a").await[0].error.as_deref(), Some(words));
        assert_eq!(post.sent(), [""; 0], "{damage}");
    }
}

#[tokio::test]
async fn the_loop_wakes_up_when_the_store_signals_and_stops_when_told() {
    let post = Post::new();
    post.endpoint("a", Manner::Answers(200)).await;
    post.endpoint("hangs", Manner::Hangs).await;
    let mut deliverer = post.deliverer();
    let (stop, stopped) = oneshot::channel::<()>();
    let looping = tokio::spawn(async move {
        deliverer.run(async { drop(stopped.await) }).await;
    });
    for seq in 1..=3 {
        // It sleeps: only the signal wakes it up.
        sleep(Duration::from_millis(50)).await;
        post.tell(1, &["a"]);
        post.signal().await;
        let arrived = async {
            while post.deliveries("a").await.iter().any(|row| row.state == DeliveryState::Pending) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, arrived).await.unwrap_or_else(|_| panic!("{seq} was not recorded"));
    }
    post.tell(1, &["hangs"]);
    post.signal().await;
    sleep(Duration::from_millis(50)).await;
    stop.send(()).unwrap();
    timeout(PATIENCE, looping).await.expect("the loop does not stop").unwrap();
    assert_eq!(post.deliveries("hangs").await[0].attempts, 1, "what was under way ended, and is recorded");
}
