//! The guides work: their Node and Python programs are run beside `faireplace dev`, and their commands are
//! run unchanged, except for ports.

mod blocks;

use std::net::{TcpListener, TcpStream};
use std::process::Command;

use e2e::deployment::Deployment;
use e2e::http::{self, Answer, Request};
use e2e::process::{Ended, Process};
use e2e::receiver::Receiver;
use e2e::sale::paid;
use e2e::service::Service;
use serde_json::{Value, json};

use crate::world::{TENANT, World};
use blocks::{Use, block, text_of};

/// A running program of a guide.
struct Running {
    process: Process,
    port: u16,
}

#[test]
fn an_action_spends_credits_in_node() {
    check_spending("// leases.mjs:");
}

#[test]
fn an_action_spends_credits_in_python() {
    check_spending("# leases.py:");
}

fn check_spending(program: &str) {
    let world = World::start();
    let before = world.available();
    let first = block("spend-on-an-action", "curl -X POST $FAIREPLACE_URL", Use::Curl);
    for _ in 0..2 {
        run_curl(&world, &first.text);
    }
    assert_eq!(world.available(), before - 1, "the second command was not a replay");
    let running = start(&world, "spend-on-an-action", program);
    let signs = block("spend-on-an-action", "curl -X POST http://127.0.0.1:8081/", Use::Curl);
    run_curl(&world, &signs.text.replace(":8081/", &format!(":{}/", running.port)));
    assert_eq!(world.available(), before - 3, "two leases cost two credits");
}

#[test]
fn a_credit_is_held_for_a_signature_in_node() {
    check_holds("// envelopes.mjs:");
}

#[test]
fn a_credit_is_held_for_a_signature_in_python() {
    check_holds("# envelopes.py:");
}

fn check_holds(program: &str) {
    let world = World::start();
    let before = world.available();
    let running = start(&world, "hold-for-14-days", program);
    let commands = block("hold-for-14-days", "curl -X POST http://127.0.0.1:8082/", Use::Curl).text;
    let shown = run_curl(&world, &commands.replace(":8082/", &format!(":{}/", running.port)));
    assert!(shown.stdout.contains("\"captured\"") && shown.stdout.contains("\"released\""), "{shown}");
    assert_eq!(world.available(), before - 1, "one was signed, the other cancelled");
    assert_eq!(world.service.balance(TENANT)["held"], 0);
}

#[test]
fn packages_are_sold_in_node() {
    check_sales("// shop.mjs:");
}

#[test]
fn packages_are_sold_in_python() {
    check_sales("# shop.py:");
}

fn check_sales(program: &str) {
    let world = World::start();
    let before = world.available();
    run_curl(&world, &block("sell-packages", "export FAIREPLACE_URL", Use::Curl).text);
    let shop = start(&world, "sell-packages", program);
    let page = shop.request("GET", "/", "");
    assert_eq!(page.status, 200, "{page:?}");
    let value = |name: &str| {
        let (_, rest) = page.body.split_once(&format!("name=\"{name}\" value=\"")).expect("a hidden field");
        rest.split('"').next().unwrap().to_owned()
    };
    let form = format!("package={}&order={}", value("package"), value("order"));
    let bought = [shop.request("POST", "/buy", &form), shop.request("POST", "/buy", &form)];
    let [checkout, again] = bought.map(|answer| location(&answer));
    assert_eq!(checkout, again, "the second click opened another checkout");

    let session = checkout.rsplit('/').next().unwrap();
    let unanswered = shop.request("GET", "/done?session=cs_test_unknown", "");
    assert_eq!(unanswered.status, 502, "{unanswered:?}");
    assert!(!unanswered.body.contains("Nothing was charged"), "the customer may have paid: {unanswered:?}");

    world.pay(session);
    let done = shop.request("GET", &format!("/done?session={session}"), "");
    assert_eq!(done.status, 200, "{done:?}");
    assert!(done.body.contains("You have"), "{done:?}");
    assert_eq!(world.available(), before + 1, "the first package is one credit");
}

