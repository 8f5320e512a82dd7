//! 64 clients with unreliable connections compete for the last credits of one tenant, also while the service
//! is killed. In the end exactly the available credits are spent, each command has one answer, and the
//! transactions agree.
//!
//! Expiring holds need a clock that tests can set (`crates/web/tests/router`).

mod client;
mod history;

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use client::{Client, Network};
use e2e::http::Answer;
use history::{assert_audited, commands, history, open};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt as _, SeedableRng as _};

const SEED: u64 = 20_261_124;
const CLIENTS: usize = 64;

/// Runs `work` in every client, all starting at once; returns their results in order.
fn race<T: Send>(
    network: &Network,
    key: &str,
    seed: u64,
    work: impl Fn(usize, &mut Client) -> T + Sync,
) -> Vec<T> {
    println!("seed {seed}");
    let start = Barrier::new(CLIENTS);
    thread::scope(|scope| {
        let (start, work) = (&start, &work);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                scope.spawn(move || {
                    let random = Xoshiro256PlusPlus::seed_from_u64(seed * CLIENTS as u64 + number as u64);
                    let mut client = Client { network, key, random };
                    start.wait();
                    work(number, &mut client)
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().expect("no client panics")).collect()
    })
}

fn spend(client: &mut Client, name: &str) -> Answer {
    client.ask("/api/credits/spend", name, r#"{"credits":1}"#)
}

/// The parts of an answer that every replay repeats.
fn repeatable(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    (answer.status, format!("{}{}", body["data"], body["error"]))
}

/// Whether the command succeeded. Insufficient credits are the only failure allowed.
fn succeeded(answer: &Answer) -> bool {
    match answer.status {
        200 => true,
        422 => {
            assert_eq!(answer.json()["error"]["type"], "INSUFFICIENT_CREDITS", "{}", answer.body);
            false
        }
        _ => panic!("{}", answer.body),
    }
}

#[test]
fn the_last_credits_are_spent_once() {
    for (credits, seed) in [(1, SEED), (10, SEED + 1)] {
        let (deployment, service, key) = open(credits);
        let network = Network::to(service.address);
        let name = |number: usize| format!("client-{number}");
        let answers = race(&network, &key, seed, |number, client| spend(client, &name(number)));
        println!(
            "{credits} credits: connections cut {:?} times (in the request, before the answer, in the answer)",
            network.cuts()
        );
        assert!(network.cuts().iter().all(|cuts| *cuts > 10), "a kind of cut did not happen");

        let winners: BTreeSet<_> =
            (0..CLIENTS).filter(|number| succeeded(&answers[*number])).map(name).collect();
        assert_eq!(winners.len(), credits as usize, "seed {seed}");
        let again = race(&network, &key, seed + 100, |number, client| spend(client, &name(number)));
        for (first, again) in answers.iter().zip(&again) {
            assert_eq!(repeatable(first), repeatable(again), "seed {seed}");
            assert!(again.head.contains("idempotency-replayed: true"), "{}", again.head);
        }
        let history = history(&service);
        assert_eq!(commands(&history, &["spent"]), winners, "seed {seed}");
        assert_audited(&deployment);
        assert_eq!(service.stop().code, Some(0));
        assert_audited(&deployment);
    }
}

/// The service is killed several times during the race.
#[test]
fn each_credit_is_spent_once_although_the_service_is_killed() {
    const SPENDS: usize = 8;
    const CREDITS: u32 = 200;
    let (deployment, service, key) = open(CREDITS);
    let network = Network::to(service.address);
    let names = |number: usize| (0..SPENDS).map(move |spend| format!("client-{number}-{spend}"));
    let finished = AtomicUsize::new(0);
    let (answers, service) = thread::scope(|scope| {
        let racing = scope.spawn(|| {
            race(&network, &key, SEED + 2, |number, client| {
                let answers: Vec<_> = names(number).map(|name| spend(client, &name)).collect();
                finished.fetch_add(1, Ordering::Relaxed);
                answers
            })
        });
        let (mut random, mut service) = (Xoshiro256PlusPlus::seed_from_u64(SEED + 2), service);
        let mut kills = 0;
        while kills < 5 && finished.load(Ordering::Relaxed) < CLIENTS / 2 {
            thread::sleep(Duration::from_millis(random.random_range(30..150)));
            service.kill();
            service = deployment.serve();
            network.moved(service.address);
            kills += 1;
        }
        println!("killed {kills} times");
        assert!(kills >= 2, "the race ended before the second kill");
        (racing.join().expect("no client panics"), service)
    });
    let of = |number: usize, answers: &[Answer]| -> Vec<String> {
        names(number).zip(answers).filter(|(_, answer)| succeeded(answer)).map(|(name, _)| name).collect()
    };
    let winners: BTreeSet<_> =
        answers.iter().enumerate().flat_map(|(number, answers)| of(number, answers)).collect();
    assert_eq!(winners.len(), CREDITS as usize, "seed {}", SEED + 2);
    let again = race(&network, &key, SEED + 102, |number, client| {
        names(number).map(|name| spend(client, &name)).collect::<Vec<_>>()
    });
    for (first, again) in answers.iter().flatten().zip(again.iter().flatten()) {
        assert_eq!(repeatable(first), repeatable(again), "seed {}", SEED + 2);
    }
    assert_eq!(commands(&history(&service), &["spent"]), winners);
    assert_audited(&deployment);
}

/// Two captures and a release compete for each hold; exactly one of them succeeds.
#[test]
fn a_hold_is_resolved_once() {
    const HOLDS: usize = CLIENTS / 3;
    let (deployment, service, key) = open(40);
    let network = Network::to(service.address);
    let holds: Vec<String> = (0..HOLDS)
        .map(|number| {
            let mut client = Client {
                network: &network,
                key: &key,
                random: Xoshiro256PlusPlus::seed_from_u64(SEED + number as u64),
            };
            let made = client.ask("/api/credits/holds", &format!("hold-{number}"), r#"{"credits":2}"#);
            // The credits suffice for 20 holds; the last one fails.
            if made.status == 201 { text(&made, "id") } else { String::new() }
        })
        .filter(|id| !id.is_empty())
        .collect();
    assert_eq!(holds.len(), 20);
    let answers = race(&network, &key, SEED + 3, |number, client| {
        let hold = holds.get(number / 3)?;
        let (verb, body) =
            [("capture", r#"{"credits":1}"#), ("capture", "{}"), ("release", "{}")][number % 3];
        Some(client.ask(&format!("/api/credits/holds/{hold}/{verb}"), &format!("{verb}-{number}"), body))
    });
    let (mut left, mut captured) = (0, 0);
    for of_hold in answers.chunks(3).filter(|chunk| chunk.iter().all(Option::is_some)) {
        let of_hold: Vec<_> = of_hold.iter().flatten().collect();
        let won: Vec<_> = of_hold.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(won.len(), 1, "{of_hold:#?}");
        let lost = of_hold.iter().filter(|answer| answer.status != 200);
        assert!(lost.clone().all(|answer| answer.json()["error"]["type"] == "HOLD_RESOLVED"), "{of_hold:#?}");
        let hold = &won[0].json()["data"]["hold"];
        let spent = hold["captured"].as_i64().expect("a number");
        captured += i64::from(hold["state"] == "captured");
        left += 2 - spent;
    }
    println!("{captured} of 20 captured, {left} credits left");
    let history = history(&service);
    assert_eq!(commands(&history, &["captured", "released"]).len(), 20);
    let balance = service.balance(history::TENANT);
    assert_eq!((&balance["available"], &balance["held"]), (&left.into(), &0.into()));
    assert_audited(&deployment);
}

/// Clients create holds and capture or release them, while the service is killed.
#[test]
fn holds_are_neither_lost_nor_captured_twice_although_the_service_is_killed() {
    const ROUNDS: usize = 6;
    let (deployment, service, key) = open(100);
    let network = Network::to(service.address);
    let (finished, seed) = (AtomicUsize::new(0), SEED + 4);
    let (counts, service) = thread::scope(|scope| {
        let racing = scope.spawn(|| {
            race(&network, &key, seed, |number, client| {
                let captured = (0..ROUNDS).filter(|round| hold_and_resolve(client, number, *round)).count();
                finished.fetch_add(1, Ordering::Relaxed);
                captured
            })
        });
        let (mut random, mut service) = (Xoshiro256PlusPlus::seed_from_u64(seed), service);
        for _ in 0..3 {
            thread::sleep(Duration::from_millis(random.random_range(30..150)));
            service.kill();
            service = deployment.serve();
            network.moved(service.address);
        }
        (racing.join().expect("no client panics"), service)
    });
    let captured: usize = counts.iter().sum();
    println!("{captured} captured");
    let history = history(&service);
    assert_eq!(commands(&history, &["captured"]).len(), captured, "seed {seed}");
    let balance = service.balance(history::TENANT);
    let left = 100 - i64::try_from(captured).expect("at most 100");
    assert_eq!((&balance["available"], &balance["held"]), (&left.into(), &0.into()), "seed {seed}");
    assert_audited(&deployment);
}

/// Creates a hold, and captures or releases it. Returns whether a credit was spent.
fn hold_and_resolve(client: &mut Client, number: usize, round: usize) -> bool {
    let name = |verb: &str| format!("{verb}-{number}-{round}");
    let made = client.ask("/api/credits/holds", &name("hold"), r#"{"credits":1}"#);
    if made.status != 201 {
        return succeeded(&made);
    }
    let verb = if (number + round).is_multiple_of(2) { "capture" } else { "release" };
    let ended = client.ask(&format!("/api/credits/holds/{}/{verb}", text(&made, "id")), &name(verb), "{}");
    succeeded(&ended) && verb == "capture"
}

fn text(answer: &Answer, field: &str) -> String {
    answer.json()["data"][field].as_str().expect("text").to_owned()
}
