//! The webhook endpoint and the request log over real HTTP.
//!
//! Slow clients are tested in `crates/web/tests/server.rs`, signatures in `crates/stripe/tests/vectors`.

use std::thread;
use std::time::Duration;

use e2e::deployment::{Deployment, SECRET};
use e2e::http::{Answer, Request};
use e2e::service::Service;
use serde_json::{Value, json};
use stripe::Secret;
use stripe::signature::sign;

/// The sample payload of FairePlace's webhook guide, unchanged.
const GUIDE: &str = include_str!("../../crates/stripe/tests/fixtures/guide-sample.json");
const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";
const MEBIBYTE: usize = 1024 * 1024;

/// A service in live mode, the default.
fn live() -> (Deployment, Service) {
    let deployment = Deployment::default().without("FAIREPLACE_MODE");
    let service = deployment.serve();
    (deployment, service)
}

fn post(service: &Service, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Answer {
    service.send(Request { method: "POST", path, fields, body })
}

fn signature(body: &str, at: i64, secret: &str) -> String {
    sign(body.as_bytes(), at, &[Secret::parse(secret).expect("a valid secret")])
}

fn events(service: &Service) -> u64 {
    service.get("/api/admin/status")["data"]["events"].as_u64().expect("a number")
}

#[test]
fn the_guides_sample_adds_ten_credits_once_under_concurrent_deliveries() {
    let (_deployment, service) = live();
    assert_eq!(service.balance(TENANT)["available"], 0);
    let answer = service.deliver_signed(GUIDE, SECRET);
    assert_eq!((answer.status, answer.body.as_str()), (200, r#"{"received":true}"#));
    service.settle();
    assert_eq!(service.balance(TENANT)["available"], 10);
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert_eq!(service.deliver(GUIDE), 200));
        }
    });
    service.settle();
    assert_eq!(service.balance(TENANT)["available"], 10);
    let event = &service.get("/api/admin/events/evt_1234567890")["data"];
    assert_eq!((&event["event"]["deliveries"], &event["event"]["outcome"]), (&json!(17), &json!("granted")));
    assert_eq!(event["body"], GUIDE, "stored byte for byte");
}

#[test]
fn a_body_of_one_mebibyte_is_accepted_and_one_byte_more_is_not() {
    let (_deployment, service) = live();
    let padded = |length: usize| format!("{GUIDE}{}", " ".repeat(length - GUIDE.len()));
    assert_eq!(service.deliver(&padded(MEBIBYTE)), 200);
    assert_eq!(events(&service), 1);
    let answer = service.deliver_signed(&padded(MEBIBYTE + 1), SECRET);
    assert_eq!(answer.status, 413, "{answer:?}");
    assert_eq!(answer.json()["error"]["type"], "PAYLOAD_TOO_LARGE");
    assert_eq!(service.get("/api/admin/events/evt_1234567890")["data"]["event"]["deliveries"], 1);
}

#[test]
fn a_wrong_signature_gets_one_fixed_answer_and_stores_nothing() {
    let (_deployment, service) = live();
    let now = e2e::now();
    let good = signature(GUIDE, now, SECRET);
    let altered = GUIDE.replace("\"10\"", "\"99\"");
    let rows = [
        ("no signature", None, GUIDE),
        ("an empty signature", Some(String::new()), GUIDE),
        ("another secret", Some(signature(GUIDE, now, "whsec_9xQv3BnTfE7RjWm5LdKc1ZsHyA0GuP2o")), GUIDE),
        ("another body", Some(good.clone()), altered.as_str()),
        ("too old", Some(signature(GUIDE, now - 400, SECRET)), GUIDE),
        ("from the future", Some(signature(GUIDE, now + 400, SECRET)), GUIDE),
        ("a test signature only", Some(good.replace("v1=", "v0=")), GUIDE),
    ];
    let mut bodies = Vec::new();
    for (name, signature, body) in rows {
        let fields: Vec<_> = signature.iter().map(|value| ("stripe-signature", value.as_str())).collect();
        let answer = post(&service, "/webhooks/stripe", &fields, body.as_bytes());
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "the answer is always the same: {bodies:?}");
    assert_eq!(events(&service), 0);
    for reason in ["missing", "mismatch", "stale", "future", "no_v1"] {
        let reason = format!("reason=\"{reason}\"");
        assert!(service.log().contains(&reason), "the log states the reason ({reason}):\n{}", service.log());
    }
    assert!(!service.log().contains(SECRET));
}

/// The log line with the id of this request.
fn line_of(service: &Service, answer: &Answer) -> Value {
    let id = answer
        .head
        .lines()
        .find_map(|line| line.strip_prefix("x-request-id: "))
        .expect("every answer has an id");
    for _ in 0..500 {
        let log = service.log();
        let lines: Vec<_> = log.lines().filter(|line| line.contains(id)).collect();
        if let [line] = lines[..] {
            let line: Value = serde_json::from_str(line).expect("log lines are JSON");
            assert_eq!(line["fields"]["request_id"], id, "{line}");
            return line;
        }
        assert!(lines.len() < 2, "several lines for one request: {lines:#?}");
        thread::sleep(Duration::from_millis(10));
    }
    panic!("no line for {id}:\n{}", service.log());
}

