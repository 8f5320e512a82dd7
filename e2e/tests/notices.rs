//! Notices and the live stream of the real program: they arrive in order at real receivers, although other
//! receivers misbehave and the service is killed.
//!
//! Retries and limits need a clock that tests can set (`crates/engine/tests/notify`). The official libraries
//! verify signatures in `proof`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use e2e::deployment::Deployment;
use e2e::http::Request;
use e2e::receiver::{Reaction, Receiver, Request as Notice};
use e2e::sale::{TENANT, ten_credits};
use e2e::service::Service;
use emulator::scenario::Scenario;
use serde_json::{Value, json};

/// Maximum time to wait for the next event of a stream.
const TIMEOUT: Duration = Duration::from_secs(30);

fn deployment() -> Deployment {
    Deployment::default().with("FAIREPLACE_NOTICE_HOSTS", "127.0.0.1")
}

/// Posts a command for the tenant with an idempotency key; returns the data of the answer.
fn post(service: &Service, path: &str, name: &str, body: &Value) -> Value {
    let path = format!("{path}?tenant_id={TENANT}");
    let bearer = format!("Bearer {}", service.service_key());
    let fields = [("authorization", bearer.as_str()), ("idempotency-key", name)];
    let body = body.to_string();
    let request = Request { method: "POST", path: &path, fields: &fields, body: body.as_bytes() };
    let answer = service.send(request);
    assert!((200..300).contains(&answer.status), "POST {path}: {answer:?}");
    answer.json()["data"].take()
}

fn spend(service: &Service, name: &str) {
    post(service, "/api/credits/spend", name, &json!({ "credits": 1 }));
}

/// The tenant buys ten credits.
fn buy(service: &Service, reference: &str) {
    for event in Scenario::Purchase.events(&ten_credits(reference)) {
        assert_eq!(service.deliver(&event.body), 200, "{}", event.id);
    }
    service.settle();
}

/// Creates an endpoint; returns its id.
fn endpoint(service: &Service, url: &str, types: &[&str]) -> String {
    let made = post(service, "/api/webhook-endpoints", "", &json!({ "url": url, "types": types }));
    made["endpoint"]["id"].as_str().expect("an id").to_owned()
}

