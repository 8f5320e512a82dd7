//! The verifier against everything known about the official SDKs: fixed vectors, the cases of their own test
//! suites, and the matrix of headers on which they disagree.
//!
//! Not here: SDK cases about API versions, HTTP clients, and other languages' argument types; and the two
//! fixed vectors whose bodies are known only by digest (dotnet's `event_test_signature.json`,
//! async-stripe's two).

mod case;
mod deviations;
mod fixed;
mod matrix;
mod sdks;

use case::{Case, SDKS, Verdict};
use deviations::DEVIATIONS;

#[test]
fn every_case_ends_as_its_row_says() {
    let wrong: Vec<String> = cases()
        .iter()
        .filter(|case| case.run() != case.ours)
        .map(|case| format!("{}: expected {:?}, got {:?}", case.name, case.ours, case.run()))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn names_are_unique() {
    let mut names: Vec<&str> = cases().iter().map(|case| case.name).collect();
    names.sort_unstable();
    let twice: Vec<_> = names.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

/// Wherever our verdict is not an SDK's there is a reason, and there is no reason without such a case.
#[test]
fn every_deviation_has_its_reason() {
    let deviating: Vec<&str> =
        cases().iter().filter(|case| !case.deviates_from().is_empty()).map(|case| case.name).collect();
    let mut listed: Vec<&str> = DEVIATIONS.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let missing: Vec<_> = deviating.iter().filter(|name| !listed.contains(name)).collect();
    assert!(missing.is_empty(), "without a reason: {missing:?}");
    listed.retain(|name| !deviating.contains(name));
    assert!(listed.is_empty(), "listed, but no deviation: {listed:?}");
}

#[test]
fn the_readme_lists_the_deviations() {
    let readme = include_str!("../../README.md");
    let list = deviation_list();
    assert!(readme.contains(&list), "README.md should contain:\n{list}");
}

fn cases() -> Vec<Case> {
    [sdks::cases(), matrix::cases()].concat()
}

fn deviation_list() -> String {
    let cases = cases();
    let mut list = String::new();
    for (reason, names) in DEVIATIONS {
        list.push_str(&format!("- {reason}:\n"));
        for case in cases.iter().filter(|case| names.contains(&case.name)) {
            let here = match case.ours {
                Verdict::Accepted => "accepted".to_owned(),
                Verdict::Refused(code) => format!("refused (`{code}`)"),
            };
            let sdks = case.deviates_from().join(", ");
            list.push_str(&format!("  - {}: {here}; otherwise in {sdks}\n", case.name));
        }
    }
    list
}

#[test]
fn every_sdk_has_a_row_of_its_own() {
    for (column, sdk) in SDKS.iter().enumerate() {
        let rows = sdks::cases().iter().filter(|case| case.theirs.as_bytes()[column] != b'-').count();
        assert!(rows > 1, "{sdk} has {rows} rows");
    }
}
