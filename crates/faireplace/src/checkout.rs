//! Stripe as the seller of packages: one request that opens a Checkout session, over the network, within a
//! bounded time. An emulator at another address is asked in the same words.
//! Not here: what to ask (`stripe::checkout`), and what the answer means for a purchase (`web`).

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri, header};
use bytes::Bytes;
use http_body_util::Full;
use stripe::checkout::{self, OpenSession};
use web::Shop;
use web::shop::{Checkout, CheckoutFault};

use crate::config::{ApiKey, Config};
use crate::failure::Failure;
use crate::outgoing::{self, Certificates, Limits, Outgoing, exchange};

/// Where Stripe is.
pub(crate) const STRIPE: &str = "https://api.stripe.com";
/// Limits of an answer: shorter than clients and proxies wait for ours; a session has a few thousand bytes.
const LIMITS: Limits = Limits { bytes: 1 << 20, time: Duration::from_secs(20) };

/// What `config` has for sale, through Stripe at `base` with `key`; without a key, only shown.
///
/// # Errors
/// When the address or the key cannot be used: exit code 78.
pub(crate) fn shop(config: &Config, key: Option<&ApiKey>, base: Option<&str>) -> Result<Arc<Shop>, Failure> {
    let checkout = match key {
        Some(key) => {
            let way = StripeCheckout::new(base.unwrap_or(STRIPE), key, config.scope.account.as_deref())?;
            Some(Arc::new(way) as Arc<dyn Checkout>)
        }
        None => None,
    };
    Ok(Arc::new(Shop {
        packages: config.packages.clone(),
        metadata: config.scope.metadata.clone(),
        automatic_tax: config.automatic_tax,
        checkout,
    }))
}

/// A way to one account. Without a `Debug`: the key is shown by nothing.
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
        // The emulator's key opens nothing, so it may be sent anywhere.
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
            let unreadable = || unreachable("the answer is no session that can be paid".to_owned());
            return OpenSession::read(&body).ok_or_else(unreadable);
        }
        let words = checkout::error_message(&body).unwrap_or_else(|| "it gave no reason.".to_owned());
        let words = self.without_key(&words);
        if matches!(head.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            // Words about our key and account are for the operator, not for whoever buys.
            tracing::error!(words, "Stripe did not take STRIPE_SECRET_KEY");
            let words = "it did not take this deployment's key, which its operator must mend.";
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

impl Checkout for StripeCheckout {
    fn open<'a>(
        &'a self,
        form: &'a str,
        key: &'a str,
    ) -> Pin<Box<dyn Future<Output = Result<OpenSession, CheckoutFault>> + Send + 'a>> {
        Box::pin(self.ask(form, key))
    }
}

/// Whether the same request under the same key would only be answered so again, as far as can be known.
/// Stripe says it (`Stripe-Should-Retry`), or has pinned a failure under the key, whatever its status
/// (docs.stripe.com/api/idempotent_requests); a key that is in use and a limit of requests pass.
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
