//! `GET /docs`: the document as one HTML page without script; `askama` escapes all text. The page contains
//! only the document.

use std::collections::BTreeMap;

use askama::Template;
use serde_json::Value;

use super::example::{self, resolved};

/// The page's style sheet.
pub(crate) const STYLE: &str = include_str!("../../templates/docs.css");

/// The depth to which nested objects are listed; deeper ones appear in the example.
const DEPTH: usize = 3;

#[derive(Template)]
#[template(path = "docs.html")]
struct DocsPage {
    title: String,
    version: String,
    introduction: Vec<Paragraph>,
    groups: Vec<TagSection>,
    style: &'static str,
}

struct TagSection {
    name: String,
    description: String,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    description: Vec<Paragraph>,
    /// The required permission; None for operations open to everyone.
    permission: Option<String>,
    parameters: Vec<Field>,
    body: Vec<Field>,
    answers: Vec<ResponseEntry>,
    /// The fields of `data` in a success.
    data: Vec<Field>,
    curl: String,
    example: String,
}

struct Field {
    name: String,
    kind: String,
    /// Shown for requests only: responses have all their fields, some of them null.
    required: bool,
    text: Paragraph,
    choices: Vec<String>,
}

struct ResponseEntry {
    status: String,
    good: bool,
    text: Vec<Paragraph>,
}

/// Text with code spans.
struct Paragraph(Vec<Piece>);

struct Piece {
    code: bool,
    text: String,
}

/// The page for this document.
pub(super) fn page(document: &Value) -> String {
    let components = &document["components"];
    let mut groups: BTreeMap<&str, Vec<Operation>> = BTreeMap::new();
    for (path, item) in entries(&document["paths"]) {
        for (method, operation) in entries(item) {
            let tag = operation["tags"][0].as_str().unwrap_or_default();
            groups.entry(tag).or_default().push(self::operation(method, path, operation, components));
        }
    }
    let tags = document["tags"].as_array().into_iter().flatten();
    let groups = tags.filter_map(|tag| {
        let name = text(&tag["name"]);
        let operations = groups.remove(name.as_str())?;
        Some(TagSection { name, description: text(&tag["description"]), operations })
    });
    let page = DocsPage {
        title: text(&document["info"]["title"]),
        version: text(&document["info"]["version"]),
        introduction: paragraphs(&document["info"]["description"]),
        groups: groups.collect(),
        style: STYLE,
    };
    // Writing into a string cannot fail.
    page.render().unwrap_or_default()
}

fn operation(method: &str, path: &str, operation: &Value, components: &Value) -> Operation {
    let responses = || entries(&operation["responses"]);
    let success = responses().find(|(status, _)| status.starts_with('2')).map(|(_, answer)| answer);
    let kinds = ["application/json", "text/event-stream"];
    let content = success.and_then(|answer| kinds.iter().find_map(|kind| answer["content"].get(kind)));
    let content = content.unwrap_or(&Value::Null);
    let asked = &operation["requestBody"]["content"]["application/json"]["schema"];
    let envelope = resolved(&content["schema"], components);
    let method = method.to_uppercase();
    Operation {
        id: text(&operation["operationId"]),
        summary: text(&operation["summary"]),
        description: paragraphs(&operation["description"]),
        permission: operation["security"][0]["key"][0].as_str().map(str::to_owned),
        parameters: operation["parameters"].as_array().into_iter().flatten().map(parameter).collect(),
        body: fields(asked, components),
        answers: responses().map(|(status, answer)| self::answer(status, answer, components)).collect(),
        data: fields(&envelope["properties"]["data"], components),
        curl: curl(&method, path, operation, components),
        example: match &content["example"] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            example => pretty(example),
        },
        method,
        path: path.to_owned(),
    }
}

fn parameter(parameter: &Value) -> Field {
    let schema = &parameter["schema"];
    Field {
        name: text(&parameter["name"]),
        kind: format!("{}, {}", text(&parameter["in"]), kind(schema)),
        required: parameter["required"] == true,
        text: paragraph(parameter["description"].as_str().unwrap_or_default()),
        choices: Vec::new(),
    }
}

