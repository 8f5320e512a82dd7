//! `cargo xtask COMMAND`: development commands, one file each.
//!
//! The source tree's own rules are an ordinary test (`tests/tidy`), so that `cargo test` runs them too.

mod clients;
mod deny;
mod machine;
mod msrv;
mod step;
mod test;

use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use step::Step;

const HELP: &str = "\
Usage: cargo xtask COMMAND

Commands:
  test [--fast] [FILTER]   Run every check and every test; install missing test tools first
  tidy                     Check only the rules of the source tree (xtask/tests/tidy)
  doc                      Build the documentation of the workspace; warnings are errors
  deny [--advisories]      Check licences, sources and banned crates among the dependencies
  msrv                     Check that everything compiles with the oldest supported Rust
  bench [ARGUMENTS]        Run the side-by-side measurements, built in release mode
  help                     Print this text

Options:
  --fast         Skip the end-to-end tests and everything that they need to install
  FILTER         Run only the tests whose name contains FILTER
  --advisories   Also look up known vulnerabilities (downloads the RustSec database with git)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        [] | ["help", ..] | ["--help" | "-h", ..] => help(),
        ["test" | "tidy" | "doc" | "deny" | "msrv", .., "--help" | "-h"] => help(),
        ["test", "--fast"] => test::run(test::Scope::Fast, None),
        ["test", "--fast", filter] | ["test", filter, "--fast"] if is_name(filter) => {
            test::run(test::Scope::Fast, Some(filter))
        }
        ["test"] => test::run(test::Scope::Everything, None),
        ["test", filter] if is_name(filter) => test::run(test::Scope::Everything, Some(filter)),
        ["tidy"] => tidy(),
        ["doc"] => test::doc(),
        ["deny"] => deny::run(deny::Advisories::Skipped),
        ["deny", "--advisories"] => deny::run(deny::Advisories::Checked),
        ["msrv"] => msrv::run(),
        ["bench", rest @ ..] => bench(rest),
        _ => {
            eprintln!("error: unknown command or arguments: `cargo xtask {}`\n\n{HELP}", words.join(" "));
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Root cause first: the last line on the screen is the one that says what to do.
            error.chain().rev().for_each(|cause| eprintln!("\n{cause}"));
            ExitCode::FAILURE
        }
    }
}

fn is_name(word: &str) -> bool {
    !word.starts_with('-')
}

fn help() -> Result<()> {
    println!("{HELP}");
    Ok(())
}

fn tidy() -> Result<()> {
    Step::new("tidy", "cargo")
        .args(["test", "--quiet", "--package", "xtask", "--test", "tidy"])
        .run()
        .map(drop)
}

fn bench(arguments: &[&str]) -> Result<()> {
    Step::new("bench", "cargo").args(["run", "--release", "--package", "bench", "--"]).args(arguments).watch()
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask/ is in the root folder").to_owned()
}

/// Where the commands keep what they install: ignored by git, safe to delete.
fn tools() -> PathBuf {
    root().join(".tools")
}
