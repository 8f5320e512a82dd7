//! Stripe on localhost: its API, its payment page, its events, and signed deliveries that misbehave like the
//! real ones, on a clock that can be turned forward.
//!
//! Deliberately not here: credits. This crate knows Stripe and nothing of what a payment is worth.

pub mod cards;
pub mod wire;
