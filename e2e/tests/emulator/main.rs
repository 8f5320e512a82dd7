//! `faireplace emulate`, judged by clients that nobody here wrote: Stripe's own SDKs and a browser play the
//! scenarios of `clients/`, the handlers of the webhook guide receive its events, and its objects have the fields
//! of the API version that was asked for.
//!
//! Not here: the emulator's rules one by one (`crates/emulator`), and the service behind it (`stories.rs`).

mod guide;
mod running;
mod shop;
mod versions;

use std::path::Path;
use std::process::Command;

use e2e::process::{Ended, Process};
use running::Emulator;

/// The steps of the scenarios: a step that is left out is as bad as one that fails.
const NODE_STEPS: usize = 34;
const PYTHON_STEPS: usize = 17;

#[test]
fn the_official_client_for_node_plays_its_scenario() {
    let mut command = Command::new("node");
    command.arg(script("node/scenario.cjs"));
    assert_steps(&played(command), NODE_STEPS);
}

#[test]
fn the_official_client_for_python_plays_its_scenario() {
    let mut command = Command::new(e2e::tools().join("python/bin/python"));
    command.args(["-B", "-E", "-s"]).arg(script("python/scenario.py"));
    assert_steps(&played(command), PYTHON_STEPS);
}

/// Plays a scenario against an emulator of its own.
fn played(mut command: Command) -> Ended {
    let emulator = Emulator::start("");
    command
        .env("NODE_PATH", e2e::tools().join("node/node_modules"))
        .env("STRIPE_API_BASE", emulator.url())
        .env("STRIPE_SECRET_KEY", emulator.api_key());
    Process::start(command, "the scenario".to_owned()).wait()
}

fn assert_steps(ended: &Ended, steps: usize) {
    println!("{ended}");
    assert_eq!(ended.code, Some(0), "{ended}");
    let held = ended.stdout.lines().filter(|line| line.starts_with("ok ")).count();
    assert_eq!(held, steps, "{ended}");
}

fn script(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(path)
}
