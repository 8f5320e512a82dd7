//! The parts of a Checkout session that its object does not show: line items, and the data of its payment
//! intent.
//!
//! Not here: the session itself (`stripe::write::Session`).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{MetadataMap, Price};

/// The parts of a session that no event shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckoutDetails {
    /// The line items.
    pub items: Vec<LineItem>,
    /// `payment_intent_data[metadata]`: the only way to put metadata on intent and charge
    /// (support.stripe.com/questions/how-metadata-works-with-related-objects).
    pub intent_metadata: MetadataMap,
    /// `payment_intent_data[description]`
    pub intent_description: Option<String>,
    /// The payment intent, after the first attempt to pay. The session names it only when it is complete.
    pub payment_intent: Option<String>,
    /// The number of the card whose bank asks for 3-D Secure.
    pub challenged: Option<String>,
}

/// One line item. Amounts are minor units of the session's currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineItem {
    /// `li_…`
    pub id: String,
    /// The product's name.
    pub description: String,
    /// The quantity.
    pub quantity: i64,
    /// The price.
    pub price: Price,
    /// Before tax.
    pub amount_subtotal: i64,
    /// The tax.
    pub amount_tax: i64,
    /// Including tax.
    pub amount_total: i64,
}

impl LineItem {
    /// As Stripe's API returns it.
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
