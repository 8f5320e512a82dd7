//! The document's examples are true: each operation's request, as the example says it, is answered with a
//! success that the document names. Only ids and keys are put in, because they differ from service to
//! service.
//!
//! Not here: whether the answers have the form that the document promises (`fuzz`).

use e2e::http::Answer;
use serde_json::{Value, json};
use stripe::story::Story;

use crate::document::{Document, Operation, Who};
use crate::world::{TENANT, World, text};

/// Operations that are not asked here, and why.
const LEFT_OUT: [(&str, &str); 4] = [
    ("POST /api/admin/clock/confirm", "the clock of these tests is not in doubt"),
    ("POST /api/admin/restore/confirm", "the database of these tests was not restored"),
    ("GET /api/stream", "its answer never ends; the tests of crates/web read it"),
    ("POST /webhooks/stripe", "only Stripe can sign for it; every purchase of these tests is one"),
];

#[test]
fn each_operations_example_is_answered_with_a_documented_success() {
    let world = World::start();
    let document = Document::of(&world);
    let second = world.second.clone();
    let mut wrong = Vec::new();
    for operation in document.operations() {
        if LEFT_OUT.iter().any(|(name, _)| *name == operation.name()) {
            continue;
        }
        if operation.path == "/api/admin/write-offs" {
            world.owe();
        }
        let key = if operation.who == Who::Tenants { &world.tenant_key } else { &second };
        let answer = ask(&world, &operation, key);
        if !(200..300).contains(&answer.status) || !operation.documents(answer.status) {
            wrong.push(format!("{}: {answer:?}", operation.name()));
        }
        if operation.path == "/api/admin/write-offs" {
            world.adjust(100);
        }
        if operation.path == "/api/webhook-endpoints" && operation.method == "POST" {
            // The example's receiver is not on this machine: nothing may ever be sent there.
            let made = text(&answer.json()["data"]["endpoint"]["id"]);
            world.tenant_post(&format!("/api/webhook-endpoints/{made}/delete"), &json!({}));
        }
    }
    assert!(wrong.is_empty(), "{} examples are not true:\n{}", wrong.len(), wrong.join("\n"));
    for (name, reason) in LEFT_OUT {
        let exists = document.operations().iter().any(|operation| operation.name() == name);
        assert!(exists, "{name} is left out ({reason}), and no operation");
    }
    world.assert_sound();
}

/// Sends the example.
fn ask(world: &World, operation: &Operation<'_>, key: &str) -> Answer {
    let mut path = operation.path.to_owned();
    for (name, value) in ids(world, operation) {
        path = path.replace(&format!("{{{name}}}"), &value);
    }
    let said = operation.parameters("query").into_iter().filter_map(|(name, example)| {
        let example = example?;
        Some(format!("{name}={}", example.as_str().map_or_else(|| example.to_string(), str::to_owned)))
    });
    let query = said.collect::<Vec<_>>().join("&");
    if !query.is_empty() {
        path = format!("{path}?{query}");
    }
    let keyed = operation.parameters("header").iter().any(|(name, _)| *name == "Idempotency-Key");
    let fresh = world.fresh();
    let fields: &[(&str, &str)] = if keyed { &[("idempotency-key", fresh.as_str())] } else { &[] };
    let body = operation.body().map(Value::to_string).unwrap_or_default();
    world.send(&operation.method, &path, key, fields, &body)
}

/// What stands in the path: something that is there, made for this operation alone where it is used up.
fn ids(world: &World, operation: &Operation<'_>) -> Vec<(&'static str, String)> {
    let (service, first) = (&world.service, |path: &str| world.service.get(path)["data"][0]["id"].clone());
    let id = match operation.path {
        path if !path.contains('{') => return Vec::new(),
        "/api/admin/events/{id}" | "/api/admin/events/{id}/replay" => text(&first("/api/admin/events")),
        "/api/payments/{id}" => text(&first("/api/payments")),
        "/api/admin/tenants/{id}" => TENANT.to_owned(),
        path if path.starts_with("/api/admin/keys/{id}") => {
            let made = json!({ "name": "to be replaced", "tenant_id": TENANT });
            text(&world.post("/api/admin/keys", &made)["key"]["id"])
        }
        path if path.starts_with("/api/admin/quarantine/{id}") => quarantined(world),
        path if path.starts_with("/api/admin/actions/{id}") => text(&world.adjust(5_000)["id"]),
        "/api/admin/people/{id}/remove" => world.person(),
        path if path.starts_with("/api/credits/holds/{id}") => world.hold(),
        "/api/webhook-endpoints/{id}/deliveries/{notice_id}/resend" => {
            let (endpoint, _) = world.endpoint("http://127.0.0.1:9/nobody");
            world.hold();
            let deliveries = service.get(&format!("/api/webhook-endpoints/{endpoint}/deliveries"));
            return vec![("id", endpoint), ("notice_id", text(&deliveries["data"][0]["notice_id"]))];
        }
        path if path.starts_with("/api/webhook-endpoints/{id}") => {
            world.endpoint("http://127.0.0.1:9/nobody").0
        }
        other => panic!("{other}: say here what its id is"),
    };
    vec![("id", id)]
}

/// The number of an item about a payment of a cent for ten credits.
fn quarantined(world: &World) -> String {
    world.deliver(&world.fresh().replace('-', ""), TENANT, 1, Story::Purchase);
    let items = world.service.get("/api/admin/quarantine");
    let newest = items["data"].as_array().unwrap().iter().filter_map(|item| item["id"].as_i64()).max();
    newest.expect("an item is there").to_string()
}
