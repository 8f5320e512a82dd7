//! Schemathesis over the whole document, against a live service: as an operator, as a tenant, and as nobody.
//! It looks for server errors, for answers that the document does not name or that have another form than it
//! says, for nonsense that is accepted, and for what works without a key. Afterwards the books must add up.
//!
//! Not here: what the answers mean; and how fast they come.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;

use e2e::process::Process;
use serde_json::{Value, json};
use stripe::story::Story;

use crate::document::{Document, Operation, Who};
use crate::world::{TENANT, World, text};

/// The same requests in every run, as far as they do not hang on answers.
const SEED: u32 = 4;
/// For each operation, in each way of making requests up.
const EXAMPLES: u32 = 12;

/// Operations that never succeed here, and why.
const NEVER: [(&str, &str); 6] = [
    ("POST /api/admin/clock/confirm", "the clock of these tests is not in doubt"),
    ("POST /api/admin/restore/confirm", "the database of these tests was not restored"),
    ("GET /openapi.json", "it is read as the description itself, and the report leaves that out"),
    ("POST /webhooks/stripe", "only Stripe can sign for it"),
    ("GET /api/stream", "it is left out by name: its answer never ends"),
    (
        "POST /api/webhook-endpoints",
        "it is left out by name: an address that is made up is not on this machine",
    ),
];

/// Operations whose success is a matter of luck, and why.
const LUCK: [(&str, &str); 1] = [(
    "POST /api/admin/write-offs",
    "one debt is there to forgive, and few figures fit it; the examples do it",
)];

#[test]
fn schemathesis_finds_nothing_as_an_operator() {
    let world = World::start();
    world.owe();
    // Not who asked for the seeds: they may approve what the other has asked for.
    let found = run(&world, Some(&world.second));
    found.assert_succeeded(&[Who::Operators, Who::Everyone]);
    world.assert_sound();
}

#[test]
fn schemathesis_finds_nothing_as_a_tenant() {
    let world = World::start();
    world.hold();
    let found = run(&world, Some(&world.tenant_key));
    found.assert_succeeded(&[Who::Tenants]);
    found.assert_refused(Who::Operators);
    world.assert_sound();
}

#[test]
fn schemathesis_finds_nothing_as_nobody_and_gets_in_nowhere() {
    let world = World::start();
    let found = run(&world, None);
    found.assert_refused(Who::Operators);
    found.assert_refused(Who::Tenants);
    world.assert_sound();
}

/// What Schemathesis asked and what it was answered, after it found nothing wrong.
struct Found {
    document: Document,
    asked: Vec<(String, String, u64)>,
}

impl Found {
    /// Whoever finds nothing wrong with refusals alone has tested nothing.
    fn assert_succeeded(&self, who: &[Who]) {
        let succeeded = self.successes();
        for operation in self.document.operations().into_iter().filter(|it| who.contains(&it.who)) {
            let name = operation.name();
            if LUCK.iter().any(|(operation, _)| *operation == name) {
                continue;
            }
            let never = NEVER.iter().find(|(left_out, _)| *left_out == name);
            match (succeeded.contains(&name), never) {
                (true, None) | (false, Some(_)) => {}
                (false, None) => panic!(
                    "{name} never succeeded, only {:?}: seed what it needs, or say why in NEVER",
                    self.answers(&operation)
                ),
                (true, Some((_, reason))) => {
                    panic!("{name} succeeded, though {reason}: strike it out of NEVER")
                }
            }
        }
    }

    /// Not one request to what is only for `who` succeeded.
    fn assert_refused(&self, who: Who) {
        let succeeded = self.successes();
        let theirs = self.document.operations().into_iter().filter(|operation| operation.who == who);
        let open: Vec<String> = theirs.map(|it| it.name()).filter(|name| succeeded.contains(name)).collect();
        assert!(open.is_empty(), "these are only for {who:?}, and let others in: {open:?}");
    }

    fn successes(&self) -> BTreeSet<String> {
        let operations = self.document.operations().into_iter();
        let succeeded =
            operations.filter(|it| self.answers(it).keys().any(|status| (200..300).contains(status)));
        succeeded.map(|it| it.name()).collect()
    }

    /// How often an operation was answered with which status.
    fn answers(&self, operation: &Operation<'_>) -> BTreeMap<u64, u32> {
        let mut answers = BTreeMap::new();
        for (method, path, status) in &self.asked {
            if *method == operation.method && fits(path, operation.path) {
                *answers.entry(*status).or_default() += 1;
            }
        }
        answers
    }
}

/// Whether a path is one of a template's.
fn fits(path: &str, template: &str) -> bool {
    let (path, template) = (path.split('/').collect::<Vec<_>>(), template.split('/').collect::<Vec<_>>());
    let same = |(part, wanted): (&&str, &&str)| part == wanted || wanted.starts_with('{') && !part.is_empty();
    path.len() == template.len() && path.iter().zip(&template).all(same)
}

