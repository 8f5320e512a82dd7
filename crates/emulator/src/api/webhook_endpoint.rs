//! Webhook endpoints (docs.stripe.com/api/webhook_endpoints). The secret is returned once, on creation.
//!
//! Not here: rotating the secret, which Stripe's API cannot do either (`act::control`).

use serde_json::Value;
use stripe::write::ApiVersion;

use super::call::{Call, deleted};
use super::url;
use crate::act::endpoint::{self, NewWebhookEndpoint};
use crate::object::WebhookEndpoint;
use crate::wire::{Params, StripeError};

const NOUN: &str = "webhook_endpoint";
/// Endpoints in one account and mode (docs.stripe.com/webhooks).
const MAX_ENDPOINTS: usize = 16;
const MAX_TYPES: usize = 500;

pub(super) fn create(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    params.ignore(&["connect"]);
    let url = url::read(params, "url")?.ok_or_else(|| params.missing("url"))?;
    let enabled_events = enabled_events(params)?.ok_or_else(|| params.missing("enabled_events"))?;
    let api_version = match params.text("api_version")? {
        None => call.account_version,
        Some(text) => ApiVersion::parse_nearest(&text)
            .ok_or_else(|| StripeError::unknown_version(&text).param("api_version"))?,
    };
    let description = params.text_change("description")?.value();
    let metadata = params.metadata()?.for_new()?;
    params.finish()?;
    if call.world.endpoints.len() >= MAX_ENDPOINTS {
        return Err(StripeError::invalid(format!(
            "You have reached the maximum of {MAX_ENDPOINTS} test webhook endpoints."
        )));
    }
    let new = NewWebhookEndpoint { url, enabled_events, api_version, description, metadata, secret: None };
    call.id = endpoint::create(call.world, new);
    call.named(&call.world.endpoints, NOUN).map(|endpoint| endpoint.render(true))
}

/// `enabled_events`: at least one type, or `*` for all.
fn enabled_events(params: &mut Params) -> Result<Option<Vec<String>>, StripeError> {
    let types = params.texts("enabled_events")?;
    let formed = |name: &String| {
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.');
        name == "*" || (name.contains('.') && name.chars().all(word))
    };
    if let Some(wrong) = types.iter().find(|name| !formed(name)) {
        let shown: String = wrong.chars().take(50).collect();
        return Err(StripeError::invalid(format!(
            "Invalid enabled_events: {shown} is not the name of an event."
        ))
        .param("enabled_events"));
    }
    if types.len() > MAX_TYPES {
        return Err(StripeError::invalid(format!("An endpoint accepts at most {MAX_TYPES} event types."))
            .param("enabled_events"));
    }
    Ok(Some(types).filter(|types| !types.is_empty()))
}

pub(super) fn retrieve(call: &mut Call<'_>) -> Result<Value, StripeError> {
    call.params.finish()?;
    show(call)
}

pub(super) fn update(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    let url = url::read(params, "url")?;
    let enabled_events = enabled_events(params)?;
    let disabled = params.boolean("disabled")?;
    let description = params.text_change("description")?;
    let change = params.metadata()?;
    params.finish()?;
    let mut metadata = call.named(&call.world.endpoints, NOUN)?.metadata.clone();
    change.apply(&mut metadata)?;
    if let Some(endpoint) = call.world.endpoints.get_mut(&call.id) {
        endpoint.metadata = metadata;
        endpoint.url = url.unwrap_or_else(|| endpoint.url.clone());
        endpoint.enabled_events = enabled_events.unwrap_or_else(|| endpoint.enabled_events.clone());
        description.apply(&mut endpoint.description);
    }
    if let Some(disabled) = disabled {
        endpoint::enable(call.world, &call.id, !disabled);
    }
    show(call)
}

pub(super) fn delete(call: &mut Call<'_>) -> Result<Value, StripeError> {
    call.params.finish()?;
    call.named(&call.world.endpoints, NOUN)?;
    endpoint::delete(call.world, &call.id);
    Ok(deleted(&call.id, NOUN))
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let names = (NOUN, "/v1/webhook_endpoints");
    let (endpoints, render) = (&call.world.endpoints, |endpoint: &WebhookEndpoint| endpoint.render(false));
    Call::list(&mut call.params, names, endpoints, |endpoint| endpoint.created, |_| true, render)
}

fn show(call: &Call<'_>) -> Result<Value, StripeError> {
    call.named(&call.world.endpoints, NOUN).map(|endpoint| endpoint.render(false))
}
