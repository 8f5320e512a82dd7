//! Stripe's wire formats: signatures, events, the objects in them, the request for a checkout, and a retry
//! schedule.
//!
//! Everything here is a pure function of its arguments: the secret, the time and the bytes are passed in.
//! Where to start:
//!
//! - [`signature::verify`] checks a delivery;
//! - [`Envelope::parse`] reads the event in it, and [`Event::object`] the object in the event;
//! - [`retry::Schedule`] says when to try again;
//! - [`checkout::NewSession::form`] writes the request for a checkout.
//!
//! ```
//! use stripe::{Envelope, Object, Secret, signature};
//!
//! let secrets = [Secret::parse("whsec_5Yw3ZkQmN8tR")?];
//! let now = 1_790_000_000;
//! # let body = br#"{"id":"evt_1","object":"event","type":"charge.refunded","created":1790000000,
//! #     "data":{"object":{"id":"ch_1","amount":2500,"amount_refunded":1000}}}"#;
//! # let header = signature::sign(body, now, &secrets);
//! // `header` is the value of `Stripe-Signature`, `body` is the request's body as received.
//! signature::verify(body, Some(header.as_bytes()), &secrets, now, signature::TOLERANCE_SECONDS)?;
//! let Envelope::Snapshot(event) = Envelope::parse(body)? else { panic!("a thin event") };
//! if let Object::Charge(charge) = event.object()? {
//!     assert_eq!((charge.id.as_str(), charge.amount_refunded), ("ch_1", 1000));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The crate stands on its own, for a program that only needs a webhook handler: see
//! `examples/webhook_handler.rs` and the feature `axum`. Deliberately not here: I/O, a clock, async, requests
//! to Stripe, which events a payment causes (`emulator`), and what an event is worth in credits (`ledger`).

#[cfg(feature = "axum")]
pub mod axum;
pub mod checkout;
mod envelope;
mod event_type;
mod fault;
mod fields;
pub mod form;
mod object;
mod open_enum;
pub mod retry;
mod secret;
pub mod signature;
pub mod write;

pub use envelope::{Envelope, Event, ThinEvent};
pub use event_type::EventType;
pub use fault::{Faults, ReadFault};
pub use object::{
    BalanceTransaction, ChargeSnapshot, CheckoutSessionSnapshot, DisputeSnapshot, DisputeStatus,
    EarlyFraudWarningSnapshot, InvoicePaymentSnapshot, InvoiceSnapshot, Metadata, Object,
    PaymentIntentSnapshot, PaymentStatus, RefundSnapshot, RefundStatus,
};
pub use secret::{Secret, SecretFault, is_placeholder};
