//! Examples of schemas: the schema's own, or one composed from its parts. The tests of the document validate
//! every example against its schema.

use serde_json::{Map, Value, json};

/// The description of the data in an envelope, taken from its type.
pub(super) fn words(envelope: &Value, components: &Value) -> Option<String> {
    let data = &resolved(envelope, components)["properties"]["data"];
    let (thing, several) = if data["items"].is_null() { (data, false) } else { (&data["items"], true) };
    let words = resolved(thing, components)["description"].as_str()?;
    if !several {
        return Some(words.to_owned());
    }
    let mut letters = words.chars();
    let first = letters.next()?.to_ascii_lowercase();
    Some(format!("A list. Each item is {first}{}", letters.as_str()))
}

/// The schema that a `$ref` points to.
pub(super) fn resolved<'a>(schema: &'a Value, components: &'a Value) -> &'a Value {
    let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    name.map_or(schema, |name| &components["schemas"][name])
}

/// An example of `schema`. `components` are the document's components.
pub(super) fn of(schema: &Value, components: &Value) -> Value {
    let schema = resolved(schema, components);
    for given in [&schema["example"], &schema["examples"][0], &schema["default"], &schema["enum"][0]] {
        if !given.is_null() {
            return given.clone();
        }
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let fields = parts.iter().filter_map(|part| of(part, components).as_object().cloned());
        return Value::Object(fields.flatten().collect());
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let choice = choices.iter().find(|choice| choice["type"] != "null");
        return choice.map_or(Value::Null, |choice| of(choice, components));
    }
    // A nullable type is a list of types: the other type is the better example.
    let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    let kind = kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null");
    match kind {
        Some("object") => object(schema, components),
        Some("array") => json!([of(&schema["items"], components)]),
        Some("integer") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(true),
        Some("string") => json!(match schema["format"].as_str() {
            Some("date-time") => "2026-11-23T12:00:00Z",
            Some("uuid") => "550e8400-e29b-41d4-a716-446655440000",
            Some("uri") => "https://shop.example/",
            _ => "…",
        }),
        _ => Value::Null,
    }
}

fn object(schema: &Value, components: &Value) -> Value {
    let fields = schema["properties"].as_object().into_iter().flatten();
    let fields: Map<_, _> = fields.map(|(name, field)| (name.clone(), of(field, components))).collect();
    Value::Object(fields)
}
