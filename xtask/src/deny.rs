//! `cargo xtask deny`: checks the dependencies against `deny.toml`. Installs cargo-deny if it is missing.

use crate::step::Step;
use anyhow::Result;

/// Whether to look up known vulnerabilities, which needs git and access to GitHub.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Advisories {
    Skipped,
    Checked,
}

/// Runs the checks.
///
/// # Errors
/// When a dependency breaks a rule, or cargo-deny cannot be installed.
pub(crate) fn run(advisories: Advisories) -> Result<()> {
    let program = crate::tools().join("bin/cargo-deny");
    if !program.exists() {
        Step::new("install cargo-deny", "cargo")
            .args(["install", "--quiet", "--locked", "cargo-deny", "--root"])
            .args([crate::tools()])
            .run()?;
    }
    Step::new("deny", &program).args(["--all-features", "check", "bans", "licenses", "sources"]).run()?;
    if advisories == Advisories::Checked {
        Step::new("deny advisories", &program).args(["check", "advisories"]).run()?;
    }
    Ok(())
}
