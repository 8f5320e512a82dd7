//! What nobody here wrote and the tests are played with: the official Stripe clients and a browser's driver,
//! as `e2e/clients` pins them, the handlers of the webhook guide, as `bench/peers` pins them, and Debian's
//! HAProxy and libfiu.
//!
//! Packages go into `.tools/clients`. The browser is the system's own: none is downloaded. Running them is
//! the business of `e2e`.

use crate::machine::{ask, require};
use crate::step::Step;
use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Where they are.
pub(crate) struct Clients {
    /// The packages: `node/node_modules` and `python/bin/python`, and the guide's in `guide-node` and
    /// `guide-python`.
    pub(crate) tools: PathBuf,
    /// The browser.
    pub(crate) chromium: String,
}

/// Installs what is missing or out of date.
///
/// # Errors
/// When a program is missing and cannot be installed here, or a package registry cannot be reached.
pub(crate) fn install() -> Result<Clients> {
    let (ours, guide) = (crate::root().join("e2e/clients"), crate::root().join("bench/peers"));
    let tools = crate::tools().join("clients");
    install_node(&ours.join("node"), &tools.join("node"))?;
    install_python(&ours.join("python"), &tools.join("python"))?;
    install_node(&guide.join("node"), &tools.join("guide-node"))?;
    install_python(&guide.join("python"), &tools.join("guide-python"))?;
    // A proxy in front of the service, and a disk that fails.
    require(&["haproxy", "-v"], &["haproxy"])?;
    require(&["sh", "-c", "command -v fiu-run"], &["fiu-utils"])?;
    Ok(Clients { tools, chromium: chromium()? })
}

/// The one that `FAIREPLACE_CHROMIUM` names, or the system's.
#[expect(clippy::disallowed_methods, reason = "a person's choice for this run, and nobody else's")]
fn chromium() -> Result<String> {
    let told = std::env::var("FAIREPLACE_CHROMIUM").ok();
    let chromium = told.as_deref().unwrap_or("chromium");
    require(&[chromium, "--version"], &["chromium"]).context(
        "the payment page is tested in a browser; FAIREPLACE_CHROMIUM may name a Chromium or Chrome",
    )?;
    ask(&["sh", "-c", "command -v \"$0\"", chromium])
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