/// The URL that an answer redirects to.
fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{answer:?}");
    let mut fields = answer.head.lines().filter_map(|line| line.split_once(": "));
    let (_, url) = fields.find(|(name, _)| name.eq_ignore_ascii_case("location")).expect("an address");
    url.to_owned()
}

#[test]
fn notices_are_verified_in_node() {
    check_verification("// notices.cjs:");
}

#[test]
fn notices_are_verified_in_python() {
    check_verification("# notices.py:");
}

fn check_verification(program: &str) {
    let (world, port) = (World::start(), free_port());
    let ask = block("verify-notices", "curl -X POST $FAIREPLACE_URL/api/webhook-endpoints", Use::Curl);
    let made = run_curl(&world, &ask.text.replace(":8083/", &format!(":{port}/"))).stdout;
    let made: Value = serde_json::from_str(&made).expect("an answer of the API");
    let secret = made["data"]["secret"].as_str().expect("a secret");
    let running = start_at(&world, "verify-notices", program, port, &[("NOTICES_SECRET", secret)]);
    let forged = running.request("POST", "/notices", r#"{"type":"credits.granted"}"#);
    assert_eq!(forged.status, 400, "{forged:?}");
    let spend = block("verify-notices", "curl -X POST $FAIREPLACE_URL/api/credits/spend", Use::Curl);
    run_curl(&world, &spend.text);
    let received = running.process.wait_for(|process| process.stdout().find(" credits.spent "));
    let (process, _) = received.unwrap_or_else(|ended| panic!("the program ended early:\n{ended}"));
    assert!(!process.stdout().contains("credits.granted"), "{}", process.stdout());
}

#[test]
fn a_notice_has_the_fields_of_the_guide() {
    let (world, receiver) = (World::start(), Receiver::start());
    world.endpoint(&receiver.url());
    world.tenant_post("/api/credits/spend", &json!({ "credits": 1, "reference": "lease 81" }));
    let sent: Value = serde_json::from_slice(&receiver.next().body).expect("a notice is JSON");
    let guide = block("verify-notices", "{\n  \"type\": \"credits.spent\"", Use::Json);
    let shown: Value = serde_json::from_str(&guide.text).expect("the block is JSON");
    let names = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    for place in ["", "/data", "/data/balance_after"] {
        let [shown, sent] =
            [&shown, &sent].map(|notice| names(notice.pointer(place).expect("the field exists")));
        assert_eq!(shown, sent, "the names in {place}");
    }

    let asked = json!({ "url": receiver.url(), "types": ["nonsense"] }).to_string();
    let refused = world.send("POST", "/api/webhook-endpoints", &world.tenant_key, &[], &asked);
    let (_, kinds) = refused.body.split_once("some of ").expect("a list of types");
    let (kinds, _) = kinds.split_once(". ").expect("a full stop");
    for kind in kinds.split(", ") {
        assert!(
            text_of("verify-notices").contains(&format!("`{kind}`")),
            "the guide does not explain {kind}"
        );
    }
}

#[test]
fn the_rust_receiver_is_the_compiled_example() {
    let shown = Use::Shown("compiled as an example of `web`");
    let text = block("verify-notices", "//! notices.rs:", shown).text;
    let example = include_str!("../../../../crates/web/examples/notices.rs");
    let (head, rest) = example.split_once("#![expect(").expect("an `expect` attribute");
    let (_, rest) = rest.split_once("\n\n").expect("the program follows");
    assert_eq!(text, format!("{head}{rest}"), "identical except for the lint attribute");
}

#[test]
fn a_balance_is_explained_as_the_guide_shows() {
    let world = World::start();
    let tenant = "650e8400-e29b-41d4-a716-446655440000";
    let done = |command: &str| world.deployment.done(command);
    done(&format!("trigger checkout.session.completed --payment lease --tenant {tenant}"));
    world.service.settle();
    let body = json!({ "credits": 7, "reference": "lease 81" }).to_string();
    let key = json!({ "name": "product", "tenant_id": tenant, "permissions": ["credits:write"] });
    let (key, named) = (world.key(&key), [("idempotency-key", "lease-81")]);
    let spent = world.send("POST", "/api/credits/spend", &key, &named, &body);
    assert_eq!(spent.status, 200, "{spent:?}");
    done(&format!("trigger charge.refunded --payment lease --tenant {tenant}"));
    world.service.settle();
    for begins in ["$ faireplace balance", "$ faireplace adjust write-off", "$ faireplace adjust give"] {
        check_transcript(&world, &block("explain-a-balance", begins, Use::Transcript).text);
    }
}

#[test]
fn people_and_keys_are_as_the_guide_shows() {
    let deployment = Deployment::default();
    let _service = deployment.serve();
    let mut own = String::new();
    for begins in [
        "$ faireplace keys create backend",
        "$ faireplace report actions",
        "$ faireplace keys create laptop",
        "$ faireplace keys create reports",
    ] {
        let shown = block("people-and-keys", begins, Use::Transcript).text;
        let output = check_transcript_with(&deployment, &own, &shown);
        if begins.contains("laptop") {
            output.lines().next().expect("the first line is the secret").clone_into(&mut own);
        }
    }
}

#[test]
fn a_backup_is_restored_as_the_guide_shows() {
    let deployment = Deployment::default();
    let service = deployment.serve();
    let deliver = |service: &Service, reference: &str| {
        assert_eq!(service.deliver(&paid(reference)), 200);
    };
    deliver(&service, "monday");
    service.settle();
    let made = deployment.done(&format!("keys create shop --tenant {TENANT} --json"));
    let made: Value = serde_json::from_str(&made).expect("the output is JSON");
    let shown = |begins| block("restore-a-backup", begins, Use::Transcript).text;
    check_transcript_with(&deployment, "", &shown("$ faireplace backup"));
    deployment.done(&format!("keys revoke {}", made["data"]["key"]["id"].as_str().expect("an id")));
    service.stop();
    check_transcript_with(&deployment, "", &shown("$ faireplace restore monday.db"));
    let service = deployment.serve();
    deliver(&service, "tuesday");
    check_transcript_with(&deployment, "", &shown("$ faireplace restore\n"));
    deployment.done(&format!("keys revoke {}", made["data"]["key"]["id"].as_str().expect("an id")));
    check_transcript_with(&deployment, "", &shown("$ faireplace restore --confirm"));
    service.settle();
    assert_eq!(service.balance(TENANT)["available"], 20);
}

/// Runs each `$ faireplace` command of a transcript, and compares its output with the transcript.
fn check_transcript(world: &World, transcript: &str) {
    check_transcript_with(&world.deployment, &world.first, transcript);
}

/// Like [`check_transcript`], with an operator key unless it is empty. Returns the output of the first
/// command.
fn check_transcript_with(deployment: &Deployment, key: &str, transcript: &str) -> String {
    let mut outputs = Vec::new();
    for part in transcript.split("$ faireplace ").skip(1) {
        let (command, shown) = part.split_once('\n').unwrap();
        let ended = match key {
            "" => deployment.start_words(&words(command)).wait(),
            key => deployment.start_words_with(&words(command), "FAIREPLACE_OPERATOR_KEY", key).wait(),
        };
        assert_eq!(ended.code, Some(0), "{ended}");
        assert_eq!(
            without_numbers(&ended.stdout),
            without_numbers(shown),
            "the output differs from the guide:\n{ended}"
        );
        outputs.push(ended.stdout);
    }
    outputs.swap_remove(0)
}

/// Splits a command into words, which may be quoted.
fn words(command: &str) -> Vec<&str> {
    let parts = command.split('"').enumerate();
    parts
        .flat_map(|(at, part)| if at % 2 == 1 { vec![part] } else { part.split(' ').collect() })
        .filter(|word| !word.is_empty())
        .collect()
}

/// Lines with `#` for each word that differs between runs: numbers, times and ids.
fn without_numbers(text: &str) -> Vec<String> {
    let word = |word: &str| {
        let differs = word.contains(|c: char| c.is_ascii_digit() || c == '_');
        if differs { "#".to_owned() } else { word.to_owned() }
    };
    let line = |line: &str| line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).filter(|line| !line.is_empty()).collect()
}

