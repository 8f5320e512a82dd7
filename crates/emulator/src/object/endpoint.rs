//! A webhook endpoint: where events go, with which secrets they are signed, and how badly the way there
//! behaves.
//!
//! Not here: when and how often (`world::outbox`), and the sending (`deliver`).

use std::collections::VecDeque;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stripe::write::ApiVersion;

use super::Metadata;

/// A webhook endpoint (docs.stripe.com/api/webhook_endpoints).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookEndpoint {
    /// `we_…`
    pub id: String,
    /// Unix seconds.
    pub created: i64,
    /// Where events are posted to.
    pub url: String,
    /// Event types, or `*` for all of them.
    pub enabled_events: Vec<String>,
    /// Decides the shape of the objects; it never changes.
    pub api_version: ApiVersion,
    /// Its maker's words.
    pub description: Option<String>,
    /// Its maker's notes.
    pub metadata: Metadata,
    /// Whether events go there. Those that happen while it is disabled are not sent later.
    pub enabled: bool,
    /// The newest first; more than one while a secret is being rolled.
    pub secrets: Vec<EndpointSecret>,
    /// How badly the way there behaves.
    pub misbehaviour: Misbehaviour,
    /// Whether deliveries wait until they are released.
    pub held: bool,
    /// Since when every attempt has failed, in virtual Unix seconds.
    pub failing_since: Option<i64>,
    /// Deliveries whose turn has come, and whether each is on top of its schedule.
    pub(crate) ready: VecDeque<(u64, bool)>,
    /// Whether what waits for a burst goes out now.
    pub(crate) flushing: bool,
    /// How many attempts are on their way.
    #[serde(skip)]
    pub(crate) in_flight: u32,
}

/// A signing secret, and until when it signs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointSecret {
    /// `whsec_…`
    pub text: String,
    /// Virtual Unix seconds; None for the one that stays.
    pub expires: Option<i64>,
}

impl fmt::Debug for EndpointSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EndpointSecret(…)")
    }
}

/// How badly the way to an endpoint behaves: what networks and Stripe itself do now and then, as often as
/// one asks. The default is not at all. The same seed draws the same cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Misbehaviour {
    /// Which cases are drawn.
    pub seed: u64,
    /// Percent of accepted deliveries that come once more.
    pub duplicate: u8,
    /// Percent of changes for which Stripe makes two events
    /// (docs.stripe.com/webhooks#handle-duplicate-events).
    pub twin: u8,
    /// Percent of changes for which no event is ever made.
    pub never: u8,
    /// Percent of attempts that are sent as two copies at the same moment.
    pub simultaneous: u8,
    /// Percent of attempts whose answer is lost after the whole body was sent.
    pub lost_answer: u8,
    /// Every delivery waits for up to so many virtual seconds, each for another time: any order.
    pub disorder_seconds: u32,
    /// Deliveries wait until there are so many, or a minute has passed, and then all come at once.
    pub burst: u32,
    /// How far the sender's clock is off, in seconds: the signature's `t` is.
    pub clock_skew_seconds: i32,
}

impl WebhookEndpoint {
    /// Whether events of this type go there. Before 2024-10-28.acacia a refund of a charge made no `refund.*`
    /// events (docs.stripe.com/changelog/acacia/2024-10-28/refund-webhook-update).
    #[must_use]
    pub fn wants(&self, type_name: &str) -> bool {
        let told = if type_name == "charge.refund.updated" {
            !self.api_version.has_refund_events()
        } else {
            self.api_version.has_refund_events() || !type_name.starts_with("refund.")
        };
        let enabled = self.enabled_events.iter().any(|wanted| wanted == "*" || wanted == type_name);
        self.enabled && told && enabled
    }

    /// Whether so many deliveries wait as a burst takes.
    pub(crate) fn has_gathered(&self) -> bool {
        u32::try_from(self.ready.len()).unwrap_or(u32::MAX) >= self.misbehaviour.burst
    }

    /// The secrets that sign at this virtual moment.
    pub fn signing(&self, now: i64) -> impl Iterator<Item = &str> {
        let valid = move |secret: &&EndpointSecret| secret.expires.is_none_or(|expires| now < expires);
        self.secrets.iter().filter(valid).map(|secret| secret.text.as_str())
    }

    /// As Stripe's API answers it: the secret only when it is made.
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
