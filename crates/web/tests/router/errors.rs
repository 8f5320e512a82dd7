//! docs/errors.md explains every name that a user can see, and no name that is not in use.

use std::collections::BTreeSet;

use ledger::{Outcome, Reason};
use web::answer::ProblemKind;

const DOCUMENT: &str = include_str!("../../../../docs/errors.md");

/// The headings of a chapter: `### `NAME``.
fn documented(chapter: &str) -> BTreeSet<&str> {
    let (_, rest) =
        DOCUMENT.split_once(&format!("\n## {chapter}\n")).unwrap_or_else(|| panic!("no chapter {chapter}"));
    let text = rest.split("\n## ").next().unwrap();
    text.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect()
}

#[test]
fn the_document_explains_exactly_the_names_in_use() {
    let problems = ProblemKind::ALL.iter().map(|kind| kind.as_str()).chain(["SIGNATURE_INVALID"]).collect();
    assert_eq!(documented("What the API answers"), problems);
    assert_eq!(documented("Why health is degraded"), web::DEGRADED_REASONS.into_iter().collect());
    assert_eq!(
        documented("Why something needs a person"),
        Reason::ALL.iter().map(|reason| reason.as_str()).collect()
    );
    assert_eq!(
        documented("What became of an event"),
        Outcome::ALL.iter().map(|outcome| outcome.as_str()).collect()
    );
}

/// Each API error is documented with the status that it is sent with.
#[test]
fn documented_statuses_match() {
    for kind in ProblemKind::ALL {
        let heading = format!("### `{}`\n\n{} ", kind.as_str(), kind.status().as_u16());
        assert!(DOCUMENT.contains(&heading), "no {heading:?}");
    }
}