/// Runs the `curl` commands of a block, which must succeed.
fn run_curl(world: &World, commands: &str) -> Ended {
    // The variables are set below.
    let typed: Vec<&str> = commands.lines().filter(|line| !line.starts_with("export ")).collect();
    let shell_options =
        "set -e; curl() { command curl --silent --show-error --fail-with-body --max-time 30 \"$@\"; }";
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("{shell_options}\n{}", typed.join("\n")))
        .current_dir(world.deployment.folder())
        .env("FAIREPLACE_URL", world.service.url())
        .env("FAIREPLACE_KEY", &world.tenant_key);
    let ended = Process::start(shell, "the guide's curl".to_owned()).wait();
    assert_eq!(ended.code, Some(0), "{ended}");
    ended
}

/// Saves a program under the name in its first line and runs it.
fn start(world: &World, guide: &str, begins: &str) -> Running {
    start_at(world, guide, begins, free_port(), &[])
}

/// Like [`start`], with this port and these environment variables.
fn start_at(world: &World, guide: &str, begins: &str, port: u16, variables: &[(&str, &str)]) -> Running {
    let program = block(guide, begins, Use::Program);
    let name = begins.trim_start_matches(['/', '#', ' ']).trim_end_matches(':');
    std::fs::write(world.deployment.path(name), &program.text).unwrap();
    let mut command = match name.ends_with(".py") {
        true => Command::new(e2e::tools().join("python/bin/python")),
        false => Command::new("node"),
    };
    command
        .arg(name)
        .envs(variables.iter().copied())
        .env("NODE_PATH", e2e::tools().join("node/node_modules"))
        .current_dir(world.deployment.folder())
        .env("PORT", port.to_string())
        .env("FAIREPLACE_URL", world.service.url())
        .env("FAIREPLACE_KEY", &world.tenant_key);
    let process = Process::start(command, name.to_owned());
    let listening = process.wait_for(|_| TcpStream::connect(("127.0.0.1", port)).ok());
    let (process, _) = listening.unwrap_or_else(|ended| panic!("the program ended early:\n{ended}"));
    Running { process, port }
}

