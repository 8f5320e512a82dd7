//! Webhook endpoints: created, deleted, enabled, given new secrets (docs.stripe.com/api/webhook_endpoints).
//!
//! Not here: deliveries to them (`world::outbox`).

use std::collections::VecDeque;

use stripe::write::ApiVersion;

use crate::object::{EndpointSecret, MetadataMap, Misbehaviour, WebhookEndpoint};
use crate::world::World;

/// The fields of a new endpoint.
#[derive(Clone, Debug)]
pub struct NewWebhookEndpoint {
    /// Where events are posted to.
    pub url: String,
    /// Event types, or `*`.
    pub enabled_events: Vec<String>,
    /// The API version in which its events are rendered.
    pub api_version: ApiVersion,
    /// The shop's description of it.
    pub description: Option<String>,
    /// The shop's notes.
    pub metadata: MetadataMap,
    /// `whsec_…`; by default a new one.
    pub secret: Option<String>,
}

/// Creates an endpoint, which receives the events from now on. Returns its id.
pub fn create(world: &mut World, new: NewWebhookEndpoint) -> String {
    let id = world.id("we");
    let text = new.secret.unwrap_or_else(|| world.secret());
    world.endpoints.add(WebhookEndpoint {
        id: id.clone(),
        created: world.now(),
        url: new.url,
        enabled_events: new.enabled_events,
        api_version: new.api_version,
        description: new.description,
        metadata: new.metadata,
        enabled: true,
        secrets: vec![EndpointSecret { text, expires: None }],
        misbehaviour: Misbehaviour::default(),
        held: false,
        failing_since: None,
        ready: VecDeque::new(),
        flushing: false,
        in_flight: 0,
    });
    id
}

/// Sends events to one URL, through the endpoint with this description: an existing one is enabled, moved
/// there, and stops misbehaving; without one, it is created.
pub fn forward(world: &mut World, new: NewWebhookEndpoint) {
    let same =
        |endpoint: &&WebhookEndpoint| new.description.is_some() && endpoint.description == new.description;
    let known = world.endpoints.iter().find(same).map(|endpoint| endpoint.id.clone());
    let Some(endpoint) = known.and_then(|id| world.endpoints.get_mut(&id)) else {
        create(world, new);
        return;
    };
    endpoint.url = new.url;
    endpoint.enabled_events = new.enabled_events;
    endpoint.enabled = true;
    endpoint.failing_since = None;
    endpoint.held = false;
    endpoint.misbehaviour = Misbehaviour::default();
    if let Some(text) = new.secret
        && !endpoint.secrets.iter().any(|known| known.text == text)
    {
        endpoint.secrets = vec![EndpointSecret { text, expires: None }];
    }
}

/// Gives an endpoint a new secret; the old one also signs for this many virtual seconds. Returns the new
/// secret; `None` when there is no such endpoint.
pub fn rotate_secret(world: &mut World, id: &str, grace_period_seconds: u32) -> Option<String> {
    let until = world.now() + i64::from(grace_period_seconds);
    let text = world.secret();
    let endpoint = world.endpoints.get_mut(id)?;
    for secret in &mut endpoint.secrets {
        secret.expires = Some(secret.expires.map_or(until, |expires| expires.min(until)));
    }
    endpoint.secrets.insert(0, EndpointSecret { text: text.clone(), expires: None });
    // Stripe allows two secrets at once; four leave room for a test that rotates quickly.
    endpoint.secrets.truncate(4);
    Some(text)
}

/// Deletes an endpoint; its waiting deliveries are never sent. Returns whether it existed.
pub fn delete(world: &mut World, id: &str) -> bool {
    world.delete_endpoint(id)
}

/// Enables or disables an endpoint. A disabled endpoint misses events for good, and its retries stop.
pub fn enable(world: &mut World, id: &str, enabled: bool) {
    if let Some(endpoint) = world.endpoints.get_mut(id) {
        endpoint.enabled = enabled;
        endpoint.failing_since = None;
    }
}
