//! Support for the end-to-end tests in `tests/`, which run the real program with third-party clients.
//!
//! `cargo xtask test` builds the program, installs the clients, and passes their paths in the environment.

pub mod clients;
pub mod deployment;
pub mod http;
pub mod process;
pub mod receiver;
pub mod sale;
pub mod service;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// The `faireplace` program under test.
///
/// # Panics
/// If the tests were not started by `cargo xtask test`.
pub fn program() -> PathBuf {
    required_path("FAIREPLACE_BIN")
}

/// The folder with the installed third-party clients.
///
/// # Panics
/// If the tests were not started by `cargo xtask test`.
pub fn tools() -> PathBuf {
    required_path("FAIREPLACE_E2E_TOOLS")
}

/// The browser for the tests of the payment page.
///
/// # Panics
/// If the tests were not started by `cargo xtask test`.
pub fn chromium() -> PathBuf {
    required_path("FAIREPLACE_CHROMIUM")
}

/// The current time in Unix seconds. The program uses the real clock, so signatures for it need the real
/// time.
///
/// # Panics
/// If the clock is before 1970.
#[expect(clippy::disallowed_methods, reason = "the only place where these tests read the clock")]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is after 1970");
    i64::try_from(since.as_secs()).expect("seconds fit into 63 bits")
}

/// The only environment variable that a child inherits.
#[expect(clippy::disallowed_methods, reason = "passed on to child processes only")]
fn path_variable() -> Option<(&'static str, OsString)> {
    std::env::var_os("PATH").map(|path| ("PATH", path))
}

#[expect(clippy::disallowed_methods, reason = "the only place where these tests read the environment")]
fn required_path(name: &str) -> PathBuf {
    let Some(path) = std::env::var_os(name) else {
        panic!("{name} is not set: start these tests with `cargo xtask test`");
    };
    path.into()
}
