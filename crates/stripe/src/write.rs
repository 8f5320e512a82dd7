//! Stripe's objects and events as Stripe would send them, for rehearsal and tests: models of the objects
//! ([`Session`], [`Charge`], …) that render for any version, and one event of any type about one payment.
//!
//! A body is laid out like Stripe's: indented by two spaces, `id` and `object` first, every other key in
//! alphabetical order, null where Stripe says null. The same input gives the same bytes, for ever.
//!
//! Deliberately not here: whole lives of a payment (`story`), signing (`signature`), and sending.

mod api_version;
mod body;
mod catalog;
mod charge;
mod closed_enum;
mod dispute;
mod early_fraud_warning;
mod failure;
mod method;
pub(crate) mod of_purchase;
mod payment_intent;
mod refund;
mod session;
mod unknown;

pub use api_version::ApiVersion;
pub use body::pretty;
pub use charge::{Charge, ChargeStatus};
pub use dispute::{Dispute, DisputeStatus, EVIDENCE, Leg};
pub use early_fraud_warning::EarlyFraudWarning;
pub use failure::Failure;
pub use method::{BillingDetails, Method, MethodType};
pub use payment_intent::{CaptureMethod, Declined, IntentStatus, NextAction, PaymentIntent};
pub use refund::{Refund, RefundStatus};
pub use session::{CustomerCreation, Payment, Session, SessionStatus};
pub use unknown::UnknownEventType;

pub(crate) use body::{Subject, written};

use crate::EventType;
use std::sync::LazyLock;

/// The seller's own notes on an object, by name.
pub type Metadata = std::collections::BTreeMap<String, String>;

/// One event of the named type about `purchase`, created at the moment of the purchase.
///
/// `nonce` (`[A-Za-z0-9_]`, at most 50 characters) becomes a part of the event's id: the same nonce makes a
/// duplicate of the same event, another nonce a new event about the same payment. `amount`, in minor units,
/// is the sum that the event is about: refunded so far for `charge.refunded`, the refund's, the dispute's, or
/// the captured amount; the payment's otherwise. Without it the event is about all of
/// `purchase.amount_total`.
///
/// The event is written whether or not Stripe would send its type in `purchase.api_version`; only a
/// [`Story`](crate::story::Story) keeps to what each version sends. A `charge.dispute.closed` is lost, the
/// outcome that costs money. Delayed payment methods are SEPA debits, everything else is a card.
///
/// # Errors
/// [`UnknownEventType`], with the names that come near, when `type_name` is not among [`event_names`].
pub fn event(
    type_name: &str,
    purchase: &Purchase,
    nonce: &str,
    amount: Option<i64>,
) -> Result<WrittenEvent, UnknownEventType> {
    let kind = EventType::from_name(type_name);
    let subject = catalog::subject(&kind, purchase, amount.unwrap_or(purchase.amount_total));
    let subject = subject.ok_or_else(|| UnknownEventType::new(type_name))?;
    Ok(written(&kind, purchase, nonce, purchase.created, &subject))
}

/// Every event type that [`event`] can write: those that this crate can read, apart from those of invoices.
#[must_use]
pub fn event_names() -> &'static [&'static str] {
    static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let of_invoice = |name: &&str| name.starts_with("invoice");
        EventType::ALL.iter().map(|(name, _)| *name).filter(|name| !of_invoice(name)).collect()
    });
    &NAMES
}

/// One purchase of credits through Stripe Checkout: all that its events have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// `[A-Za-z0-9_]`, at most 150 characters; every id of the purchase is made from it (`pi_REFERENCE`).
    pub reference: String,
    /// Metadata of the session: who gets the credits.
    pub tenant_id: String,
    /// Metadata of the session: what was bought.
    pub package: String,
    /// Metadata of the session: how many credits the package holds.
    pub credits: u32,
    /// What the customer pays, in minor units of `currency`, tax included; more than zero.
    pub amount_total: i64,
    /// ISO 4217 code in lower case.
    pub currency: String,
    /// When the customer pays, in Unix seconds.
    pub created: i64,
    /// Real money (`cs_live_…`) or rehearsal (`cs_test_…`).
    pub livemode: bool,
    /// The version that the receiving endpoint is pinned to; it decides the shape of the objects.
    pub api_version: ApiVersion,
}

/// One event, ready to be signed and sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenEvent {
    /// `evt_…`, made from the purchase's reference, the step or nonce, and the type.
    pub id: String,
    /// For example `checkout.session.completed`.
    pub type_name: String,
    /// When Stripe made the event, in Unix seconds.
    pub created: i64,
    /// The bytes to sign and to send: JSON, UTF-8.
    pub body: String,
}

impl Purchase {
    /// `cs_test_…` or `cs_live_…`.
    pub(crate) fn session_id(&self) -> String {
        let mode = if self.livemode { "live" } else { "test" };
        format!("cs_{mode}_{}", self.reference)
    }

    /// An id that belongs to this purchase: `ch` gives `ch_REFERENCE`.
    pub(crate) fn id(&self, prefix: &str) -> String {
        format!("{prefix}_{}", self.reference)
    }
}
