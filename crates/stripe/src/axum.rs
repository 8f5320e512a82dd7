//! `StripeEvent`: an axum extractor that accepts only deliveries that Stripe signed.
//!
//! For a program that needs one handler and no ledger. Not here: durability. Do the work or store the event
//! before the handler answers 2xx: after that, Stripe does not send it again.

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

/// The largest body that is read, in bytes: far larger than any event that Stripe sends.
const LARGEST_BODY: usize = 1024 * 1024;

/// A delivery whose signature is valid.
#[derive(Clone, Debug)]
pub struct StripeEvent {
    /// The bytes that Stripe signed.
    pub body: Bytes,
    /// When this delivery was signed, and with which secret.
    pub verified: Verified,
}

impl StripeEvent {
    /// Reads the event.
    ///
    /// # Errors
    /// If the body is not an event that this crate can read. As a handler's response the fault is a 422:
    /// Stripe tries again, and shows the delivery as failed in its Dashboard.
    pub fn envelope(&self) -> Result<Envelope<'_>, ReadFault> {
        Envelope::parse(&self.body)
    }
}

/// The part of the application's state that the extractor needs: the secrets and a clock.
#[derive(Clone, Debug)]
pub struct WebhookVerifier {
    secrets: Arc<[Secret]>,
    now: fn() -> i64,
}

impl WebhookVerifier {
    /// Verifies with these secrets; `now` returns the time in Unix seconds.
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

/// Why a request does not reach the handler. Extract `Result<StripeEvent, StripeRejection>` to log the
/// reason.
#[derive(Debug, thiserror::Error)]
pub enum StripeRejection {
    /// The body could not be read, or is larger than 1 MiB (413).
    #[error(transparent)]
    Body(BytesRejection),
    /// Stripe did not sign this, or too long ago (400).
    #[error(transparent)]
    Signature(SignatureFault),
}

impl IntoResponse for StripeRejection {
    /// The same response for every signature fault, so that a forger learns nothing.
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
