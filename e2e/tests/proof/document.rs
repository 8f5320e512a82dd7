//! `/openapi.json`, read far enough to walk over its operations. And its first test: a validator that nobody
//! here wrote finds it valid.
//!
//! Not here: what it should say (`crates/web`).

use std::process::Command;

use e2e::process::Process;
use serde_json::Value;

use crate::world::World;

/// The description of the API, as a running service serves it.
pub(crate) struct Document(Value);

/// One way to ask.
pub(crate) struct Operation<'a> {
    /// In capitals.
    pub(crate) method: String,
    /// With its places for ids.
    pub(crate) path: &'a str,
    pub(crate) who: Who,
    document: &'a Document,
    described: &'a Value,
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
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
                let who = match () {
                    () if scopes.contains("operator") => Who::Operators,
                    () if scopes.contains("credits:") => Who::Tenants,
                    () => Who::Everyone,
                };
                let method = method.to_uppercase();
                operations.push(Operation { method, path, who, document: self, described });
            }
        }
        operations
    }

    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let Some(reference) = value["$ref"].as_str() else { return value };
        self.0
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{reference} leads nowhere"))
    }
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().expect("an object of OpenAPI").iter()
}

impl Operation<'_> {
    /// `POST /api/credits/spend`.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The names of its parameters in a place, and their examples.
    pub(crate) fn parameters(&self, place: &str) -> Vec<(&str, Option<&Value>)> {
        let all = self.described["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let all = all.iter().map(|parameter| self.document.resolved(parameter));
        let there = all.filter(|parameter| parameter["in"] == place);
        there.map(|it| (it["name"].as_str().expect("it has a name"), it.get("example"))).collect()
    }

    /// The example of its JSON body, if it has a body.
    pub(crate) fn body(&self) -> Option<&Value> {
        let media = self.described.pointer("/requestBody/content/application~1json")?;
        // A body that may be left out is null or what it is.
        let either =
            media["schema"]["oneOf"].as_array().and_then(|all| all.iter().find(|it| it["$ref"].is_string()));
        let schema = self.document.resolved(either.unwrap_or(&media["schema"]));
        let example = media.get("example").or_else(|| schema.get("example"));
        Some(example.unwrap_or_else(|| panic!("{} has no example of its body", self.name())))
    }

    /// Whether it says that it may answer so.
    pub(crate) fn documents(&self, status: u16) -> bool {
        self.described["responses"].get(status.to_string()).is_some()
    }
}

#[test]
fn a_stock_validator_finds_the_document_valid() {
    let world = World::start();
    let path = world.deployment.path("openapi.json");
    std::fs::write(&path, Document::of(&world).text()).unwrap();
    let mut command = Command::new(e2e::tools().join("python/bin/openapi-spec-validator"));
    command.arg(&path);
    let ended = Process::start(command, "openapi-spec-validator openapi.json".to_owned()).wait();
    assert_eq!(ended.code, Some(0), "{ended}");
}
