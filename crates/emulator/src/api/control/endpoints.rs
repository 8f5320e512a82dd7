//! One endpoint's secrets, and how badly the way to it behaves.
//!
//! Not here: making and changing endpoints, which Stripe's own API does.

use axum::body::Body;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answered, ok, read};
use crate::act;
use crate::emulator::Emulator;
use crate::object::{Misbehaviour, WebhookEndpoint};
use crate::wire::StripeError;
use crate::world::World;

/// A secret overlaps its successor for no longer than a day, in seconds (docs.stripe.com/webhooks).
const MAX_OVERLAP_SECONDS: u32 = 24 * 60 * 60;
/// So often at most is a held delivery released.
const MAX_TIMES: u8 = 10;

fn named<'w>(world: &'w mut World, id: &str) -> Result<&'w mut WebhookEndpoint, StripeError> {
    world.endpoints.get_mut(id).ok_or_else(|| StripeError::no_such("webhook_endpoint", id, "id"))
}

fn show(endpoint: &WebhookEndpoint) -> Value {
    let mut object = endpoint.render(false);
    object["held"] = json!(endpoint.held);
    object["misbehaviour"] = json!(endpoint.misbehaviour);
    object["failing_since"] = json!(endpoint.failing_since);
    object
}

/// How badly it behaves from now on; `{}` is not at all.
pub(super) async fn misbehave(
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
    body: Body,
) -> Answered {
    let misbehaviour: Misbehaviour = read(body).await?;
    if !misbehaviour.is_sane() {
        return Err(StripeError::invalid("Percentages go from 0 to 100."));
    }
    let endpoint = emulator.with(|world| {
        named(world, &id)?;
        world.misbehave(&id, misbehaviour);
        named(world, &id).map(|endpoint| show(endpoint))
    })?;
    ok(&endpoint)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Roll {
    #[serde(default)]
    overlap_seconds: u32,
}

/// A new secret; the old one signs on for a while.
pub(super) async fn roll(State(emulator): State<Emulator>, Path(id): Path<String>, body: Body) -> Answered {
    let Roll { overlap_seconds } = read(body).await?;
    if overlap_seconds > MAX_OVERLAP_SECONDS {
        return Err(StripeError::invalid(format!("overlap_seconds goes from 0 to {MAX_OVERLAP_SECONDS}.")));
    }
    let secret = emulator.with(|world| {
        named(world, &id)?;
        Ok::<_, StripeError>(act::endpoint::roll(world, &id, overlap_seconds))
    })?;
    ok(&json!({ "secret": secret }))
}

/// Keeps its deliveries back.
pub(super) async fn hold(State(emulator): State<Emulator>, Path(id): Path<String>) -> Answered {
    let endpoint = emulator.with(|world| {
        let endpoint = named(world, &id)?;
        endpoint.held = true;
        Ok::<_, StripeError>(show(endpoint))
    })?;
    ok(&endpoint)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    shuffle: Option<u64>,
    #[serde(default = "once")]
    times: u8,
}

fn once() -> u8 {
    1
}

/// Lets go what was held.
pub(super) async fn release(
    State(emulator): State<Emulator>,
    Path(id): Path<String>,
    body: Body,
) -> Answered {
    let Release { shuffle, times } = read(body).await?;
    if !(1..=MAX_TIMES).contains(&times) {
        return Err(StripeError::invalid(format!("times goes from 1 to {MAX_TIMES}.")));
    }
    let endpoint = emulator.with(|world| {
        named(world, &id)?;
        world.release(&id, shuffle, times);
        named(world, &id).map(|endpoint| show(endpoint))
    })?;
    ok(&endpoint)
}

/// Takes it into use again after it was disabled.
pub(super) async fn enable(State(emulator): State<Emulator>, Path(id): Path<String>) -> Answered {
    let endpoint = emulator.with(|world| {
        named(world, &id)?;
        act::endpoint::enable(world, &id, true);
        named(world, &id).map(|endpoint| show(endpoint))
    })?;
    ok(&endpoint)
}
