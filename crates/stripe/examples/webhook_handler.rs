//! A Stripe webhook handler in a program of your own: verified and typed.
//!
//! ```sh
//! STRIPE_WEBHOOK_SECRET=whsec_… cargo run -p stripe --example webhook_handler --features axum
//! stripe listen --forward-to localhost:3000/webhooks/stripe
//! ```

use axum::{Json, Router, routing::post};
use serde_json::{Value, json};
use std::error::Error;
use stripe::axum::{StripeEvent, WebhookVerifier};
use stripe::{Envelope, EventType, Object, PaymentStatus, ReadFault, Secret};

async fn webhook(event: StripeEvent) -> Result<Json<Value>, ReadFault> {
    if let Envelope::Snapshot(event) = event.envelope()? {
        match (&event.kind, event.object()?) {
            (
                EventType::CheckoutSessionCompleted | EventType::CheckoutSessionAsyncPaymentSucceeded,
                Object::CheckoutSession(session),
            ) if session.payment_status == Some(PaymentStatus::Paid) => {
                let claim = |key| session.metadata.get(key).unwrap_or("?");
                println!("{}: {} credits, {}", claim("tenant_id"), claim("credits"), claim("package"));
            }
            (EventType::ChargeRefunded, Object::Charge(charge)) => {
                println!("{}: {} refunded so far", charge.id, charge.amount_refunded);
            }
            (kind, _) => println!("{}: nothing to do", kind.name()),
        }
    }
    Ok(Json(json!({ "received": true })))
}

#[tokio::main]
#[expect(clippy::disallowed_methods, reason = "a program of its own reads its own environment")]
async fn main() -> Result<(), Box<dyn Error>> {
    let secrets = std::env::var("STRIPE_WEBHOOK_SECRET").unwrap_or_default();
    let secrets = Secret::parse_list(&secrets).map_err(|fault| fault.to_string())?;
    let app =
        Router::new().route("/webhooks/stripe", post(webhook)).with_state(WebhookVerifier::new(secrets, now));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}/webhooks/stripe", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}

#[expect(clippy::disallowed_methods, reason = "a program of its own has its own clock")]
fn now() -> i64 {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since_1970.map_or(0, |duration| duration.as_secs().cast_signed())
}
