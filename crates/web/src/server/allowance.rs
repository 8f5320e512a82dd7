//! The rate limit headers of every response, including errors. Where no request was counted, they show the
//! full limit. `rate` counts requests, and `api::request` refuses them.

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};

use crate::app::Shared;
use crate::rate::Allowance;

/// The allowance of the request, once its tenant is known. An extension.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestAllowance(Arc<OnceLock<Option<Allowance>>>);

impl RequestAllowance {
    /// The allowance of this request. `take` is called once.
    pub(crate) fn get_or_take(&self, take: impl FnOnce() -> Option<Allowance>) -> Option<Allowance> {
        *self.0.get_or_init(take)
    }
}

/// Adds the headers to the responses of these routes.
pub(crate) fn rate_limit_headers(routes: Router<Shared>, app: &Shared) -> Router<Shared> {
    routes.layer(middleware::from_fn_with_state(
        app.clone(),
        async |State(app): State<Shared>, mut request: Request, next: Next| {
            let taken = RequestAllowance::default();
            request.extensions_mut().insert(taken.clone());
            let mut response = next.run(request).await;
            let counted = taken.0.get().copied();
            if let Some(allowance) = counted.unwrap_or_else(|| app.limiter.untouched(&app.clock)) {
                let mut set =
                    |name, number: i64| response.headers_mut().insert(name, HeaderValue::from(number));
                set(HeaderName::from_static("x-ratelimit-limit"), allowance.limit.into());
                set(HeaderName::from_static("x-ratelimit-remaining"), allowance.remaining.into());
                set(HeaderName::from_static("x-ratelimit-reset"), allowance.reset);
                if let Some(seconds) = allowance.refused_for {
                    set(header::RETRY_AFTER, seconds);
                }
            }
            response
        },
    ))
}
