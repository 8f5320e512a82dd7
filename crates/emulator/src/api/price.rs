//! Prices (docs.stripe.com/api/prices): one-time, per unit. Recurring prices, tiers and several currencies
//! are refused with an error that names them.

use serde_json::Value;

use super::call::Call;
use super::catalogue::{NewPrice, NewProduct, TAX_BEHAVIORS};
use crate::object::Price;
use crate::wire::StripeError;
use crate::world::World;

const NOUN: &str = "price";

pub(super) fn create(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    params.ignore(&["billing_scheme", "transfer_lookup_key"]);
    let product = params.text("product")?;
    let product_data = params.nested("product_data", |data| {
        let (id, active) = (data.text("id")?, data.boolean("active")?.unwrap_or(true));
        Ok((id, active, NewProduct::read(data)?))
    })?;
    let active = params.boolean("active")?.unwrap_or(true);
    let (nickname, lookup_key) = (params.text("nickname")?, params.text("lookup_key")?);
    let new = NewPrice::read(params)?.with_names(nickname, lookup_key.clone());
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
            let error = StripeError::invalid(format!("Product already exists: {id}"));
            return Err(error.code("resource_already_exists").param("product_data[id]"));
        }
        (None, Some((id, active, data))) => data.make(call.world, id, active),
    };
    call.id = new.make(call.world, product, active);
    show(call)
}

/// A lookup key may belong to one price only.
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