impl Running {
    fn request(&self, method: &str, path: &str, body: &str) -> Answer {
        let fields = [("content-type", "application/x-www-form-urlencoded"), ("connection", "close")];
        let request = Request { method, path, fields: &fields, body: body.as_bytes() };
        let address = ([127, 0, 0, 1], self.port).into();
        http::send(address, request)
    }
}

impl World {
    fn available(&self) -> i64 {
        self.service.balance(TENANT)["available"].as_i64().expect("a whole number")
    }

    /// Pays a session at the emulator, and waits until its events are applied.
    fn pay(&self, session: &str) {
        let screen = self.service.screen();
        let (_, rest) = screen.split_once("Stripe emulator at http://").expect("an address");
        let address = rest.split_whitespace().next().unwrap().parse().unwrap();
        let control = |method: &str, path: &str, body: &str| -> Value {
            let path = format!("/_emulator/{path}");
            let fields = [("content-type", "application/json")];
            let request = Request { method, path: &path, fields: &fields, body: body.as_bytes() };
            let answer = http::send(address, request);
            assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
            answer.json()
        };
        control("POST", &format!("sessions/{session}/pay"), r#"{"card":"4242424242424242"}"#);
        control("GET", "settled", "");
        self.service.settle();
    }
}

/// A free port. The programs cannot choose one themselves.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap().port()
}
