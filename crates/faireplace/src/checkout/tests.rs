//! The request that is sent to Stripe, and the meaning of each response, with a server that returns the
//! responses of a table.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use tokio::net::TcpListener;

use super::*;

const SESSION: &str =
    r#"{"id":"cs_1","url":"https://pay/cs_1","expires_at":9,"amount_subtotal":25000,"currency":"eur"}"#;
const KEY: &str = "sk_test_Hid9den";

/// Opens a session at a server with this response. Also returns the request that the server received.
async fn open(
    status: u16,
    header: Option<(&'static str, &'static str)>,
    body: String,
) -> (Result<OpenSession, CheckoutFault>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    let received = Arc::new(Mutex::new(String::new()));
    let record = received.clone();
    let answer = move |request: Request| {
        let (record, body) = (record.clone(), body.clone());
        async move {
            let (head, sent) = request.into_parts();
            let sent = axum::body::to_bytes(sent, 1 << 20).await.unwrap();
            let fields = head.headers.iter().map(|(name, value)| format!("{name}: {value:?}\n"));
            let fields: String = fields.collect();
            *record.lock().unwrap() =
                format!("{} {}\n{fields}{}", head.method, head.uri, String::from_utf8_lossy(&sent));
            let mut response = Response::new(axum::body::Body::from(body));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            if let Some((name, value)) = header {
                response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            response
        }
    };
    let server = tokio::spawn(async move {
        axum::serve(listener, Router::new().fallback(answer)).await.unwrap();
    });
    let key = ApiKey::new(KEY);
    let checkout = StripeCheckout::new(&base, &key, Some("acct_1")).unwrap();
    let opened = checkout.open("mode=payment&a=b", "faireplace-purchase_1").await;
    server.abort();
    let received = received.lock().unwrap().clone();
    (opened, received)
}

#[tokio::test]
async fn the_form_is_sent_unchanged_with_its_idempotency_key() {
    let (opened, received) = open(200, None, SESSION.to_owned()).await;
    assert_eq!(opened.unwrap().id, "cs_1");
    for line in [
        "POST /v1/checkout/sessions",
        "idempotency-key: \"faireplace-purchase_1\"",
        "stripe-version: \"2026-10-28.endive\"",
        "stripe-account: \"acct_1\"",
        "content-type: \"application/x-www-form-urlencoded\"",
        "authorization: \"Bearer sk_test_Hid9den\"",
        "mode=payment&a=b",
    ] {
        assert!(received.lines().any(|sent| sent == line), "no {line} in:\n{received}");
    }
}

#[tokio::test]
async fn the_meaning_of_each_response() {
    let error_body = |text: &str| format!(r#"{{"error":{{"message":"{text}"}}}}"#);
    let large = format!("{SESSION}{}", " ".repeat(LIMITS.bytes));
    let retry = ("stripe-should-retry", "true");
    let no_retry = ("stripe-should-retry", "false");
    let replayed = ("idempotent-replayed", "true");
    let rows = [
        (400, None, error_body("No such price."), "refused No such price."),
        (
            401,
            None,
            error_body("Invalid API Key provided: sk_test_Hid9den."),
            "refused it rejected this deployment's key; the operator must fix it.",
        ),
        (404, None, "<html>".to_owned(), "refused it gave no reason."),
        (400, Some(retry), error_body("Lock."), "unreachable 400: Lock."),
        (409, None, error_body("In use."), "unreachable 409: In use."),
        (429, None, error_body("Slow down."), "unreachable 429: Slow down."),
        (500, None, error_body("Oops."), "unreachable 500: Oops."),
        (500, Some(replayed), error_body("Oops."), "refused Oops."),
        (503, Some(no_retry), error_body("Oops."), "refused Oops."),
        (302, None, String::new(), "unreachable 302: it gave no reason."),
        (200, None, "{}".to_owned(), "unreachable the response is not a session that can be paid"),
        (200, None, large, "unreachable the answer is incomplete: length limit exceeded"),
    ];
    for (status, header, body, expected) in rows {
        let result = match open(status, header, body).await.0 {
            Ok(session) => format!("opened {}", session.id),
            Err(CheckoutFault::Refused(message)) => format!("refused {message}"),
            Err(CheckoutFault::Unreachable(reason)) => format!("unreachable {reason}"),
        };
        assert_eq!(result, expected, "{status} {header:?}");
    }
}

#[test]
fn the_key_is_sent_unencrypted_only_to_this_machine() {
    let error_for = |base: &str, key: &str| {
        StripeCheckout::new(base, &ApiKey::new(key), None).err().map(|failure| failure.to_string())
    };
    for base in
        ["https://api.stripe.com", "https://stripe.example/proxy/", "http://127.0.0.1:1", "http://[::1]:1"]
    {
        assert_eq!(error_for(base, KEY), None, "{base}");
    }
    assert_eq!(
        error_for("http://stripe.example", emulator::API_KEY),
        None,
        "the emulator's key is not secret"
    );
    for (base, why) in [
        ("http://stripe.example", "unencrypted"),
        ("stripe.example", "STRIPE_API_BASE"),
        ("ftp://stripe.example", "STRIPE_API_BASE"),
        ("https://me@stripe.example", "STRIPE_API_BASE"),
        ("https://stripe.example/?a=b", "STRIPE_API_BASE"),
        ("", "STRIPE_API_BASE"),
    ] {
        let result = error_for(base, KEY).unwrap_or_default();
        assert!(result.contains(why) && !result.contains(KEY), "{base}: {result}");
    }
}
