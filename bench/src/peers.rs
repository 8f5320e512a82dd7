//! Gets the programs to measure: builds ours, installs what the guide's handlers need into `bench/.tools`.
//!
//! What is deliberately not here: Node and Python themselves. A peer that cannot be had is an error for the
//! caller to say loudly and to go on without.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};

/// This crate's folder.
const BENCH: &str = env!("CARGO_MANIFEST_DIR");

/// Where everything goes that a run installs or writes; git ignores it.
pub(crate) fn tools() -> PathBuf {
    Path::new(BENCH).join(".tools")
}

/// Builds `faireplace` in release mode, and says where it is: beside this program.
pub(crate) fn faireplace() -> anyhow::Result<PathBuf> {
    run(Command::new("cargo").args(["build", "--release", "--package", "faireplace"]).current_dir(BENCH))?;
    Ok(env::current_exe()?.with_file_name("faireplace"))
}

/// The guide's Node handler with its packages: the file to give to `node`.
pub(crate) fn node() -> anyhow::Result<PathBuf> {
    let folder = tools().join("node");
    let handler = folder.join("handler.mjs");
    install("node", &folder, "package-lock.json", || {
        // Node looks for packages beside the file that imports them.
        fs::copy(source("node", "package.json"), folder.join("package.json"))?;
        fs::copy(source("node", "package-lock.json"), folder.join("package-lock.json"))?;
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))
    })?;
    fs::copy(source("node", "handler.mjs"), &handler)?;
    // Packages of an earlier run are no proof that there is still a Node.
    run(Command::new("node").arg("--check").arg(&handler))?;
    Ok(handler)
}

/// The guide's Python handler with its packages: the `gunicorn` to run it with.
pub(crate) fn python() -> anyhow::Result<PathBuf> {
    let folder = tools().join("python");
    install("python", &folder, "requirements.txt", || {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        let pip = ["install", "--quiet", "--disable-pip-version-check", "--requirement"];
        let requirements = source("python", "requirements.txt");
        run(Command::new(folder.join("bin/pip")).args(pip).arg(requirements))
    })?;
    Ok(folder.join("bin/gunicorn"))
}

/// Runs `steps` unless they have been done for the same pins: a copy of the pins is left when they are.
fn install(
    peer: &str,
    folder: &Path,
    pins: &str,
    steps: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (wanted, done) = (source(peer, pins), folder.join("installed"));
    if fs::read(&done).ok() == Some(fs::read(&wanted)?) {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    steps()?;
    fs::copy(wanted, done)?;
    Ok(())
}

/// A file of a peer, as it is in the repository.
pub(crate) fn source(peer: &str, file: &str) -> PathBuf {
    [BENCH, "peers", peer, file].iter().collect()
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("{program} does not start; is it installed?"))?;
    ensure!(status.success(), "{program} failed: {status}");
    Ok(())
}
