//! The official Stripe clients, at the versions that `e2e/clients` pins, installed into `.tools/clients`.
//!
//! They are what the world outside signs and verifies with: the tests use them, not a copy of their rules.
//! Running them is the business of `e2e`.

use crate::machine::{ask, require};
use crate::step::Step;
use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Installs what is missing or out of date, and says where: with `node/node_modules` and `python/bin/python`.
///
/// # Errors
/// When a program is missing and cannot be installed here, or a package registry cannot be reached.
pub(crate) fn install() -> Result<PathBuf> {
    let pinned = crate::root().join("e2e/clients");
    let installed = crate::tools().join("clients");
    install_node(&pinned.join("node"), &installed.join("node"))?;
    install_python(&pinned.join("python"), &installed.join("python"))?;
    Ok(installed)
}

fn install_node(pinned: &Path, installed: &Path) -> Result<()> {
    require(&["node", "--version"], &["nodejs"])?;
    require(&["npm", "--version"], &["npm"])?;
    let lock = fs::read_to_string(pinned.join("package-lock.json"))?;
    once(installed, &lock, || {
        for name in ["package.json", "package-lock.json"] {
            fs::copy(pinned.join(name), installed.join(name))?;
        }
        Step::new("npm ci", "npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(installed)
            .run()
            .context("the Node client could not be installed: is the npm registry reachable?")
            .map(drop)
    })
}

fn install_python(pinned: &Path, installed: &Path) -> Result<()> {
    require(&["python3", "-c", "import venv, ensurepip"], &["python3-venv"])?;
    let requirements = pinned.join("requirements.txt");
    // A virtual environment belongs to the interpreter that made it.
    let wanted = format!("{}\n{}", ask(&["python3", "--version"])?, fs::read_to_string(&requirements)?);
    once(installed, &wanted, || {
        Step::new("python3 -m venv", "python3").args(["-m", "venv", "--clear"]).args([installed]).run()?;
        Step::new("pip install", installed.join("bin/python"))
            .args(["-m", "pip", "install", "--disable-pip-version-check", "--no-deps", "--requirement"])
            .args([&requirements])
            .run()
            .context("the Python client could not be installed: is PyPI reachable?")
            .map(drop)
    })
}

/// Runs `install` unless it has succeeded before for the same `wanted`, which is then kept beside its result.
fn once(directory: &Path, wanted: &str, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let stamp = directory.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    fs::create_dir_all(directory)?;
    install()?;
    fs::write(stamp, wanted)?;
    Ok(())
}
