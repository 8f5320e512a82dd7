//! Rules about all text files: file names, links, leftover reminders and live keys.

use crate::source::words;
use crate::tree::{File, Finding, Tree};

/// A file with a vague name collects unrelated code.
pub(crate) fn file_names(tree: &Tree) -> Vec<Finding> {
    let refused = ["utils", "util", "common", "helper", "helpers", "manager", "misc"];
    let vague = |file: &&File| {
        file.path.split('/').any(|part| refused.contains(&part.split('.').next().unwrap_or_default()))
    };
    let finding = |file: &File| file.finding(1, "vague file name: name it after its content");
    tree.files.iter().filter(vague).map(finding).collect()
}

/// Links between pages must work.
pub(crate) fn links(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.with_extension("md") {
        let mut in_code = false;
        for (number, line) in file.lines() {
            in_code ^= line.trim_start().starts_with("```");
            for target in
                line.split("](").skip(1).filter(|_| !in_code).filter_map(|rest| rest.split(')').next())
            {
                let path = target.split(['#', ' ']).next().unwrap_or_default();
                let elsewhere = path.is_empty() || path.contains("://") || path.starts_with("mailto:");
                if !elsewhere && !exists(tree, &resolve(&file.path, path)) {
                    findings.push(file.finding(number, format!("no such file: {path}")));
                }
            }
        }
    }
    findings
}

/// Open work belongs in the issue tracker, where it is seen.
pub(crate) fn reminders(tree: &Tree) -> Vec<Finding> {
    let refused = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("X", "XX"),
        concat!("HA", "CK"),
        concat!("W", "IP"),
    ];
    find_word(tree, |word| refused.contains(&word).then(|| format!("a leftover reminder: {word}")))
}

/// A live key that is committed once stays in the history.
pub(crate) fn keys(tree: &Tree) -> Vec<Finding> {
    let kinds = [concat!("sk_", "live_"), concat!("rk_", "live_")];
    find_word(tree, |word| {
        let secret = kinds.iter().find_map(|kind| Some(word.split_once(kind)?.1))?;
        let length = secret.chars().take_while(char::is_ascii_alphanumeric).count();
        (length >= 16).then(|| "looks like a live Stripe key".to_owned())
    })
}

fn find_word(tree: &Tree, judge: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        for (number, line) in file.lines() {
            findings.extend(words(line).find_map(&judge).map(|problem| file.finding(number, problem)));
        }
    }
    findings
}

/// The path from the root that a link in `file` points to.
fn resolve(file: &str, target: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    if target.starts_with('/') {
        parts.clear();
    }
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

fn exists(tree: &Tree, path: &str) -> bool {
    let folder = format!("{path}/");
    path.is_empty() || tree.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
}