/// The deliveries to an endpoint, oldest first. Waits until the oldest one is `ready`.
fn deliveries(service: &Service, endpoint: &str, ready: impl Fn(&Value) -> bool) -> Vec<Value> {
    let path = format!("/api/webhook-endpoints/{endpoint}/deliveries?sort=created_at");
    for _ in 0..3000 {
        let found = service.get(&path)["data"].as_array().expect("a list").clone();
        if found.first().is_some_and(&ready) {
            return found;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("still not ready: {}", service.get(&path));
}

fn attempted(delivery: &Value) -> bool {
    delivery["attempts"] != 0
}

fn body(notice: &Notice) -> Value {
    serde_json::from_slice(&notice.body).expect("a notice is JSON")
}

#[test]
fn notices_arrive_in_order() {
    let (deployment, receiver) = (deployment(), Receiver::start());
    let service = deployment.serve();
    endpoint(&service, &receiver.url(), &["*"]);
    buy(&service, "sale");
    spend(&service, "a");
    let hold = post(&service, "/api/credits/holds", "b", &json!({ "credits": 3, "reference": "envelope 7" }));
    let id = hold["id"].as_str().expect("an id");
    post(&service, &format!("/api/credits/holds/{id}/capture"), "c", &json!({ "credits": 2 }));
    let expected = ["credits.granted", "payment.finalized", "credits.spent", "hold.created", "hold.captured"];
    let mut last = 0;
    for kind in expected {
        let arrived = receiver.next();
        let notice = body(&arrived);
        assert_eq!(notice["type"], kind, "{notice}");
        assert_eq!(notice["data"]["tenant_id"], TENANT, "{notice}");
        let sequence = notice["data"]["sequence"].as_i64().expect("a number");
        assert!(sequence > last, "{notice}");
        last = sequence;
        assert!(arrived.field("webhook-id").starts_with("msg_"), "{arrived:?}");
        assert!(arrived.field("webhook-signature").starts_with("v1,"), "{arrived:?}");
    }
    assert!(receiver.rest().is_empty(), "a notice arrived twice");
    assert_eq!(service.stop().code, Some(0));
}

#[test]
fn misbehaving_receivers_do_not_delay_others() {
    let deployment = deployment();
    let service = deployment.serve();
    buy(&service, "sale");
    let (good, trap) = (Receiver::start(), Receiver::start());
    let answers = |text: &str| {
        let text = text.to_owned();
        Receiver::with_reactions(move |_| Reaction::Answers(text.clone()))
    };
    let long = format!("200 OK\r\nx-long: {}", "x".repeat(64 * 1024));
    let failing_once = Receiver::with_reactions(|number| {
        Reaction::Answers(if number == 0 { "500 Internal Server Error" } else { "200 OK" }.to_owned())
    });
    let receivers = [
        ("302", "redirects are not followed", answers(&format!("302 Found\r\nlocation: {}", trap.url()))),
        ("410", "it is gone", answers("410 Gone")),
        ("500", "it answered 500", failing_once),
        ("200", "", Receiver::with_reactions(|_| Reaction::Floods)),
        ("null", "", answers(&long)),
    ];
    let hanging = Receiver::with_reactions(|_| Reaction::Hangs);
    let hangs = endpoint(&service, &hanging.url(), &["credits.spent"]);
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let dead = endpoint(&service, &format!("http://{closed}/"), &["credits.spent"]);
    let endpoints: Vec<_> =
        receivers.iter().map(|(.., it)| endpoint(&service, &it.url(), &["credits.spent"])).collect();
    endpoint(&service, &good.url(), &["credits.spent"]);

    for name in ["a", "b", "c", "d", "e"] {
        spend(&service, name);
        assert_eq!(body(&good.next())["type"], "credits.spent");
    }
    assert_eq!(hanging.rest().len(), 1, "more than one notice at a time");
    let waiting = deliveries(&service, &hangs, |_| true);
    assert!(waiting.iter().all(|delivery| delivery["state"] == "pending"), "{waiting:?}");
    let found = deliveries(&service, &dead, attempted);
    assert!(found[0]["error"].as_str().is_some_and(|why| why.contains("nothing listens")), "{found:?}");
    for ((status, why, _), endpoint) in receivers.iter().zip(&endpoints) {
        let found = deliveries(&service, endpoint, attempted);
        assert_eq!(found[0]["response_status"].to_string(), *status, "{found:?}");
        let output = found[0]["error"].as_str().unwrap_or_default();
        assert!(output.contains(why), "{found:?}");
        assert_eq!(found[0]["state"] == "delivered", *status == "200", "{found:?}");
    }
    assert!(trap.rest().is_empty(), "a redirect was followed");

    let status = service.get("/api/admin/status")["data"]["notices"].take();
    assert_eq!(status["disabled"], json!([{ "id": endpoints[1], "reason": "it answered 410 Gone" }]));
    assert!(service.log().contains("an endpoint was disabled"), "{}", service.log());

    // An operator sends a failed notice again.
    let missed = deliveries(&service, &endpoints[2], attempted)[0]["notice_id"].clone();
    let missed = missed.as_str().expect("an id");
    post(
        &service,
        &format!("/api/webhook-endpoints/{}/deliveries/{missed}/resend", endpoints[2]),
        "",
        &json!({}),
    );
    deliveries(&service, &endpoints[2], |delivery| delivery["state"] == "delivered");
    let arrived = receivers[2].2.rest();
    let names: Vec<_> = arrived.iter().map(|notice| notice.field("webhook-id")).collect();
    assert_eq!(names.iter().filter(|name| **name == missed).count(), 2, "{names:?}");
    assert_eq!(service.stop().code, Some(0), "a hanging receiver prevented an orderly stop");
}

#[test]
fn an_unrecorded_attempt_is_repeated_with_the_same_id_after_a_kill() {
    let deployment = deployment();
    let receiver = Receiver::with_reactions(|number| match number {
        0 => Reaction::Hangs,
        _ => Reaction::Answers("200 OK".to_owned()),
    });
    let service = deployment.serve();
    let id = endpoint(&service, &receiver.url(), &["credits.granted"]);
    buy(&service, "sale");
    let first = receiver.next();
    service.kill();
    let service = deployment.serve();
    let second = receiver.next();
    assert_eq!(first.field("webhook-id"), second.field("webhook-id"));
    assert_eq!(first.body, second.body);
    let recorded = deliveries(&service, &id, |delivery| delivery["state"] == "delivered");
    assert_eq!((recorded.len(), &recorded[0]["attempts"]), (1, &1.into()));
    assert!(receiver.rest().is_empty());
}

#[test]
fn an_address_that_is_no_longer_allowed_receives_nothing() {
    let (deployment, receiver) = (deployment(), Receiver::start());
    let service = deployment.serve();
    let id = endpoint(&service, &receiver.url(), &["*"]);
    assert_eq!(service.stop().code, Some(0));
    let deployment = deployment.without("FAIREPLACE_NOTICE_HOSTS");
    let service = deployment.serve();
    buy(&service, "sale");
    let found = deliveries(&service, &id, attempted);
    assert!(found[0]["error"].as_str().is_some_and(|why| why.contains("must be")), "{found:?}");
    assert!(receiver.rest().is_empty());
    let body = json!({ "url": receiver.url() }).to_string();
    let refused = service.ask("POST", "/api/webhook-endpoints", Some(&service.operator_key), &body);
    assert_eq!(refused.status, 422, "{refused:?}");
}

/// A client of the tenant's live stream.
struct Listener(BufReader<TcpStream>);

impl Listener {
    fn after(service: &Service, last: Option<i64>) -> Self {
        let mut stream = TcpStream::connect(service.address).expect("the service listens");
        stream.set_read_timeout(Some(TIMEOUT)).expect("a socket has a timeout");
        let last = last.map(|last| format!("last-event-id: {last}\r\n")).unwrap_or_default();
        let head = format!(
            "GET /api/stream?tenant_id={TENANT} HTTP/1.1\r\nhost: localhost\r\n{last}\
             authorization: Bearer {}\r\n\r\n",
            service.operator_key
        );
        stream.write_all(head.as_bytes()).expect("the service reads");
        let mut listener = Self(BufReader::new(stream));
        while listener.line().expect("the stream is open") != "retry: 3000" {}
        listener
    }

    /// The next line; `None` at the end.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(1..) => Some(line.trim_end().to_owned()),
            // The connection is reset if the service is killed.
            _ => None,
        }
    }

    /// Sequence and type of the next event; `None` at the end. Lines of the chunked encoding are skipped.
    fn event(&mut self) -> Option<(i64, String)> {
        let mut sequence = None;
        loop {
            let line = self.line()?;
            if let Some(id) = line.strip_prefix("id: ") {
                sequence = id.parse().ok();
            } else if let Some(kind) = line.strip_prefix("event: ") {
                return sequence.map(|sequence| (sequence, kind.to_owned()));
            }
        }
    }
}

#[test]
fn a_stream_resumes_after_a_stop_and_after_a_kill() {
    let deployment = deployment();
    let mut service = deployment.serve();
    buy(&service, "sale");
    let mut listener = Listener::after(&service, Some(0));
    assert_eq!(listener.event().map(|(_, kind)| kind).as_deref(), Some("credits.granted"));
    let mut last = listener.event().expect("an event").0;
    for (number, kill) in [false, true].into_iter().enumerate() {
        spend(&service, &format!("heard-{number}"));
        assert_eq!(listener.event(), Some((last + 1, "credits.spent".to_owned())));
        if kill {
            service.kill();
        } else {
            let ended = service.stop();
            assert_eq!(ended.code, Some(0), "{ended}");
            assert!(!ended.stderr.contains("cut connections"), "streams were cut: {ended}");
        }
        assert_eq!(listener.event(), None, "the stream did not end with the service");
        service = deployment.serve();
        spend(&service, &format!("missed-{number}"));
        listener = Listener::after(&service, Some(last + 1));
        last += 2;
        assert_eq!(listener.event(), Some((last, "credits.spent".to_owned())), "an event was missed");
    }
}
