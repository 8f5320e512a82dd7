//! How the customer pays, and who the customer is: what several objects repeat.
//!
//! Deliberately not here: the test numbers and what they do; whoever makes an object decides that.

use super::body::with_nulls;
use super::closed_enum::closed_enum;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

closed_enum! {
    /// A way to pay.
    MethodType {
        /// Decided at once.
        Card = "card",
        /// A promise that the bank keeps or breaks days later.
        SepaDebit = "sepa_debit",
        /// May bring the money in parts, and has no charge before all of it is there.
        BankTransfer = "customer_balance",
    }
}

impl MethodType {
    /// As it stands in `payment_method_types`.
    pub(super) fn names(types: &[Self]) -> Vec<&'static str> {
        types.iter().map(|method| method.name()).collect()
    }
}

/// The very card or account behind a charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Method {
    /// A card.
    Card {
        /// Stripe's word for the card network: `visa`.
        brand: String,
        /// The last four digits.
        last4: String,
        /// Where the card was issued: ISO 3166, two letters, in upper case.
        country: String,
        /// `credit`, `debit`, `prepaid` or `unknown`.
        funding: String,
        /// Whether the customer has confirmed the payment with the bank.
        three_d_secure: bool,
    },
    /// A bank account that is debited.
    SepaDebit {
        /// The last four characters of the IBAN.
        last4: String,
        /// The IBAN's first two letters.
        country: String,
        /// The id of the mandate: `mandate_…`.
        mandate: String,
    },
    /// Money that the customer sends.
    #[serde(rename = "customer_balance")]
    BankTransfer,
}

impl Method {
    /// Which kind it is.
    #[must_use]
    pub fn method_type(&self) -> MethodType {
        match self {
            Self::Card { .. } => MethodType::Card,
            Self::SepaDebit { .. } => MethodType::SepaDebit,
            Self::BankTransfer => MethodType::BankTransfer,
        }
    }
}

/// The customer, as told while paying.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillingDetails {
    /// Full name.
    pub name: Option<String>,
    /// Address of the receipt.
    pub email: Option<String>,
    /// ISO 3166, two letters, in upper case.
    pub country: Option<String>,
    /// As the country writes it.
    pub postal_code: Option<String>,
}

impl BillingDetails {
    /// `billing_details` of a charge and of a payment method.
    pub(super) fn render(&self) -> Value {
        json!({
            "address": self.address(),
            "email": self.email,
            "name": self.name,
            "phone": null,
            "tax_id": null,
        })
    }

    /// `customer_details` of a session.
    pub(super) fn render_customer(&self) -> Value {
        json!({
            "address": self.address(),
            "business_name": null,
            "email": self.email,
            "individual_name": null,
            "name": self.name,
            "phone": null,
            "tax_exempt": "none",
            "tax_ids": [],
        })
    }

    fn address(&self) -> Value {
        with_nulls(
            json!({ "country": self.country, "postal_code": self.postal_code }),
            &["city", "line1", "line2", "state"],
        )
    }
}
