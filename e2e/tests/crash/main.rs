//! The service is killed 200 times during deliveries, and restarted on the same database. Everything that it
//! acknowledged is stored, and in the end every balance is what the scenarios are worth, although deliveries
//! were lost, repeated and out of order.
//!
//! This does not test power failures, which signals cannot simulate (`synchronous=FULL` is for them).

mod books;
mod outbox;

use std::thread;
use std::time::Duration;

use books::{Books, assert_audited};
use e2e::deployment::Deployment;
use emulator::scenario::Scenario;
use outbox::Outbox;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

const SEED: u64 = 20_260_314;
const KILLS: u32 = 200;
const DELIVERERS: usize = 8;
/// Maximum time of a round in milliseconds, before the service is killed.
const MAX_ROUND: u64 = 120;
/// Maximum time in milliseconds before the service is killed, if that happens during its start.
const MAX_START: u64 = 40;

#[test]
fn acknowledged_events_survive_200_kills_under_load() {
    let deployment = Deployment::default();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(SEED);
    let outbox = Outbox::new(420, &mut random);
    for kill in 0..KILLS {
        // One start in eight is killed before it is ready, so that the next one has to recover again.
        if kill % 8 == 7 {
            let starting = deployment.start("serve");
            pause(random.random_range(0..MAX_START));
            starting.kill();
            continue;
        }
        let service = deployment.serve();
        let lost = Books::of(&service).missing(&outbox.acknowledged_last());
        assert_eq!(lost, [""; 0], "acknowledged, and missing after kill {kill} (seed {SEED})");
        let (address, outbox) = (service.address, &outbox);
        thread::scope(|scope| {
            for _ in 0..DELIVERERS {
                scope.spawn(move || outbox.deliver_until_killed(address));
            }
            pause(random.random_range(0..MAX_ROUND));
            service.kill();
        });
    }
    let service = deployment.serve();
    thread::scope(|scope| {
        for _ in 0..DELIVERERS {
            scope.spawn(|| outbox.deliver_the_rest(service.address));
        }
    });
    service.settle();
    println!("{KILLS} kills, {outbox}");
    let faults = Books::of(&service).faults(&outbox);
    assert!(faults.is_empty(), "seed {SEED}:\n{}", faults.join("\n"));
    assert_audited(&deployment);
    assert_eq!(service.stop().code, Some(0), "it did not stop in order");
    assert_audited(&deployment);
}

/// The checks find missing events, wrong balances and unknown deliveries.
#[test]
fn the_checks_can_fail() {
    let deployment = Deployment::default();
    let service = deployment.serve();
    let mut outbox = Outbox::empty();
    outbox.add(Scenario::PartialRefund, 0);
    outbox.deliver_the_rest(service.address);
    service.settle();
    let books = Books::of(&service);
    assert_eq!(books.faults(&outbox), [""; 0]);
    assert_eq!(books.missing(&outbox.acknowledged_last()), [""; 0]);
    assert_eq!(books.missing(&["evt_never_sent"]), ["evt_never_sent"]);

    // Another payment of the same tenant, none of whose events was delivered.
    outbox.add(Scenario::Purchase, 1);
    let faults = books.faults(&outbox);
    let found = |text: &str| assert!(faults.iter().any(|fault| fault.contains(text)), "{faults:#?}");
    found("evt_sale1_paid_checkout_session_completed is missing");
    found("the balance of");
    found("events, and");

    // A delivery that the outbox did not count.
    assert_eq!(service.deliver(&outbox.body(0)), 200);
    let faults = books.faults(&outbox);
    assert!(faults.iter().any(|fault| fault.contains("counts 2 deliveries")), "{faults:#?}");
}

fn pause(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}
