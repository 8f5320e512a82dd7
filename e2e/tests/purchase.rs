//! Purchases of packages with the real program and the emulator: one checkout per key, even if the service is
//! killed.
//!
//! Cases that need no second process are in `crates/web/tests/router/purchase.rs`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use e2e::deployment::Deployment;
use e2e::http::{self, Answer, Connection, Request};
use e2e::process::Process;
use serde_json::{Value, json};

const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";
const STRIPE_KEY: &str = "sk_test_emulator";
const BODY: &str =
    r#"{"package":"25_credits","success_url":"https://shop.example/?s={CHECKOUT_SESSION_ID}"}"#;
const CATALOGUE: &str = "
[[packages]]
name = \"25_credits\"
title = \"A quarter of a hundred\"
credits = 25
price = 57500
currency = \"eur\"
";

fn send(address: SocketAddr, method: &str, path: &str, fields: &[(&str, &str)], body: &str) -> Answer {
    http::send(address, Request { method, path, fields, body: body.as_bytes() })
}

/// Retrieves an object from the emulator's Stripe API.
fn retrieve(emulator: SocketAddr, path: &str) -> Value {
    let bearer = format!("Bearer {STRIPE_KEY}");
    let answer = send(emulator, "GET", path, &[("authorization", &bearer)], "");
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}

/// The text after `before` on a screen, up to the next space or quote.
fn after<'t>(screen: &'t str, before: &str) -> &'t str {
    let (_, rest) = screen.split_once(before).unwrap_or_else(|| panic!("no `{before}` in:\n{screen}"));
    rest.split([' ', '\'', '\n']).next().unwrap_or_default()
}

#[test]
fn a_paid_package_is_granted() {
    let deployment = Deployment::empty().with("FAIREPLACE_LISTEN", "127.0.0.1:0");
    let service = deployment.dev();
    let screen = service.screen();
    let emulator: SocketAddr = after(&screen, "Stripe emulator at http://").parse().expect("an address");
    let key = after(&screen, "FAIREPLACE_KEY=").to_owned();
    let ask = |path: &str| service.ask("GET", path, Some(&key), "").json()["data"].take();

    let names: Vec<_> = ask("/api/credits/packages").as_array().expect("a list").clone();
    let names: Vec<_> = names.iter().map(|package| package["package"].as_str().unwrap_or_default()).collect();
    assert_eq!(names, ["1_credit", "5_credits", "10_credits", "25_credits", "50_credits"]);

    let bought = service.command("/api/credits/purchase", &key, "order-1", BODY);
    assert_eq!(bought.status, 201, "{bought:?}");
    let first = bought.json()["data"].take();
    let again = service.command("/api/credits/purchase", &key, "order-1", BODY);
    assert!(again.head.to_lowercase().contains("idempotency-replayed: true"), "{}", again.head);
    assert_eq!(again.json()["data"], first);
    let session = first["session_id"].as_str().expect("an id");
    let payment = |name: &str| ask(&format!("/api/payments/{name}"));
    assert_eq!(payment(session)["status"], "pending");
    assert_eq!(payment(session)["purchase"]["checkout_url"], first["checkout_url"]);

    let paid = r#"{"card":"4242424242424242"}"#;
    let pay = send(emulator, "POST", &format!("/_emulator/sessions/{session}/pay"), &[], paid);
    assert_eq!(pay.status, 200, "{pay:?}");
    send(emulator, "GET", "/_emulator/settled", &[], "");
    service.settle();
    assert_eq!(ask("/api/credits/balance")["available"], 10 + 25, "`dev` bought ten");
    let granted = payment(first["purchase_id"].as_str().expect("an id"));
    assert_eq!((&granted["status"], &granted["amount_paid"]), (&"final".into(), &57_500.into()), "{granted}");
    let opened = granted["timeline"][0]["text"].as_str().expect("words");
    assert!(opened.starts_with("checkout was opened by POST /api/credits/purchase"), "{granted}");
    assert_eq!(service.get("/api/admin/status")["data"]["quarantined"], 0);

    let terms = json!({ "tenant_id": TENANT, "package": "25_credits", "credits": "25" });
    let made = retrieve(emulator, &format!("/v1/checkout/sessions/{session}?expand[]=payment_intent"));
    assert_eq!(made["metadata"], terms, "on the session");
    assert_eq!(made["payment_intent"]["metadata"], terms, "and on the payment intent");
    assert_eq!(made["client_reference_id"], first["purchase_id"]);
}

/// Starts an emulator; returns its process and address.
fn emulator(folder: &Deployment) -> (Process, SocketAddr) {
    let started = folder.start("emulate --listen 127.0.0.1:0").wait_for(|process| {
        let screen = process.stdout();
        let (_, rest) = screen.lines().find(|line| line.starts_with("emulate"))?.split_once("http://")?;
        rest.split_whitespace().next()?.parse().ok()
    });
    started.unwrap_or_else(|ended| panic!("the emulator ended early:\n{ended}"))
}

/// A proxy in front of the emulator that can drop answers: requests take effect, and their sender gets no
/// answer.
struct LossyProxy {
    address: SocketAddr,
    drops: Arc<AtomicBool>,
    /// Number of dropped pieces of answers.
    dropped: Arc<AtomicU32>,
}

