//! One line in the log for every request: which it was, who asked, what the answer was and how long it took.
//!
//! Requests with a key that works, and deliveries that were stored, have one line each. Requests of strangers
//! must not fill the log: a refused one is a warning, and a successful one has a target of its own, so that
//! the log can write repeats of both as one line with a count.
//! Not here: what a handler says about its own faults, and heads that hyper cannot read.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use tokio::time::Instant;
use tracing::Instrument as _;
use uuid::Uuid;

use super::exchange::ClientAddress;
use super::headers::RequestId;
use crate::answer::RefusalReason;

/// The name of the key that the request came with, once it is known to work. An extension.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeyName(Arc<OnceLock<String>>);

impl KeyName {
    /// Says which key it is.
    pub(crate) fn set(&self, name: &str) {
        // One request has one key.
        let _ = self.0.set(name.to_owned());
    }
}

/// The target of answers to whoever asks. Their repeats are counted.
pub const OPEN_TO_EVERYONE: &str = "open_to_everyone";
/// Whoever succeeds there has signed.
const DELIVERIES: &str = "/webhooks/stripe";

/// Writes the line of every request.
pub(crate) fn requests<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router.layer(middleware::from_fn(async |mut request: Request, next: Next| {
        let mut line = Line::of(&request);
        request.extensions_mut().insert(line.key.clone());
        // What handlers log has the id too. A span of the highest level, so that no level leaves it out.
        let span = tracing::error_span!("request", request_id = %line.id);
        let answer = next.run(request).instrument(span).await;
        line.status = Some(answer.status());
        line.reason = answer.extensions().get::<RefusalReason>().map(|reason| reason.0);
        answer
    }))
}

/// What is known of a request. It is written when this is dropped, so that a request whose client goes away
/// has its line too.
struct Line {
    id: Uuid,
    method: Method,
    route: Option<MatchedPath>,
    client: Option<IpAddr>,
    key: KeyName,
    started: Instant,
    /// None where the client went away, or its connection had to close for another.
    status: Option<StatusCode>,
    reason: Option<&'static str>,
}

impl Line {
    fn of(request: &Request) -> Self {
        let extensions = request.extensions();
        Self {
            id: extensions.get::<RequestId>().map_or(Uuid::nil(), |id| id.0),
            method: request.method().clone(),
            route: extensions.get::<MatchedPath>().cloned(),
            client: extensions.get::<ClientAddress>().map(|client| client.0),
            key: KeyName::default(),
            started: Instant::now(),
            status: None,
            reason: Some("disconnected"),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let key = self.key.0.get().map(String::as_str);
        let route = self.route.as_ref().map_or("unknown", MatchedPath::as_str);
        let (method, reason) = (self.method.as_str(), self.reason);
        let status = self.status.map(|status| status.as_u16());
        let client = self.client.map(tracing::field::display);
        let duration_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        macro_rules! write {
            ($level:ident, $target:expr) => {
                tracing::$level!(
                    target: $target, request_id = %self.id, method, route, status, key, duration_us, client,
                    reason, "request"
                )
            };
        }
        let is_refused = status.is_none_or(|status| status >= 400);
        match (key, is_refused, route) {
            (None, true, _) => write!(warn, module_path!()),
            (Some(_), _, _) | (None, false, DELIVERIES) => write!(info, module_path!()),
            (None, false, _) => write!(info, OPEN_TO_EVERYONE),
        }
    }
}
