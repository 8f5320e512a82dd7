//! The extractor: only signed deliveries reach the handler, and every refusal looks the same.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRef, FromRequest, Request};
use axum::response::IntoResponse;
use stripe::axum::{StripeEvent, WebhookVerifier};
use stripe::signature::{Verified, sign};
use stripe::{Envelope, Secret};

const NOW: i64 = 1_700_000_000;
const SAMPLE: &[u8] = include_bytes!("fixtures/guide-sample.json");

/// An application's state, of which the verifier is a part.
#[derive(Clone)]
struct State {
    verifier: WebhookVerifier,
}

impl FromRef<State> for WebhookVerifier {
    fn from_ref(state: &State) -> WebhookVerifier {
        state.verifier.clone()
    }
}

fn secrets() -> Vec<Secret> {
    Secret::parse_list("whsec_old,whsec_new").unwrap()
}

async fn extract(body: &[u8], header: Option<&str>) -> Result<StripeEvent, (u16, String)> {
    let mut request = Request::post("/webhooks/stripe");
    if let Some(header) = header {
        request = request.header("Stripe-Signature", header);
    }
    let request = request.body(Body::from(body.to_vec())).unwrap();
    let state = State { verifier: WebhookVerifier::new(secrets(), || NOW) };
    match StripeEvent::from_request(request, &state).await {
        Ok(event) => Ok(event),
        Err(rejection) => Err(answer(rejection).await),
    }
}

async fn answer(response: impl IntoResponse) -> (u16, String) {
    let response = response.into_response();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), 1024).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_signed_event_reaches_the_handler() {
    let header = sign(SAMPLE, NOW - 60, &secrets()[1..]);
    let event = extract(SAMPLE, Some(&header)).await.unwrap();
    assert_eq!(event.verified, Verified { timestamp: NOW - 60, secret_index: 1 });
    assert_eq!(event.body, SAMPLE);
    assert!(matches!(event.envelope(), Ok(Envelope::Snapshot(_))));
}

#[tokio::test]
async fn every_signature_fault_has_one_answer() {
    let good = sign(SAMPLE, NOW, &secrets());
    let stale = sign(SAMPLE, NOW - 301, &secrets());
    let future = sign(SAMPLE, NOW + 301, &secrets());
    let other = sign(b"{}", NOW, &secrets());
    for header in [None, Some(""), Some("t=1"), Some("v1=0"), Some(&stale), Some(&future), Some(&other)] {
        let refused = extract(SAMPLE, header).await.unwrap_err();
        assert_eq!(refused, (400, "invalid signature\n".to_owned()), "{header:?}");
    }
    assert!(extract(SAMPLE, Some(&good)).await.is_ok());
}

#[tokio::test]
async fn a_body_of_one_mebibyte_and_no_more() {
    let mut body = vec![b' '; 1024 * 1024];
    let header = sign(&body, NOW, &secrets());
    assert!(extract(&body, Some(&header)).await.is_ok());
    body.push(b' ');
    let header = sign(&body, NOW, &secrets());
    assert_eq!(extract(&body, Some(&header)).await.unwrap_err().0, 413);
}

#[tokio::test]
async fn a_signed_body_that_is_no_event_is_the_handlers_to_answer() {
    let header = sign(b"[]", NOW, &secrets());
    let event = extract(b"[]", Some(&header)).await.unwrap();
    assert_eq!(answer(event.envelope().unwrap_err()).await, (422, "not_an_event\n".to_owned()));
}
