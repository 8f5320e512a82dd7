//! Overload by clients without a key: however many connections, bodies and requests they send, signed
//! deliveries are acknowledged, health answers, and memory stays bounded.
//!
//! Times are printed, but not asserted, except for the 20 seconds that Stripe allows. The tests need the
//! whole machine, so a lock makes them run one at a time.

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

/// Number of deliveries during an attack.
const DELIVERIES: u32 = 40;
/// Memory in MiB that design section 8 allows with 1,000 hostile connections.
const MAX_MEMORY: u64 = 128;
/// Memory in MiB that is allowed with 4,000 hostile connections.
const MAX_MEMORY_ALL: u64 = 192;

/// Large bodies, to fill the memory.
const BODIES: &[(Client, usize)] = &[(Client::Forged(1024 * 1024), 1000)];
/// The largest bodies that do not count as large.
const SMALL_BODIES: &[(Client, usize)] = &[(Client::Forged(64 * 1024), 1000)];
/// Idle and slow connections.
const SLOW: &[(Client, usize)] = &[
    (Client::Silent, 750),
    (Client::SlowHead, 750),
    (Client::SlowBody(1000), 600),
    // Larger than the part of a body that a proxy buffers.
    (Client::SlowBody(60_000), 150),
    (Client::Idle, 750),
];
/// Requests that cause log lines.
const UNSIGNED: &[(Client, usize)] = &[(Client::Unsigned, 8)];

/// Taken by each test, so that they run one at a time.
fn machine() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::new(());
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Delivers one event on a new connection, as Stripe does; returns the time it took.
fn deliver(to: SocketAddr, number: u32) -> Duration {
    #[expect(clippy::disallowed_methods, reason = "the time is printed and decides nothing")]
    let started = Instant::now();
    let body = paid(&format!("sale{number}"));
    let answer = attempt(to, &body).unwrap_or_else(|error| panic!("delivery {number} failed: {error}"));
    assert_eq!(answer.status, 200, "delivery {number}: {}", answer.body);
    started.elapsed()
}

/// Delivers a large event. It may be rejected like the attackers' bodies, and is then sent again. Returns the
/// number of attempts.
fn deliver_large(to: SocketAddr) -> usize {
    let body = paid("large") + &" ".repeat(100_000);
    let sent = (1..200).find(|_| attempt(to, &body).is_ok_and(|answer| answer.status == 200));
    sent.expect("a large event gets through")
}

fn attempt(to: SocketAddr, body: &str) -> std::io::Result<Answer> {
    let signature = sign(body.as_bytes(), e2e::now(), &[Secret::parse(SECRET).expect("a valid secret")]);
    let fields = [("stripe-signature", signature.as_str())];
    let request =
        Request { method: "POST", path: "/webhooks/stripe", fields: &fields, body: body.as_bytes() };
    Connection::open(to).and_then(|mut connection| connection.send(request))
}

/// Delivers events during an attack by `clients`; each must be acknowledged, and applied once.
fn check(name: &str, service: &Service, target: SocketAddr, clients: &[&[(Client, usize)]], max_memory: u64) {
    let attack = Attack::start(target, &clients.concat());
    // Gives the slow clients time to connect.
    thread::sleep(Duration::from_secs(3));
    let mut times = Vec::new();
    for number in 0..DELIVERIES {
        times.push(deliver(target, number));
        let health = service.ask("GET", "/api/health", None, "");
        assert_eq!(health.status, 200, "{name}: {}", health.body);
        thread::sleep(Duration::from_millis(50));
    }
    let sent = deliver_large(target);
    times.sort();
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    let (connections, memory) = (attack.connections(), service.peak_memory_kib() / 1024);
    drop(attack);
    println!(
        "{name}: {DELIVERIES} deliveries acknowledged, median {median:?}, longest {longest:?}; a large \
         one sent {sent} times; {connections} hostile connections; {memory} MiB at most"
    );
    assert!(memory <= max_memory, "{name}: {memory} MiB resident");
    assert!(connections >= 500, "{name}: the attack did not take place");
    service.settle();
    assert_eq!(service.balance(TENANT)["available"], 10 * (DELIVERIES + 1), "{name}");
}

#[test]
fn forged_bodies_do_not_fill_the_memory() {
    let _machine = machine();
    for (name, bodies) in [("1,000 forged mebibytes", BODIES), ("1,000 forged 64 KiB", SMALL_BODIES)] {
        let deployment = Deployment::default();
        let service = deployment.serve();
        check(name, &service, service.address, &[bodies], MAX_MEMORY);
    }
}

#[test]
fn slow_connections_do_not_block_deliveries() {
    let _machine = machine();
    let deployment = Deployment::default();
    let service = deployment.serve();
    check("3,000 slow connections", &service, service.address, &[SLOW], MAX_MEMORY);
}

/// With fewer places than attackers, slow connections are closed to make room.
#[test]
fn a_service_with_few_file_descriptors_accepts_deliveries() {
    let _machine = machine();
    let deployment = Deployment::default();
    let script = format!("ulimit -n 1024 && exec {} serve", e2e::program().display());
    let service = deployment.ready(deployment.start_program("sh", &["-c", &script]));
    assert!(service.log().contains("few connections are accepted"), "{}", service.log());
    check("3,000 slow connections, 768 places", &service, service.address, &[SLOW], MAX_MEMORY);
}

#[test]
fn an_unread_log_does_not_block_the_service() {
    let _machine = machine();
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
fn all_attacks_together_do_not_block_deliveries() {
    let _machine = machine();
    let deployment = Deployment::default();
    let service = deployment.serve();
    service.stop_reading();
    check("all attacks", &service, service.address, &[BODIES, SLOW, UNSIGNED], MAX_MEMORY_ALL);
}

#[test]
fn all_attacks_together_through_a_proxy_do_not_block_deliveries() {
    let _machine = machine();
    let deployment = Deployment::default().with("FAIREPLACE_TRUSTED_PROXIES", "127.0.0.1");
    let service = deployment.serve();
    service.stop_reading();
    let proxy = Proxy::start(&deployment, service.address);
    check("all attacks, behind HAProxy", &service, proxy.address, &[BODIES, SLOW, UNSIGNED], MAX_MEMORY_ALL);
}
