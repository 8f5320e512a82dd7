//! Commands about one endpoint: misbehaviour, its secret, holding deliveries back.
//!
//! Not here: creating and changing endpoints, which Stripe's own API does.

use axum::body::Body;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ControlResult, ok, read};
use crate::act::control::{Enable, HoldDeliveries, Misbehave, Release, RotateSecret};
use crate::controller::Controller;
use crate::object::WebhookEndpoint;

/// The endpoint, after a command about it.
fn show(controller: &Controller, id: &str) -> ControlResult {
    ok(&controller.read(|world| world.endpoints.get(id).map(render)).unwrap_or_default())
}

fn render(endpoint: &WebhookEndpoint) -> Value {
    let mut object = endpoint.render(false);
    object["held"] = json!(endpoint.held);
    object["misbehaviour"] = json!(endpoint.misbehaviour);
    object["failing_since"] = json!(endpoint.failing_since);
    object
}

/// The body is a misbehaviour; `{}` ends it.
pub(super) async fn misbehave(
    State(controller): State<Controller>,
    Path(id): Path<String>,
    body: Body,
) -> ControlResult {
    let misbehaviour = read(body).await?;
    controller.run(Misbehave { endpoint: id.clone(), misbehaviour })?;
    show(&controller, &id)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RotateBody {
    #[serde(default)]
    grace_period_seconds: u32,
}

/// Answers with the new secret.
pub(super) async fn rotate_secret(
    State(controller): State<Controller>,
    Path(endpoint): Path<String>,
    body: Body,
) -> ControlResult {
    let RotateBody { grace_period_seconds } = read(body).await?;
    ok(&json!({ "secret": controller.run(RotateSecret { endpoint, grace_period_seconds })? }))
}

pub(super) async fn hold(State(controller): State<Controller>, Path(id): Path<String>) -> ControlResult {
    controller.run(HoldDeliveries { endpoint: id.clone() })?;
    show(&controller, &id)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseBody {
    shuffle: Option<u64>,
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
}

pub(super) async fn release(
    State(controller): State<Controller>,
    Path(id): Path<String>,
    body: Body,
) -> ControlResult {
    let ReleaseBody { shuffle, times } = read(body).await?;
    controller.run(Release { endpoint: id.clone(), shuffle, times })?;
    show(&controller, &id)
}

pub(super) async fn enable(State(controller): State<Controller>, Path(id): Path<String>) -> ControlResult {
    controller.run(Enable { endpoint: id.clone() })?;
    show(&controller, &id)
}
