//! `faireplace emulate`, judged by clients that nobody here wrote: Stripe's own SDKs and a browser play the
//! scenarios of `clients/`, the handlers of the webhook guide receive its events, and its objects have the
//! fields of the API version that was asked for.
//!
//! Not here: the emulator's rules one by one (`crates/emulator`), and the service behind it (`stories.rs`).

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

/// The steps of the scenarios: a step that is left out is as bad as one that fails.
const NODE_STEPS: usize = 37;
const PYTHON_STEPS: usize = 17;

/// As in somebody's CI: one command, which ends as the command behind `--` ends.
#[test]
fn the_official_client_for_node_plays_its_scenario() {
    let scenario = script("node/scenario.cjs");
    assert_steps(&in_ci(&["node", text(&scenario)]), NODE_STEPS);
    assert_eq!(in_ci(&["sh", "-c", "exit 7"]).code, Some(7));
}

#[test]
fn the_official_client_for_python_plays_its_scenario() {
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

/// Told to end, it tells the command, which can clean up.
#[test]
fn the_order_to_stop_reaches_the_command() {
    let script = "trap 'echo cleaned; exit 3' TERM; echo begun; while :; do sleep 0.1; done";
    let deployment = Deployment::empty();
    let words = ["emulate", "--listen", "127.0.0.1:0", "--", "sh", "-c", script];
    let begun = |process: &Process| process.stdout().contains("begun").then_some(());
    let started = deployment.start_words(&words).wait_for(begun);
    let (process, ()) = started.unwrap_or_else(|ended| panic!("it ended early:\n{ended}"));
    process.terminate();
    let ended = process.wait();
    assert!(ended.stdout.contains("cleaned"), "{ended}");
    assert_eq!(ended.code, Some(1), "{ended}");
}

/// `faireplace emulate -- COMMAND`, to its end.
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
    let held = ended.stdout.lines().filter(|line| line.starts_with("ok ")).count();
    assert_eq!(held, steps, "{ended}");
}

fn script(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(path)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("no odd names here")
}
