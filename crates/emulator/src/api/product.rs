//! Products (docs.stripe.com/api/products).

use serde_json::Value;

use super::call::{Call, deleted};
use super::catalogue::{IGNORED_OF_PRODUCTS, NewPrice, NewProduct};
use crate::object::{ApiObject, Product};
use crate::wire::StripeError;

const NOUN: &str = "product";

pub(super) fn create(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    let id = params.text("id")?;
    let active = params.boolean("active")?.unwrap_or(true);
    let default_price = params.nested("default_price_data", NewPrice::read)?;
    let new = NewProduct::read(params)?;
    params.finish()?;
    if let Some(id) = id.as_deref().filter(|id| call.world.products.get(id).is_some()) {
        let error = StripeError::invalid(format!("Product already exists: {id}"));
        return Err(error.code("resource_already_exists").param("id"));
    }
    let id = new.make(call.world, id, active);
    if let Some(price) = default_price {
        let price = price.make(call.world, id.clone(), true);
        call.world.change::<Product>(&id, "product.updated", |product| product.default_price = Some(price));
    }
    call.id = id;
    show(call)
}

pub(super) fn retrieve(call: &mut Call<'_>) -> Result<Value, StripeError> {
    call.params.finish()?;
    show(call)
}

pub(super) fn update(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    params.ignore(&IGNORED_OF_PRODUCTS);
    let name = params.text("name")?;
    let active = params.boolean("active")?;
    let description = params.text_change("description")?;
    let default_price = params.text_change("default_price")?;
    let metadata = params.metadata()?;
    if let crate::wire::FieldChange::Set(id) = &default_price
        && call.world.prices.get(id).is_none()
    {
        return Err(StripeError::no_such("price", id, "default_price"));
    }
    let now = call.world.now();
    call.update::<Product>(
        "product.updated",
        NOUN,
        metadata,
        |product| &mut product.metadata,
        |product| {
            product.updated = now;
            product.name = name.unwrap_or_else(|| product.name.clone());
            product.active = active.unwrap_or(product.active);
            description.apply(&mut product.description);
            default_price.apply(&mut product.default_price);
        },
    )?;
    show(call)
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Value, StripeError> {
    call.params.finish()?;
    let product = call.named(&call.world.products, NOUN)?.clone();
    if call.world.prices.iter().any(|price| price.product == product.id) {
        return Err(StripeError::invalid(
            "This product cannot be deleted because it has one or more user-created prices.",
        ));
    }
    Product::table(call.world).remove(&call.id);
    call.world.emit("product.deleted", product.into(), None);
    Ok(deleted(&call.id, NOUN))
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let active = call.params.boolean("active")?;
    let ids = call.params.texts("ids")?;
    let keep = |product: &Product| {
        active.is_none_or(|active| product.active == active) && (ids.is_empty() || ids.contains(&product.id))
    };
    let names = (NOUN, "/v1/products");
    let products = &call.world.products;
    Call::list(&mut call.params, names, products, |product| product.created, keep, Product::render)
}

fn show(call: &Call<'_>) -> Result<Value, StripeError> {
    call.named(&call.world.products, NOUN).map(Product::render)
}
