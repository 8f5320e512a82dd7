//! Schemathesis tests the whole API of a running service: as an operator, as a tenant, and without a key. It
//! looks for server errors, undocumented answers, invalid requests that are accepted, and operations that
//! work without a key. Afterwards the audit must succeed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;

use e2e::process::Process;
use emulator::scenario::Scenario;
use serde_json::{Value, json};

use crate::document::{Audience, Document, Operation};
use crate::world::{TENANT, World, text};

/// Seed of the requests. They are the same in every run, except where they depend on answers.
const SEED: u32 = 4;
/// Maximum number of requests per operation and phase of Schemathesis.
const MAX_EXAMPLES: u32 = 12;

/// Operations that never succeed here, and why.
const NEVER_SUCCEED: [(&str, &str); 6] = [
    ("POST /api/admin/clock/confirm", "the clock of these tests is not in doubt"),
    ("POST /api/admin/restore/confirm", "the database of these tests was not restored"),
    ("GET /openapi.json", "it is read as the description, which the report leaves out"),
    ("POST /webhooks/stripe", "only Stripe can sign for it"),
    ("GET /api/stream", "excluded: its answer never ends"),
    ("POST /api/webhook-endpoints", "excluded: random addresses are not on this machine"),
];

/// Operations that may or may not succeed, and why.
const MAY_SUCCEED: [(&str, &str); 1] =
    [("POST /api/admin/write-offs", "there is one debt, and few amounts match it; `examples` tests it")];

#[test]
fn schemathesis_finds_nothing_as_an_operator() {
    let world = World::start();
    world.create_debt();
    // The second person, who may approve the actions that the first one requested.
    let results = run(&world, Some(&world.second));
    results.assert_succeeded(&[Audience::Operators, Audience::Everyone]);
    world.assert_sound();
}

#[test]
fn schemathesis_finds_nothing_as_a_tenant() {
    let world = World::start();
    world.hold();
    let results = run(&world, Some(&world.tenant_key));
    results.assert_succeeded(&[Audience::Tenants]);
    results.assert_denied(Audience::Operators);
    world.assert_sound();
}

#[test]
fn schemathesis_finds_nothing_without_a_key_and_gets_no_access() {
    let world = World::start();
    let results = run(&world, None);
    results.assert_denied(Audience::Operators);
    results.assert_denied(Audience::Tenants);
    world.assert_sound();
}

/// The requests of a run without findings.
struct Results {
    document: Document,
    /// Method, path and status of each request.
    requests: Vec<(String, String, u64)>,
}

impl Results {
    /// Checks that every operation for these audiences succeeded at least once; a run of failures tests
    /// nothing.
    fn assert_succeeded(&self, audiences: &[Audience]) {
        let succeeded = self.successes();
        for operation in
            self.document.operations().into_iter().filter(|operation| audiences.contains(&operation.audience))
        {
            let name = operation.name();
            if MAY_SUCCEED.iter().any(|(operation, _)| *operation == name) {
                continue;
            }
            let never = NEVER_SUCCEED.iter().find(|(excluded, _)| *excluded == name);
            match (succeeded.contains(&name), never) {
                (true, None) | (false, Some(_)) => {}
                (false, None) => panic!(
                    "{name} never succeeded, only {:?}: create what it needs, or add it to NEVER_SUCCEED",
                    self.answers(&operation)
                ),
                (true, Some((_, reason))) => {
                    panic!("{name} succeeded, though {reason}: remove it from NEVER_SUCCEED")
                }
            }
        }
    }

    /// Checks that no request to an operation for this audience succeeded.
    fn assert_denied(&self, audience: Audience) {
        let succeeded = self.successes();
        let operations =
            self.document.operations().into_iter().filter(|operation| operation.audience == audience);
        let open: Vec<String> =
            operations.map(|operation| operation.name()).filter(|name| succeeded.contains(name)).collect();
        assert!(open.is_empty(), "operations for {audience:?} only succeeded: {open:?}");
    }

