//! `POST /webhooks/stripe`: which deliveries are accepted, and that a 2xx means that the event is stored.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use ledger::Policy;
use store::Mode;
use stripe::{Secret, signature};
use web::Limits;

use crate::deployment::{Deployment, NOW, SECRET};
use crate::{GUIDE_SAMPLE, TENANT};

const RECEIVED: &str = r#"{"received":true}"#;
const REFUSED: &str = r#"{"error":{"code":400,"type":"SIGNATURE_INVALID","message":"The Stripe-Signature header does not verify this body. Nothing was stored."}}"#;

fn sign(body: &[u8], at: i64, secret: &str) -> String {
    signature::sign(body, at, &[Secret::parse(secret).unwrap()])
}

/// The number of stored events.
async fn stored_events(deployment: &Deployment) -> i64 {
    deployment.look("/api/admin/status").await["events"].as_i64().unwrap()
}

#[tokio::test]
async fn the_guides_sample_adds_its_ten_credits() {
    let deployment = Deployment::new().await;
    let answer = deployment.deliver(GUIDE_SAMPLE).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, RECEIVED));
    assert_eq!(deployment.available(TENANT).await, 0, "acknowledged, and not applied yet");
    deployment.apply().await;
    assert_eq!(deployment.available(TENANT).await, 10);

    for deliveries in 2..=4 {
        assert_eq!(deployment.deliver(GUIDE_SAMPLE).await.text, RECEIVED);
        deployment.apply().await;
        let event = &deployment.look("/api/admin/events/evt_1234567890").await["event"];
        assert_eq!(event["deliveries"], deliveries);
    }
    assert_eq!(deployment.available(TENANT).await, 10, "however often it is delivered");
    let since_start = &deployment.look("/api/admin/status").await["since_start"];
    assert_eq!((&since_start["accepted"], &since_start["duplicates"]), (&4.into(), &3.into()));
    deployment.check_books().await;
}

#[tokio::test]
async fn every_signature_fault_gets_the_same_response() {
    let deployment = Deployment::new().await;
    let body = GUIDE_SAMPLE.as_bytes();
    let good = sign(body, NOW, SECRET);
    let v1 = good.split_once("v1=").unwrap().1;
    let rows = [
        ("empty", String::new(), "missing"),
        ("blank", "  ".into(), "missing"),
        ("no signature at all", format!("t={NOW}"), "no_v1"),
        ("another scheme", format!("t={NOW},v0={v1}"), "no_v1"),
        ("no time", format!("v1={v1}"), "malformed"),
        ("two times", format!("t={NOW},t={},v1={v1}", NOW - 1), "malformed"),
        ("no number", format!("t=now,v1={v1}"), "malformed"),
        ("too long", format!("{good},{}", "x".repeat(4096)), "malformed"),
        ("nonsense", "hello".into(), "malformed"),
        ("another time", format!("t={},v1={v1}", NOW + 1), "mismatch"),
        ("half a signature", format!("t={NOW},v1={}", &v1[..32]), "mismatch"),
        ("upper case", format!("t={NOW},v1={}", v1.to_uppercase()), "mismatch"),
        ("another secret", sign(body, NOW, "whsec_another"), "mismatch"),
        ("another body", sign(b"{}", NOW, SECRET), "mismatch"),
        ("too old", sign(body, NOW - 301, SECRET), "stale"),
        ("from the future", sign(body, NOW + 301, SECRET), "future"),
        ("forged under an empty key", EMPTY_KEY.into(), "mismatch"),
    ];
    for (name, header, reason) in &rows {
        let answer = deployment.webhook(header, body).await;
        assert_eq!((answer.status, answer.text.as_str()), (400, REFUSED), "{name}");
        let faults = &deployment.look("/api/admin/status").await["since_start"]["signature_faults"];
        assert!(faults[reason].as_i64() > Some(0), "{name}: not counted as {reason}: {faults}");
    }
    let request = Request::post("/webhooks/stripe").body(Body::from(GUIDE_SAMPLE)).unwrap();
    assert_eq!(deployment.send(request).await.text, REFUSED, "no header");
    assert_eq!(stored_events(&deployment).await, 0, "nothing was stored");

    for (name, header) in [
        ("just in time", sign(body, NOW - 300, SECRET)),
        ("just not too early", sign(body, NOW + 300, SECRET)),
        ("one of several", format!("t={NOW},v1={},v1={v1},v0=x", "0".repeat(64))),
    ] {
        assert_eq!(deployment.webhook(&header, body).await.text, RECEIVED, "{name}");
    }
}

/// HMAC-SHA256 of the guide's sample at `NOW` under the empty key, computed with Python's `hmac`. No
/// configuration may lead to an empty key.
const EMPTY_KEY: &str = "t=1708425700,v1=2648a75d89cd90dc62aae691d8d3e77ae21e61842d990eb7e101a28cb073d228";

