//! Stripe's objects and events as Stripe writes them, for tests and for emulators: models of the objects
//! ([`Session`], [`Charge`], …) that render in any API version.
//!
//! A body is laid out like Stripe's: indented by two spaces, `id` and `object` first, every other key in
//! alphabetical order, null where Stripe writes null. The same input always gives the same bytes.
//!
//! Not here: which events a payment causes (`emulator`), and signing
//! ([`signature`](crate::signature)).

mod api_version;
mod body;
mod charge;
mod closed_enum;
mod dispute;
mod early_fraud_warning;
mod failure;
mod method;
mod payment_intent;
mod refund;
mod session;

pub use api_version::ApiVersion;
pub use body::pretty;
pub use charge::{Charge, ChargeStatus};
pub use dispute::{Dispute, DisputeStatus, EVIDENCE, Leg};
pub use early_fraud_warning::EarlyFraudWarning;
pub use failure::PaymentFailure;
pub use method::{BillingDetails, Method, MethodType};
pub use payment_intent::{CaptureMethod, Declined, IntentStatus, NextAction, PaymentIntent};
pub use refund::{Refund, RefundStatus};
pub use session::{CustomerCreation, Payment, Session, SessionStatus};

/// The metadata of an object, by key.
pub type MetadataMap = std::collections::BTreeMap<String, String>;

/// One event, ready to be signed and sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenEvent {
    /// `evt_…`.
    pub id: String,
    /// For example `checkout.session.completed`.
    pub type_name: String,
    /// When Stripe created the event, in Unix seconds.
    pub created: i64,
    /// The bytes to sign and to send: JSON, UTF-8.
    pub body: String,
}