    fn successes(&self) -> BTreeSet<String> {
        let operations = self.document.operations().into_iter();
        let succeeded = operations
            .filter(|operation| self.answers(operation).keys().any(|status| (200..300).contains(status)));
        succeeded.map(|operation| operation.name()).collect()
    }

    /// Number of answers of an operation by status.
    fn answers(&self, operation: &Operation<'_>) -> BTreeMap<u64, u32> {
        let mut answers = BTreeMap::new();
        for (method, path, status) in &self.requests {
            if *method == operation.method && matches(path, operation.path) {
                *answers.entry(*status).or_default() += 1;
            }
        }
        answers
    }
}

/// Whether a path matches a template.
fn matches(path: &str, template: &str) -> bool {
    let (path, template) = (path.split('/').collect::<Vec<_>>(), template.split('/').collect::<Vec<_>>());
    let equal =
        |(part, wanted): (&&str, &&str)| part == wanted || wanted.starts_with('{') && !part.is_empty();
    path.len() == template.len() && path.iter().zip(&template).all(equal)
}

/// Runs all checks and phases of Schemathesis, which must find nothing.
fn run(world: &World, key: Option<&str>) -> Results {
    let folder = world.deployment.folder();
    std::fs::write(folder.join("schemathesis.toml"), settings(world, key.is_some())).unwrap();
    let mut command = Command::new(e2e::tools().join("python/bin/schemathesis"));
    command
        .args(["--config-file", "schemathesis.toml", "run", "--no-color", "--exclude-path", "/api/stream"])
        .arg(format!("{}/openapi.json", world.service.url()))
        .current_dir(folder)
        // In the environment, because keys do not belong into files and arguments.
        .env("FAIREPLACE_KEY", key.unwrap_or_default());
    let ended = Process::start(command, format!("schemathesis run (seed {SEED})")).wait();
    let repeat = "The curl line of each finding repeats it with `faireplace dev`. This test uses the same seed in \
                  every run.";
    assert_eq!(ended.code, Some(0), "{ended}\n{repeat}");
    println!("{ended}");

    let report: Value = serde_json::from_slice(&std::fs::read(folder.join("har.json")).unwrap()).unwrap();
    let entries = report["log"]["entries"].as_array().unwrap();
    let requests = entries.iter().map(|entry| {
        let url = text(&entry["request"]["url"]);
        let path = url.strip_prefix(&world.service.url()).unwrap_or(&url);
        let path = path.split('?').next().unwrap_or_default().to_owned();
        (text(&entry["request"]["method"]), path, entry["response"]["status"].as_u64().unwrap_or_default())
    });
    Results { document: Document::of(world), requests: requests.collect() }
}