#[tokio::test]
async fn a_single_changed_bit_is_refused() {
    let deployment = Deployment::new().await;
    let header = sign(GUIDE_SAMPLE.as_bytes(), NOW, SECRET);
    for bit in 0..GUIDE_SAMPLE.len() * 8 {
        let mut body = GUIDE_SAMPLE.as_bytes().to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        let answer = deployment.webhook(&header, body).await;
        assert_eq!((answer.status, answer.text.as_str()), (400, REFUSED), "bit {bit}");
    }
    for (name, body) in [("longer", format!("{GUIDE_SAMPLE} ")), ("shorter", GUIDE_SAMPLE[1..].to_owned())] {
        assert_eq!(deployment.webhook(&header, body).await.text, REFUSED, "{name}");
    }
    assert_eq!(stored_events(&deployment).await, 0);
    assert_eq!(deployment.webhook(&header, GUIDE_SAMPLE).await.text, RECEIVED);
}

/// The guide's sample, padded to `size` bytes by a text in its metadata.
fn padded(size: usize) -> String {
    let padding = "x".repeat(size - GUIDE_SAMPLE.len() - r#""note": "","#.len());
    let noted = format!(r#""metadata": {{"note": "{padding}","#);
    let body = GUIDE_SAMPLE.replacen(r#""metadata": {"#, &noted, 1);
    assert_eq!(body.len(), size);
    body
}

/// The body is too large, which reading it would report.
#[tokio::test]
async fn an_unsigned_body_is_not_read() {
    let deployment = Deployment::new().await;
    let body = padded(Limits::default().webhook_body_bytes + 1);
    let answer = deployment.request(Method::POST, "/webhooks/stripe", None, &body).await;
    assert_eq!((answer.status, answer.text.as_str()), (400, REFUSED));
}

#[tokio::test]
async fn a_body_may_have_at_most_one_mebibyte() {
    let deployment = Deployment::new().await;
    let limit = Limits::default().webhook_body_bytes;
    let answer = deployment.deliver(padded(limit + 1)).await;
    assert_eq!(answer.summary(), "413 PAYLOAD_TOO_LARGE A webhook body may have 1 MiB. Nothing was stored.");
    assert_eq!(stored_events(&deployment).await, 0);
    deployment.learn(padded(limit)).await;
    assert_eq!(deployment.available(TENANT).await, 10);
    let shown = deployment.look("/api/admin/events/evt_1234567890").await;
    assert_eq!(shown["body"].as_str().unwrap().len(), limit, "byte for byte");
}

#[tokio::test]
async fn other_methods_and_content_codings_are_refused() {
    let deployment = Deployment::new().await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH] {
        let answer = deployment.request(method.clone(), "/webhooks/stripe", None, "").await;
        assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{method}");
    }
    for coding in ["gzip", "br", "deflate", "zstd", "gzip, identity"] {
        let header = sign(GUIDE_SAMPLE.as_bytes(), NOW, SECRET);
        let request = Request::post("/webhooks/stripe")
            .header("stripe-signature", header)
            .header("content-encoding", coding);
        let answer = deployment.send(request.body(Body::from(GUIDE_SAMPLE)).unwrap()).await;
        assert!(answer.summary().starts_with("415 UNSUPPORTED_MEDIA_TYPE "), "{coding}: {answer:?}");
    }
    assert_eq!(stored_events(&deployment).await, 0);
}

#[tokio::test]
async fn an_event_that_cannot_be_stored_is_not_acknowledged() {
    let limits = Limits { intake_permits: 1, webhook: Duration::from_millis(200), ..Limits::default() };
    let deployment = Deployment::with(Mode::Live, Policy::default(), limits).await;
    let unavailable = "503 SERVICE_UNAVAILABLE The event could not be stored for certain. Send it again.";
    let refused = async || deployment.deliver(GUIDE_SAMPLE).await.summary();

    let permit = deployment.app.intake_permits.try_acquire().unwrap();
    assert_eq!(refused().await, unavailable, "too many at once");
    drop(permit);

    let backdoor = deployment.backdoor();
    let failing = "CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'full'); END";
    backdoor.execute_batch(failing).unwrap();
    assert_eq!(refused().await, unavailable, "the database refuses");
    backdoor.execute_batch("DROP TRIGGER full").unwrap();

    backdoor.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(refused().await, unavailable, "the database is locked");
    assert_eq!(stored_events(&deployment).await, 0);
    backdoor.execute_batch("ROLLBACK").unwrap();

    // Stripe sends it again. It counts once, whether or not the write that timed out was committed.
    deployment.learn(GUIDE_SAMPLE).await;
    assert_eq!(deployment.available(TENANT).await, 10);
    assert_eq!(deployment.look("/api/admin/status").await["since_start"]["unavailable"], 3);
}
