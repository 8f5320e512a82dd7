//! New products and new prices as requests describe them: on their own routes, and inside other requests as
//! `product_data`, `price_data` and `default_price_data`.

use super::currency;
use crate::object::{MetadataMap, Price, Product};
use crate::wire::{Params, StripeError};
use crate::world::World;

/// Parameters of products that the emulator accepts and ignores: nothing that it does depends on them.
pub(super) const IGNORED_OF_PRODUCTS: [&str; 10] = [
    "images",
    "marketing_features",
    "package_dimensions",
    "shippable",
    "statement_descriptor",
    "tax_code",
    "type",
    "unit_label",
    "url",
    "tax_details",
];

/// Parameters of prices that would change what is paid, and are refused.
const NOT_EMULATED: [&str; 6] =
    ["currency_options", "custom_unit_amount", "recurring", "tiers", "tiers_mode", "transform_quantity"];
pub(super) const TAX_BEHAVIORS: [(&str, bool); 3] =
    [("inclusive", true), ("exclusive", false), ("unspecified", false)];

/// The parameters of a new product.
pub(super) struct NewProduct {
    name: String,
    description: Option<String>,
    metadata: MetadataMap,
}

impl NewProduct {
    /// Reads `product_data`, or the same fields of a product itself.
    pub(super) fn read(params: &mut Params) -> Result<Self, StripeError> {
        params.ignore(&IGNORED_OF_PRODUCTS);
        Ok(Self {
            name: params.required_text("name")?,
            description: params.text_change("description")?.value(),
            metadata: params.metadata()?.for_new()?,
        })
    }

    /// Creates the product. Returns its id.
    pub(super) fn make(self, world: &mut World, id: Option<String>, active: bool) -> String {
        let (id, now) = (id.unwrap_or_else(|| world.id("prod")), world.now());
        let product = Product {
            id: id.clone(),
            created: now,
            updated: now,
            name: self.name,
            description: self.description,
            active,
            default_price: None,
            metadata: self.metadata,
        };
        world.create(product, "product.created");
        id
    }
}

/// The parameters of a new price.
pub(super) struct NewPrice {
    currency: String,
    unit_amount: i64,
    tax_inclusive: bool,
    nickname: Option<String>,
    lookup_key: Option<String>,
    metadata: MetadataMap,
}

impl NewPrice {
    /// Reads `price_data`, `default_price_data`, or the same fields of a price itself.
    pub(super) fn read(params: &mut Params) -> Result<Self, StripeError> {
        params.refuse(&NOT_EMULATED)?;
        Ok(Self {
            currency: currency::read(params)?,
            unit_amount: unit_amount(params)?,
            tax_inclusive: params.one_of("tax_behavior", &TAX_BEHAVIORS)?.unwrap_or(false),
            nickname: None,
            lookup_key: None,
            metadata: params.metadata()?.for_new()?,
        })
    }

    /// The names that only a price with a route of its own has.
    pub(super) fn with_names(self, nickname: Option<String>, lookup_key: Option<String>) -> Self {
        Self { nickname, lookup_key, ..self }
    }

    /// Creates the price. Returns its id. A price that was created for a single session is not active.
    pub(super) fn make(self, world: &mut World, product: String, active: bool) -> String {
        let price = Price {
            id: world.id("price"),
            created: world.now(),
            active,
            currency: self.currency,
            unit_amount: self.unit_amount,
            product,
            tax_inclusive: self.tax_inclusive,
            nickname: self.nickname,
            lookup_key: self.lookup_key,
            metadata: self.metadata,
        };
        let id = price.id.clone();
        world.create(price, "price.created");
        id
    }

    /// ISO 4217 code in lower case.
    pub(super) fn currency(&self) -> &str {
        &self.currency
    }

    /// The price of one unit in minor units, and whether it includes tax.
    pub(super) fn unit(&self) -> (i64, bool) {
        (self.unit_amount, self.tax_inclusive)
    }
}

/// `unit_amount`, or `unit_amount_decimal` when it is a whole number.
fn unit_amount(params: &mut Params) -> Result<i64, StripeError> {
    let whole = params.integer_from("unit_amount", 0)?;
    let decimal = params.text("unit_amount_decimal")?;
    let amount = match (whole, decimal) {
        (Some(_), Some(_)) => {
            return Err(StripeError::exclusive(&[
                &params.name("unit_amount"),
                &params.name("unit_amount_decimal"),
            ]));
        }
        (Some(amount), None) => amount,
        (None, Some(decimal)) => {
            let name = params.name("unit_amount_decimal");
            let (digits, fraction) = decimal.split_once('.').unwrap_or((&decimal, ""));
            let whole = fraction.bytes().all(|digit| digit == b'0');
            let amount = digits.parse().ok().filter(|amount| *amount >= 0 && whole);
            amount.ok_or_else(|| {
                StripeError::invalid(format!(
                    "FairePlace's emulator accepts whole minor units only: {decimal}"
                ))
                .param(name)
            })?
        }
        (None, None) => return Err(params.missing("unit_amount")),
    };
    currency::not_too_large(amount, &params.name("unit_amount"))
}