impl LossyProxy {
    fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (drops, dropped) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (drop, count) = (drops.clone(), dropped.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(target).expect("the emulator listens");
                let mut requests = client.try_clone().expect("a socket");
                let target = server.try_clone().expect("a socket");
                thread::spawn(move || forward(&mut requests, target, |_| true));
                let (drop, count) = (drop.clone(), count.clone());
                thread::spawn(move || {
                    let mut server = server;
                    forward(&mut server, client, |_| {
                        let dropped = drop.load(Ordering::SeqCst);
                        count.fetch_add(u32::from(dropped), Ordering::SeqCst);
                        !dropped
                    });
                });
            }
        });
        Self { address, drops, dropped }
    }
}

/// Forwards bytes until either side closes. `passes` decides about each piece.
fn forward(from: &mut TcpStream, mut to: TcpStream, passes: impl Fn(&[u8]) -> bool) {
    let mut buffer = [0; 8192];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if passes(&buffer[..count]) && to.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}

#[test]
fn a_purchase_continues_with_the_same_checkout_after_a_kill() {
    let folder = Deployment::empty();
    let (_emulator, emulator) = emulator(&folder);
    let proxy = LossyProxy::to(emulator);
    let deployment = Deployment::default()
        .with_file("faireplace.toml", CATALOGUE)
        .with("STRIPE_SECRET_KEY", STRIPE_KEY)
        .with("STRIPE_API_BASE", &format!("http://{}", proxy.address));
    let service = deployment.serve();
    let path = format!("/api/credits/purchase?tenant_id={TENANT}");

    proxy.drops.store(true, Ordering::SeqCst);
    let (address, backend) = (service.address, service.service_key());
    let key = backend.clone();
    let asking = thread::spawn({
        let path = path.clone();
        move || {
            let bearer = format!("Bearer {key}");
            let fields = [("authorization", bearer.as_str()), ("idempotency-key", "order-1")];
            let request = Request { method: "POST", path: &path, fields: &fields, body: BODY.as_bytes() };
            Connection::open(address).and_then(|mut connection| connection.send(request))
        }
    });
    for _ in 0..1_000 {
        if proxy.dropped.load(Ordering::SeqCst) > 0 {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    let sessions = || retrieve(emulator, "/v1/checkout/sessions?limit=100")["data"].take();
    let made = sessions()[0]["id"].clone();
    assert!(made.is_string(), "no session was created");
    service.kill();
    assert!(asking.join().expect("the client does not panic").is_err(), "an answer arrived");

    proxy.drops.store(false, Ordering::SeqCst);
    let service = deployment.serve();
    let key = backend;
    let bought = service.command(&path, &key, "order-1", BODY);
    assert_eq!(bought.status, 201, "{bought:?}");
    assert_eq!(bought.json()["data"]["session_id"], made, "another session");
    assert_eq!(sessions().as_array().map(Vec::len), Some(1));
    let reused = service.command(&path, &key, "order-1", &BODY.replace("shop", "other"));
    assert_eq!((reused.status, &reused.json()["error"]["type"]), (409, &"IDEMPOTENCY_KEY_REUSED".into()));
}

#[test]
fn failures_at_stripe_are_reported_without_the_key() {
    let folder = Deployment::empty();
    let (_emulator, emulator) = emulator(&folder);
    let base = format!("http://{emulator}");
    let rows = [
        ("sk_test_Hid9den", base.as_str(), "STRIPE_REFUSED", "rejected this deployment's key"),
        (
            "sk_test_Hid9den",
            "http://127.0.0.1:1",
            "STRIPE_UNREACHABLE",
            "retry with the same Idempotency-Key",
        ),
    ];
    for (key, base, kind, words) in rows {
        let deployment = Deployment::default()
            .with_file("faireplace.toml", CATALOGUE)
            .with("STRIPE_SECRET_KEY", key)
            .with("STRIPE_API_BASE", base);
        let service = deployment.serve();
        let path = format!("/api/credits/purchase?tenant_id={TENANT}");
        let answer = service.command(&path, &service.service_key(), "order-1", BODY);
        assert_eq!((answer.status, &answer.json()["error"]["type"]), (502, &kind.into()), "{answer:?}");
        assert!(answer.body.contains(words), "{answer:?}");
        let output = format!("{}{}{}", answer.body, service.log(), service.screen());
        assert!(!output.contains("Hid9den"), "{output}");
    }
}

#[test]
fn unusable_stripe_keys_stop_the_start() {
    for (mode, key) in [
        ("live", "sk_test_Hid9den"),
        ("live", STRIPE_KEY),
        ("live", "rk_test_Hid9den"),
        ("test", "sk_live_Hid9den"),
        ("test", "rk_live_Hid9den"),
        ("test", "pk_test_Hid9den"),
        ("test", "whsec_Hid9den"),
        ("test", "sk_test_"),
        ("test", "sk_test_your_key_Hid9den"),
        ("live", "rk_live_replace_me_Hid9den"),
        ("live", "sk_live_xxxxxxxxHid9den"),
        ("test", ""),
    ] {
        let deployment = Deployment::default().with("FAIREPLACE_MODE", mode).with("STRIPE_SECRET_KEY", key);
        let ended = deployment.run("serve");
        assert_eq!(ended.code, Some(78), "{key} in {mode} mode: {ended}");
        assert!(ended.stderr.contains("STRIPE_SECRET_KEY"), "{ended}");
        assert!(!ended.to_string().contains("Hid9den"), "{ended}");
        assert!(!deployment.path("faireplace.db").exists(), "a database was created");
    }
}
