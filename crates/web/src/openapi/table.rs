//! docs/routes.md: one line per route, so that all fit on one screen.

use std::fmt::Write as _;

use serde_json::Value;

const HEAD: &str = "\
# Routes

Every route of the service, generated from the handlers by `cargo run -q -- openapi --routes > \
docs/routes.md`. A test fails while this file is stale. Permissions: a tenant key has `credits:read`, \
`credits:write` or both, a service key both, an operator key `operator`, which includes reading.

| Method | Path | Summary | Permission |
|---|---|---|---|
";

/// The table, in the order of the document's tags.
pub(super) fn table(document: &Value) -> String {
    let mut table = HEAD.to_owned();
    for tag in document["tags"].as_array().into_iter().flatten() {
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if operation["tags"][0] != tag["name"] {
                    continue;
                }
                let (method, summary) = (method.to_uppercase(), operation["summary"].as_str());
                let permission = match operation["security"][0]["key"][0].as_str() {
                    Some(name) => format!("`{name}`"),
                    None => "none".to_owned(),
                };
                let summary = summary.unwrap_or_default();
                // Writing to a string cannot fail.
                let _ = writeln!(table, "| {method} | `{path}` | {summary} | {permission} |");
            }
        }
    }
    table
}
