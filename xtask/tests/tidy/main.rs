//! Rules of the source tree that rustfmt and clippy do not check, as a test.
//!
//! Each rule is one small function from the tree to its findings; the comment above it gives the reason.
//! `samples.rs` proves that each rule can fail.

mod layers;
mod names;
mod prose;
mod samples;
mod source;
mod tree;

use tree::{Finding, Tree};

/// A rule and its name.
type Rule = (&'static str, fn(&Tree) -> Vec<Finding>);

const RULES: &[Rule] = &[
    ("module header", source::module_header),
    ("file length", source::file_length),
    ("function length", source::function_length),
    ("line length", source::line_length),
    ("lint attributes", source::lint_attributes),
    ("unargued unwrap", source::unargued_unwrap),
    ("floats", source::floats),
    ("purity", layers::purity),
    ("layering", layers::layering),
    ("exact numbers", layers::exact_numbers),
    ("one name, one thing", names::one_name_one_thing),
    ("import circles", names::import_circles),
    ("file names", prose::file_names),
    ("links", prose::links),
    ("reminders", prose::reminders),
    ("keys", prose::keys),
];

#[test]
fn the_tree_is_tidy() {
    let tree = Tree::read();
    assert!(tree.files.len() > 20, "only {} files found: the tree was not read", tree.files.len());
    let findings: Vec<String> = RULES
        .iter()
        .flat_map(|(name, rule)| rule(&tree).into_iter().map(move |finding| format!("{finding} [{name}]")))
        .collect();
    assert!(findings.is_empty(), "{} findings:\n{}\n", findings.len(), findings.join("\n"));
}
