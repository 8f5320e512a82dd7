//! `cargo xtask COMMAND`: the project's own commands, one file each.
//!
//! Only what a person or the build server runs. Nothing here is part of the product, and nothing here checks
//! the source: the rules of the tree are an ordinary test, `tests/tidy`.

mod clients;
mod deny;
mod machine;
mod step;
mod test;

use anyhow::Result;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use step::Step;

const HELP: &str = "\
The project's own commands:

  cargo xtask test [--fast] [FILTER]   every check and every test; installs what they lack
                     --fast            without the official Stripe clients and what needs them
                     FILTER            only the tests whose name contains it
  cargo xtask tidy                     only the rules of the source tree (xtask/tests/tidy)
  cargo xtask deny [--advisories]      licences, sources and refused crates among the dependencies
                     --advisories      also known vulnerabilities (downloads RustSec's database with git)
  cargo xtask bench [ARGUMENTS]        the side-by-side measurements, in release
  cargo xtask help                     this text";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        ["test", "--fast"] => test::run(test::Scope::Fast, None),
        ["test", "--fast", filter] | ["test", filter, "--fast"] if is_name(filter) => {
            test::run(test::Scope::Fast, Some(filter))
        }
        ["test"] => test::run(test::Scope::Everything, None),
        ["test", filter] if is_name(filter) => test::run(test::Scope::Everything, Some(filter)),
        ["tidy"] => tidy(),
        ["deny"] => deny::run(deny::Advisories::Skipped),
        ["deny", "--advisories"] => deny::run(deny::Advisories::Checked),
        ["bench", rest @ ..] => bench(rest),
        _ => {
            eprintln!("cargo xtask does not know `{}`\n\n{HELP}", words.join(" "));
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // What a program printed comes first, so that the sentence to act on is the last on the screen.
            error.chain().rev().for_each(|cause| eprintln!("\n{cause}"));
            ExitCode::FAILURE
        }
    }
}

fn is_name(word: &str) -> bool {
    !word.starts_with('-')
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
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask/ lies in the root").to_owned()
}

/// Where the commands keep what they install: git-ignored, safe to delete.
fn tools() -> PathBuf {
    root().join(".tools")
}
