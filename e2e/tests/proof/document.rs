//! Reads the operations in `/openapi.json`, and checks the document with a third-party validator. Its content
//! is tested in `crates/web`.

use std::process::Command;

use e2e::process::Process;
use serde_json::Value;

use crate::world::World;

/// The API's description, as served by a running service.
pub(crate) struct Document(Value);

/// An operation of the API.
pub(crate) struct Operation<'a> {
    /// In upper case.
    pub(crate) method: String,
    /// The path template, such as `/api/payments/{id}`.
    pub(crate) path: &'a str,
    pub(crate) audience: Audience,
    document: &'a Document,
    described: &'a Value,
}

/// Who may use an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    Everyone,
    Tenants,
    Operators,
}

impl Document {
    pub(crate) fn of(world: &World) -> Self {
        let answer = world.service.ask("GET", "/openapi.json", None, "");
        assert_eq!(answer.status, 200, "{}", answer.head);
        Self(answer.json())
    }

    pub(crate) fn text(&self) -> String {
        self.0.to_string()
    }

    pub(crate) fn operations(&self) -> Vec<Operation<'_>> {
        let mut operations = Vec::new();
        for (path, item) in object(&self.0["paths"]) {
            for (method, described) in object(item) {
                let scopes = described["security"].to_string();
                let audience = match () {
                    () if scopes.contains("operator") => Audience::Operators,
                    () if scopes.contains("credits:") => Audience::Tenants,
                    () => Audience::Everyone,
                };
                let method = method.to_uppercase();
                operations.push(Operation { method, path, audience, document: self, described });
            }
        }
        operations
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let Some(reference) = value["$ref"].as_str() else { return value };
        self.0
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{reference} does not exist"))
    }
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().expect("a JSON object").iter()
}

impl Operation<'_> {
    /// Method and path, such as `POST /api/credits/spend`.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Names and examples of its parameters in a location, such as `query`.
    pub(crate) fn parameters(&self, location: &str) -> Vec<(&str, Option<&Value>)> {
        let all = self.described["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let all = all.iter().map(|parameter| self.document.resolved(parameter));
        let matching = all.filter(|parameter| parameter["in"] == location);
        matching.map(|one| (one["name"].as_str().expect("a name"), one.get("example"))).collect()
    }

    /// The example of its JSON body, if it has a body.
    pub(crate) fn body(&self) -> Option<&Value> {
        let media = self.described.pointer("/requestBody/content/application~1json")?;
        // The schema of an optional body is `oneOf` null and the body.
        let optional = media["schema"]["oneOf"]
            .as_array()
            .and_then(|all| all.iter().find(|one| one["$ref"].is_string()));
        let schema = self.document.resolved(optional.unwrap_or(&media["schema"]));
        let example = media.get("example").or_else(|| schema.get("example"));
        Some(example.unwrap_or_else(|| panic!("the body of {} has no example", self.name())))
    }

    /// Whether it documents this status.
    pub(crate) fn documents(&self, status: u16) -> bool {
        self.described["responses"].get(status.to_string()).is_some()
    }
}

#[test]
fn a_third_party_validator_accepts_the_document() {
    let world = World::start();
    let path = world.deployment.path("openapi.json");
    std::fs::write(&path, Document::of(&world).text()).unwrap();
    let mut command = Command::new(e2e::tools().join("python/bin/openapi-spec-validator"));
    command.arg(&path);
    let ended = Process::start(command, "openapi-spec-validator openapi.json".to_owned()).wait();
    assert_eq!(ended.code, Some(0), "{ended}");
}
