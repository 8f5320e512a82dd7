//! Events: an object after a change, with its previous values (docs.stripe.com/api/events/object).
//!
//! Not here: which change has which event (`act`), and which endpoints receive it (`world::emit`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use stripe::write::ApiVersion;

use super::Snapshot;

/// An event. Only its number of pending endpoints ever changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRecord {
    /// `evt_…`
    pub id: String,
    /// For example `charge.refunded`.
    pub type_name: String,
    /// Unix seconds.
    pub created: i64,
    /// The object at the moment of the event.
    pub object: Snapshot,
    /// The object before the change, for events that report one.
    pub previous: Option<Snapshot>,
    /// The API request that caused it, if one did.
    pub request: Option<RequestReference>,
    /// The number of endpoints that it is sent to.
    #[serde(rename = "told")]
    pub recipients: u32,
    /// The number of endpoints that have not accepted it yet.
    pub pending: u32,
}

/// The API request behind an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestReference {
    /// `req_…`
    pub id: String,
    /// The client's, if it sent one.
    pub idempotency_key: Option<String>,
}

impl EventRecord {
    /// As this version of Stripe's API renders it, with this number of pending endpoints.
    #[must_use]
    pub fn render(&self, version: ApiVersion, pending_webhooks: u32) -> Value {
        let object = self.object.render(version);
        let mut data = Map::new();
        if let Some(previous) = &self.previous {
            let changed = previous_values(&previous.render(version), &object);
            data.insert("previous_attributes".to_owned(), changed.unwrap_or_else(|| json!({})));
        }
        data.insert("object".to_owned(), object);
        let request = self.request.as_ref();
        let mut event = json!({
            "id": self.id,
            "object": "event",
            "api_version": version.as_str(),
            "created": self.created,
            "livemode": false,
            "pending_webhooks": pending_webhooks,
            "request": {
                "id": request.map(|request| &request.id),
                "idempotency_key": request.and_then(|request| request.idempotency_key.as_ref()),
            },
            "type": self.type_name,
        });
        // Moved, because the macro would copy the whole tree.
        event["data"] = Value::Object(data);
        event
    }
}

/// The values in `before` that differ from `after`: nested objects are reduced to the fields that differ,
/// other values are taken whole. `None` when nothing differs.
fn previous_values(before: &Value, after: &Value) -> Option<Value> {
    if before == after {
        return None;
    }
    let (Value::Object(old), Value::Object(new)) = (before, after) else { return Some(before.clone()) };
    let gone = |key: &String| !old.contains_key(key);
    let changed = old.iter().filter_map(|(key, value)| {
        let now = new.get(key).unwrap_or(&Value::Null);
        Some((key.clone(), previous_values(value, now)?))
    });
    let added = new.keys().filter(|key| gone(key)).map(|key| (key.clone(), Value::Null));
    Some(Value::Object(changed.chain(added).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previous_values_contain_only_differences() {
        let cases = [
            (json!({"a": 1}), json!({"a": 1}), None),
            (json!({"a": 1, "b": 2}), json!({"a": 1, "b": 3}), Some(json!({"b": 2}))),
            (json!({"a": null}), json!({"a": {"b": 1}}), Some(json!({"a": null}))),
            (json!({"m": {"x": 1, "y": 2}}), json!({"m": {"x": 1, "y": 3}}), Some(json!({"m": {"y": 2}}))),
            (json!({"m": {}}), json!({"m": {"new": "1"}}), Some(json!({"m": {"new": null}}))),
            (json!({"l": [1]}), json!({"l": [1, 2]}), Some(json!({"l": [1]}))),
        ];
        for (before, after, expected) in cases {
            assert_eq!(previous_values(&before, &after), expected, "{before} to {after}");
        }
    }
}
