//! Finds the programs that the tests need on this machine, and installs missing ones.
//!
//! Installing uses Debian's `apt-get` and needs root. Elsewhere the error names the package to install.

use crate::step::Step;
use anyhow::{Context as _, Result, bail};
use std::process::{Command, Stdio};

/// Makes sure that `probe` (a program and its arguments) succeeds; installs `packages` if it does not.
///
/// # Errors
/// Names the packages when they cannot be installed here, or when installing them did not help.
pub(crate) fn require(probe: &[&str], packages: &[&str]) -> Result<()> {
    if succeeds(probe) {
        return Ok(());
    }
    let wanted = format!("`{}` failed; on Debian: apt-get install {}", probe.join(" "), packages.join(" "));
    if !succeeds(&["apt-get", "--version"]) || output_of(&["id", "-u"])? != "0" {
        bail!("{wanted}");
    }
    Step::new("apt-get update", "apt-get").args(["update"]).run().context(wanted.clone())?;
    Step::new("apt-get install", "apt-get")
        .args(["install", "--yes", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive")
        // Keeps Debian from starting the installed services; the tests start their own.
        .env("RUNLEVEL", "1")
        .run()
        .context(wanted.clone())?;
    if !succeeds(probe) {
        bail!("{wanted} (installed just now, but `{}` still fails)", probe.join(" "));
    }
    Ok(())
}

/// Makes sure that rustfmt and clippy are installed. The compiler needs no check: cargo refuses to build this
/// program with one older than `rust-version`.
///
/// # Errors
/// Names the command that installs the missing one.
pub(crate) fn require_components() -> Result<()> {
    for (probe, component, package) in [
        (["cargo", "fmt", "--version"], "rustfmt", "rustfmt"),
        (["cargo", "clippy", "--version"], "clippy", "rust-clippy"),
    ] {
        if !succeeds(&probe) {
            bail!("{component} is missing: rustup component add {component} (or: apt-get install {package})");
        }
    }
    Ok(())
}

/// Runs a program and returns its output, trimmed.
///
/// # Errors
/// When it cannot be started or fails.
pub(crate) fn output_of(line: &[&str]) -> Result<String> {
    let output =
        command(line).output().with_context(|| format!("`{}` could not be started", line.join(" ")))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", line.join(" "), output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn succeeds(line: &[&str]) -> bool {
    output_of(line).is_ok()
}

fn command(line: &[&str]) -> Command {
    let mut command = Command::new(line[0]);
    command.args(&line[1..]).current_dir(crate::root()).stdin(Stdio::null());
    command
}
