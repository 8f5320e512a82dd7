//! What a checkout session tells us (docs.stripe.com/checkout/fulfillment): whether the money is there, and
//! what it claims was bought.

use ledger::knowledge::Knowledge;
use ledger::{Minor, ObjectId, Offer};
use stripe::{CheckoutSession, EventType, PaymentStatus};

use super::{MetadataKeys, linked};

pub(super) fn knowledge(kind: &EventType, session: &CheckoutSession) -> Knowledge {
    let mut known = linked(session.payment_intent.as_ref(), None);
    known.sessions.insert(ObjectId::from(session.id.as_str()));
    known.completed = *kind == EventType::CheckoutSessionCompleted;
    known.expired = *kind == EventType::CheckoutSessionExpired;
    known.async_failed = *kind == EventType::CheckoutSessionAsyncPaymentFailed;
    // A completed session may still be unpaid: a delayed method clears, or fails, days later. And one over
    // nothing says `no_payment_required` before anybody completed it, so an expired one must not grant.
    known.paid = match kind {
        _ if sells_nothing(session) => false,
        EventType::CheckoutSessionAsyncPaymentSucceeded => true,
        EventType::CheckoutSessionCompleted => {
            matches!(session.payment_status, Some(PaymentStatus::Paid | PaymentStatus::NoPaymentRequired))
        }
        _ => false,
    };
    known.tax = session.amount_tax.filter(|_| !sells_nothing(session)).map_or(Minor::ZERO, Minor);
    known
}

pub(super) fn offer(kind: &EventType, session: &CheckoutSession, keys: &MetadataKeys) -> Offer {
    if sells_nothing(session) {
        return Offer::default();
    }
    let text = |key: &str| session.metadata.get(key).map(str::to_owned);
    let status_unknown = *kind == EventType::CheckoutSessionCompleted
        && matches!(session.payment_status, None | Some(PaymentStatus::Other(_)));
    Offer {
        tenant: text(&keys.tenant),
        package: text(&keys.package),
        credits: text(&keys.credits),
        currency: session.currency.clone(),
        amount_total: session.amount_total.map(Minor),
        amount_subtotal: session.amount_subtotal.map(Minor),
        status_unknown,
    }
}

/// A `setup` session only saves a card; it completes with `no_payment_required` whatever its metadata says.
fn sells_nothing(session: &CheckoutSession) -> bool {
    session.mode.as_deref() == Some("setup")
}
