//! Rules about dependencies between crates: they point one way.

use crate::source::{find, words};
use crate::tree::{File, Finding, Tree};

/// The crates of the workspace that each crate may depend on. A new crate is added here first.
/// Dev-dependencies are not restricted: the tests of any crate take their events from `emulator`.
const LAYERS: &[(&str, &[&str])] = &[
    ("ledger", &[]),
    ("stripe", &[]),
    ("store", &["ledger"]),
    ("engine", &["ledger", "stripe", "store"]),
    ("web", &["ledger", "stripe", "store", "engine"]),
    ("emulator", &["stripe"]),
    ("faireplace", &["ledger", "stripe", "store", "engine", "web", "emulator"]),
];

/// Decisions about money depend on nothing but their arguments, so these crates have no I/O and no clock.
pub(crate) fn purity(tree: &Tree) -> Vec<Finding> {
    let pure = |file: &&File| {
        ["crates/ledger/src/", "crates/stripe/src/"].iter().any(|place| file.path.starts_with(place))
            && !file.is_test()
            && file.path != "crates/stripe/src/axum.rs"
    };
    let outside = ["tokio", "rusqlite", "hyper", "SystemTime", "Instant"];
    let outside_of_std = ["fs", "net", "env", "thread", "process"];
    find(tree.with_extension("rs").filter(pure), |code| {
        let standard = words(code).any(|word| word == "std");
        words(code)
            .find(|word| outside.contains(word) || standard && outside_of_std.contains(word))
            .map(|word| format!("`{word}` in a pure crate: take the value as an argument"))
    })
}

/// A crate that depends on its users cannot be read, tested or replaced alone.
pub(crate) fn layering(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.ends_with("/Cargo.toml")) {
        let Some(name) = file.path.strip_prefix("crates/").and_then(|path| path.strip_suffix("/Cargo.toml"))
        else {
            continue;
        };
        let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == name) else {
            findings.push(
                file.finding(1, format!("{name} is missing from LAYERS in xtask/tests/tidy/layers.rs")),
            );
            continue;
        };
        for (number, dependency) in dependencies(file) {
            if LAYERS.iter().any(|(layer, _)| *layer == dependency) && !allowed.contains(&dependency) {
                findings.push(file.finding(number, format!("{name} may not depend on {dependency}")));
            }
        }
    }
    findings
}

/// With `arbitrary_precision`, serde_json keeps numbers as text in the whole build: equal amounts stop being
/// equal.
pub(crate) fn exact_numbers(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.path.ends_with("Cargo.toml")) {
        for (number, line) in file.lines().filter(|(_, line)| line.contains("arbitrary_precision")) {
            findings.push(file.finding(number, format!("this feature is banned: {}", line.trim())));
        }
    }
    findings
}

/// The names in every `[…dependencies]` section except dev-dependencies, written as a line or as a table.
fn dependencies(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut listing = false;
    file.lines().filter_map(move |(number, line)| {
        if let Some(table) = line.trim().strip_prefix('[') {
            let table = table.trim_end_matches(']');
            listing = table.ends_with("dependencies") && !table.ends_with("dev-dependencies");
            let (kind, name) = table.rsplit_once('.')?;
            let named = kind.ends_with("dependencies") && !kind.ends_with("dev-dependencies");
            return named.then_some((number, name));
        }
        let name = line.split(['=', '.', ' ']).next().filter(|name| listing && !name.is_empty())?;
        Some((number, name))
    })
}
