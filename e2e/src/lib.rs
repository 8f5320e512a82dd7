//! The real program and the official Stripe clients, driven from outside. The tests are in `tests/`.
//!
//! `cargo xtask test` builds the one, installs the others, and says where they are; nothing is searched for.

pub mod clients;

use std::path::PathBuf;

/// The `faireplace` program under test.
///
/// # Panics
/// When the tests were not started by `cargo xtask test`.
pub fn program() -> PathBuf {
    told("FAIREPLACE_BIN")
}

/// The folder where the official clients are installed.
///
/// # Panics
/// When the tests were not started by `cargo xtask test`.
pub fn tools() -> PathBuf {
    told("FAIREPLACE_E2E_TOOLS")
}

#[expect(clippy::disallowed_methods, reason = "the one place where these tests read the environment")]
fn told(name: &str) -> PathBuf {
    let Some(path) = std::env::var_os(name) else {
        panic!("{name} is not set: start these tests with `cargo xtask test`");
    };
    path.into()
}
