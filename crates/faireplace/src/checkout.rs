//! Opens Checkout sessions at Stripe, or at an emulator, over the network and with a time limit. The
//! request's form is in `stripe::checkout`, and what the answer means for a purchase in `engine::purchase`.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri, header};
use bytes::Bytes;
use engine::Shop;
use engine::shop::{CheckoutFault, CheckoutGateway};
use http_body_util::Full;
use stripe::checkout::{self, OpenSession};

use crate::config::{ApiKey, Config};
use crate::failure::Failure;
use crate::outgoing::{self, Certificates, Outgoing, ResponseLimits, exchange};

/// The base URL of Stripe's API.
pub(crate) const STRIPE: &str = "https://api.stripe.com";
/// Limits of an answer: shorter than clients and proxies wait for ours; a session has a few thousand bytes.
const LIMITS: ResponseLimits = ResponseLimits { bytes: 1 << 20, time: Duration::from_secs(20) };

/// The packages for sale, sold through Stripe at `base` with `key`; without a key they are only listed.
///
/// # Errors
/// When the URL or the key is not valid: exit code 78.
pub(crate) fn shop(config: &Config, key: Option<&ApiKey>, base: Option<&str>) -> Result<Arc<Shop>, Failure> {
    let gateway = match key {
        Some(key) => {
            let gateway = StripeCheckout::new(base.unwrap_or(STRIPE), key, config.scope.account.as_deref())?;
            Some(Arc::new(gateway) as Arc<dyn CheckoutGateway>)
        }
        None => None,
    };
    Ok(Arc::new(Shop {
        packages: config.packages.clone(),
        metadata: config.scope.metadata.clone(),
        automatic_tax: config.automatic_tax,
        gateway,
    }))
}

/// A client of one Stripe account. It has no `Debug`, so that the key cannot be printed.
struct StripeCheckout {
    http: Outgoing,
    url: Uri,
    key: ApiKey,
    headers: HeaderMap,
}

impl StripeCheckout {
    fn new(base: &str, key: &ApiKey, account: Option<&str>) -> Result<Self, Failure> {
        let wrong =
            || Failure::configuration(format!("STRIPE_API_BASE must be an https address, such as {STRIPE}"));
        let url: Uri =
            format!("{}{}", base.trim_end_matches('/'), checkout::PATH).parse().map_err(|_| wrong())?;
        let plain = match (url.scheme_str(), url.authority()) {
            (Some("https"), Some(host)) if !host.as_str().contains('@') => false,
            (Some("http"), Some(host)) if !host.as_str().contains('@') => true,
            _ => return Err(wrong()),
        };
        if url.query().is_some() {
            return Err(wrong());
        }
        // The emulator's key is public, so it may be sent unencrypted.
        if plain && key.expose() != emulator::API_KEY && !outgoing::is_this_machine(&url) {
            return Err(Failure::configuration(
                "STRIPE_SECRET_KEY would travel unencrypted: use https in STRIPE_API_BASE",
            ));
        }
        let unusable = |_| Failure::configuration("STRIPE_SECRET_KEY must be a key of the account");
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", key.expose())).map_err(unusable)?;
        bearer.set_sensitive(true);
        let mut headers = HeaderMap::from_iter([
            (header::AUTHORIZATION, bearer),
            (header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded")),
            (header::USER_AGENT, HeaderValue::from_static(concat!("faireplace/", env!("CARGO_PKG_VERSION")))),
            (HeaderName::from_static("stripe-version"), HeaderValue::from_static(checkout::VERSION.as_str())),
        ]);
        // With Connect the session is the connected account's, as its events must be
        // (docs.stripe.com/connect/authentication).
        if let Some(account) = account {
            let account = HeaderValue::try_from(account).map_err(|_| {
                Failure::configuration("FAIREPLACE_STRIPE_ACCOUNT must be an account id, such as acct_1A2b3C")
            })?;
            headers.insert("stripe-account", account);
        }
        let http = outgoing::way_to(&url, Certificates::Checked)?;
        Ok(Self { http, url, key: key.clone(), headers })
    }

    async fn ask(&self, form: &str, key: &str) -> Result<OpenSession, CheckoutFault> {
        let unreachable = |reason: String| CheckoutFault::Unreachable(self.without_key(&reason));
        let mut request = Request::post(self.url.clone())
            .header("idempotency-key", key)
            .body(Full::new(Bytes::copy_from_slice(form.as_bytes())))
            .map_err(|error| unreachable(error.to_string()))?;
        request.headers_mut().extend(self.headers.clone());
        let answer = exchange(&self.http, request, LIMITS).await;
        let (head, body) = answer.map_err(|error| unreachable(error.describe(&self.url)))?.into_parts();
        if head.status.is_success() {
            let unreadable = || unreachable("the response is not a session that can be paid".to_owned());
            return OpenSession::read(&body).ok_or_else(unreadable);
        }
        let words = checkout::error_message(&body).unwrap_or_else(|| "it gave no reason.".to_owned());
        let words = self.without_key(&words);
        if matches!(head.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            // Messages about our key and account are for the operator, not for the buyer.
            tracing::error!(words, "Stripe rejected STRIPE_SECRET_KEY");
            let words = "it rejected this deployment's key; the operator must fix it.";
            return Err(CheckoutFault::Refused(words.to_owned()));
        }
        if is_certain(head.status, &head.headers) {
            Err(CheckoutFault::Refused(words))
        } else {
            Err(CheckoutFault::Unreachable(format!("{}: {words}", head.status.as_u16())))
        }
    }

    fn without_key(&self, words: &str) -> String {
        words.replace(self.key.expose(), "(hidden)")
    }
}

impl CheckoutGateway for StripeCheckout {
    fn open<'a>(
        &'a self,
        form: &'a str,
        key: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<OpenSession, CheckoutFault>> + Send + 'a>> {
        Box::pin(self.ask(form, key))
    }
}

/// Whether the same request with the same idempotency key would get the same error again: Stripe says so
/// (`Stripe-Should-Retry`), or has stored the failure under the key
/// (docs.stripe.com/api/idempotent_requests). Conflicts and rate limits pass.
fn is_certain(status: StatusCode, headers: &HeaderMap) -> bool {
    let says = |name: &str, value: &str| headers.get(name).is_some_and(|found| found == value);
    let passing = matches!(status, StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS);
    match () {
        () if says("stripe-should-retry", "true") => false,
        () if says("stripe-should-retry", "false") || says("idempotent-replayed", "true") => true,
        () => status.is_client_error() && !passing,
    }
}

#[cfg(test)]
mod tests;
