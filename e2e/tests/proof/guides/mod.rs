//! The guides do what they say: their programs are written to a folder and run beside `faireplace dev`, in
//! Node and in Python, and their commands are typed as they stand there. Only ports are other ones.
//!
//! Not here: a browser; the tests of the emulator pay in one.

mod blocks;

use std::net::{TcpListener, TcpStream};
use std::process::Command;

use e2e::deployment::Deployment;
use e2e::http::{Answer, Connection, Request};
use e2e::process::{Ended, Process};
use e2e::receiver::Receiver;
use e2e::sale::paid;
use e2e::service::Service;
use serde_json::{Value, json};

use crate::world::{TENANT, World};
use blocks::{Use, block, text_of};

/// A program of a guide, running.
struct Running {
    process: Process,
    port: u16,
}

#[test]
fn credits_stand_before_an_action_in_node() {
    spends("// leases.mjs:");
}

#[test]
fn credits_stand_before_an_action_in_python() {
    spends("# leases.py:");
}

fn spends(program: &str) {
    let world = World::start();
    let before = world.available();
    let first = block("spend-on-an-action", "curl -X POST $FAIREPLACE_URL", Use::Curl);
    for _ in 0..2 {
        types(&world, &first.text);
    }
    assert_eq!(world.available(), before - 1, "the second time is the first again");
    let running = start(&world, "spend-on-an-action", program);
    let signs = block("spend-on-an-action", "curl -X POST http://127.0.0.1:8081/", Use::Curl);
    types(&world, &signs.text.replace(":8081/", &format!(":{}/", running.port)));
    assert_eq!(world.available(), before - 3, "two leases are signed");
}

#[test]
fn a_credit_is_held_for_a_signature_in_node() {
    holds("// envelopes.mjs:");
}

#[test]
fn a_credit_is_held_for_a_signature_in_python() {
    holds("# envelopes.py:");
}

fn holds(program: &str) {
    let world = World::start();
    let before = world.available();
    let running = start(&world, "hold-for-14-days", program);
    let commands = block("hold-for-14-days", "curl -X POST http://127.0.0.1:8082/", Use::Curl).text;
    let shown = types(&world, &commands.replace(":8082/", &format!(":{}/", running.port)));
    assert!(shown.stdout.contains("\"captured\"") && shown.stdout.contains("\"released\""), "{shown}");
    assert_eq!(world.available(), before - 1, "one is signed, the other cancelled");
    assert_eq!(world.service.balance(TENANT)["held"], 0);
}

#[test]
fn packages_are_sold_in_node() {
    sells("// shop.mjs:");
}

#[test]
fn packages_are_sold_in_python() {
    sells("# shop.py:");
}

fn sells(program: &str) {
    let world = World::start();
    let before = world.available();
    types(&world, &block("sell-packages", "export FAIREPLACE_URL", Use::Curl).text);
    let shop = start(&world, "sell-packages", program);
    let page = shop.ask("GET", "/", "");
    assert_eq!(page.status, 200, "{page:?}");
    let value = |name: &str| {
        let (_, rest) = page.body.split_once(&format!("name=\"{name}\" value=\"")).expect("a hidden field");
        rest.split('"').next().unwrap().to_owned()
    };
    let form = format!("package={}&order={}", value("package"), value("order"));
    let bought = [shop.ask("POST", "/buy", &form), shop.ask("POST", "/buy", &form)];
    let [checkout, again] = bought.map(|answer| location(&answer));
    assert_eq!(checkout, again, "a button that is pressed twice buys once");

    let session = checkout.rsplit('/').next().unwrap();
    let unanswered = shop.ask("GET", "/done?session=cs_test_nobodys", "");
    assert_eq!(unanswered.status, 502, "{unanswered:?}");
    assert!(!unanswered.body.contains("Nothing was charged"), "they may have paid: {unanswered:?}");

    world.pay(session);
    let done = shop.ask("GET", &format!("/done?session={session}"), "");
    assert_eq!(done.status, 200, "{done:?}");
    assert!(done.body.contains("You have"), "{done:?}");
    assert_eq!(world.available(), before + 1, "the first package is one credit");
}

/// Where an answer sends the browser.
fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{answer:?}");
    let mut fields = answer.head.lines().filter_map(|line| line.split_once(": "));
    let (_, url) = fields.find(|(name, _)| name.eq_ignore_ascii_case("location")).expect("it says where");
    url.to_owned()
}

