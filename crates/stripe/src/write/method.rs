//! The payment method and the customer's details: the parts that several objects share.
//!
//! Deliberately not here: test numbers and their effects (`emulator`).

use super::body::with_nulls;
use super::closed_enum::closed_enum;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

closed_enum! {
    /// A kind of payment method.
    MethodType {
        /// The bank decides at once.
        Card = "card",
        /// The bank decides days later.
        SepaDebit = "sepa_debit",
        /// The money may arrive in parts; there is no charge before all of it has.
        BankTransfer = "customer_balance",
    }
}

impl MethodType {
    /// The value of `payment_method_types`.
    pub(super) fn names(types: &[Self]) -> Vec<&'static str> {
        types.iter().map(|method| method.name()).collect()
    }
}

/// The card or account of a charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Method {
    /// A card.
    Card {
        /// The card network: `visa`.
        brand: String,
        /// The last four digits.
        last4: String,
        /// The country of the issuer: two letters of ISO 3166, in upper case.
        country: String,
        /// `credit`, `debit`, `prepaid` or `unknown`.
        funding: String,
        /// Whether the customer passed 3-D Secure.
        three_d_secure: bool,
    },
    /// A bank account that is debited by SEPA.
    SepaDebit {
        /// The last four characters of the IBAN.
        last4: String,
        /// The IBAN's first two letters.
        country: String,
        /// The id of the mandate: `mandate_…`.
        mandate: String,
    },
    /// A bank transfer by the customer.
    #[serde(rename = "customer_balance")]
    BankTransfer,
}

impl Method {
    /// Its kind.
    #[must_use]
    pub fn method_type(&self) -> MethodType {
        match self {
            Self::Card { .. } => MethodType::Card,
            Self::SepaDebit { .. } => MethodType::SepaDebit,
            Self::BankTransfer => MethodType::BankTransfer,
        }
    }
}

/// The customer's details from the payment page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillingDetails {
    /// Full name.
    pub name: Option<String>,
    /// The address for the receipt.
    pub email: Option<String>,
    /// Two letters of ISO 3166, in upper case.
    pub country: Option<String>,
    /// In the country's format.
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
