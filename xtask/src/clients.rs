//! Third-party programs that the end-to-end tests run: the official Stripe clients and a browser driver
//! (versions pinned in `e2e/clients`), the libraries of the webhook guide's handlers (pinned in
//! `bench/peers`), and Debian's HAProxy and libfiu.
//!
//! Packages go into `.tools/clients`. The browser is the system's own; none is downloaded.

use crate::machine::{output_of, require};
use crate::step::Step;
use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the programs are.
pub(crate) struct Clients {
    /// Folder with `node/node_modules` and `python/bin/python`, and the guide's libraries in `guide-node`
    /// and `guide-python`.
    pub(crate) tools: PathBuf,
    /// Path of the browser.
    pub(crate) chromium: String,
}

/// Installs the programs that are missing or out of date.
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
    // HAProxy stands in front of the service in one test; fiu-run makes disk writes fail in another.
    require(&["haproxy", "-v"], &["haproxy"])?;
    require(&["sh", "-c", "command -v fiu-run"], &["fiu-utils"])?;
    Ok(Clients { tools, chromium: chromium()? })
}

/// The browser that `FAIREPLACE_CHROMIUM` names, or the system's Chromium.
#[expect(clippy::disallowed_methods, reason = "read once per run, to find a program of this machine")]
fn chromium() -> Result<String> {
    let named = std::env::var("FAIREPLACE_CHROMIUM").ok();
    let chromium = named.as_deref().unwrap_or("chromium");
    require(&[chromium, "--version"], &["chromium"]).context(
        "the payment page is tested in a browser; set FAIREPLACE_CHROMIUM to a Chromium or Chrome",
    )?;
    output_of(&["sh", "-c", "command -v \"$0\"", chromium])
}

fn install_node(pins: &Path, installed: &Path) -> Result<()> {
    require(&["node", "--version"], &["nodejs"])?;
    require(&["npm", "--version"], &["npm"])?;
    let lock = fs::read_to_string(pins.join("package-lock.json"))?;
    once(installed, &lock, || {
        for name in ["package.json", "package-lock.json"] {
            fs::copy(pins.join(name), installed.join(name))?;
        }
        Step::new("npm ci", "npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(installed)
            .run()
            .context("the Node client could not be installed: is the npm registry reachable?")
            .map(drop)
    })
}

fn install_python(pins: &Path, installed: &Path) -> Result<()> {
    require(&["python3", "-c", "import venv, ensurepip"], &["python3-venv"])?;
    let requirements = pins.join("requirements.txt");
    // A virtual environment works only with the interpreter that created it.
    let wanted = format!("{}\n{}", output_of(&["python3", "--version"])?, fs::read_to_string(&requirements)?);
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

/// Runs `install` unless it succeeded before for the same `wanted`, which is saved with the installed files.
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
