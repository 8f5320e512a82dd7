//! `StripeEvent`: an axum extractor that hands a handler only what Stripe signed.
//!
//! For a program that wants one handler and no ledger. Not here: durability. An event is lost when the
//! handler answers 2xx and then forgets it, so do the work first, or store the event first.

use crate::envelope::Envelope;
use crate::fault::ReadFault;
use crate::secret::Secret;
use crate::signature::{self, SignatureFault, Verified};
use ::axum::body::Bytes;
use ::axum::extract::rejection::BytesRejection;
use ::axum::extract::{DefaultBodyLimit, FromRef, FromRequest, Request};
use ::axum::http::StatusCode;
use ::axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// The largest body that is read, in bytes: far above any event that Stripe sends.
const LARGEST_BODY: usize = 1024 * 1024;

/// A body whose signature was good.
#[derive(Clone, Debug)]
pub struct StripeEvent {
    /// The bytes that Stripe signed.
    pub body: Bytes,
    /// When this attempt was signed, and with which secret.
    pub verified: Verified,
}

impl StripeEvent {
    /// Reads the event.
    ///
    /// # Errors
    /// When the body is no event that we understand. As a handler's answer the fault is a 422, which makes
    /// Stripe try again and shows the delivery as failed in its Dashboard.
    pub fn envelope(&self) -> Result<Envelope<'_>, ReadFault> {
        Envelope::parse(&self.body)
    }
}

/// What the extractor needs of the application's state: the secrets, and what time it is.
#[derive(Clone, Debug)]
pub struct WebhookVerifier {
    secrets: Arc<[Secret]>,
    now: fn() -> i64,
}

impl WebhookVerifier {
    /// Verifies with these secrets; `now` tells the time in Unix seconds.
    pub fn new(secrets: Vec<Secret>, now: fn() -> i64) -> WebhookVerifier {
        WebhookVerifier { secrets: secrets.into(), now }
    }
}

impl<S> FromRequest<S> for StripeEvent
where
    WebhookVerifier: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = StripeRejection;

    async fn from_request(mut request: Request, state: &S) -> Result<StripeEvent, StripeRejection> {
        let header = request.headers().get("stripe-signature").cloned();
        DefaultBodyLimit::max(LARGEST_BODY).apply(&mut request);
        let body = Bytes::from_request(request, state).await.map_err(StripeRejection::Body)?;
        let WebhookVerifier { secrets, now } = WebhookVerifier::from_ref(state);
        let header = header.as_ref().map(|value| value.as_bytes());
        signature::verify(&body, header, &secrets, now(), signature::TOLERANCE_SECONDS)
            .map(|verified| StripeEvent { body, verified })
            .map_err(StripeRejection::Signature)
    }
}

/// Why a request never reached the handler. Take `Result<StripeEvent, StripeRejection>` to log the reason.
#[derive(Debug, thiserror::Error)]
pub enum StripeRejection {
    /// The body could not be read, or is larger than 1 MiB (413).
    #[error(transparent)]
    Body(BytesRejection),
    /// Stripe did not sign this, or not just now (400).
    #[error(transparent)]
    Signature(SignatureFault),
}

impl IntoResponse for StripeRejection {
    /// One answer for every signature fault: the reason would help nobody but a forger.
    fn into_response(self) -> Response {
        match self {
            StripeRejection::Body(rejection) => rejection.into_response(),
            StripeRejection::Signature(_) => (StatusCode::BAD_REQUEST, "invalid signature\n").into_response(),
        }
    }
}

impl IntoResponse for ReadFault {
    fn into_response(self) -> Response {
        (StatusCode::UNPROCESSABLE_ENTITY, format!("{}\n", self.code())).into_response()
    }
}
