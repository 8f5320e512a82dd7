//! The API through its router: requests as an SDK sends them, and the responses. One file per subject.

mod catalogue;
mod control;
mod hostile;
mod money;
mod protocol;
mod sessions;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use serde_json::Value;
use tower::ServiceExt;

use crate::emulator::{API_KEY, Emulator, Options};

/// The time in every test: 2026-11-24 00:00:00 UTC.
const NOW: i64 = 1_795_478_400;

/// An empty account whose clock is stopped.
pub(crate) struct Account {
    pub(crate) emulator: Emulator,
    router: Router,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Account {
    pub(crate) fn new() -> Self {
        let options = Options {
            url: "http://127.0.0.1:12111".to_owned(),
            api_key: API_KEY.to_owned(),
            seed: 1,
            still_at_ms: Some(NOW * 1_000),
            file: None,
            attempt_timeout: Duration::from_secs(1),
            wall: Arc::new(|| NOW * 1_000),
            watcher: Arc::new(|_, _| ()),
        };
        let emulator = Emulator::open(options).unwrap();
        Self { router: crate::router(&emulator), emulator }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    /// Sends a request with the key, a form body, and these headers.
    async fn call(&self, line: &str, form: &str, headers: &[(&str, &str)]) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path.replace(' ', "%20"));
        let mut all = vec![("host", "127.0.0.1:12111")];
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            all.push(("authorization", "Bearer sk_test_emulator"));
        }
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            all.push(("content-type", "application/x-www-form-urlencoded"));
        }
        for (name, value) in all.into_iter().chain(headers.iter().copied()) {
            request = request.header(name, value);
        }
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    /// Sends a request that must succeed with 200. Returns the body.
    async fn ok(&self, line: &str, form: &str) -> Value {
        let answer = self.call(line, form, &[]).await;
        assert_eq!(answer.status, 200, "{line} {form}: {}", answer.body);
        answer.body
    }

    /// Sends a request that must be refused and must change nothing. Returns the status, code and message.
    async fn refused(&self, line: &str, form: &str) -> (u16, String, String) {
        let before = self.account_json();
        let answer = self.call(line, form, &[]).await;
        assert!(answer.status >= 400, "{line} {form}: {}", answer.body);
        assert_eq!(self.account_json(), before, "{line} {form} was refused and changed something");
        let error = &answer.body["error"];
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        (answer.status, text("code"), text("message"))
    }

    /// The whole account as JSON.
    pub(crate) fn account_json(&self) -> Value {
        self.emulator.with(|world| serde_json::to_value(&*world).unwrap())
    }

    /// The types of all events, oldest first.
    fn event_types(&self) -> Vec<String> {
        self.emulator.with(|world| world.events.iter().map(|event| event.type_name.clone()).collect())
    }

    /// The id of a new open session for 10 EUR.
    async fn session(&self) -> String {
        self.session_with("").await
    }

    async fn session_with(&self, more: &str) -> String {
        let form = format!("{SESSION}{more}");
        id(&self.ok("POST /v1/checkout/sessions", &form).await)
    }

    /// Pays a session with this card. Returns its payment intent and its charge.
    pub(crate) async fn paid(&self, card: &str) -> (String, String) {
        let session = self.session().await;
        let body = format!("{{\"card\": \"{card}\"}}");
        let session = self.ok(&format!("POST /_emulator/sessions/{session}/pay"), &body).await;
        let intent = session["payment_intent"].as_str().unwrap().to_owned();
        let object = self.ok(&format!("GET /v1/payment_intents/{intent}"), "").await;
        (intent, object["latest_charge"].as_str().unwrap().to_owned())
    }
}

const SESSION: &str = "mode=payment&success_url=https://shop.example/done?s={CHECKOUT_SESSION_ID}\
                       &line_items[0][price_data][currency]=eur&line_items[0][price_data][unit_amount]=1000\
                       &line_items[0][price_data][product_data][name]=Ten+credits&line_items[0][quantity]=1";

fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}
