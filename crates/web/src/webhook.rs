//! `POST /webhooks/stripe`: verify, store, acknowledge. A 2xx means that the event is on disk. If that is not
//! certain, the response is 503, and Stripe sends the event again (design section 6, Webhook).
//! `engine::apply` applies the event after the response.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use ledger::{Now, Timestamp};
use stripe::signature::{SignatureFault, TOLERANCE_SECONDS, verify};
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::answer::RefusalReason;
use crate::app::{App, Counters, Shared};

const SIGNATURE: &str = "stripe-signature";
const RECEIVED: &str = r#"{"received":true}"#;
/// The same body for every fault, so that a forger learns nothing from it. The reason is logged.
const SIGNATURE_INVALID: &str = concat!(
    r#"{"error":{"code":400,"type":"SIGNATURE_INVALID","message":"#,
    r#""The Stripe-Signature header does not verify this body. Nothing was stored."}}"#,
);
const TOO_LARGE: &str = concat!(
    r#"{"error":{"code":413,"type":"PAYLOAD_TOO_LARGE","message":"#,
    r#""A webhook body may have 1 MiB. Nothing was stored."}}"#,
);
const UNREADABLE: &str = concat!(
    r#"{"error":{"code":400,"type":"BAD_REQUEST","message":"#,
    r#""The body could not be received. Nothing was stored."}}"#,
);
const ENCODED: &str = concat!(
    r#"{"error":{"code":415,"type":"UNSUPPORTED_MEDIA_TYPE","message":"#,
    r#""The body must not be compressed: the signature is over the raw bytes. Nothing was stored."}}"#,
);
const UNAVAILABLE: &str = concat!(
    r#"{"error":{"code":503,"type":"SERVICE_UNAVAILABLE","message":"#,
    r#""The event could not be stored for certain. Send it again."}}"#,
);

const CLOCK_IN_DOUBT: &str = concat!(
    r#"{"error":{"code":503,"type":"SERVICE_UNAVAILABLE","message":"#,
    r#""This service's clock is in doubt, and the signature fits neither time. Nothing was stored. Send it "#,
    r#"again."}}"#,
);

/// Receive an event from Stripe
///
/// A 2xx means that the event is on disk. In every other case the response is an error, and Stripe sends the
/// event again. The event is applied after the response.
#[utoipa::path(post, path = "/webhooks/stripe", operation_id = "receive_stripe_event", tag = "Stripe",
    security(()),
    params(("Stripe-Signature" = String, Header, description = "Stripe's signature of the raw body.")),
    request_body(content = serde_json::Value, description = "An event, as Stripe sends it: at most 1 MiB."),
    responses(
        (status = 200, description = "The event is on disk.", body = WebhookReceived),
        (status = 400, description = "The signature does not verify this body.", body = WebhookRefused),
        (status = 413, description = "The body is too large.", body = WebhookRefused),
        (status = 415, description = "The body is compressed.", body = WebhookRefused),
        (status = 503, description = "The event may not have been stored, or the clock is in doubt.",
            body = WebhookRefused)))]
pub(crate) async fn receive(State(app): State<Shared>, request: Request) -> Response {
    let headers = request.headers();
    if headers.get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return json(StatusCode::UNSUPPORTED_MEDIA_TYPE, ENCODED);
    }
    let Some(signature) = headers.get(SIGNATURE).cloned() else {
        // Refused before the body is read: unsigned requests must not use memory.
        return refuse(&app, SignatureFault::Missing);
    };
    let body = match Bytes::from_request(request, &app).await {
        Ok(body) => body,
        Err(fault) if fault.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return json(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE);
        }
        Err(_) => return json(StatusCode::BAD_REQUEST, UNREADABLE),
    };
    let now = app.clock.reading();
    let signed = match genuine(&app, &body, signature.as_bytes(), now) {
        Ok(signed) => signed,
        Err(fault) if !now.trusted && is_about_time(fault) => return fits_neither_time(&app, fault),
        Err(fault) => return refuse(&app, fault),
    };
    let Ok(_permit) = app.intake_permits.try_acquire() else {
        Counters::count(&app.counters.unavailable);
        return json(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE);
    };
    match timeout(app.limits.webhook, app.intake.keep(&body, now.at)).await {
        Ok(Ok(receipt)) => {
            Counters::count(&app.counters.accepted);
            if receipt.deliveries > 1 {
                Counters::count(&app.counters.duplicates);
            } else if !app.clock.reading().trusted {
                // Only a new event proves the time: a known one can be replayed at any time.
                app.clock.witness(signed, TOLERANCE_SECONDS, "a new event's signature");
            }
            json(StatusCode::OK, RECEIVED)
        }
        Ok(Err(error)) => unavailable(&app, &error.to_string()),
        Err(_) => unavailable(&app, "the database took too long"),
    }
}

/// The time of the signature, if it is genuine and recent. While the clock is in doubt, both times are tried.
/// A signature from the future that fits the time that was rejected when a doubt was settled puts the clock
/// in doubt again.
fn genuine(app: &App, body: &[u8], signature: &[u8], now: Now) -> Result<Timestamp, SignatureFault> {
    let by = |time: Timestamp| verify(body, Some(signature), &app.secrets, time.seconds(), TOLERANCE_SECONDS);
    let verified = match by(now.at) {
        Err(fault) if !now.trusted && is_about_time(fault) => by(app.clock.status().wall),
        Err(SignatureFault::Future) => match app.clock.rejected().map(by) {
            Some(Ok(verified)) => {
                app.clock.doubt_again();
                Ok(verified)
            }
            Some(Err(_)) | None => Err(SignatureFault::Future),
        },
        by_now => by_now,
    };
    verified.map(|verified| Timestamp::from_seconds(verified.timestamp))
}

/// Whether the signature is genuine and only its time is wrong.
fn is_about_time(fault: SignatureFault) -> bool {
    matches!(fault, SignatureFault::Stale | SignatureFault::Future)
}

/// The event is on disk.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes `RECEIVED`")]
struct WebhookReceived {
    /// `true`.
    received: bool,
}

/// Nothing was stored.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the fixed answers above")]
struct WebhookRefused {
    error: RefusedBecause,
}

/// Why nothing was stored. The response is the same for every fault of a signature.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the fixed answers above")]
struct RefusedBecause {
    code: u16,
    r#type: String,
    message: String,
}

/// The same response for every fault. The reason is logged and counted.
fn refuse(app: &App, fault: SignatureFault) -> Response {
    app.counters.count_fault(fault);
    (Extension(RefusalReason(fault.as_str())), json(StatusCode::BAD_REQUEST, SIGNATURE_INVALID))
        .into_response()
}

/// 503 to a genuine event that fits neither time. Stripe sends it again, and the clock may be set by then.
fn fits_neither_time(app: &App, fault: SignatureFault) -> Response {
    Counters::count(&app.counters.unavailable);
    tracing::error!(
        reason = fault.as_str(),
        "a genuine webhook fits neither the machine's clock nor the kept time: set this machine's clock"
    );
    json(StatusCode::SERVICE_UNAVAILABLE, CLOCK_IN_DOUBT)
}

fn unavailable(app: &App, why: &str) -> Response {
    Counters::count(&app.counters.unavailable);
    tracing::error!(why, "could not store a webhook; it was not acknowledged and Stripe will send it again");
    json(StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE)
}

fn json(status: StatusCode, body: &'static str) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