fn answer(status: &str, answer: &Value, components: &Value) -> ResponseEntry {
    let name = answer["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    let answer = name.map_or(answer, |name| &components["responses"][name]);
    ResponseEntry {
        status: status.to_owned(),
        good: status.starts_with('2'),
        text: paragraphs(&answer["description"]),
    }
}

/// The fields of an object; nested fields as `outer.inner`, fields of list items as `list[].inner`.
fn fields(schema: &Value, components: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    gather(schema, components, "", 0, &mut found);
    found
}

fn gather(schema: &Value, components: &Value, prefix: &str, depth: usize, found: &mut Vec<Field>) {
    let schema = resolved(schema, components);
    for part in schema["allOf"].as_array().into_iter().flatten() {
        gather(part, components, prefix, depth, found);
    }
    if !schema["items"].is_null() {
        let prefix =
            if prefix.is_empty() { String::new() } else { format!("{}[].", prefix.trim_end_matches('.')) };
        return gather(&schema["items"], components, &prefix, depth, found);
    }
    let required =
        |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    for (name, field) in entries(&schema["properties"]) {
        // A nullable field is `oneOf` null and another schema.
        let choices = field["oneOf"].as_array().into_iter().flatten();
        let inner = choices.clone().find(|choice| choice["type"] != "null").unwrap_or(field);
        let target = resolved(inner, components);
        let mut kinds = target["type"].as_array().into_iter().flatten();
        let nullable =
            choices.clone().any(|choice| choice["type"] == "null") || kinds.any(|one| one == "null");
        let said = [field, inner, target].into_iter().find_map(|one| one["description"].as_str());
        let names = target["enum"].as_array().into_iter().flatten();
        found.push(Field {
            name: format!("{prefix}{name}"),
            kind: if nullable { format!("{} or null", kind(target)) } else { kind(target) },
            required: required(name),
            text: paragraph(said.unwrap_or_default()),
            choices: names.map(text).collect(),
        });
        if depth < DEPTH {
            gather(target, components, &format!("{prefix}{name}."), depth + 1, found);
        }
    }
}

/// The type in words.
fn kind(schema: &Value) -> String {
    let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    let kind = kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("any");
    let mut words = match (kind, schema["format"].as_str()) {
        ("string", Some("date-time")) => "moment".to_owned(),
        ("string", Some("uuid")) => "UUID".to_owned(),
        ("string", Some("uri")) => "URL".to_owned(),
        ("array", _) => "list".to_owned(),
        (kind, _) => kind.to_owned(),
    };
    match (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
        (Some(least), Some(most)) => words.push_str(&format!(" from {least} to {most}")),
        (Some(least), None) if least != 0 => words.push_str(&format!(" from {least}")),
        _ => {}
    }
    if !schema["default"].is_null() {
        words.push_str(&format!(", default {}", text(&schema["default"])));
    }
    words
}

/// The request as a `curl` command.
fn curl(method: &str, path: &str, operation: &Value, components: &Value) -> String {
    let mut url = format!("$FAIREPLACE_URL{path}");
    let mut lines = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = text(&parameter["name"]);
        let given = match &parameter["example"] {
            Value::Null => example::of(&parameter["schema"], components),
            given => given.clone(),
        };
        match parameter["in"].as_str() {
            Some("path") => url = url.replace(&format!("{{{name}}}"), &text(&given)),
            Some("header") if name != "Stripe-Signature" => {
                lines.push(format!("-H '{name}: {}'", text(&given)));
            }
            _ => {}
        }
    }
    if operation["security"][0].is_object() {
        lines.insert(0, "-H \"Authorization: Bearer $FAIREPLACE_KEY\"".to_owned());
    }
    let asked = &operation["requestBody"]["content"]["application/json"]["schema"];
    if !asked.is_null() {
        lines.push("-H 'Content-Type: application/json'".to_owned());
        lines.push(format!("-d '{}'", pretty(&example::of(asked, components)).replace('\'', "'\\''")));
    }
    let ask = if method == "GET" { format!("curl \"{url}\"") } else { format!("curl -X {method} \"{url}\"") };
    std::iter::once(ask).chain(lines).collect::<Vec<_>>().join(" \\\n  ")
}

fn entries(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    object.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned)
}

fn paragraphs(value: &Value) -> Vec<Paragraph> {
    let parts = value.as_str().into_iter().flat_map(|text| text.split("\n\n"));
    parts.filter(|part| !part.is_empty()).map(paragraph).collect()
}

/// Text between backticks is code.
fn paragraph(text: &str) -> Paragraph {
    let pieces = text.split('`').enumerate().filter(|(_, piece)| !piece.is_empty());
    Paragraph(pieces.map(|(place, piece)| Piece { code: place % 2 == 1, text: piece.to_owned() }).collect())
}

#[cfg(test)]
mod tests;
