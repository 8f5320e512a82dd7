//! Sends notices: one POST each over a guarded connection; only the status of the response counts.
//! Signatures, time-outs and retries are in `engine`.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, Request, Uri, header};
use bytes::Bytes;
use engine::Transport;
use engine::notify::{NoticeResponse, SignedRequest};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use web::destination::Destinations;

use super::guard::Guard;
use super::{ResponseLimits, authorities, exchange_head, reason};
use crate::failure::Failure;

/// Limits of an answer's body. It is read only so that the connection can be used again.
const BODY: ResponseLimits = ResponseLimits { bytes: 16 * 1024, time: Duration::from_secs(2) };
/// Bytes of a response's head.
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(30);
/// Idle connections kept for each receiver.
const MAX_IDLE: usize = 4;

type Http = Client<HttpsConnector<Guard>, Full<Bytes>>;

/// A transport to every endpoint that `destinations` allows.
///
/// # Errors
/// When TLS is not available.
pub(crate) fn transport(destinations: Arc<Destinations>) -> Result<Transport, Failure> {
    let http = client(destinations)?;
    Ok(Transport::from_fn(move |request| {
        let http = http.clone();
        async move { carry(&http, request).await.unwrap_or_else(NoticeResponse::Failed) }
    }))
}

fn client(destinations: Arc<Destinations>) -> Result<Http, Failure> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = authorities().unwrap_or_else(|_| {
        tracing::warn!(
            "this machine has no certificate authorities, so no notice can be sent to an https endpoint"
        );
        RootCertStore::empty()
    });
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::failed(format!("TLS cannot be used: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        // The guard refuses plain http except to hosts allowed by name.
        .https_or_http()
        .enable_http1()
        .wrap_connector(Guard::new(destinations));
    Ok(Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(MAX_IDLE)
        .http1_max_buf_size(MAX_HEAD_BYTES)
        .build(connector))
}

async fn carry(http: &Http, request: SignedRequest) -> Result<NoticeResponse, String> {
    let uri: Uri = request.url.parse().map_err(|_| "the address cannot be read".to_owned())?;
    // Without path and query, which may contain a secret: errors are logged.
    let place = uri.authority().map(ToString::to_string).unwrap_or_default();
    let request = Request::post(uri)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("FairePlace/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", request.id)
        .header("webhook-timestamp", request.timestamp)
        .header("webhook-signature", request.signature)
        .body(Full::new(Bytes::from(request.body)))
        .map_err(|error| error.to_string())?;
    let head = exchange_head(http, request, BODY).await.map_err(|error| reason(&error, &place))?;
    let retry_after_seconds = retry_after(&head.headers);
    Ok(NoticeResponse::Answered { status: head.status.as_u16(), retry_after_seconds })
}

/// RFC 9110, section 10.2.3, in seconds only; a date is ignored, and the schedule applies.
fn retry_after(headers: &HeaderMap) -> Option<i64> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests;
