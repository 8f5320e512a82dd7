//! Products, prices and customers (docs.stripe.com/api/products, /prices, /customers), as far as one-time
//! purchases need them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::MetadataMap;

/// A product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// `prod_…`, or an id that the shop chose.
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// Unix seconds.
    pub updated: i64,
    /// Its name, for the customer.
    pub name: String,
    /// Its description, for the customer.
    pub description: Option<String>,
    /// Whether it can be bought.
    pub active: bool,
    /// The id of the default price.
    pub default_price: Option<String>,
    /// The shop's notes.
    pub metadata: MetadataMap,
}

impl Product {
    /// As Stripe's API returns it.
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

/// A one-time price.
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
    /// Minor units for one unit of the product.
    pub unit_amount: i64,
    /// The id of the product.
    pub product: String,
    /// Whether `unit_amount` includes tax; otherwise tax is added.
    pub tax_inclusive: bool,
    /// A short name, for the shop.
    pub nickname: Option<String>,
    /// A name to look it up by.
    pub lookup_key: Option<String>,
    /// The shop's notes.
    pub metadata: MetadataMap,
}

impl Price {
    /// As Stripe's API returns it.
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
    /// Where receipts are sent.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// The shop's description.
    pub description: Option<String>,
    /// The shop's notes.
    pub metadata: MetadataMap,
}

impl Customer {
    /// As Stripe's API returns it.
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
