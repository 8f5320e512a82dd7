//! One log line per request: the route, the key, the response, and the duration.
//!
//! Requests with a valid key, and stored deliveries, have one line each. Requests without a key must not fill
//! the log: a refused one is a warning, and a successful one has its own target, so that the log can combine
//! repeats of both into one line with a count. Heads that hyper cannot parse are not logged.

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

/// The name of the request's key, once the key is known to work. An extension of the request.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestKeyName(Arc<OnceLock<String>>);

impl RequestKeyName {
    /// Sets the name.
    pub(crate) fn set(&self, name: &str) {
        // One request has one key.
        let _ = self.0.set(name.to_owned());
    }
}

/// The log target of successful requests without a key. Their repeats are counted.
pub const OPEN_TO_EVERYONE: &str = "open_to_everyone";
/// Successful requests of this route have a valid signature.
const DELIVERIES: &str = "/webhooks/stripe";

/// Logs every request.
pub(crate) fn requests<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router.layer(middleware::from_fn(async |mut request: Request, next: Next| {
        let mut line = RequestLine::of(&request);
        request.extensions_mut().insert(line.key.clone());
        // Adds the request's id to the log lines of handlers. The span has the highest level, so that no
        // filter drops it.
        let span = tracing::error_span!("request", request_id = %line.id);
        let answer = next.run(request).instrument(span).await;
        line.status = Some(answer.status());
        line.reason = answer.extensions().get::<RefusalReason>().map(|reason| reason.0);
        answer
    }))
}

/// The content of a request's log line. Logged on drop, so that a request whose client disconnects is logged
/// too.
struct RequestLine {
    id: Uuid,
    method: Method,
    route: Option<MatchedPath>,
    client: Option<IpAddr>,
    key: RequestKeyName,
    started: Instant,
    /// None if the client disconnected, or its connection had to close for another.
    status: Option<StatusCode>,
    reason: Option<&'static str>,
}

impl RequestLine {
    fn of(request: &Request) -> Self {
        let extensions = request.extensions();
        Self {
            id: extensions.get::<RequestId>().map_or(Uuid::nil(), |id| id.0),
            method: request.method().clone(),
            route: extensions.get::<MatchedPath>().cloned(),
            client: extensions.get::<ClientAddress>().map(|client| client.0),
            key: RequestKeyName::default(),
            started: Instant::now(),
            status: None,
            reason: Some("disconnected"),
        }
    }
}

impl Drop for RequestLine {
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
