//! The objects of one purchase: what `Purchase` and a state say, as the models of `write`, rendered.
//!
//! Deliberately not here: what an object looks like (the models), and which event tells which state
//! (`catalog`, `story`).

mod charge;
mod dispute;
mod early_fraud_warning;
mod payment_intent;
mod refund;
mod session;

pub(crate) use charge::{ChargeState, charge};
pub(crate) use dispute::{DisputeState, dispute};
pub(crate) use early_fraud_warning::early_fraud_warning;
pub(crate) use payment_intent::{IntentState, payment_intent};
pub(crate) use refund::{RefundState, refund, unreferenced};
pub(crate) use session::{SessionState, session};

use super::{BillingDetails, Failure};

/// Whoever buys. Not all of the name is ASCII, as names are.
fn buyer() -> BillingDetails {
    BillingDetails {
        name: Some("Žofie Müller".to_owned()),
        email: Some("buyer@example.com".to_owned()),
        country: Some("AT".to_owned()),
        postal_code: Some("1010".to_owned()),
    }
}

/// What the test card 4000000000000002 answers.
fn generic_decline() -> Failure {
    Failure {
        code: "card_declined".to_owned(),
        decline_code: Some("generic_decline".to_owned()),
        message: "Your card was declined.".to_owned(),
    }
}
