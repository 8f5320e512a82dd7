//! Each kind of misbehaviour: always, sometimes, and repeatable by its seed. Failures of the endpoint are
//! tested in `deliveries`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use emulator::Options;
use emulator::object::Misbehaviour;

use crate::life::{SECRET, START, edit, hold, misbehave};
use crate::receiver::{Arrived, Rig, WALL, all_verify, buy, options, within};

/// The attempts in order: event, time in virtual milliseconds, copies, lost response, outside the schedule.
type Log = Vec<(String, i64, u8, bool, bool)>;

/// The attempts and arrivals of eight payments, after two days.
async fn run(misbehaviour: Misbehaviour) -> (Log, Vec<Arrived>) {
    let log = Arc::<Mutex<Log>>::default();
    let recorded = log.clone();
    let watcher: emulator::Watcher = Arc::new(move |sent, outcome| {
        if outcome.is_none() {
            let (at, how) = (sent.at_ms - START * 1_000, (sent.copies, sent.lose_answer, sent.again));
            recorded.lock().expect("no panic").push((sent.event.clone(), at, how.0, how.1, how.2));
        }
    });
    let rig = Rig::with(Options { watcher, ..options() }).await;
    rig.emulator.with(|world| misbehave(world, misbehaviour));
    for _ in 0..8 {
        rig.emulator.with(|world| buy(world, "4242424242424242"));
        rig.advance(30).await;
    }
    rig.advance(2 * 24 * 60 * 60).await;
    assert!(rig.emulator.with(|world| world.quiet() && world.next_due_ms().is_none()));
    let arrived = rig.receiver.take();
    within(rig.stop()).await;
    let log = log.lock().expect("no panic").clone();
    (log, arrived)
}

/// How often each event arrived.
fn counts(arrived: &[Arrived]) -> Vec<usize> {
    let mut counts = BTreeMap::<&str, usize>::new();
    arrived.iter().for_each(|arrived| *counts.entry(&arrived.id).or_default() += 1);
    counts.into_values().collect()
}

const EVENTS: usize = 8 * 5;

#[tokio::test]
async fn misbehaviour_at_100_percent_happens_every_time() {
    let (log, arrived) = run(Misbehaviour::default()).await;
    assert_eq!(counts(&arrived), [1; EVENTS]);
    assert!(all_verify(&arrived));
    let plain: Vec<_> = log.iter().map(|sent| sent.0.clone()).collect();

    let (_, arrived) = run(Misbehaviour { duplicate: 100, ..Misbehaviour::default() }).await;
    assert_eq!(counts(&arrived), [2; EVENTS]);

    let (_, arrived) = run(Misbehaviour { twin: 100, ..Misbehaviour::default() }).await;
    assert_eq!(counts(&arrived), [1; 2 * EVENTS], "two events for every change");

    let (_, arrived) = run(Misbehaviour { never: 100, ..Misbehaviour::default() }).await;
    assert_eq!(arrived, []);

    let (log, arrived) = run(Misbehaviour { simultaneous: 100, ..Misbehaviour::default() }).await;
    assert_eq!((log.len(), counts(&arrived)), (EVENTS, vec![2; EVENTS]));
    assert!(arrived.chunks(2).all(|pair| pair[0] == pair[1]), "the same bytes, the same signature");

    let (log, arrived) = run(Misbehaviour { lost_answer: 100, ..Misbehaviour::default() }).await;
    assert_eq!(counts(&arrived), [6; EVENTS], "as often as the schedule has attempts");
    assert!(log.iter().all(|sent| sent.3));

    let disorder = Misbehaviour { disorder_seconds: 3_600, ..Misbehaviour::default() };
    let (log, arrived) = run(disorder).await;
    assert_eq!(counts(&arrived), [1; EVENTS]);
    let order: Vec<_> = log.iter().map(|sent| sent.0.clone()).collect();
    assert_ne!(order, plain);
    assert!(log.iter().all(|sent| sent.1 <= (8 * 30 + 90 + 3_600) * 1_000));

    let (log, arrived) = run(Misbehaviour { burst: 10, ..Misbehaviour::default() }).await;
    assert_eq!(counts(&arrived), [1; EVENTS]);
    let moments: std::collections::BTreeSet<_> = log.iter().map(|sent| sent.1).collect();
    assert!(moments.len() <= 8, "a burst arrives at once: {moments:?}");

    let skew = Misbehaviour { clock_skew_seconds: -3_600, ..Misbehaviour::default() };
    let (_, arrived) = run(skew).await;
    assert!(!all_verify(&arrived[..1]));
    assert!(arrived.iter().all(|arrived| arrived.verifies(SECRET, WALL - 3_600)));
}

