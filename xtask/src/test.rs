//! `cargo xtask test`: every check and every test, in the order in which they fail cheapest.

use crate::step::{Step, now};
use crate::{clients, machine};
use anyhow::{Result, ensure};

/// How much of it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Scope {
    /// All.
    Everything,
    /// All but the tests that need the official clients: nothing is installed.
    Fast,
}

/// Runs the checks and the tests whose name contains `filter`.
///
/// # Errors
/// The first thing that failed, with what it printed.
pub(crate) fn run(scope: Scope, filter: Option<&str>) -> Result<()> {
    let started = now();
    machine::require_components()?;
    let clients = if scope == Scope::Everything { Some(clients::install()?) } else { None };
    let everything = ["--workspace", "--all-features"];
    let left_out: &[&str] = if clients.is_some() { &[] } else { &["--exclude", "e2e"] };

    cargo("format").args(["fmt", "--all", "--check"]).run()?;
    cargo("lint")
        .args(["clippy", "--quiet", "--all-targets"])
        .args(everything)
        .args(["--", "-D", "warnings"])
        .run()?;
    // Everything at once: the program that `e2e` drives and the tests share one build of each dependency.
    cargo("build").args(["build", "--quiet", "--all-targets"]).args(everything).args(left_out).run()?;

    let mut tests = cargo("tests")
        .args(["test", "--quiet", "--no-fail-fast"])
        .args(everything)
        .args(left_out)
        .args(filter)
        // The same random histories in every run, so that what turns red is the change; `cargo test` draws
        // others each time.
        .env("PROPTEST_RNG_SEED", "4711");
    if let Some(clients) = clients {
        // Built just now, into the folder where this program was built.
        let program = std::env::current_exe()?.with_file_name("faireplace");
        tests = tests
            .env("FAIREPLACE_BIN", program)
            .env("FAIREPLACE_E2E_TOOLS", clients.tools)
            .env("FAIREPLACE_CHROMIUM", clients.chromium);
    }
    let passed = passed(&tests.run()?);
    ensure!(passed > 0, "no test has `{}` in its name", filter.unwrap_or_default());
    println!("\nAll is well, in {:.0} s.\n{passed} passed, 0 failed", started.elapsed().as_secs_f32());
    Ok(())
}

fn cargo(name: &'static str) -> Step {
    Step::new(name, "cargo")
}

/// The sum of the `test result: ok. 12 passed; …` lines.
fn passed(output: &str) -> u32 {
    output
        .lines()
        .filter_map(|line| {
            line.strip_prefix("test result: ok. ")?.split_once(" passed")?.0.parse::<u32>().ok()
        })
        .sum()
}
