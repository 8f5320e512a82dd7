//! Why a bank declined a payment: the common part of a failed charge and of its payment intent's error.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One decline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFailure {
    /// `card_declined` and others (docs.stripe.com/error-codes); empty for a SEPA debit.
    pub code: String,
    /// `insufficient_funds` and others (docs.stripe.com/declines/codes); None if the customer did not confirm
    /// the payment.
    pub decline_code: Option<String>,
    /// The message for the customer.
    pub message: String,
}

impl PaymentFailure {
    /// Stripe's error object, without the failed charge and payment method.
    pub(super) fn render(&self) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message, "type": self.error_type() });
        if let Some(decline_code) = &self.decline_code {
            error["advice_code"] = json!(self.advice_code());
            error["decline_code"] = json!(decline_code);
        }
        if !self.code.is_empty() {
            let page = self.code.replace('_', "-");
            error["doc_url"] = json!(format!("https://stripe.com/docs/error-codes/{page}"));
        }
        error
    }

    /// What the merchant may do about it (docs.stripe.com/declines/codes).
    pub(super) fn advice_code(&self) -> Option<&'static str> {
        Some(match self.decline_code.as_deref()? {
            "lost_card" | "stolen_card" | "pickup_card" => "do_not_try_again",
            "expired_card" | "incorrect_cvc" | "incorrect_number" => "confirm_card_data",
            _ => "try_again_later",
        })
    }

    /// Every decline by a bank is a `card_error`, also of a SEPA debit.
    fn error_type(&self) -> &'static str {
        if self.decline_code.is_some() { "card_error" } else { "invalid_request_error" }
    }
}
