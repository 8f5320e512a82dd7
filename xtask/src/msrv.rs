//! `cargo xtask msrv`: compiles the workspace with the Rust version that `Cargo.toml` promises.
//!
//! `cargo xtask test` does not run this, because it needs a second toolchain and a second build of every
//! dependency. There, clippy's `incompatible_msrv` finds standard library items that are too new; only this
//! command also finds language features and dependencies that are.

use crate::step::Step;
use anyhow::{Context as _, Result};

/// `rust-version` in the root `Cargo.toml`.
const RUST_VERSION: &str = env!("CARGO_PKG_RUST_VERSION");

/// Installs that toolchain if it is missing, and checks every target with it.
///
/// # Errors
/// When rustup is missing, the toolchain cannot be installed, or something does not compile.
pub(crate) fn run() -> Result<()> {
    Step::new("install toolchain", "rustup")
        .args(["toolchain", "install", RUST_VERSION, "--profile", "minimal", "--no-self-update"])
        .run()
        .with_context(|| format!("Rust {RUST_VERSION} could not be installed; rustup is needed for that"))?;
    // A build folder of its own: the two compilers would discard each other's files.
    Step::new("check", "rustup")
        .args(["run", RUST_VERSION, "cargo", "check", "--quiet", "--locked"])
        .args(["--workspace", "--all-targets", "--all-features", "--target-dir", "target/msrv"])
        .run()
        .map(drop)
}