/// The configuration of Schemathesis.
fn settings(world: &World, with_key: bool) -> String {
    let mut text = format!(
        "seed = {SEED}\n\
         continue-on-failure = true\n\
         warnings = false\n\
         request-timeout = 20\n\
         [generation]\n\
         max-examples = {MAX_EXAMPLES}\n\
         database = \"none\"\n\
         [reports.har]\n\
         path = \"har.json\"\n\
         # A request that matches the schema may still fail: too few credits, 1.0 for 1, no tenant.\n\
         # `assert_succeeded` and the test of the examples check that valid requests succeed.\n\
         [checks.positive_data_acceptance]\n\
         enabled = false\n\
         # A route that is hidden from the key is not found, whatever else is wrong.\n\
         [checks.missing_required_header]\n\
         expected-statuses = [400, 401, 403, 404, 422]\n\
         # An invalid request may also be too long.\n\
         [checks.negative_data_rejection]\n\
         expected-statuses = [400, 401, 403, 404, 405, 406, 409, 414, 415, 422, 428, 429, \"5xx\"]\n\
         # The ids in paths are given below, and are not those of newly created objects.\n\
         [checks.ensure_resource_availability]\n\
         enabled = false\n\
         [dictionaries.tenants]\n\
         values = [\"{TENANT}\"]\n\
         [parameters]\n\
         tenant_id = {{ dictionary = \"tenants\", probability = 0.9 }}\n"
    );
    if with_key {
        text.push_str("[auth.openapi.key]\nbearer = \"${FAIREPLACE_KEY}\"\n");
    }
    for (route, name, ids) in seeds(world) {
        let filter = if route.starts_with('/') { "include-path" } else { "include-name" };
        let dictionary = format!("{route}{name}").replace(|c: char| !c.is_ascii_alphabetic(), "");
        let _ = write!(
            text,
            "[dictionaries.{dictionary}]\nvalues = {}\n[[operations]]\n{filter} = \"{route}\"\n\
             parameters = {{ \"path.{name}\" = {{ dictionary = \"{dictionary}\", probability = 0.6 }} }}\n",
            json!(ids),
        );
    }
    // Keys of their own, so that it does not revoke the key that it uses. No random receivers: they are not
    // on this machine.
    let spare = json!({ "name": "to be revoked", "tenant_id": TENANT });
    for path in ["/api/admin/keys/{id}/revoke", "/api/admin/keys/{id}/rotate"] {
        let id = world.post("/api/admin/keys", &spare)["key"]["id"].clone();
        let _ = write!(
            text,
            "[[operations]]\ninclude-path = \"{path}\"\nparameters = {{ \"path.id\" = {id} }}\n"
        );
    }
    text.push_str("[[operations]]\ninclude-name = \"POST /api/webhook-endpoints\"\nenabled = false\n");
    text
}

/// Ids of existing objects: path (or method and path, if each method needs ids of its own), name of the
/// parameter, and ids.
fn seeds(world: &World) -> Vec<(&'static str, &'static str, Vec<Value>)> {
    let payments = vec![world.service.get("/api/payments")["data"][0]["id"].clone()];
    let waiting = [5_000, 5_001, 5_002, 5_003].map(|credits| world.adjust(credits)["id"].clone());
    for reference in ["cheap1", "cheap2", "cheap3", "cheap4"] {
        world.deliver(reference, TENANT, 1, Scenario::Purchase);
    }
    let items = world.service.get("/api/admin/quarantine")["data"].take();
    let quarantined: Vec<_> = items.as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
    // Nothing listens on that port.
    let endpoints = [(); 6].map(|()| json!(world.endpoint("http://127.0.0.1:9/closed").0));
    world.adjust(1);
    let deliveries = format!("/api/webhook-endpoints/{}/deliveries", text(&endpoints[0]));
    let notices = vec![world.service.get(&deliveries)["data"][0]["notice_id"].clone()];
    let kept = endpoints[..2].to_vec();
    vec![
        ("/api/payments/{id}", "id", payments),
        ("/api/admin/quarantine/{id}/resolve", "id", quarantined[..2].to_vec()),
        ("/api/admin/quarantine/{id}/dismiss", "id", quarantined[2..].to_vec()),
        ("/api/admin/actions/{id}/approve", "id", waiting[..2].to_vec()),
        ("/api/admin/actions/{id}/reject", "id", waiting[2..].to_vec()),
        ("/api/admin/people/{id}/remove", "id", vec![json!(world.person())]),
        ("GET /api/webhook-endpoints/{id}", "id", kept.clone()),
        ("/api/webhook-endpoints/{id}/rotate", "id", kept.clone()),
        ("/api/webhook-endpoints/{id}/enable", "id", kept.clone()),
        ("/api/webhook-endpoints/{id}/deliveries", "id", kept),
        ("/api/webhook-endpoints/{id}/deliveries/{notice_id}/resend", "id", endpoints[..1].to_vec()),
        ("/api/webhook-endpoints/{id}/deliveries/{notice_id}/resend", "notice_id", notices),
        ("DELETE /api/webhook-endpoints/{id}", "id", endpoints[2..].to_vec()),
    ]
}