#[tokio::test]
async fn misbehaviour_depends_on_the_seed_alone() {
    let plain = Misbehaviour::default();
    let knobs = [
        ("duplicate", Misbehaviour { duplicate: 30, ..plain }),
        ("twin", Misbehaviour { twin: 30, ..plain }),
        ("never", Misbehaviour { never: 30, ..plain }),
        ("simultaneous", Misbehaviour { simultaneous: 30, ..plain }),
        ("lost_answer", Misbehaviour { lost_answer: 30, ..plain }),
        ("disorder", Misbehaviour { disorder_seconds: 600, ..plain }),
        (
            "everything",
            Misbehaviour {
                duplicate: 30,
                twin: 30,
                never: 30,
                lost_answer: 30,
                disorder_seconds: 600,
                ..plain
            },
        ),
    ];
    for (name, knob) in knobs {
        let (first, arrived) = run(knob).await;
        let (again, _) = run(knob).await;
        assert!(first == again, "{name}: the same seed, another run");
        let (other, _) = run(Misbehaviour { seed: 99, ..knob }).await;
        assert!(first != other, "{name}: another seed, the same run");
        assert!(!arrived.is_empty());
        let extra = counts(&arrived).into_iter().filter(|count| *count > 1).count();
        match name {
            "duplicate" | "simultaneous" | "lost_answer" => {
                assert!((4..=20).contains(&extra), "{name}: {extra} of {EVENTS}");
            }
            "twin" => assert!((EVENTS + 4..=EVENTS + 20).contains(&arrived.len()), "{}", arrived.len()),
            "never" => assert!((EVENTS - 20..=EVENTS - 4).contains(&arrived.len()), "{}", arrived.len()),
            _ => {}
        }
    }
}

#[tokio::test]
async fn an_incomplete_burst_is_sent_after_a_minute() {
    let rig = Rig::start().await;
    rig.emulator.with(|world| misbehave(world, Misbehaviour { burst: 1_000, ..Default::default() }));
    rig.emulator.with(|world| buy(world, "4242424242424242"));
    rig.advance(59).await;
    assert_eq!(rig.types().len(), 0);
    rig.advance(1).await;
    assert_eq!(rig.types().len(), 4);
    // A burst that is set while deliveries wait, and removed while they are collected.
    rig.emulator.with(|world| {
        hold(world);
        misbehave(world, Misbehaviour::default());
    });
    rig.advance(100).await;
    rig.emulator.with(|world| {
        misbehave(world, Misbehaviour { burst: 1_000, ..Default::default() });
        edit(world, |saved| saved["endpoints"][0]["held"] = false.into());
    });
    rig.advance(59).await;
    assert_eq!(rig.types().len(), 0);
    rig.advance(1).await;
    assert_eq!(rig.types(), ["charge.updated"]);
    rig.emulator.with(|world| buy(world, "4242424242424242"));
    rig.advance(1).await;
    rig.emulator.with(|world| misbehave(world, Misbehaviour::default()));
    rig.advance(0).await;
    assert_eq!(rig.types().len(), 4);
}
