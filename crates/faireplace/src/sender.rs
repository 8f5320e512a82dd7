//! Sends events to a webhook endpoint as Stripe does, with Stripe's headers and a new signature for each
//! attempt, and prints them as `stripe listen` does. Not here: which events (`trigger`), and
//! trying again (`listen`).

use std::time::Duration;

use axum::http::{Request, StatusCode, Uri, header};
use bytes::Bytes;
use engine::Clock;
use http_body_util::Full;
use ledger::Timestamp;
use stripe::Secret;
use stripe::retry::Schedule;
use stripe::signature::sign;
use stripe::write::WrittenEvent;

use crate::delivery_line;
use crate::failure::Failure;
use crate::outgoing::{self, Certificates, Outgoing, ResponseLimits, exchange_head};
use crate::terminal::{self, shown};

/// Stripe's user agent (docs.stripe.com/webhooks).
const USER_AGENT: &str = "Stripe/1.0 (+https://stripe.com/docs/webhooks)";

/// Bytes of an answer that are read; only its status counts.
const MAX_ANSWER_BYTES: usize = 1 << 16;

/// A client of one endpoint.
pub(crate) struct EventSender {
    http: Outgoing,
    endpoint: Uri,
    secret: Secret,
    clock: Clock,
    say: fn(&str),
}

impl EventSender {
    /// Sends to `endpoint`, signs with `secret`, prints to standard output.
    ///
    /// # Errors
    /// When `endpoint` is not an HTTP URL.
    pub(crate) fn new(endpoint: &str, secret: Secret, clock: Clock) -> Result<Self, Failure> {
        Self::with(endpoint, secret, clock, Certificates::Checked, terminal::line)
    }

    /// Like [`EventSender::new`], with the check of certificates and the output chosen.
    ///
    /// # Errors
    /// As [`EventSender::new`], and when this machine has no certificate authorities.
    pub(crate) fn with(
        endpoint: &str,
        secret: Secret,
        clock: Clock,
        certificates: Certificates,
        say: fn(&str),
    ) -> Result<Self, Failure> {
        let parsed: Uri = endpoint.parse().map_err(|_| {
            Failure::failed(format!("`{}` is not an address of an endpoint", shown(endpoint)))
        })?;
        let named = parsed.authority().is_some_and(|host| !host.as_str().contains('@'));
        if !matches!(parsed.scheme_str(), Some("http" | "https")) || !named {
            return Err(Failure::failed(
                "events are sent over plain http or https only, without a password in the address: \
                 http://localhost:3000/webhooks/stripe",
            ));
        }
        let http = outgoing::way_to(&parsed, certificates)?;
        Ok(Self { http, endpoint: parsed, secret, clock, say })
    }

    /// Whether the endpoint is the service at `url`, under any name of this machine.
    pub(crate) fn sends_to(&self, url: &str) -> bool {
        url.parse::<Uri>().is_ok_and(|url| {
            self.endpoint.port_u16().unwrap_or(80) == url.port_u16().unwrap_or(80)
                && (url.host() == self.endpoint.host() || outgoing::is_this_machine(&self.endpoint))
        })
    }

    /// Delivers one event and prints request and response. Returns the status, if there was a response.
    pub(crate) async fn deliver(&self, event: &WrittenEvent) -> Option<StatusCode> {
        (self.say)(&delivery_line::sent(&event.type_name, &event.id, self.clock.now()));
        self.attempt(event).await
    }

    /// Makes one attempt and prints the response.
    pub(crate) async fn attempt(&self, event: &WrittenEvent) -> Option<StatusCode> {
        let limit = Duration::from_secs(u64::from(Schedule::default().attempt_timeout_seconds()));
        let answer = tokio::time::timeout(limit, self.post(event, self.clock.now(), limit)).await;
        let now = self.clock.now();
        match answer.map_err(|_| format!("no answer within {} s", limit.as_secs())) {
            Ok(Ok(status)) => {
                let endpoint = self.endpoint.to_string();
                (self.say)(&delivery_line::answered(status.as_u16(), &endpoint, &event.id, now));
                Some(status)
            }
            Ok(Err(error)) | Err(error) => {
                (self.say)(&delivery_line::failed(&error, now));
                None
            }
        }
    }

    async fn post(&self, event: &WrittenEvent, now: Timestamp, time: Duration) -> Result<StatusCode, String> {
        let signature = sign(event.body.as_bytes(), now.seconds(), std::slice::from_ref(&self.secret));
        let request = Request::post(self.endpoint.clone())
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .header(header::USER_AGENT, USER_AGENT)
            .header(header::ACCEPT, "*/*; q=0.5, application/json")
            .header(header::CACHE_CONTROL, "no-cache")
            .header("stripe-signature", signature)
            .body(Full::new(Bytes::from(event.body.clone())))
            .map_err(|error| error.to_string())?;
        let answer =
            exchange_head(&self.http, request, ResponseLimits { bytes: MAX_ANSWER_BYTES, time }).await;
        Ok(answer.map_err(|error| outgoing::reason(&error, &self.endpoint))?.status)
    }
}
