//! Sixty-four clients on bad lines race for the last credits of one tenant, while the service is up and
//! while it is killed. In the end exactly as many credits were spent as there were, each client has the one
//! answer of its command, and the books say the same.
//!
//! Not here: what requests may look like, and holds that run out of time, which takes a clock that tests
//! can set (`crates/web/tests/router`).

mod client;
mod till;

use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use client::{Client, Line};
use e2e::http::Answer;
use e2e::random::Random;
use till::{audited, commands, history, open};

const SEED: u64 = 20_261_124;
const CLIENTS: usize = 64;

/// Every client does its work, all beginning at once; what each of them found, in their order.
fn race<T: Send>(line: &Line, key: &str, seed: u64, work: impl Fn(usize, &mut Client) -> T + Sync) -> Vec<T> {
    println!("seed {seed}");
    let begin = Barrier::new(CLIENTS);
    thread::scope(|scope| {
        let (begin, work) = (&begin, &work);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                scope.spawn(move || {
                    let random = Random(seed.wrapping_mul(CLIENTS as u64).wrapping_add(number as u64));
                    let mut client = Client { line, key, random };
                    begin.wait();
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

/// The answer but for what differs between any two: what is true of the command for ever.
fn lasting(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    (answer.status, format!("{}{}", body["data"], body["error"]))
}

/// Whether the command was done; anything but that and a lack of credits is a fault.
fn done(answer: &Answer) -> bool {
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
        let line = Line::to(service.address);
        let name = |number: usize| format!("client-{number}");
        let answers = race(&line, &key, seed, |number, client| spend(client, &name(number)));
        println!("{credits} credits: cut {:?} times in, before, and after", line.cuts());
        assert!(line.cuts().iter().all(|cuts| *cuts > 10), "every kind of cut happened");

        let winners: BTreeSet<_> = (0..CLIENTS).filter(|number| done(&answers[*number])).map(name).collect();
        assert_eq!(winners.len(), credits as usize, "seed {seed}");
        let again = race(&line, &key, seed + 100, |number, client| spend(client, &name(number)));
        for (first, again) in answers.iter().zip(&again) {
            assert_eq!(lasting(first), lasting(again), "seed {seed}");
            assert!(again.head.contains("idempotency-replayed: true"), "{}", again.head);
        }
        let history = history(&service);
        assert_eq!(commands(&history, &["spent"]), winners, "seed {seed}");
        audited(&deployment);
        assert_eq!(service.stop().code, Some(0));
        audited(&deployment);
    }
}

/// Killed where it stands, several times, in the middle of the race.
#[test]
fn killed_in_the_middle_it_still_spends_each_credit_once() {
    const SPENDS: usize = 8;
    const CREDITS: u32 = 200;
    let (deployment, service, key) = open(CREDITS);
    let line = Line::to(service.address);
    let names = |number: usize| (0..SPENDS).map(move |spend| format!("client-{number}-{spend}"));
    let finished = AtomicUsize::new(0);
    let (answers, service) = thread::scope(|scope| {
        let racing = scope.spawn(|| {
            race(&line, &key, SEED + 2, |number, client| {
                let answers: Vec<_> = names(number).map(|name| spend(client, &name)).collect();
                finished.fetch_add(1, Ordering::Relaxed);
                answers
            })
        });
        let (mut random, mut service) = (Random(SEED + 2), service);
        let mut kills = 0;
        while kills < 5 && finished.load(Ordering::Relaxed) < CLIENTS / 2 {
            thread::sleep(Duration::from_millis(30 + random.below(120) as u64));
            service.kill();
            service = deployment.serve();
            line.moved(service.address);
            kills += 1;
        }
        println!("killed {kills} times");
        assert!(kills >= 2, "it was quicker than the killer");
        (racing.join().expect("no client panics"), service)
    });
    let of = |number: usize, answers: &[Answer]| -> Vec<String> {
        names(number).zip(answers).filter(|(_, answer)| done(answer)).map(|(name, _)| name).collect()
    };
    let winners: BTreeSet<_> =
        answers.iter().enumerate().flat_map(|(number, answers)| of(number, answers)).collect();
    assert_eq!(winners.len(), CREDITS as usize, "seed {}", SEED + 2);
    let again = race(&line, &key, SEED + 102, |number, client| {
        names(number).map(|name| spend(client, &name)).collect::<Vec<_>>()
    });
    for (first, again) in answers.iter().flatten().zip(again.iter().flatten()) {
        assert_eq!(lasting(first), lasting(again), "seed {}", SEED + 2);
    }
    assert_eq!(commands(&history(&service), &["spent"]), winners);
    audited(&deployment);
}

/// Two captures and a release race for each of many holds: one of the three wins.
#[test]
fn a_hold_ends_once_whoever_is_first() {
    const HOLDS: usize = CLIENTS / 3;
    let (deployment, service, key) = open(40);
    let line = Line::to(service.address);
    let holds: Vec<String> = (0..HOLDS)
        .map(|number| {
            let mut client = Client { line: &line, key: &key, random: Random(SEED + number as u64) };
            let made = client.ask("/api/credits/holds", &format!("hold-{number}"), r#"{"credits":2}"#);
            // The last of them found nothing left.
            if made.status == 201 { text(&made, "id") } else { String::new() }
        })
        .filter(|id| !id.is_empty())
        .collect();
    assert_eq!(holds.len(), 20);
    let answers = race(&line, &key, SEED + 3, |number, client| {
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
    let balance = service.balance(till::TENANT);
    assert_eq!((&balance["available"], &balance["held"]), (&left.into(), &0.into()));
    audited(&deployment);
}

/// Every client holds, then captures or gives up, over and over, while the service is killed.
#[test]
fn killed_between_hold_and_capture_nothing_is_lost_or_spent_twice() {
    const ROUNDS: usize = 6;
    let (deployment, service, key) = open(100);
    let line = Line::to(service.address);
    let (finished, seed) = (AtomicUsize::new(0), SEED + 4);
    let (counts, service) = thread::scope(|scope| {
        let racing = scope.spawn(|| {
            race(&line, &key, seed, |number, client| {
                let captured = (0..ROUNDS).filter(|round| hold_and_end(client, number, *round)).count();
                finished.fetch_add(1, Ordering::Relaxed);
                captured
            })
        });
        let (mut random, mut service) = (Random(seed), service);
        for _ in 0..3 {
            thread::sleep(Duration::from_millis(30 + random.below(120) as u64));
            service.kill();
            service = deployment.serve();
            line.moved(service.address);
        }
        (racing.join().expect("no client panics"), service)
    });
    let captured: usize = counts.iter().sum();
    println!("{captured} captured");
    let history = history(&service);
    assert_eq!(commands(&history, &["captured"]).len(), captured, "seed {seed}");
    let balance = service.balance(till::TENANT);
    let left = 100 - i64::try_from(captured).expect("a hundred at most");
    assert_eq!((&balance["available"], &balance["held"]), (&left.into(), &0.into()), "seed {seed}");
    audited(&deployment);
}

/// Whether a credit was spent in the end.
fn hold_and_end(client: &mut Client, number: usize, round: usize) -> bool {
    let name = |verb: &str| format!("{verb}-{number}-{round}");
    let made = client.ask("/api/credits/holds", &name("hold"), r#"{"credits":1}"#);
    if made.status != 201 {
        return done(&made);
    }
    let verb = if (number + round).is_multiple_of(2) { "capture" } else { "release" };
    let ended = client.ask(&format!("/api/credits/holds/{}/{verb}", text(&made, "id")), &name(verb), "{}");
    done(&ended) && verb == "capture"
}

fn text(answer: &Answer, field: &str) -> String {
    answer.json()["data"][field].as_str().expect("text").to_owned()
}
