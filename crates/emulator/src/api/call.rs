//! One request to Stripe's API as handlers see it: its parameters, the world, and the version of the
//! response.
//!
//! Every handler is a plain function of a [`Call`]. It reads all parameters, calls `finish`, and only then
//! changes the world, so that a refused request changes nothing. Not here: HTTP.

use serde_json::{Value, json};
use stripe::write::ApiVersion;

use crate::object::ApiObject;
use crate::wire::expand::ExpandTarget;
use crate::wire::list::{Created, ListParams};
use crate::wire::{MetadataChange, Params, StripeError};
use crate::world::{HasId, Table, World};

/// The function behind a route.
pub(super) type Handler = fn(&mut Call<'_>) -> Result<Value, StripeError>;

/// One request.
pub(super) struct Call<'a> {
    /// The account, after everything that is due has run.
    pub(super) world: &'a mut World,
    /// The parameters of body and query together.
    pub(super) params: Params,
    /// The `{id}` in the path; empty when the route has none.
    pub(super) id: String,
    /// The version of the response.
    pub(super) version: ApiVersion,
    /// The account's default version. Events are rendered in it, whatever version the request names.
    pub(super) account_version: ApiVersion,
    /// The base URL of the payment pages, without a trailing slash.
    pub(super) site: &'a str,
}

impl Call<'_> {
    /// The object with the id in the path. `noun` is Stripe's word in `No such …`.
    pub(super) fn named<'t, T: HasId>(&self, table: &'t Table<T>, noun: &str) -> Result<&'t T, StripeError> {
        table.get(&self.id).ok_or_else(|| StripeError::no_such(noun, &self.id, "id"))
    }

    /// One page of the items for which `keep` holds. The handler must have read its own filters before.
    pub(super) fn list<T: HasId>(
        params: &mut Params,
        (noun, url): (&str, &str),
        table: &Table<T>,
        created: impl Fn(&T) -> i64,
        keep: impl Fn(&T) -> bool,
        render: impl Fn(&T) -> Value,
    ) -> Result<Value, StripeError> {
        let (paging, window) = (ListParams::read(params)?, Created::read(params)?);
        params.finish()?;
        let passes = |item: &&T| window.contains(created(item)) && keep(item);
        let page = paging.page(noun, table.iter(), |item| item.id(), passes)?;
        Ok(page.render(url, |item| render(item)))
    }

    /// Updates an object and emits the event. `edit` receives the object with its metadata already changed.
    pub(super) fn update<T: ApiObject>(
        &mut self,
        type_name: &str,
        noun: &str,
        metadata: MetadataChange,
        metadata_of: impl Fn(&mut T) -> &mut std::collections::BTreeMap<String, String>,
        edit: impl FnOnce(&mut T),
    ) -> Result<(), StripeError> {
        self.params.finish()?;
        let missing = || StripeError::no_such(noun, &self.id, "id");
        let mut changed = T::table(self.world).get(&self.id).cloned().ok_or_else(missing)?;
        metadata.apply(metadata_of(&mut changed))?;
        edit(&mut changed);
        self.world.change::<T>(&self.id, type_name, |object| *object = changed);
        Ok(())
    }
}

/// An object by its id, or a part of one, for `expand[]`.
pub(super) fn resolve(world: &World, version: ApiVersion, wanted: ExpandTarget<'_>) -> Option<Value> {
    match wanted {
        ExpandTarget::Object(id) => render(world, version, id),
        ExpandTarget::Part { owner, field: "line_items" } => {
            let items = &world.checkouts.get(owner)?.items;
            let data: Vec<Value> = items.iter().map(crate::object::LineItem::render).collect();
            let url = format!("/v1/checkout/sessions/{owner}/line_items");
            Some(json!({ "object": "list", "data": data, "has_more": false, "url": url }))
        }
        ExpandTarget::Part { owner, field: "refunds" } => {
            world.charges.get(owner)?;
            let of_charge = |refund: &&stripe::write::Refund| refund.charge.as_deref() == Some(owner);
            let refunds = world.refunds.iter().rev().filter(of_charge);
            let data: Vec<Value> = refunds.map(|refund| refund.render(version)).collect();
            let url = format!("/v1/charges/{owner}/refunds");
            Some(json!({ "object": "list", "data": data, "has_more": false, "url": url }))
        }
        ExpandTarget::Part { .. } => None,
    }
}

fn render(world: &World, version: ApiVersion, id: &str) -> Option<Value> {
    // The shop may choose the id of a product; every other id begins with its kind.
    let kind = id.split('_').next().unwrap_or_default();
    match kind {
        "ch" | "py" => world.charges.get(id).map(|charge| charge.render(version)),
        "pi" => world.payment_intents.get(id).map(|intent| intent.render(version)),
        "cus" if world.deleted_customers.contains(id) => Some(deleted(id, "customer")),
        "cus" => world.customers.get(id).map(crate::object::Customer::render),
        "price" => world.prices.get(id).map(crate::object::Price::render),
        _ => world.products.get(id).map(crate::object::Product::render),
    }
}

/// Stripe's response to a deletion.
pub(super) fn deleted(id: &str, object: &str) -> Value {
    json!({ "id": id, "object": object, "deleted": true })
}
