//! The examples in the document work: each operation's example request gets a documented success. Only ids
//! and keys are replaced, because they differ between services. The form of the answers is checked in `fuzz`.

use e2e::http::Answer;
use emulator::scenario::Scenario;
use serde_json::{Value, json};

use crate::document::{Audience, Document, Operation};
use crate::world::{TENANT, World, text};

/// Operations that are not tested here, and why.
const EXCLUDED: [(&str, &str); 4] = [
    ("POST /api/admin/clock/confirm", "the clock of these tests is not in doubt"),
    ("POST /api/admin/restore/confirm", "the database of these tests was not restored"),
    ("GET /api/stream", "its answer never ends; tested in crates/web"),
    ("POST /webhooks/stripe", "the example has no valid signature; purchases in these tests use it"),
];

#[test]
fn each_example_request_gets_a_documented_success() {
    let world = World::start();
    let document = Document::of(&world);
    let second = world.second.clone();
    let mut wrong = Vec::new();
    for operation in document.operations() {
        if EXCLUDED.iter().any(|(name, _)| *name == operation.name()) {
            continue;
        }
        if operation.path == "/api/admin/write-offs" {
            world.create_debt();
        }
        let key = if operation.audience == Audience::Tenants { &world.tenant_key } else { &second };
        let answer = send_example(&world, &operation, key);
        if !(200..300).contains(&answer.status) || !operation.documents(answer.status) {
            wrong.push(format!("{}: {answer:?}", operation.name()));
        }
        if operation.path == "/api/admin/write-offs" {
            world.adjust(100);
        }
        if operation.path == "/api/webhook-endpoints" && operation.method == "POST" {
            // The example's receiver is not on this machine, so nothing may be sent to it.
            let made = text(&answer.json()["data"]["endpoint"]["id"]);
            let path = format!("/api/webhook-endpoints/{made}");
            let deleted = world.send("DELETE", &path, &world.tenant_key, &[], "");
            assert_eq!(deleted.status, 200, "{deleted:?}");
        }
    }
    assert!(wrong.is_empty(), "{} examples fail:\n{}", wrong.len(), wrong.join("\n"));
    for (name, reason) in EXCLUDED {
        let exists = document.operations().iter().any(|operation| operation.name() == name);
        assert!(exists, "{name} is excluded ({reason}), but does not exist");
    }
    world.assert_sound();
}

/// Sends the example request of an operation.
fn send_example(world: &World, operation: &Operation<'_>, key: &str) -> Answer {
    let mut path = operation.path.to_owned();
    for (name, value) in ids(world, operation) {
        path = path.replace(&format!("{{{name}}}"), &value);
    }
    let parameters = operation.parameters("query").into_iter().filter_map(|(name, example)| {
        let example = example?;
        Some(format!("{name}={}", example.as_str().map_or_else(|| example.to_string(), str::to_owned)))
    });
    let query = parameters.collect::<Vec<_>>().join("&");
    if !query.is_empty() {
        path = format!("{path}?{query}");
    }
    let idempotent = operation.parameters("header").iter().any(|(name, _)| *name == "Idempotency-Key");
    let fresh = world.fresh();
    let fields: &[(&str, &str)] = if idempotent { &[("idempotency-key", fresh.as_str())] } else { &[] };
    let body = operation.body().map(Value::to_string).unwrap_or_default();
    world.send(&operation.method, &path, key, fields, &body)
}

/// Ids for the path: existing objects, created for this operation if it uses them up.
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
            let (endpoint, _) = world.endpoint("http://127.0.0.1:9/closed");
            world.hold();
            let deliveries = service.get(&format!("/api/webhook-endpoints/{endpoint}/deliveries"));
            return vec![("id", endpoint), ("notice_id", text(&deliveries["data"][0]["notice_id"]))];
        }
        path if path.starts_with("/api/webhook-endpoints/{id}") => {
            world.endpoint("http://127.0.0.1:9/closed").0
        }
        other => panic!("{other}: add its id here"),
    };
    vec![("id", id)]
}

/// The id of a quarantine item, about a payment of one cent for ten credits.
fn quarantined(world: &World) -> String {
    world.deliver(&world.fresh().replace('-', ""), TENANT, 1, Scenario::Purchase);
    let items = world.service.get("/api/admin/quarantine");
    let newest = items["data"].as_array().unwrap().iter().filter_map(|item| item["id"].as_i64()).max();
    newest.expect("the payment is quarantined").to_string()
}
