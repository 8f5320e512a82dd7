//! What is sold, for how much, and to whom (docs.stripe.com/api/products, /prices, /customers).
//!
//! Not here: recurring prices, tiers, and whatever else a one-off purchase has no use for.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Metadata;

/// A product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// `prod_…`, or what its maker chose.
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds.
    pub updated: i64,
    /// What the customer reads.
    pub name: String,
    /// What else the customer reads.
    pub description: Option<String>,
    /// Whether it can be bought.
    pub active: bool,
    /// The price it is sold at when none is named.
    pub default_price: Option<String>,
    /// Its maker's notes.
    pub metadata: Metadata,
}

impl Product {
    /// As Stripe's API answers it.
    #[must_use]
    pub fn render(&self) -> Value {
        json!({
            "id": self.id,
            "object": "product",
            "active": self.active,
            "created": self.created,
            "default_price": self.default_price,
            "description": self.description,
            "images": [],
            "livemode": false,
            "marketing_features": [],
            "metadata": self.metadata,
            "name": self.name,
            "package_dimensions": null,
            "shippable": null,
            "statement_descriptor": null,
            "tax_code": null,
            "tax_details": null,
            "type": "service",
            "unit_label": null,
            "updated": self.updated,
            "url": null,
        })
    }
}

/// A one-off price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// `price_…`
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// Whether it can be used.
    pub active: bool,
    /// ISO 4217 code in lower case.
    pub currency: String,
    /// Minor units for one piece.
    pub unit_amount: i64,
    /// Of what.
    pub product: String,
    /// Whether tax is inside `unit_amount`; it is put on top otherwise.
    pub tax_inclusive: bool,
    /// A short name for its maker.
    pub nickname: Option<String>,
    /// A name by which it can be looked up.
    pub lookup_key: Option<String>,
    /// Its maker's notes.
    pub metadata: Metadata,
}

impl Price {
    /// As Stripe's API answers it.
    #[must_use]
    pub fn render(&self) -> Value {
        json!({
            "id": self.id,
            "object": "price",
            "active": self.active,
            "billing_scheme": "per_unit",
            "created": self.created,
            "currency": self.currency,
            "custom_unit_amount": null,
            "livemode": false,
            "lookup_key": self.lookup_key,
            "metadata": self.metadata,
            "nickname": self.nickname,
            "product": self.product,
            "recurring": null,
            "tax_behavior": if self.tax_inclusive { "inclusive" } else { "exclusive" },
            "tiers_mode": null,
            "transform_quantity": null,
            "type": "one_time",
            "unit_amount": self.unit_amount,
            "unit_amount_decimal": self.unit_amount.to_string(),
        })
    }
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    /// `cus_…`
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// Full name.
    pub name: Option<String>,
    /// Where receipts go.
    pub email: Option<String>,
    /// As dialled.
    pub phone: Option<String>,
    /// Its maker's words.
    pub description: Option<String>,
    /// Its maker's notes.
    pub metadata: Metadata,
}

impl Customer {
    /// As Stripe's API answers it.
    #[must_use]
    pub fn render(&self) -> Value {
        json!({
            "id": self.id,
            "object": "customer",
            "address": null,
            "balance": 0,
            "created": self.created,
            "currency": null,
            "default_source": null,
            "delinquent": false,
            "description": self.description,
            "email": self.email,
            "invoice_prefix": null,
            "invoice_settings": {
                "custom_fields": null,
                "default_payment_method": null,
                "footer": null,
                "rendering_options": null,
            },
            "livemode": false,
            "metadata": self.metadata,
            "name": self.name,
            "phone": self.phone,
            "preferred_locales": [],
            "shipping": null,
            "tax_exempt": "none",
            "test_clock": null,
        })
    }
}
