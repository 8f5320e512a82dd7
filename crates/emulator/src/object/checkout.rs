//! What a Checkout Session's page knows beyond the session object: the items, and what the
//! payment will carry.
//!
//! Not here: the session itself (`stripe::write::Session`).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Metadata, Price};

/// The part of a session that no event shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutDetails {
    /// What is bought.
    pub items: Vec<LineItem>,
    /// `payment_intent_data[metadata]`: the one way by which metadata reaches intent and charge
    /// (support.stripe.com/questions/how-metadata-works-with-related-objects).
    pub intent_metadata: Metadata,
    /// `payment_intent_data[description]`
    pub intent_description: Option<String>,
    /// The payment intent, once the customer has tried to pay; the session names it only when complete.
    pub payment_intent: Option<String>,
    /// The card whose bank waits for the customer to confirm the payment.
    pub challenged: Option<String>,
}

/// One line of the purchase. Amounts are minor units of the session's currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineItem {
    /// `li_…`
    pub id: String,
    /// The product's name.
    pub description: String,
    /// How many.
    pub quantity: i64,
    /// What one costs.
    pub price: Price,
    /// Before tax.
    pub amount_subtotal: i64,
    /// The tax.
    pub amount_tax: i64,
    /// With tax.
    pub amount_total: i64,
}

impl LineItem {
    /// As Stripe's API answers it.
    #[must_use]
    pub fn render(&self) -> Value {
        json!({
            "id": self.id,
            "object": "item",
            "adjustable_quantity": null,
            "amount_discount": 0,
            "amount_subtotal": self.amount_subtotal,
            "amount_tax": self.amount_tax,
            "amount_total": self.amount_total,
            "currency": self.price.currency,
            "description": self.description,
            "metadata": {},
            "price": self.price.render(),
            "quantity": self.quantity,
        })
    }
}
