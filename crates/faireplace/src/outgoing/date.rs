//! The time by the `Date` header of Stripe's responses, for a service whose clock is in doubt: one request
//! over TLS, without a key.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, Request, Uri, header};
use bytes::Bytes;
use engine::clock::DateSource;
use http_body_util::Full;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jiff::fmt::rfc2822::DateTimeParser;
use ledger::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};

use super::{ResponseLimits, authorities, exchange};

/// Limits of an answer. The date of a slower one would say little; an answer to HEAD has no body.
const LIMITS: ResponseLimits = ResponseLimits { bytes: 0, time: Duration::from_secs(10) };

/// A source that asks the server at `base`. `None` if that is not an `https` URL: without TLS anybody on the
/// network could set the time.
pub(crate) fn source(base: &str) -> Option<DateSource> {
    let url: Uri = base.parse().ok()?;
    (url.scheme_str() == Some("https")).then(|| {
        DateSource::from_fn(move |at| {
            let url = url.clone();
            async move {
                let roots = authorities().map_err(|failure| failure.to_string())?;
                ask(&url, roots, at).await
            }
        })
    })
}

/// The date of a response from this URL, whose certificate must be valid at `at`, because the machine's clock
/// is in doubt.
async fn ask(url: &Uri, roots: RootCertStore, at: Timestamp) -> Result<Timestamp, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_details(provider, Arc::new(At(at)))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be used: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_http1().build();
    let http: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let request = Request::builder()
        .method(Method::HEAD)
        .uri(url.clone())
        .header(header::USER_AGENT, concat!("faireplace/", env!("CARGO_PKG_VERSION")))
        .body(Full::default())
        .map_err(|error| error.to_string())?;
    let answer = exchange(&http, request, LIMITS).await.map_err(|error| error.describe(url))?;
    let date = answer.headers().get(header::DATE).and_then(|date| date.to_str().ok());
    date.and_then(read).ok_or_else(|| format!("{url} answered without a date"))
}

/// RFC 9110, section 5.6.7, the current form only.
fn read(date: &str) -> Option<Timestamp> {
    let moment = DateTimeParser::new().parse_timestamp(date).ok()?;
    Some(Timestamp::from_seconds(moment.as_second()))
}

/// The time at which certificates are verified.
#[derive(Debug)]
struct At(Timestamp);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.seconds()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

#[cfg(test)]
mod tests;
