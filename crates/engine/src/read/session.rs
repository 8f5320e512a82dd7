//! What a checkout session tells us (docs.stripe.com/checkout/fulfillment): whether the money is there, and
//! what it claims was bought.

use ledger::claim::ClaimSource;
use ledger::knowledge::Knowledge;
use ledger::{ClaimedTerms, Minor, ObjectId};
use stripe::{CheckoutSessionSnapshot, EventType, PaymentStatus};

use super::{MetadataKeys, linked};

/// What a session is for. Without a mode, as in the guide's sample, it is a payment.
#[derive(Clone, Copy, PartialEq)]
enum SessionMode {
    Payment,
    Subscription,
    /// It only saves a card; it completes with `no_payment_required` whatever its metadata says.
    Setup,
    /// A mode that we do not know: only `paid` can be believed.
    Other,
}

impl SessionMode {
    fn of(session: &CheckoutSessionSnapshot) -> Self {
        match session.mode.as_deref() {
            Some("subscription") => Self::Subscription,
            Some("setup") => Self::Setup,
            Some("payment") | None => Self::Payment,
            Some(_) => Self::Other,
        }
    }
}

pub(super) fn knowledge(kind: &EventType, session: &CheckoutSessionSnapshot) -> Knowledge {
    let mut known = linked(session.payment_intent.as_ref(), None);
    known.sessions.insert(ObjectId::from(session.id.as_str()));
    known.completed = *kind == EventType::CheckoutSessionCompleted;
    known.expired = *kind == EventType::CheckoutSessionExpired;
    known.async_failed = *kind == EventType::CheckoutSessionAsyncPaymentFailed;
    let mode = SessionMode::of(session);
    if mode == SessionMode::Setup {
        return known;
    }
    known.currency = session.currency.clone();
    known.session_total = session.amount_total.map(Minor);
    known.session_subtotal = session.amount_subtotal.map(Minor);
    known.tax = session.amount_tax.map_or(Minor::ZERO, Minor);
    match (mode, status(kind, session)) {
        (SessionMode::Payment | SessionMode::Other, SessionStatus::Paid) => known.paid = true,
        (SessionMode::Subscription, SessionStatus::Paid) => {
            known.invoice_paid = session.amount_total != Some(0);
        }
        // A trial: nothing was due yet.
        (SessionMode::Subscription, SessionStatus::NothingDue) => {}
        (SessionMode::Payment, SessionStatus::NothingDue) if session.amount_total == Some(0) => {
            known.paid = true;
        }
        (_, SessionStatus::NothingDue | SessionStatus::Unknown) => known.status_unknown = true,
        (_, SessionStatus::Unpaid) | (SessionMode::Setup, _) => {}
    }
    known.invoices.extend(session.invoice.as_deref().map(ObjectId::from));
    known.subscriptions.extend(session.subscription.as_deref().map(ObjectId::from));
    known
}

/// Whether a session's money is there.
#[derive(Clone, Copy, PartialEq)]
enum SessionStatus {
    Paid,
    Unpaid,
    /// `no_payment_required`.
    NothingDue,
    /// It may or may not mean paid.
    Unknown,
}

/// A completed session may still be unpaid: a delayed method clears, or fails, days later. And one over
/// nothing says `no_payment_required` before anybody completed it, so an expired one must not count.
fn status(kind: &EventType, session: &CheckoutSessionSnapshot) -> SessionStatus {
    match (kind, &session.payment_status) {
        (EventType::CheckoutSessionAsyncPaymentSucceeded, _) => SessionStatus::Paid,
        (EventType::CheckoutSessionCompleted, Some(PaymentStatus::Paid)) => SessionStatus::Paid,
        (EventType::CheckoutSessionCompleted, Some(PaymentStatus::NoPaymentRequired)) => {
            SessionStatus::NothingDue
        }
        (EventType::CheckoutSessionCompleted, None | Some(PaymentStatus::Other(_))) => SessionStatus::Unknown,
        _ => SessionStatus::Unpaid,
    }
}

/// What its metadata claims.
pub(super) fn claimed(session: &CheckoutSessionSnapshot, keys: &MetadataKeys) -> ClaimedTerms {
    let mode = SessionMode::of(session);
    if mode == SessionMode::Setup {
        return ClaimedTerms::none(ClaimSource::Session);
    }
    let terms = super::claimed(ClaimSource::Session, &session.metadata, keys);
    let unreadable = session.faults.first().is_some() && !terms.is_empty();
    ClaimedTerms {
        currency: session.currency.clone(),
        amount: session.amount_total.map(Minor),
        subtotal: session.amount_subtotal.map(Minor),
        recurring: mode == SessionMode::Subscription,
        // Nobody can tell whether unreadable metadata is ours, so a person must.
        unreadable: unreadable || session.metadata_unreadable,
        ..terms
    }
}