#[test]
fn notices_are_verified_in_node() {
    verifies("// notices.cjs:");
}

#[test]
fn notices_are_verified_in_python() {
    verifies("# notices.py:");
}

fn verifies(program: &str) {
    let (world, port) = (World::start(), free_port());
    let ask = block("verify-notices", "curl -X POST $FAIREPLACE_URL/api/webhook-endpoints", Use::Curl);
    let made = types(&world, &ask.text.replace(":8083/", &format!(":{port}/"))).stdout;
    let made: Value = serde_json::from_str(&made).expect("an answer of the API");
    let secret = made["data"]["secret"].as_str().expect("it is shown this once");
    let running = start_at(&world, "verify-notices", program, port, &[("NOTICES_SECRET", secret)]);
    let forged = running.ask("POST", "/notices", r#"{"type":"credits.granted"}"#);
    assert_eq!(forged.status, 400, "{forged:?}");
    let spend = block("verify-notices", "curl -X POST $FAIREPLACE_URL/api/credits/spend", Use::Curl);
    types(&world, &spend.text);
    let heard = running.process.wait_for(|process| process.stdout().find(" credits.spent "));
    let (process, _) = heard.unwrap_or_else(|ended| panic!("it ended early:\n{ended}"));
    assert!(!process.stdout().contains("credits.granted"), "{}", process.stdout());
}

#[test]
fn a_notice_says_what_the_guide_shows() {
    let (world, receiver) = (World::start(), Receiver::start());
    world.endpoint(&receiver.url());
    world.tenant_post("/api/credits/spend", &json!({ "credits": 1, "reference": "lease 81" }));
    let told: Value = serde_json::from_slice(&receiver.next().body).expect("a notice is JSON");
    let guide = block("verify-notices", "{\n  \"type\": \"credits.spent\"", Use::Json);
    let shown: Value = serde_json::from_str(&guide.text).expect("so is the guide's");
    let names = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    for place in ["", "/data", "/data/balance_after"] {
        let [shown, told] = [&shown, &told].map(|one| names(one.pointer(place).expect("it is there")));
        assert_eq!(shown, told, "the names in {place}");
    }

    let asked = json!({ "url": receiver.url(), "types": ["nonsense"] }).to_string();
    let refused = world.send("POST", "/api/webhook-endpoints", &world.tenant_key, &[], &asked);
    let (_, kinds) = refused.body.split_once("some of ").expect("it names them all");
    let (kinds, _) = kinds.split_once(". ").expect("its sentence ends");
    for kind in kinds.split(", ") {
        assert!(
            text_of("verify-notices").contains(&format!("`{kind}`")),
            "the guide does not say when {kind}"
        );
    }
}

#[test]
fn the_receiver_in_rust_is_the_example_that_is_compiled() {
    let shown = Use::Shown("it is compiled as an example of `web`");
    let text = block("verify-notices", "//! notices.rs:", shown).text;
    let example = include_str!("../../../../crates/web/examples/notices.rs");
    let (head, rest) = example.split_once("#![expect(").expect("it quiets our own lint");
    let (_, rest) = rest.split_once("\n\n").expect("programs follow");
    assert_eq!(text, format!("{head}{rest}"), "but for what quiets our own lint");
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
        replays(&world, &block("explain-a-balance", begins, Use::Transcript).text);
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
        let said = replays_with(&deployment, &own, &shown);
        if begins.contains("laptop") {
            said.lines().next().expect("the secret stands first").clone_into(&mut own);
        }
    }
}

#[test]
fn a_backup_is_restored_as_the_guide_shows() {
    let deployment = Deployment::default();
    let service = deployment.serve();
    let tell = |service: &Service, reference: &str| {
        assert_eq!(service.deliver(&paid(reference)), 200);
    };
    tell(&service, "monday");
    service.settle();
    let made = deployment.done(&format!("keys create shop --tenant {TENANT} --json"));
    let made: Value = serde_json::from_str(&made).expect("JSON was asked for");
    let shown = |begins| block("restore-a-backup", begins, Use::Transcript).text;
    replays_with(&deployment, "", &shown("$ faireplace backup"));
    deployment.done(&format!("keys revoke {}", made["data"]["key"]["id"].as_str().expect("it has one")));
    service.stop();
    replays_with(&deployment, "", &shown("$ faireplace restore monday.db"));
    let service = deployment.serve();
    tell(&service, "tuesday");
    replays_with(&deployment, "", &shown("$ faireplace restore\n"));
    deployment.done(&format!("keys revoke {}", made["data"]["key"]["id"].as_str().expect("it has one")));
    replays_with(&deployment, "", &shown("$ faireplace restore --confirm"));
    service.settle();
    assert_eq!(service.balance(TENANT)["available"], 20);
}

