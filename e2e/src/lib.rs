//! The real program, and what nobody here wrote, driven from outside. The tests are in `tests/`.
//!
//! `cargo xtask test` builds the one, installs the others, and says where they are; nothing is searched for.

pub mod clients;
pub mod deployment;
pub mod http;
pub mod process;
pub mod random;
pub mod receiver;
pub mod sale;
pub mod service;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// The `faireplace` program under test.
///
/// # Panics
/// When the tests were not started by `cargo xtask test`.
pub fn program() -> PathBuf {
    told("FAIREPLACE_BIN")
}

/// The folder where what nobody here wrote is installed.
///
/// # Panics
/// When the tests were not started by `cargo xtask test`.
pub fn tools() -> PathBuf {
    told("FAIREPLACE_E2E_TOOLS")
}

/// The browser that pays on the payment page.
///
/// # Panics
/// When the tests were not started by `cargo xtask test`.
pub fn chromium() -> PathBuf {
    told("FAIREPLACE_CHROMIUM")
}

/// This moment, in Unix seconds: the program has a real clock, so whoever signs for it needs one too.
///
/// # Panics
/// Before 1970.
#[expect(clippy::disallowed_methods, reason = "the one place where these tests read the clock")]
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
    i64::try_from(since.as_secs()).expect("it is earlier than the end of time")
}

/// The one variable that a child inherits.
#[expect(clippy::disallowed_methods, reason = "an environment is made of it, nothing is decided by it")]
fn path_variable() -> Option<(&'static str, OsString)> {
    std::env::var_os("PATH").map(|path| ("PATH", path))
}

#[expect(clippy::disallowed_methods, reason = "the one place where these tests read the environment")]
fn told(name: &str) -> PathBuf {
    let Some(path) = std::env::var_os(name) else {
        panic!("{name} is not set: start these tests with `cargo xtask test`");
    };
    path.into()
}
