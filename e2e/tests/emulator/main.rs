//! `faireplace emulate` with third-party clients: Stripe's own SDKs and a browser run the scenarios in
//! `clients/`, the handlers of the webhook guide receive its events, and its objects have the fields of the
//! requested API version.
//!
//! The emulator's rules are tested in `crates/emulator`, the service behind it in `trigger.rs`.

mod browser;
mod guide;
mod running;
mod shop;
mod versions;

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::deployment::Deployment;
use e2e::process::{Ended, Process};
use running::Emulator;

/// Numbers of steps in the scenarios, to notice steps that did not run.
const NODE_STEPS: usize = 37;
const PYTHON_STEPS: usize = 17;

/// Runs as in CI: the exit code is that of the command after `--`.
#[test]
fn the_official_node_client_completes_its_scenario() {
    let scenario = script("node/scenario.cjs");
    assert_steps(&in_ci(&["node", text(&scenario)]), NODE_STEPS);
    assert_eq!(in_ci(&["sh", "-c", "exit 7"]).code, Some(7));
}

#[test]
fn the_official_python_client_completes_its_scenario() {
    let emulator = Emulator::start("");
    let mut command = Command::new(e2e::tools().join("python/bin/python"));
    command
        .args(["-B", "-E", "-s"])
        .arg(script("python/scenario.py"))
        .env("NODE_PATH", e2e::tools().join("node/node_modules"))
        .env("STRIPE_API_BASE", emulator.url())
        .env("STRIPE_SECRET_KEY", emulator.api_key());
    assert_steps(&Process::start(command, "python scenario.py".to_owned()).wait(), PYTHON_STEPS);
}

/// SIGTERM is passed on to the command, which can clean up.
#[test]
fn sigterm_reaches_the_command() {
    let script = "trap 'echo cleaned; exit 3' TERM; echo started; while :; do sleep 0.1; done";
    let deployment = Deployment::empty();
    let words = ["emulate", "--listen", "127.0.0.1:0", "--", "sh", "-c", script];
    let started = |process: &Process| process.stdout().contains("started").then_some(());
    let ready = deployment.start_words(&words).wait_for(started);
    let (process, ()) = ready.unwrap_or_else(|ended| panic!("the emulator ended early:\n{ended}"));
    process.terminate();
    let ended = process.wait();
    assert!(ended.stdout.contains("cleaned"), "{ended}");
    assert_eq!(ended.code, Some(1), "{ended}");
}

/// Runs `faireplace emulate -- COMMAND` to its end.
fn in_ci(command: &[&str]) -> Ended {
    let packages = e2e::tools().join("node/node_modules");
    let deployment = Deployment::empty()
        .with("NODE_PATH", text(&packages))
        .with("FAIREPLACE_CHROMIUM", text(&e2e::chromium()));
    let words = ["emulate", "--listen", "127.0.0.1:0", "--"];
    deployment.start_words(&[&words, command].concat()).wait()
}

fn assert_steps(ended: &Ended, steps: usize) {
    println!("{ended}");
    assert_eq!(ended.code, Some(0), "{ended}");
    let passed = ended.stdout.lines().filter(|line| line.starts_with("ok ")).count();
    assert_eq!(passed, steps, "{ended}");
}

fn script(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(path)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the path is UTF-8")
}
