//! The purchase's Checkout Session, with who gets the credits in its metadata.

use super::buyer;
use crate::write::{CustomerCreation, Metadata, MethodType, Payment, Purchase, Session, SessionStatus};
use serde_json::Value;

/// How far the customer and the money have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionState {
    /// Complete, and the money is there.
    Paid,
    /// Complete, and the money is still on its way, or the bank refused it later.
    Unpaid,
    /// Nobody paid within a day.
    Expired,
}

/// `data.object` of `checkout.session.*`. `total` is what was to be paid in the end: above the purchase's
/// price the rest is tax, below it is a discount, so that the list price stays what it is.
pub(crate) fn session(purchase: &Purchase, total: i64, method: MethodType, state: SessionState) -> Value {
    let (status, payment_status) = match state {
        SessionState::Paid => (SessionStatus::Complete, Payment::Paid),
        SessionState::Unpaid => (SessionStatus::Complete, Payment::Unpaid),
        SessionState::Expired => (SessionStatus::Expired, Payment::Unpaid),
    };
    let completed = status == SessionStatus::Complete;
    let created = purchase.created.saturating_sub(CHECKOUT_TAKES);
    let session = Session {
        id: purchase.session_id(),
        created,
        expires_at: created.saturating_add(EXPIRES_AFTER),
        livemode: purchase.livemode,
        currency: purchase.currency.clone(),
        amount_subtotal: purchase.amount_total,
        amount_tax: total.saturating_sub(purchase.amount_total).max(0),
        amount_total: total,
        status,
        payment_status,
        payment_intent: completed.then(|| purchase.id("pi")),
        customer: None,
        customer_email: None,
        customer_details: completed.then(buyer),
        customer_creation: CustomerCreation::IfRequired,
        client_reference_id: None,
        metadata: metadata(purchase),
        success_url: Some("https://shop.example.com/credits/done?session={CHECKOUT_SESSION_ID}".to_owned()),
        cancel_url: Some("https://shop.example.com/credits".to_owned()),
        url: None,
        payment_method_types: vec![method],
        automatic_tax: false,
    };
    session.render(purchase.api_version)
}

/// Seconds from the customer's coming to Checkout to the payment.
const CHECKOUT_TAKES: i64 = 60;

/// A session lives for a day unless told otherwise (docs.stripe.com/api/checkout/sessions/create).
const EXPIRES_AFTER: i64 = 24 * 60 * 60;

fn metadata(purchase: &Purchase) -> Metadata {
    Metadata::from([
        ("credits".to_owned(), purchase.credits.to_string()),
        ("package".to_owned(), purchase.package.clone()),
        ("tenant_id".to_owned(), purchase.tenant_id.clone()),
    ])
}
