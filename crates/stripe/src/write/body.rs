//! The envelope that every event shares, and the layout of its JSON.
//!
//! Deliberately not here: what the objects inside look like; each has a file of its own.

use super::{Purchase, WrittenEvent};
use crate::EventType::{
    self, ChargeFailed, ChargeSucceeded, PaymentIntentCreated, PaymentIntentPaymentFailed,
};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

/// The event itself: its id is decided by the purchase's reference, `step` and the type, so that telling the
/// same thing twice makes a duplicate and nothing else does.
pub(crate) fn written(
    kind: &EventType,
    purchase: &Purchase,
    step: &str,
    created: i64,
    subject: &Subject,
) -> WrittenEvent {
    let type_name = kind.name();
    let id = format!("evt_{}_{step}_{}", purchase.reference, type_name.replace('.', "_"));
    let mut data = Map::from_iter([("object".to_owned(), subject.object.clone())]);
    if let Some(previous) = &subject.previous_attributes {
        data.insert("previous_attributes".to_owned(), previous.clone());
    }
    let envelope = json!({
        "id": id,
        "object": "event",
        "api_version": purchase.api_version.as_str(),
        "created": created,
        "data": data,
        "livemode": purchase.livemode,
        "pending_webhooks": 1,
        "request": request(kind, purchase),
        "type": type_name,
    });
    WrittenEvent { id, type_name: type_name.to_owned(), created, body: pretty(&envelope) }
}

/// `value` laid out as Stripe lays out its bodies: indented by two spaces a level, `id` and `object` first,
/// then the other keys by name; no line end after the last line.
#[must_use]
pub fn pretty(value: &Value) -> String {
    // Writing a value to memory cannot fail: its keys are text.
    serde_json::to_string_pretty(&InOrder(value)).unwrap_or_default()
}

/// What an event is about: the object as the event found it, and what it was before.
pub(crate) struct Subject {
    object: Value,
    previous_attributes: Option<Value>,
}

impl Subject {
    /// The values that the changed attributes had before the event.
    pub(crate) fn previously(self, attributes: Value) -> Self {
        Self { previous_attributes: Some(attributes), ..self }
    }
}

impl From<Value> for Subject {
    fn from(object: Value) -> Self {
        Self { object, previous_attributes: None }
    }
}

/// The object, with null for each of the `names` that Stripe's object carries and this purchase has no use
/// for.
pub(crate) fn with_nulls(mut object: Value, names: &[&str]) -> Value {
    for name in names {
        // Indexing by a name makes the field; it panics only on what is neither an object nor null.
        object[*name] = Value::Null;
    }
    object
}

/// Another object's id, made from this one's: `named_after("cs_test_a1", "pmc")` is `pmc_a1`.
pub(super) fn named_after(id: &str, prefix: &str) -> String {
    let rest = id.split_once('_').map_or(id, |(_, rest)| rest);
    let rest = rest.strip_prefix("test_").or_else(|| rest.strip_prefix("live_")).unwrap_or(rest);
    format!("{prefix}_{rest}")
}

/// The API request behind the event. Confirming the payment is one; what Stripe does later, of itself or at
/// somebody's click in the Dashboard, has none.
fn request(kind: &EventType, purchase: &Purchase) -> Value {
    match kind {
        PaymentIntentCreated | PaymentIntentPaymentFailed | ChargeSucceeded | ChargeFailed => {
            json!({ "id": purchase.id("req"), "idempotency_key": purchase.id("confirm") })
        }
        _ => json!({ "id": null, "idempotency_key": null }),
    }
}

/// Serializes as the value does, but for the order of keys. (The map itself is in the order of names.)
struct InOrder<'a>(&'a Value);

impl Serialize for InOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const FIRST: [&str; 2] = ["id", "object"];
        match self.0 {
            Value::Object(fields) => {
                let first = FIRST.into_iter().filter_map(|name| fields.get_key_value(name));
                let others = fields.iter().filter(|(name, _)| !FIRST.contains(&name.as_str()));
                serializer.collect_map(first.chain(others).map(|(name, value)| (name, InOrder(value))))
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(InOrder)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.0.serialize(serializer)
            }
        }
    }
}
