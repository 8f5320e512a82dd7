//! The layout of Stripe's JSON: indentation, the order of keys, nulls, and ids derived from other ids.

use serde::{Serialize, Serializer};
use serde_json::Value;

/// Formats `value` like Stripe's bodies: indented by two spaces per level, `id` and `object` first, then the
/// other keys in alphabetical order, without a newline at the end.
///
/// ```
/// let value = serde_json::json!({ "amount": 2500, "object": "charge", "id": "ch_1" });
/// let body = "{\n  \"id\": \"ch_1\",\n  \"object\": \"charge\",\n  \"amount\": 2500\n}";
/// assert_eq!(stripe::write::pretty(&value), body);
/// ```
#[must_use]
pub fn pretty(value: &Value) -> String {
    // Serializing a value to a String cannot fail: its keys are text.
    serde_json::to_string_pretty(&InOrder(value)).unwrap_or_default()
}

/// The object, with null for each of `names`: fields that Stripe always sends and that are never set here.
pub(crate) fn with_nulls(mut object: Value, names: &[&str]) -> Value {
    for name in names {
        // Indexing inserts the field; it panics only if the value is neither an object nor null.
        object[*name] = Value::Null;
    }
    object
}

/// An id for another object, derived from this one: `named_after("cs_test_a1", "pmc")` is `pmc_a1`.
pub(super) fn named_after(id: &str, prefix: &str) -> String {
    let rest = id.split_once('_').map_or(id, |(_, rest)| rest);
    let rest = rest.strip_prefix("test_").or_else(|| rest.strip_prefix("live_")).unwrap_or(rest);
    format!("{prefix}_{rest}")
}

/// Serializes like the value, except for the order of keys. (The map itself is in alphabetical order.)
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
