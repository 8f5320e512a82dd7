//! Why a bank refuses a payment: what a failed charge and the error of its payment intent both say.

use serde::{Deserialize, Serialize};

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stripe's word: `card_declined` (docs.stripe.com/error-codes).
    pub code: String,
    /// The bank's word for a card that was declined: `insufficient_funds` (docs.stripe.com/declines/codes).
    pub decline_code: Option<String>,
    /// A sentence for the customer.
    pub message: String,
}

impl Failure {
    /// What the seller may do about it (docs.stripe.com/declines/codes).
    pub(super) fn advice_code(&self) -> &'static str {
        match self.decline_code.as_deref().unwrap_or(&self.code) {
            "lost_card" | "stolen_card" | "pickup_card" => "do_not_try_again",
            "expired_card" | "incorrect_cvc" | "incorrect_number" => "confirm_card_data",
            _ => "try_again_later",
        }
    }

    /// The page that explains the code.
    pub(super) fn doc_url(&self) -> String {
        format!("https://stripe.com/docs/error-codes/{}", self.code.replace('_', "-"))
    }
}
