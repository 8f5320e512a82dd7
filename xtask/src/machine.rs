//! What this machine has, and how it gets what it lacks.
//!
//! Only Debian's `apt-get`, and only as root: anywhere else the person is told what to install.

use crate::step::Step;
use anyhow::{Context as _, Result, bail};
use std::process::{Command, Stdio};

/// Makes sure that `probe` (a program and its arguments) succeeds, installing `packages` when it does not.
///
/// # Errors
/// Says exactly what to install when that cannot be done here, or when it did not help.
pub(crate) fn require(probe: &[&str], packages: &[&str]) -> Result<()> {
    if answers(probe) {
        return Ok(());
    }
    let wanted = format!(
        "`{}` does not work here; on Debian: apt-get install {}",
        probe.join(" "),
        packages.join(" ")
    );
    if !answers(&["apt-get", "--version"]) || ask(&["id", "-u"])? != "0" {
        bail!("{wanted}");
    }
    Step::new("apt-get update", "apt-get").args(["update"]).run().context(wanted.clone())?;
    Step::new("apt-get install", "apt-get")
        .args(["install", "--yes", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive")
        // Nothing that is installed is started: the tests start their own.
        .env("RUNLEVEL", "1")
        .run()
        .context(wanted.clone())?;
    if !answers(probe) {
        bail!("{wanted}, which has just been done and did not help");
    }
    Ok(())
}

/// Makes sure that the toolchain has what the checks need. The compiler itself is new enough: with one older
/// than `rust-version`, cargo has refused to build this program.
///
/// # Errors
/// Names the command that installs what is missing.
pub(crate) fn require_components() -> Result<()> {
    for (probe, component, package) in [
        (["cargo", "fmt", "--version"], "rustfmt", "rustfmt"),
        (["cargo", "clippy", "--version"], "clippy", "rust-clippy"),
    ] {
        if !answers(&probe) {
            bail!("{component} is missing: rustup component add {component} (or: apt-get install {package})");
        }
    }
    Ok(())
}

/// What a program prints, trimmed.
///
/// # Errors
/// When it cannot be started or fails.
pub(crate) fn ask(line: &[&str]) -> Result<String> {
    let output =
        command(line).output().with_context(|| format!("`{}` could not be started", line.join(" ")))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", line.join(" "), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn answers(line: &[&str]) -> bool {
    ask(line).is_ok()
}

fn command(line: &[&str]) -> Command {
    let mut command = Command::new(line[0]);
    command.args(&line[1..]).current_dir(crate::root()).stdin(Stdio::null());
    command
}
