//! `cargo xtask test`: every check and every test, the cheapest first.

use crate::step::{Step, now};
use crate::{clients, machine};
use anyhow::{Result, ensure};

/// Which tests to run.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Scope {
    Everything,
    /// Without `e2e`, the only tests that need something installed.
    Fast,
}

/// Runs the checks and the tests whose name contains `filter`.
///
/// # Errors
/// The first step that failed, with its output.
pub(crate) fn run(scope: Scope, filter: Option<&str>) -> Result<()> {
    let started = now();
    machine::require_components()?;
    let clients = if scope == Scope::Everything { Some(clients::install()?) } else { None };
    let everything = ["--workspace", "--all-features"];
    let excluded: &[&str] = if clients.is_some() { &[] } else { &["--exclude", "e2e"] };

    cargo("format").args(["fmt", "--all", "--check"]).run()?;
    cargo("lint")
        .args(["clippy", "--quiet", "--all-targets"])
        .args(everything)
        .args(["--", "-D", "warnings"])
        .run()?;
    doc()?;
    // In one build, so that the tests and the program that `e2e` starts share one copy of each dependency.
    cargo("build").args(["build", "--quiet", "--all-targets"]).args(everything).args(excluded).run()?;

    let mut tests = cargo("tests")
        .args(["test", "--quiet", "--no-fail-fast"])
        .args(everything)
        .args(excluded)
        .args(filter)
        // The same random cases in every run, so that a failure is due to the change under test. A plain
        // `cargo test` draws new cases each time.
        .env("PROPTEST_RNG_SEED", "4711");
    if let Some(clients) = clients {
        // Built above, into the folder of this program.
        let program = std::env::current_exe()?.with_file_name("faireplace");
        tests = tests
            .env("FAIREPLACE_BIN", program)
            .env("FAIREPLACE_E2E_TOOLS", clients.tools)
            .env("FAIREPLACE_CHROMIUM", clients.chromium);
    }
    let passed = passed(&tests.run()?);
    ensure!(passed > 0, "no test has `{}` in its name", filter.unwrap_or_default());
    println!("\nAll checks passed in {:.0} s.\n{passed} passed, 0 failed", started.elapsed().as_secs_f32());
    Ok(())
}

/// Builds the documentation of the workspace, private items included. Warnings, such as a broken link, are
/// errors.
///
/// # Errors
/// The warnings.
pub(crate) fn doc() -> Result<()> {
    cargo("doc")
        .args(["doc", "--quiet", "--no-deps", "--document-private-items", "--workspace", "--all-features"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
        .map(drop)
}

fn cargo(name: &'static str) -> Step {
    Step::new(name, "cargo")
}

/// The sum over all lines such as `test result: ok. 12 passed; …`.
fn passed(output: &str) -> u32 {
    output
        .lines()
        .filter_map(|line| {
            line.strip_prefix("test result: ok. ")?.split_once(" passed")?.0.parse::<u32>().ok()
        })
        .sum()
}
