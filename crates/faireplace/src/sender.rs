//! Hands events to a webhook endpoint as Stripe does, and prints it as `stripe listen` does: signed afresh
//! for every attempt, with Stripe's headers. Not here: which events (`stripe::story`, `stripe::write`), and
//! trying again.

use std::time::Duration;

use axum::http::{Request, StatusCode, Uri, header};
use bytes::Bytes;
use engine::Clock;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use ledger::Timestamp;
use stripe::Secret;
use stripe::retry::Schedule;
use stripe::signature::sign;
use stripe::write::WrittenEvent;

use crate::client::http;
use crate::failure::Failure;
use crate::terminal::{bold, faint, green, red, say, shown, yellow};

/// Stripe's own (docs.stripe.com/webhooks).
const USER_AGENT: &str = "Stripe/1.0 (+https://stripe.com/docs/webhooks)";

/// A way to one endpoint.
pub(crate) struct Sender {
    http: Http<HttpConnector, Full<Bytes>>,
    endpoint: Uri,
    secret: Secret,
    clock: Clock,
}

impl Sender {
    /// Sends to `endpoint`, signed with `secret`.
    ///
    /// # Errors
    /// When the endpoint is no `http://` address.
    pub(crate) fn new(endpoint: &str, secret: Secret, clock: Clock) -> Result<Self, Failure> {
        let parsed: Uri = endpoint.parse().map_err(|_| {
            Failure::failed(format!("`{}` is not an address of an endpoint", shown(endpoint)))
        })?;
        if parsed.scheme_str() != Some("http") || parsed.host().is_none() {
            return Err(Failure::failed(
                "events are sent over plain http only, to an endpoint on this machine: \
                 --to http://localhost:3000/webhooks/stripe",
            ));
        }
        Ok(Self { http: http(), endpoint: parsed, secret, clock })
    }

    /// Whether the endpoint is the service at `url`, by whichever name of this machine.
    pub(crate) fn sends_to(&self, url: &str) -> bool {
        let same_machine = |host: &str| ["localhost", "127.0.0.1", "[::1]"].contains(&host);
        url.parse::<Uri>().is_ok_and(|url| {
            let host = self.endpoint.host().unwrap_or_default();
            self.endpoint.port_u16().unwrap_or(80) == url.port_u16().unwrap_or(80)
                && (url.host() == Some(host) || same_machine(host))
        })
    }

    /// Delivers one event and prints both directions. Answers the status, or nothing where none came.
    pub(crate) async fn deliver(&self, event: &WrittenEvent) -> Option<StatusCode> {
        let now = self.clock.now();
        let id = &event.id;
        say!("{}   --> {} [{id}]", faint(&clock_text(now)), bold(&event.type_name));
        let limit = Duration::from_secs(u64::from(Schedule::default().attempt_timeout_seconds()));
        let answer = tokio::time::timeout(limit, self.post(event, now)).await;
        let stamp = faint(&clock_text(self.clock.now()));
        match answer.map_err(|_| format!("no answer within {} s", limit.as_secs())) {
            Ok(Ok(status)) => {
                let code = format!("[{}]", status.as_u16());
                let code = match status.as_u16() {
                    ..300 => green(&code),
                    300..500 => yellow(&code),
                    _ => red(&code),
                };
                say!("{stamp}  <--  {code} POST {} [{id}]", self.endpoint);
                Some(status)
            }
            Ok(Err(error)) | Err(error) => {
                say!("{stamp}            {} Failed to POST: {}", red("[ERROR]"), shown(&error));
                None
            }
        }
    }

    async fn post(&self, event: &WrittenEvent, now: Timestamp) -> Result<StatusCode, String> {
        let signature = sign(event.body.as_bytes(), now.seconds(), std::slice::from_ref(&self.secret));
        let request = Request::post(self.endpoint.clone())
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, "*/*; q=0.5, application/json")
            .header(header::CACHE_CONTROL, "no-cache")
            .header("stripe-signature", signature)
            .body(Full::new(Bytes::from(event.body.clone())))
            .map_err(|error| error.to_string())?;
        let answer = self.http.request(request).await.map_err(|error| match error.is_connect() {
            true => format!("nothing listens at {}", self.endpoint),
            false => error.to_string(),
        })?;
        let status = answer.status();
        // Read to the end, so that the connection can be used again; what it says does not matter.
        let _ = http_body_util::Limited::new(answer.into_body(), 1 << 16).collect().await;
        Ok(status)
    }
}

fn clock_text(at: Timestamp) -> String {
    let moment = jiff::Timestamp::from_microsecond(at.0).unwrap_or_default();
    moment.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
