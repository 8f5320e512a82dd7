//! Webhook endpoints: URL, signing secrets, and misbehaviour of the deliveries.
//!
//! Not here: the deliveries (`world::outbox`), and sending them (`deliver`).

use std::collections::VecDeque;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stripe::write::ApiVersion;

use super::MetadataMap;

/// A webhook endpoint (docs.stripe.com/api/webhook_endpoints).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEndpoint {
    /// `we_…`
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// Where events are posted to.
    pub url: String,
    /// Event types, or `*` for all.
    pub enabled_events: Vec<String>,
    /// The API version in which its events are rendered; it never changes.
    pub api_version: ApiVersion,
    /// The shop's description of it.
    pub description: Option<String>,
    /// The shop's notes.
    pub metadata: MetadataMap,
    /// Whether it receives events. Events that occur while it is disabled are not sent later.
    pub enabled: bool,
    /// The newest first; several while a replaced secret still signs.
    pub secrets: Vec<EndpointSecret>,
    /// How its deliveries misbehave.
    pub misbehaviour: Misbehaviour,
    /// Whether its deliveries wait until they are released.
    pub held: bool,
    /// Since when every attempt has failed, in virtual Unix seconds.
    pub failing_since: Option<i64>,
    /// The queue of due deliveries, each with whether it is outside its retry schedule.
    pub(crate) ready: VecDeque<(u64, bool)>,
    /// Whether a burst is being sent.
    pub(crate) flushing: bool,
    /// How many attempts are in flight.
    #[serde(skip)]
    pub(crate) in_flight: u32,
}

/// A signing secret, and until when it signs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointSecret {
    /// `whsec_…`
    pub text: String,
    /// Virtual Unix seconds; `None` for the current secret.
    pub expires: Option<i64>,
}

impl fmt::Debug for EndpointSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EndpointSecret(…)")
    }
}

/// Misbehaviour of the deliveries to an endpoint: what networks and Stripe itself do now and then, as often
/// as a test needs it. The default is none. The same seed draws the same cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Misbehaviour {
    /// The seed of the draws.
    pub seed: u64,
    /// Percent of accepted deliveries that are sent once more.
    pub duplicate: u8,
    /// Percent of changes that create two events
    /// (docs.stripe.com/webhooks#handle-duplicate-events).
    pub twin: u8,
    /// Percent of changes that create no event.
    pub never: u8,
    /// Percent of attempts that are sent as two copies at the same moment.
    pub simultaneous: u8,
    /// Percent of attempts whose response is lost after the whole body was sent.
    pub lost_answer: u8,
    /// The longest delay of a delivery in virtual seconds. Each has its own, so they arrive in any order.
    pub disorder_seconds: u32,
    /// How many deliveries wait for each other, for a minute at most, before all are sent at once.
    pub burst: u32,
    /// By how many seconds the signature's `t` is off, as if the sender's clock were.
    pub clock_skew_seconds: i32,
}

impl WebhookEndpoint {
    /// Whether it receives events of this type.
    #[must_use]
    pub fn wants(&self, type_name: &str) -> bool {
        let enabled = self.enabled_events.iter().any(|wanted| wanted == "*" || wanted == type_name);
        self.enabled && self.api_version.sends(type_name) && enabled
    }

    /// Whether enough deliveries wait for a burst.
    pub(crate) fn burst_is_full(&self) -> bool {
        u32::try_from(self.ready.len()).unwrap_or(u32::MAX) >= self.misbehaviour.burst
    }

    /// The secrets that sign at this virtual moment.
    pub fn signing(&self, now: i64) -> impl Iterator<Item = &str> {
        let valid = move |secret: &&EndpointSecret| secret.expires.is_none_or(|expires| now < expires);
        self.secrets.iter().filter(valid).map(|secret| secret.text.as_str())
    }

    /// As Stripe's API returns it; with the secret only on creation.
    #[must_use]
    pub fn render(&self, with_secret: bool) -> Value {
        let mut object = json!({
            "id": self.id,
            "object": "webhook_endpoint",
            "api_version": self.api_version.as_str(),
            "application": null,
            "created": self.created,
            "description": self.description,
            "enabled_events": self.enabled_events,
            "livemode": false,
            "metadata": self.metadata,
            "status": if self.enabled { "enabled" } else { "disabled" },
            "url": self.url,
        });
        if let (true, Some(secret)) = (with_secret, self.secrets.first()) {
            object["secret"] = Value::from(secret.text.as_str());
        }
        object
    }
}
