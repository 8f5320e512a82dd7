//! Sends one delivery attempt: POSTs the signed bytes as Stripe does, and reports the response.
//!
//! Not here: what to send and when (`world::outbox`), and TLS: an endpoint under test listens on plain http.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, Uri, body::Incoming, header};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::world::{Dispatch, Outcome};

/// Stripe's (docs.stripe.com/webhooks).
const USER_AGENT: &str = "Stripe/1.0 (+https://stripe.com/docs/webhooks)";
/// How much of a response body is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How much of a response body is kept, in characters.
const MAX_EXCERPT_CHARACTERS: usize = 200;

/// The HTTP client for all endpoints.
pub(crate) struct DeliveryClient {
    http: Client<HttpConnector, Full<Bytes>>,
    timeout: Duration,
}

impl DeliveryClient {
    pub(crate) fn new(timeout: Duration) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self { http: Client::builder(TokioExecutor::new()).build(connector), timeout }
    }

    /// Sends one attempt in as many copies as it asks for. The outcome of the first copy counts.
    pub(crate) async fn send(&self, dispatch: &Dispatch) -> Outcome {
        let first = self.post(dispatch);
        let answer =
            if dispatch.copies > 1 { tokio::join!(first, self.post(dispatch)).0 } else { first.await };
        if dispatch.lose_answer {
            return Outcome::Failed("the response was lost (misbehaviour)".to_owned());
        }
        answer.unwrap_or_else(Outcome::Failed)
    }

    async fn post(&self, dispatch: &Dispatch) -> Result<Outcome, String> {
        let uri: Uri = dispatch.url.parse().map_err(|_| "the URL is invalid".to_owned())?;
        if uri.scheme_str() != Some("http") {
            return Err("the emulator delivers over plain http only".to_owned());
        }
        let request = Request::post(uri)
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, "*/*; q=0.5, application/json")
            .header(header::CACHE_CONTROL, "no-cache")
            .header("stripe-signature", &dispatch.signature)
            .body(Full::new(Bytes::from(dispatch.body.clone())))
            .map_err(|error| error.to_string())?;
        let answered = tokio::time::timeout(self.timeout, async {
            let answer = self.http.request(request).await.map_err(|error| in_words(&error, &dispatch.url))?;
            Ok(read(answer).await)
        });
        let seconds = self.timeout.as_secs();
        answered.await.unwrap_or_else(|_| Err(format!("no answer within {seconds} s")))
    }
}

/// The status and the beginning of the body. A body that breaks off or never ends does not change the status.
async fn read(answer: Response<Incoming>) -> Outcome {
    let status = answer.status().as_u16();
    let mut body = answer.into_body();
    let mut text = Vec::new();
    while text.len() < MAX_ANSWER_BYTES
        && let Some(Ok(frame)) = body.frame().await
    {
        if let Some(piece) = frame.data_ref() {
            text.extend_from_slice(&piece[..piece.len().min(MAX_ANSWER_BYTES)]);
        }
    }
    let excerpt = String::from_utf8_lossy(&text).chars().take(MAX_EXCERPT_CHARACTERS).collect();
    Outcome::Answered { status, excerpt }
}

fn in_words(error: &hyper_util::client::legacy::Error, url: &str) -> String {
    if error.is_connect() {
        return format!("nothing listens at {url}");
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    format!("the connection broke: {cause}")
}