/// Types what stands behind each `$ faireplace`, and compares what comes with what the guide shows.
fn replays(world: &World, transcript: &str) {
    replays_with(&world.deployment, &world.first, transcript);
}

/// As [`replays`], with somebody's operator key, if there is one. Answers what the first command said.
fn replays_with(deployment: &Deployment, key: &str, transcript: &str) -> String {
    let mut said = Vec::new();
    for part in transcript.split("$ faireplace ").skip(1) {
        let (command, shown) = part.split_once('\n').unwrap();
        let ended = match key {
            "" => deployment.start_words(&words(command)).wait(),
            key => deployment.start_words_with(&words(command), "FAIREPLACE_OPERATOR_KEY", key).wait(),
        };
        assert_eq!(ended.code, Some(0), "{ended}");
        assert_eq!(without_numbers(&ended.stdout), without_numbers(shown), "as the guide shows it:\n{ended}");
        said.push(ended.stdout);
    }
    said.swap_remove(0)
}

/// The words of a command, which may stand in quotes.
fn words(command: &str) -> Vec<&str> {
    let parts = command.split('"').enumerate();
    parts
        .flat_map(|(at, part)| if at % 2 == 1 { vec![part] } else { part.split(' ').collect() })
        .filter(|word| !word.is_empty())
        .collect()
}

/// Lines with `#` for each word that differs from run to run: numbers, times and ids.
fn without_numbers(text: &str) -> Vec<String> {
    let word = |word: &str| {
        let differs = word.contains(|c: char| c.is_ascii_digit() || c == '_');
        if differs { "#".to_owned() } else { word.to_owned() }
    };
    let line = |line: &str| line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).filter(|line| !line.is_empty()).collect()
}

/// Types a block's `curl` commands; one that is refused fails.
fn types(world: &World, commands: &str) -> Ended {
    // Lines that set the variables have been followed already.
    let typed: Vec<&str> = commands.lines().filter(|line| !line.starts_with("export ")).collect();
    let strict =
        "set -e; curl() { command curl --silent --show-error --fail-with-body --max-time 30 \"$@\"; }";
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("{strict}\n{}", typed.join("\n")))
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

/// As [`start`], on this port and with these variables.
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
    let (process, _) = listening.unwrap_or_else(|ended| panic!("it ended early:\n{ended}"));
    Running { process, port }
}

impl Running {
    fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        let fields = [("content-type", "application/x-www-form-urlencoded"), ("connection", "close")];
        let request = Request { method, path, fields: &fields, body: body.as_bytes() };
        let address = ([127, 0, 0, 1], self.port).into();
        let answer = Connection::open(address).and_then(|mut connection| connection.send(request));
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }
}

impl World {
    fn available(&self) -> i64 {
        self.service.balance(TENANT)["available"].as_i64().expect("a whole number")
    }

    /// Pays a session at the emulator, and waits until its events have arrived and are applied.
    fn pay(&self, session: &str) {
        let screen = self.service.screen();
        let (_, rest) = screen.split_once("Stripe is played at http://").expect("it says where");
        let address = rest.split_whitespace().next().unwrap().parse().unwrap();
        let control = |method: &str, path: &str, body: &str| -> Value {
            let path = format!("/_emulator/{path}");
            let fields = [("content-type", "application/json")];
            let request = Request { method, path: &path, fields: &fields, body: body.as_bytes() };
            let answer =
                Connection::open(address).and_then(|mut connection| connection.send(request)).unwrap();
            assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
            answer.json()
        };
        control("POST", &format!("sessions/{session}/pay"), r#"{"card":"4242424242424242"}"#);
        control("GET", "settled", "");
        self.service.settle();
    }
}

/// A port that nobody listens on now: the programs can only be told one.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap().port()
}
