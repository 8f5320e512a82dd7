//! Customers (docs.stripe.com/api/customers). Addresses and tax ids are accepted and ignored.

use serde_json::Value;

use super::call::{Call, deleted};
use crate::object::{ApiObject, Customer};
use crate::wire::StripeError;

const NOUN: &str = "customer";
const IGNORED: [&str; 15] = [
    "address",
    "balance",
    "business_name",
    "cash_balance",
    "individual_name",
    "invoice_prefix",
    "invoice_settings",
    "next_invoice_sequence",
    "preferred_locales",
    "shipping",
    "tax",
    "tax_exempt",
    "tax_id_data",
    "default_source",
    "validate",
];
const NOT_EMULATED: [&str; 3] = ["payment_method", "source", "test_clock"];

pub(super) fn create(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    params.refuse(&NOT_EMULATED)?;
    params.ignore(&IGNORED);
    let name = params.text_change("name")?.value();
    let email = params.text_change("email")?.value();
    let phone = params.text_change("phone")?.value();
    let description = params.text_change("description")?.value();
    let metadata = params.metadata()?.for_new()?;
    params.finish()?;
    check_email(email.as_deref())?;
    let id = call.world.id("cus");
    let created = call.world.now();
    let customer = Customer { id: id.clone(), created, name, email, phone, description, metadata };
    call.world.create(customer, "customer.created");
    call.id = id;
    show(call)
}

pub(super) fn retrieve(call: &mut Call<'_>) -> Result<Value, StripeError> {
    call.params.finish()?;
    if call.world.deleted_customers.contains(&call.id) {
        return Ok(deleted(&call.id, NOUN));
    }
    show(call)
}

pub(super) fn update(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    params.refuse(&NOT_EMULATED)?;
    params.ignore(&IGNORED);
    let name = params.text_change("name")?;
    let email = params.text_change("email")?;
    let phone = params.text_change("phone")?;
    let description = params.text_change("description")?;
    let metadata = params.metadata()?;
    if let crate::wire::FieldChange::Set(email) = &email {
        check_email(Some(email))?;
    }
    call.update::<Customer>(
        "customer.updated",
        NOUN,
        metadata,
        |customer| &mut customer.metadata,
        |customer| {
            name.apply(&mut customer.name);
            email.apply(&mut customer.email);
            phone.apply(&mut customer.phone);
            description.apply(&mut customer.description);
        },
    )?;
    show(call)
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Value, StripeError> {
    call.params.finish()?;
    let customer = call.named(&call.world.customers, NOUN)?.clone();
    Customer::table(call.world).remove(&call.id);
    call.world.deleted_customers.insert(call.id.clone());
    call.world.emit("customer.deleted", customer.into(), None);
    Ok(deleted(&call.id, NOUN))
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let email = call.params.text("email")?;
    let keep = |customer: &Customer| email.is_none() || customer.email == email;
    let customers = &call.world.customers;
    let names = (NOUN, "/v1/customers");
    Call::list(&mut call.params, names, customers, |customer| customer.created, keep, Customer::render)
}

/// Refuses only what cannot be an email address.
pub(super) fn check_email(email: Option<&str>) -> Result<(), StripeError> {
    let plausible = |email: &str| {
        let halves = email.split_once('@');
        halves.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
    };
    match email {
        Some(email) if !plausible(email) => {
            Err(StripeError::invalid(format!("Invalid email address: {email}"))
                .code("email_invalid")
                .param("email"))
        }
        _ => Ok(()),
    }
}

fn show(call: &Call<'_>) -> Result<Value, StripeError> {
    call.named(&call.world.customers, NOUN).map(Customer::render)
}
