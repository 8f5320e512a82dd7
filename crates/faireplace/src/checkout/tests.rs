//! What is sent to Stripe, and what each kind of answer means, against a server that says what a row says.

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

/// Opens a session at a server that answers so; also what it was asked.
async fn open(
    status: u16,
    header: Option<(&'static str, &'static str)>,
    body: String,
) -> (Result<OpenSession, CheckoutFault>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(String::new()));
    let hears = heard.clone();
    let answer = move |request: Request| {
        let (hears, body) = (hears.clone(), body.clone());
        async move {
            let (head, sent) = request.into_parts();
            let sent = axum::body::to_bytes(sent, 1 << 20).await.unwrap();
            let fields = head.headers.iter().map(|(name, value)| format!("{name}: {value:?}\n"));
            let fields: String = fields.collect();
            *hears.lock().unwrap() =
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
    let way = StripeCheckout::new(&base, &key, Some("acct_1")).unwrap();
    let opened = way.open("mode=payment&a=b", "faireplace-purchase_1").await;
    server.abort();
    let heard = heard.lock().unwrap().clone();
    (opened, heard)
}

#[tokio::test]
async fn the_form_goes_out_as_it_is_under_its_key() {
    let (opened, heard) = open(200, None, SESSION.to_owned()).await;
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
        assert!(heard.lines().any(|heard| heard == line), "no {line} in:\n{heard}");
    }
}

#[tokio::test]
async fn what_each_answer_means() {
    let words = |text: &str| format!(r#"{{"error":{{"message":"{text}"}}}}"#);
    let large = format!("{SESSION}{}", " ".repeat(LIMITS.bytes));
    let again = ("stripe-should-retry", "true");
    let never = ("stripe-should-retry", "false");
    let pinned = ("idempotent-replayed", "true");
    let rows = [
        (400, None, words("No such price."), "refused No such price."),
        (
            401,
            None,
            words("Invalid API Key provided: sk_test_Hid9den."),
            "refused it rejected this deployment's key; the operator must fix it.",
        ),
        (404, None, "<html>".to_owned(), "refused it gave no reason."),
        (400, Some(again), words("Lock."), "unreachable 400: Lock."),
        (409, None, words("In use."), "unreachable 409: In use."),
        (429, None, words("Slow down."), "unreachable 429: Slow down."),
        (500, None, words("Oops."), "unreachable 500: Oops."),
        (500, Some(pinned), words("Oops."), "refused Oops."),
        (503, Some(never), words("Oops."), "refused Oops."),
        (302, None, String::new(), "unreachable 302: it gave no reason."),
        (200, None, "{}".to_owned(), "unreachable the response is not a session that can be paid"),
        (200, None, large, "unreachable the answer is incomplete: length limit exceeded"),
    ];
    for (status, header, body, expected) in rows {
        let said = match open(status, header, body).await.0 {
            Ok(session) => format!("opened {}", session.id),
            Err(CheckoutFault::Refused(words)) => format!("refused {words}"),
            Err(CheckoutFault::Unreachable(reason)) => format!("unreachable {reason}"),
        };
        assert_eq!(said, expected, "{status} {header:?}");
    }
}

#[test]
fn the_key_travels_in_the_open_only_to_this_machine() {
    let way = |base: &str, key: &str| {
        StripeCheckout::new(base, &ApiKey::new(key), None).err().map(|failure| failure.to_string())
    };
    for base in
        ["https://api.stripe.com", "https://stripe.example/proxy/", "http://127.0.0.1:1", "http://[::1]:1"]
    {
        assert_eq!(way(base, KEY), None, "{base}");
    }
    assert_eq!(way("http://stripe.example", emulator::API_KEY), None, "it opens nothing");
    for (base, why) in [
        ("http://stripe.example", "unencrypted"),
        ("stripe.example", "STRIPE_API_BASE"),
        ("ftp://stripe.example", "STRIPE_API_BASE"),
        ("https://me@stripe.example", "STRIPE_API_BASE"),
        ("https://stripe.example/?a=b", "STRIPE_API_BASE"),
        ("", "STRIPE_API_BASE"),
    ] {
        let said = way(base, KEY).unwrap_or_default();
        assert!(said.contains(why) && !said.contains(KEY), "{base}: {said}");
    }
}
