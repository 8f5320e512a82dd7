//! Prices (docs.stripe.com/api/prices): one-off, per unit.
//!
//! Not here: recurring prices, tiers, several currencies; they are refused by name.

use serde_json::Value;

use super::call::Call;
use super::{currency, product};
use crate::object::{Metadata, Price};
use crate::wire::{Params, StripeError};
use crate::world::World;

const NOUN: &str = "price";
const NOT_EMULATED: [&str; 6] =
    ["currency_options", "custom_unit_amount", "recurring", "tiers", "tiers_mode", "transform_quantity"];
const TAX_BEHAVIORS: [(&str, bool); 3] = [("inclusive", true), ("exclusive", false), ("unspecified", false)];

/// The figures of a new price.
pub(super) struct NewPrice {
    currency: String,
    unit_amount: i64,
    tax_inclusive: bool,
    nickname: Option<String>,
    lookup_key: Option<String>,
    metadata: Metadata,
}

impl NewPrice {
    /// `price_data`, `default_price_data`, and the same fields of a price itself.
    pub(super) fn read(params: &mut Params) -> Result<Self, StripeError> {
        params.refuse(&NOT_EMULATED)?;
        Ok(Self {
            currency: currency::read(params)?,
            unit_amount: unit_amount(params)?,
            tax_inclusive: params.one_of("tax_behavior", &TAX_BEHAVIORS)?.unwrap_or(false),
            nickname: None,
            lookup_key: None,
            metadata: params.metadata()?.made()?,
        })
    }

    /// Makes the price. Answers its id. One that was made for a single session is not active.
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

    /// Minor units for one piece, and whether tax is inside.
    pub(super) fn unit(&self) -> (i64, bool) {
        (self.unit_amount, self.tax_inclusive)
    }
}

/// `unit_amount`, or `unit_amount_decimal` as far as it is whole.
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
                StripeError::invalid(format!("FairePlace's emulator takes whole minor units only: {decimal}"))
                    .param(name)
            })?
        }
        (None, None) => return Err(params.missing("unit_amount")),
    };
    currency::not_too_large(amount, &params.name("unit_amount"))
}

pub(super) fn create(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    params.ignore(&["billing_scheme", "transfer_lookup_key"]);
    let product = params.text("product")?;
    let product_data = params.nested("product_data", |data| {
        let (id, active) = (data.text("id")?, data.boolean("active")?.unwrap_or(true));
        Ok((id, active, product::NewProduct::read(data)?))
    })?;
    let active = params.boolean("active")?.unwrap_or(true);
    let (nickname, lookup_key) = (params.text("nickname")?, params.text("lookup_key")?);
    let new = NewPrice { nickname, lookup_key: lookup_key.clone(), ..NewPrice::read(params)? };
    params.finish()?;
    if let Some(key) = &lookup_key {
        key_is_free(call.world, key, None)?;
    }
    let product = match (product, product_data) {
        (Some(_), Some(_)) => return Err(StripeError::exclusive(&["product", "product_data"])),
        (None, None) => return Err(StripeError::missing_parameter("product")),
        (Some(id), None) if call.world.products.get(&id).is_none() => {
            return Err(StripeError::no_such("product", &id, "product"));
        }
        (Some(id), None) => id,
        (None, Some((Some(id), ..))) if call.world.products.get(&id).is_some() => {
            let fault = StripeError::invalid(format!("Product already exists: {id}"));
            return Err(fault.code("resource_already_exists").param("product_data[id]"));
        }
        (None, Some((id, active, data))) => data.make(call.world, id, active),
    };
    call.id = new.make(call.world, product, active);
    show(call)
}

/// A lookup key finds one price.
fn key_is_free(world: &World, key: &str, except: Option<&str>) -> Result<(), StripeError> {
    let holder = |price: &&Price| price.lookup_key.as_deref() == Some(key) && except != Some(&price.id);
    match world.prices.iter().find(holder) {
        None => Ok(()),
        Some(price) => {
            Err(StripeError::invalid(format!("A price (`{}`) already uses that lookup key.", price.id))
                .param("lookup_key"))
        }
    }
}

pub(super) fn retrieve(call: &mut Call<'_>) -> Result<Value, StripeError> {
    call.params.finish()?;
    show(call)
}

pub(super) fn update(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    params.refuse(&["currency_options"])?;
    params.ignore(&["transfer_lookup_key"]);
    let active = params.boolean("active")?;
    let (nickname, lookup_key) = (params.text_change("nickname")?, params.text_change("lookup_key")?);
    let tax_inclusive = params.one_of("tax_behavior", &TAX_BEHAVIORS)?;
    let metadata = params.metadata()?;
    if let crate::wire::FieldChange::Set(key) = &lookup_key {
        key_is_free(call.world, key, Some(&call.id))?;
    }
    call.update::<Price>(
        "price.updated",
        NOUN,
        metadata,
        |price| &mut price.metadata,
        |price| {
            price.active = active.unwrap_or(price.active);
            price.tax_inclusive = tax_inclusive.unwrap_or(price.tax_inclusive);
            nickname.apply(&mut price.nickname);
            lookup_key.apply(&mut price.lookup_key);
        },
    )?;
    show(call)
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    let (active, currency) = (params.boolean("active")?, params.text("currency")?);
    let (product, keys) = (params.text("product")?, params.texts("lookup_keys")?);
    let recurring = params.one_of("type", &[("one_time", false), ("recurring", true)])?.unwrap_or(false);
    let keep = |price: &Price| {
        !recurring
            && active.is_none_or(|active| price.active == active)
            && currency.as_ref().is_none_or(|currency| price.currency == *currency)
            && product.as_ref().is_none_or(|product| price.product == *product)
            && (keys.is_empty() || price.lookup_key.as_ref().is_some_and(|key| keys.contains(key)))
    };
    let prices = &call.world.prices;
    Call::list(&mut call.params, (NOUN, "/v1/prices"), prices, |price| price.created, keep, Price::render)
}

fn show(call: &Call<'_>) -> Result<Value, StripeError> {
    call.named(&call.world.prices, NOUN).map(Price::render)
}
