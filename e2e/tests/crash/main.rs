//! The service is killed two hundred times while Stripe delivers to it, and started again on the same
//! database. Whatever it ever answered with 2xx is there, and in the end every balance is what the stories
//! are worth, whichever deliveries were lost, repeated or out of order.
//!
//! Not here: a machine that loses power, which no signal can imitate (`synchronous=FULL` is for that).

mod books;
mod outbox;

use std::thread;
use std::time::Duration;

use books::{Books, audited};
use e2e::deployment::Deployment;
use e2e::random::Random;
use outbox::{Outbox, purchase};
use stripe::story::Story;

const SEED: u64 = 20_260_314;
const KILLS: u32 = 200;
const DELIVERERS: usize = 8;
/// How long a round lasts at most, in milliseconds, before the service is killed.
const ROUND_MAX: usize = 120;
/// How long a start lasts at most, in milliseconds, where the service is killed while it starts.
const START_MAX: usize = 40;

#[test]
fn killed_two_hundred_times_under_load_it_keeps_every_promise() {
    let deployment = Deployment::default();
    let mut random = Random(SEED);
    let outbox = Outbox::new(420, &mut random);
    for kill in 0..KILLS {
        // One start in eight dies before it is ready: then the next one finds a database half recovered.
        if kill % 8 == 7 {
            let starting = deployment.start("serve");
            pause(random.below(START_MAX));
            starting.kill();
            continue;
        }
        let service = deployment.serve();
        let lost = Books::of(&service).missing(&outbox.acknowledged_last());
        assert_eq!(lost, [""; 0], "acknowledged, and not there after kill {kill} (seed {SEED})");
        let (address, outbox) = (service.address, &outbox);
        thread::scope(|scope| {
            for _ in 0..DELIVERERS {
                scope.spawn(move || outbox.deliver_until_killed(address));
            }
            pause(random.below(ROUND_MAX));
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
    audited(&deployment);
    assert_eq!(service.stop().code, Some(0), "it ends when it is asked to");
    audited(&deployment);
}

/// The checks themselves: they find what was never sent, what is worth less, and what was told too often.
#[test]
fn the_checks_go_red() {
    let deployment = Deployment::default();
    let service = deployment.serve();
    let mut outbox = Outbox::empty();
    outbox.add(Story::PartialRefund, purchase(0));
    outbox.deliver_the_rest(service.address);
    service.settle();
    let books = Books::of(&service);
    assert_eq!(books.faults(&outbox), [""; 0]);
    assert_eq!(books.missing(&outbox.acknowledged_last()), [""; 0]);
    assert_eq!(books.missing(&["evt_never_sent"]), ["evt_never_sent"]);

    // Another payment of the same tenant, of which nothing was ever delivered.
    outbox.add(Story::Purchase, purchase(1));
    let faults = books.faults(&outbox);
    let found = |text: &str| assert!(faults.iter().any(|fault| fault.contains(text)), "{faults:#?}");
    found("evt_sale1_paid_checkout_session_completed is not there");
    found("is worth");
    found("events, and");

    // One delivery that this outbox does not know of.
    assert_eq!(service.deliver(&outbox.body(0)), 200);
    let faults = books.faults(&outbox);
    assert!(faults.iter().any(|fault| fault.contains("delivered 2 times")), "{faults:#?}");
}

fn pause(milliseconds: usize) {
    thread::sleep(Duration::from_millis(milliseconds as u64));
}
