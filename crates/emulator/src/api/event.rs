//! Events of the last 30 days (docs.stripe.com/api/events), and resending one.

use serde_json::Value;

use super::call::Call;
use crate::object::EventRecord;
use crate::wire::StripeError;

const NOUN: &str = "event";
/// docs.stripe.com/api/events/list
const MAX_TYPES: usize = 20;

pub(super) fn retrieve(call: &mut Call<'_>) -> Result<Value, StripeError> {
    call.params.finish()?;
    show(call)
}

pub(super) fn list(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let params = &mut call.params;
    let mut types = params.texts("types")?;
    if types.len() > MAX_TYPES {
        let message = format!("You may only specify up to {MAX_TYPES} event types.");
        return Err(StripeError::invalid(message).param("types"));
    }
    if let Some(only) = params.text("type")? {
        if !types.is_empty() {
            return Err(StripeError::exclusive(&["type", "types"]));
        }
        types.push(only);
    }
    let delivered = params.boolean("delivery_success")?;
    let keep = |event: &EventRecord| {
        (types.is_empty() || types.iter().any(|pattern| matches(pattern, &event.type_name)))
            && delivered.is_none_or(|delivered| (event.pending == 0) == delivered)
    };
    let (world, version) = (&*call.world, call.account_version);
    let render = |event: &EventRecord| world.render_event(event, version);
    Call::list(&mut call.params, (NOUN, "/v1/events"), &world.events, |event| event.created, keep, render)
}

/// `charge.*` matches every type that begins with `charge.`
fn matches(pattern: &str, type_name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => type_name.starts_with(start),
        None => pattern == type_name,
    }
}

/// `POST /v1/events/{id}/retry`, which `stripe events resend` calls.
pub(super) fn retry(call: &mut Call<'_>) -> Result<Value, StripeError> {
    let endpoint = call.params.text("webhook_endpoint")?;
    call.params.ignore(&["account", "for_stripecli"]);
    call.params.finish()?;
    call.named(&call.world.events, NOUN)?;
    if let Some(id) = endpoint.as_ref().filter(|id| call.world.endpoints.get(id).is_none()) {
        return Err(StripeError::no_such("webhook_endpoint", id, "webhook_endpoint"));
    }
    call.world.resend(&call.id, endpoint.as_deref());
    show(call)
}

fn show(call: &Call<'_>) -> Result<Value, StripeError> {
    let event = call.named(&call.world.events, NOUN)?;
    Ok(call.world.render_event(event, call.account_version))
}