#[test]
fn every_request_has_one_log_line() {
    let deployment = Deployment::default().with("FAIREPLACE_LOG_FORMAT", "json");
    let service = deployment.serve();
    let operator = service.operator_key.clone();
    let signature = signature(GUIDE, e2e::now(), SECRET);
    let signed = [("stripe-signature", signature.as_str())];
    let machine = json!("operator on this machine");
    for (answer, method, route, status, key, reason) in [
        (
            post(&service, "/webhooks/stripe", &signed, GUIDE.as_bytes()),
            "POST",
            "/webhooks/stripe",
            200,
            &Value::Null,
            Value::Null,
        ),
        (
            post(&service, "/webhooks/stripe", &[], b"{}"),
            "POST",
            "/webhooks/stripe",
            400,
            &Value::Null,
            json!("missing"),
        ),
        (service.ask("GET", "/api/health", None, ""), "GET", "/api/health", 200, &Value::Null, Value::Null),
        (
            service.ask("GET", "/api/payments/pi_1?x=1", Some(&operator), ""),
            "GET",
            "/api/payments/{id}",
            422,
            &machine,
            json!("VALIDATION_ERROR"),
        ),
        (
            service.ask("GET", "/api/admin/keys", Some(&operator), ""),
            "GET",
            "/api/admin/keys",
            200,
            &machine,
            Value::Null,
        ),
        (
            service.ask("GET", "/api/admin/keys", Some("fp_0"), ""),
            "GET",
            "/api/admin/keys",
            401,
            &Value::Null,
            json!("UNAUTHORIZED"),
        ),
        (service.ask("PUT", "/nowhere", None, ""), "PUT", "unknown", 404, &Value::Null, json!("NOT_FOUND")),
    ] {
        let line = line_of(&service, &answer);
        let fields = &line["fields"];
        let seen =
            [&fields["method"], &fields["route"], &fields["status"], &fields["key"], &fields["reason"]];
        assert_eq!(seen, [&json!(method), &json!(route), &json!(status), key, &reason], "{line}");
        assert_eq!(fields["client"], "127.0.0.1", "{line}");
        assert!(fields["duration_us"].is_u64(), "{line}");
    }
}

#[test]
fn repeated_failures_are_counted_instead_of_logged_each_time() {
    let deployment = Deployment::default();
    let service = deployment.serve();
    for _ in 0..500 {
        assert_eq!(post(&service, "/webhooks/stripe", &[], b"{}").status, 400);
    }
    for _ in 0..100 {
        assert_eq!(service.ask("GET", "/api/health", None, "").status, 200);
    }
    for _ in 0..20 {
        assert_eq!(service.ask("GET", "/api/admin/keys", Some(&service.operator_key), "").status, 200);
    }
    let ended = service.stop();
    let lines = |text: &str| ended.stderr.lines().filter(|line| line.contains(text)).count();
    assert!(lines("route=\"/webhooks/stripe\"") <= 100, "one line per request:\n{ended}");
    assert!(lines("route=\"/api/health\"") <= 50, "one line per request:\n{ended}");
    assert!(lines("repeated, and not written each time") >= 2, "{ended}");
    assert_eq!(lines("route=\"/api/admin/keys\""), 20, "requests with a key have one line each:\n{ended}");
}

#[test]
fn requests_that_are_not_deliveries_get_the_fitting_status() {
    let (_deployment, service) = live();
    let good = signature(GUIDE, e2e::now(), SECRET);
    let compressed = [("stripe-signature", good.as_str()), ("content-encoding", "gzip")];
    assert_eq!(post(&service, "/webhooks/stripe", &compressed, GUIDE.as_bytes()).status, 415);
    let signed = [("stripe-signature", good.as_str())];
    assert_eq!(post(&service, "/webhooks/strype", &signed, GUIDE.as_bytes()).status, 404);
    assert_eq!(service.ask("GET", "/webhooks/stripe", None, "").status, 405);
    assert_eq!(service.ask("GET", "/api/credits/balance", None, "").status, 401);
    assert_eq!(events(&service), 0);
}

#[test]
fn a_test_event_at_a_live_service_is_quarantined() {
    let (deployment, service) = live();
    let test = GUIDE.replacen('{', "{ \"livemode\": false,", 1);
    assert_eq!(service.deliver(&test), 200, "acknowledged, so that Stripe does not send it again");
    service.settle();
    assert_eq!(service.balance(TENANT)["available"], 0);
    let list = deployment.done("quarantine list");
    assert!(list.contains("wrong_mode") && list.contains("evt_1234567890"), "{list}");
}