/// Runs all of its checks and phases.
fn run(world: &World, key: Option<&str>) -> Found {
    let folder = world.deployment.folder();
    std::fs::write(folder.join("schemathesis.toml"), settings(world, key.is_some())).unwrap();
    let mut command = Command::new(e2e::tools().join("python/bin/schemathesis"));
    command
        .args(["--config-file", "schemathesis.toml", "run", "--no-color", "--exclude-path", "/api/stream"])
        .arg(format!("{}/openapi.json", world.service.url()))
        .current_dir(folder)
        // Not a setting and not an argument: keys stand in neither.
        .env("FAIREPLACE_KEY", key.unwrap_or_default());
    let ended = Process::start(command, format!("schemathesis run (seed {SEED})")).wait();
    let repeat = "A curl line under each finding repeats it against `faireplace dev`; this test repeats the run \
                  with the same seed.";
    assert_eq!(ended.code, Some(0), "{ended}\n{repeat}");
    println!("{ended}");

    let report: Value = serde_json::from_slice(&std::fs::read(folder.join("har.json")).unwrap()).unwrap();
    let entries = report["log"]["entries"].as_array().unwrap();
    let asked = entries.iter().map(|entry| {
        let url = text(&entry["request"]["url"]);
        let path = url.strip_prefix(&world.service.url()).unwrap_or(&url);
        let path = path.split('?').next().unwrap_or_default().to_owned();
        (text(&entry["request"]["method"]), path, entry["response"]["status"].as_u64().unwrap_or_default())
    });
    Found { document: Document::of(world), asked: asked.collect() }
}

/// Its settings, in its own language.
fn settings(world: &World, with_key: bool) -> String {
    let mut text = format!(
        "seed = {SEED}\n\
         continue-on-failure = true\n\
         warnings = false\n\
         request-timeout = 20\n\
         [generation]\n\
         max-examples = {EXAMPLES}\n\
         database = \"none\"\n\
         [reports.har]\n\
         path = \"har.json\"\n\
         # What a schema allows may still be refused: too few credits, 1.0 for 1, nobody named.\n\
         # That good requests succeed is seen in the report instead, and in the examples' own test.\n\
         [checks.positive_data_acceptance]\n\
         enabled = false\n\
         # A route that a key may not know of is not there, whatever else is wrong.\n\
         [checks.missing_required_header]\n\
         expected-statuses = [400, 401, 403, 404, 422]\n\
         # What is wrong may also be too long.\n\
         [checks.negative_data_rejection]\n\
         expected-statuses = [400, 401, 403, 404, 405, 406, 409, 414, 415, 422, 428, 429, \"5xx\"]\n\
         # Paths have ids that are given below, and not that of what was just created.\n\
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
    for (path, name, ids) in seeds(world) {
        let dictionary = format!("{path}{name}").replace(|c: char| !c.is_ascii_alphabetic(), "");
        let _ = write!(
            text,
            "[dictionaries.{dictionary}]\nvalues = {}\n[[operations]]\ninclude-path = \"{path}\"\n\
             parameters = {{ \"path.{name}\" = {{ dictionary = \"{dictionary}\", probability = 0.6 }} }}\n",
            json!(ids),
        );
    }
    // It would revoke its own key; made-up receivers are not on this machine.
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

/// Ids that no answer would show it before it wants them: of what path, and in which place of it.
fn seeds(world: &World) -> Vec<(&'static str, &'static str, Vec<Value>)> {
    let payments = vec![world.service.get("/api/payments")["data"][0]["id"].clone()];
    let waiting = [5_000, 5_001, 5_002, 5_003].map(|credits| world.adjust(credits)["id"].clone());
    for reference in ["cheap1", "cheap2", "cheap3", "cheap4"] {
        world.deliver(reference, TENANT, 1, Story::Purchase);
    }
    let items = world.service.get("/api/admin/quarantine")["data"].take();
    let doubted: Vec<_> = items.as_array().unwrap().iter().map(|item| item["id"].clone()).collect();
    // Nobody listens there.
    let endpoints = [(); 6].map(|()| json!(world.endpoint("http://127.0.0.1:9/nobody").0));
    world.adjust(1);
    let deliveries = format!("/api/webhook-endpoints/{}/deliveries", text(&endpoints[0]));
    let told = vec![world.service.get(&deliveries)["data"][0]["notice_id"].clone()];
    let kept = endpoints[..2].to_vec();
    vec![
        ("/api/payments/{id}", "id", payments),
        ("/api/admin/quarantine/{id}/resolve", "id", doubted[..2].to_vec()),
        ("/api/admin/quarantine/{id}/dismiss", "id", doubted[2..].to_vec()),
        ("/api/admin/actions/{id}/approve", "id", waiting[..2].to_vec()),
        ("/api/admin/actions/{id}/reject", "id", waiting[2..].to_vec()),
        ("/api/admin/people/{id}/remove", "id", vec![json!(world.person())]),
        ("/api/webhook-endpoints/{id}", "id", kept.clone()),
        ("/api/webhook-endpoints/{id}/roll", "id", kept.clone()),
        ("/api/webhook-endpoints/{id}/enable", "id", kept.clone()),
        ("/api/webhook-endpoints/{id}/deliveries", "id", kept),
        ("/api/webhook-endpoints/{id}/deliveries/{notice_id}/resend", "id", endpoints[..1].to_vec()),
        ("/api/webhook-endpoints/{id}/deliveries/{notice_id}/resend", "notice_id", told),
        ("/api/webhook-endpoints/{id}/delete", "id", endpoints[2..].to_vec()),
    ]
}
