//! Builds our program, and installs the libraries of the guide's handlers into `bench/.tools`. Node and
//! Python must be installed already; a missing one is an error, which the caller reports before it goes on.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};

/// This crate's folder.
const BENCH: &str = env!("CARGO_MANIFEST_DIR");

/// Folder for everything that a run installs or writes; ignored by git.
pub(crate) fn tools() -> PathBuf {
    Path::new(BENCH).join(".tools")
}

/// Builds `faireplace` in release mode and returns its path, beside this program.
pub(crate) fn faireplace() -> anyhow::Result<PathBuf> {
    run(Command::new("cargo").args(["build", "--release", "--package", "faireplace"]).current_dir(BENCH))?;
    Ok(env::current_exe()?.with_file_name("faireplace"))
}

/// Installs the guide's Node handler and returns the file to run with `node`.
pub(crate) fn node() -> anyhow::Result<PathBuf> {
    let folder = tools().join("node");
    let handler = folder.join("handler.mjs");
    install("node", &folder, "package-lock.json", || {
        // Node looks for packages in the folder of the file that imports them.
        fs::copy(source("node", "package.json"), folder.join("package.json"))?;
        fs::copy(source("node", "package-lock.json"), folder.join("package-lock.json"))?;
        run(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))
    })?;
    fs::copy(source("node", "handler.mjs"), &handler)?;
    // Node may have been removed since the packages were installed.
    run(Command::new("node").arg("--check").arg(&handler))?;
    Ok(handler)
}

/// Installs the libraries of the guide's Python handler and returns the `gunicorn` to run it with.
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

/// Runs `steps` unless they succeeded before with the same pinned versions, of which a copy is kept.
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

/// Path of a peer's file in the repository.
pub(crate) fn source(peer: &str, file: &str) -> PathBuf {
    [BENCH, "peers", peer, file].iter().collect()
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status =
        command.status().with_context(|| format!("{program} cannot be started; is it installed?"))?;
    ensure!(status.success(), "{program} failed: {status}");
    Ok(())
}
