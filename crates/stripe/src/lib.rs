//! Stripe's language: signatures, event envelopes, the objects inside, and the retry schedule.
//!
//! Everything here is a pure function of its arguments: the secret, the clock and the bytes are handed in.
//! Deliberately not here: I/O, a clock, async, calls to Stripe's API, and what an event is worth in credits.
//! The crate stands on its own, for a team that only wants a handler in a program of its own: see
//! `examples/webhook_handler.rs` and the feature `axum`.

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
pub mod story;
pub mod write;

pub use envelope::{Envelope, Event, ThinEvent};
pub use event_type::EventType;
pub use fault::{Faults, ReadFault};
pub use object::{
    BalanceTransaction, Charge, CheckoutSession, Dispute, DisputeStatus, EarlyFraudWarning, Invoice,
    InvoicePayment, Metadata, Object, PaymentIntent, PaymentStatus, Refund, RefundStatus,
};
pub use secret::{Secret, SecretFault, is_placeholder};
