//! One request to Stripe's API as the nouns see it: its parameters, the world, and the version to answer in.
//!
//! Every handler is a plain function of a [`Call`]: it reads all parameters, ends the reading, and only then
//! changes the world, so that a refused request has changed nothing. Not here: HTTP.

use serde_json::{Value, json};
use stripe::write::ApiVersion;

use crate::object::ApiObject;
use crate::wire::expand::ExpandTarget;
use crate::wire::list::{Created, ListParams};
use crate::wire::{MetadataChange, Params, StripeError};
use crate::world::{HasId, Table, World};

/// What a route does.
pub(super) type Handler = fn(&mut Call<'_>) -> Result<Value, StripeError>;

/// One request.
pub(super) struct Call<'a> {
    /// Everything there is, brought to the present.
    pub(super) world: &'a mut World,
    /// Body and query together.
    pub(super) params: Params,
    /// The `{id}` in the path; empty where the route has none.
    pub(super) id: String,
    /// The version to answer in.
    pub(super) version: ApiVersion,
    /// The account's own version: events are shown in it, whatever version asks.
    pub(super) account_version: ApiVersion,
    /// The address of the payment pages, without a slash at its end.
    pub(super) site: &'a str,
}

impl Call<'_> {
    /// The object that the path names. `noun` is Stripe's word in `No such …`.
    pub(super) fn named<'t, T: HasId>(&self, table: &'t Table<T>, noun: &str) -> Result<&'t T, StripeError> {
        table.get(&self.id).ok_or_else(|| StripeError::no_such(noun, &self.id, "id"))
    }

    /// A list of the items that `keep` lets through, in pages. The handler has taken its own filters out
    /// before.
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

    /// An update of an object that takes nothing but texts and metadata: `edit` gets the object with the
    /// metadata already changed.
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

/// Any object of the account by its id, or a part of one, for `expand[]`.
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
    // IdGenerator of products are their makers' choice; all others begin with their kind.
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

/// What Stripe answers when something was deleted.
pub(super) fn deleted(id: &str, object: &str) -> Value {
    json!({ "id": id, "object": object, "deleted": true })
}
