//! Strangers who need no key: however many connections, bodies and requests they make, signed deliveries are
//! acknowledged, health answers, and memory stays bounded.
//!
//! No time is asserted: a delivery has the 20 seconds that Stripe gives it. What it took is printed.
//! These tests take the whole machine, so one lock keeps them apart.

mod attack;
mod proxy;

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use attack::{Attack, Client};
use e2e::deployment::{Deployment, SECRET};
use e2e::http::{Answer, Connection, Request};
use e2e::sale::{TENANT, paid};
use e2e::service::Service;
use proxy::Proxy;
use stripe::Secret;
use stripe::signature::sign;

/// Deliveries during one attack.
const DELIVERIES: u32 = 40;
/// The memory that design section 8 allows under 1,000 hostile connections, in MiB.
const MEMORY: u64 = 128;
/// And under 4,000.
const MEMORY_UNDER_ALL: u64 = 192;

/// Bodies that fill the memory.
const BODIES: &[(Client, usize)] = &[(Client::Forged(1024 * 1024), 1000)];
/// As large as a body may be that needs no place among the large ones.
const SMALL_BODIES: &[(Client, usize)] = &[(Client::Forged(64 * 1024), 1000)];
/// Connections that do nothing.
const SLOW: &[(Client, usize)] = &[
    (Client::Silent, 750),
    (Client::SlowHead, 750),
    (Client::SlowBody(1000), 600),
    // More than a proxy keeps of a body before it passes it on.
    (Client::SlowBody(60_000), 150),
    (Client::Idle, 750),
];
/// Requests that are logged.
const UNSIGNED: &[(Client, usize)] = &[(Client::Unsigned, 8)];

fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Delivers one event on a connection of its own, as Stripe does; answers how long that took.
fn deliver(to: SocketAddr, number: u32) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "how long it took is printed, and nothing depends on it")]
    let started = Instant::now();
    let body = paid(&format!("sale{number}"));
    let answer = attempt(to, &body).unwrap_or_else(|error| panic!("delivery {number} failed: {error}"));
    assert_eq!(answer.status, 200, "delivery {number}: {}", answer.body);
    started.elapsed()
}

/// Delivers one event that is large. It may be refused, as strangers' bodies are, and is sent again; answers
/// how often it was sent.
fn deliver_large(to: SocketAddr) -> usize {
    let body = paid("large") + &" ".repeat(100_000);
    let sent = (1..200).find(|_| attempt(to, &body).is_ok_and(|answer| answer.status == 200));
    sent.expect("no large event gets through")
}

fn attempt(to: SocketAddr, body: &str) -> std::io::Result<Answer> {
    let signature = sign(body.as_bytes(), e2e::now(), &[Secret::parse(SECRET).expect("ours")]);
    let fields = [("stripe-signature", signature.as_str())];
    let request =
        Request { method: "POST", path: "/webhooks/stripe", fields: &fields, body: body.as_bytes() };
    Connection::open(to).and_then(|mut connection| connection.send(request))
}

/// Delivers events while `clients` attack, and expects each to be acknowledged and applied once.
fn check(name: &str, service: &Service, target: SocketAddr, clients: &[&[(Client, usize)]], memory_max: u64) {
    let attack = Attack::start(target, &clients.concat());
    // Whoever is slow needs a moment to be many.
    thread::sleep(Duration::from_secs(3));
    let mut took = Vec::new();
    for number in 0..DELIVERIES {
        took.push(deliver(target, number));
        let health = service.ask("GET", "/api/health", None, "");
        assert_eq!(health.status, 200, "{name}: {}", health.body);
        thread::sleep(Duration::from_millis(50));
    }
    let sent = deliver_large(target);
    took.sort();
    let (median, most) = (took[took.len() / 2], took[took.len() - 1]);
    let (connections, memory) = (attack.connections(), service.peak_memory_kib() / 1024);
    drop(attack);
    println!(
        "{name}: {DELIVERIES} deliveries acknowledged, median {median:?}, longest {most:?}; a large \
         one sent {sent} times; {connections} hostile connections; {memory} MiB at most"
    );
    assert!(memory <= memory_max, "{name}: {memory} MiB resident");
    assert!(connections >= 500, "{name}: the attack did not take place");
    service.settle();
    assert_eq!(service.balance(TENANT)["available"], 10 * (DELIVERIES + 1), "{name}");
}

#[test]
fn bodies_of_strangers_do_not_fill_the_memory() {
    let _alone = alone();
    for (name, bodies) in [("1,000 forged mebibytes", BODIES), ("1,000 forged 64 KiB", SMALL_BODIES)] {
        let deployment = Deployment::default();
        let service = deployment.serve();
        check(name, &service, service.address, &[bodies], MEMORY);
    }
}

#[test]
fn connections_that_do_nothing_keep_nobody_out() {
    let _alone = alone();
    let deployment = Deployment::default();
    let service = deployment.serve();
    check("3,000 slow connections", &service, service.address, &[SLOW], MEMORY);
}

/// Fewer places than attackers: whoever is slow closes for whoever comes.
#[test]
fn a_service_that_may_open_few_files_takes_deliveries_all_the_same() {
    let _alone = alone();
    let deployment = Deployment::default();
    let script = format!("ulimit -n 1024 && exec {} serve", e2e::program().display());
    let service = Service::ready(&deployment, deployment.start_program("sh", &["-c", &script]));
    assert!(service.log().contains("takes few connections"), "{}", service.log());
    check("3,000 slow connections, 768 places", &service, service.address, &[SLOW], MEMORY);
}

#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    let _alone = alone();
    let deployment = Deployment::default();
    let service = deployment.serve();
    service.stop_reading();
    let attack = Attack::start(service.address, UNSIGNED);
    thread::sleep(Duration::from_secs(2));
    for number in 0..DELIVERIES {
        deliver(service.address, number);
    }
    drop(attack);
    service.settle();
    assert_eq!(service.balance(TENANT)["available"], 10 * DELIVERIES);
    service.terminate();
    let ended = service.stop();
    assert_eq!(ended.code, Some(0), "{ended}");
}

#[test]
fn all_attacks_together_stop_nothing() {
    let _alone = alone();
    let deployment = Deployment::default();
    let service = deployment.serve();
    service.stop_reading();
    check("all attacks", &service, service.address, &[BODIES, SLOW, UNSIGNED], MEMORY_UNDER_ALL);
}

#[test]
fn all_attacks_together_through_a_proxy_stop_nothing() {
    let _alone = alone();
    let deployment = Deployment::default().with("FAIREPLACE_TRUSTED_PROXIES", "127.0.0.1");
    let service = deployment.serve();
    service.stop_reading();
    let proxy = Proxy::start(&deployment, service.address);
    check(
        "all attacks, behind HAProxy",
        &service,
        proxy.address,
        &[BODIES, SLOW, UNSIGNED],
        MEMORY_UNDER_ALL,
    );
}
