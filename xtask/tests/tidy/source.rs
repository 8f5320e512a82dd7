//! Rules about Rust source. They read line by line, which works because rustfmt fixes the layout.

use crate::tree::{File, Finding, Tree};

/// Without a statement of a file's purpose, nobody can tell what does not belong in it.
pub(crate) fn module_header(tree: &Tree) -> Vec<Finding> {
    let header = |file: &File| -> usize {
        file.text
            .lines()
            .map_while(|line| line.strip_prefix("//!"))
            .map(|line| line.trim().chars().count())
            .sum()
    };
    tree.with_extension("rs")
        .filter(|file| header(file) < 20)
        .map(|file| file.finding(1, "start with a `//!` header that says what the file is for"))
        .collect()
}

/// A longer file usually has two subjects.
pub(crate) fn file_length(tree: &Tree) -> Vec<Finding> {
    tree.with_extension("rs")
        .filter(|file| !file.is_test() && file.text.lines().count() > 500)
        .map(|file| file.finding(501, "longer than 500 lines: split it where the subject changes"))
        .collect()
}

/// A longer function is hard to review. A function ends at the closing brace of its indentation.
pub(crate) fn function_length(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.with_extension("rs").filter(|file| !file.is_test()) {
        for (start, line) in file.lines().filter(|(_, line)| opens_function(line)) {
            let indentation = &line[..line.len() - line.trim_start().len()];
            let ends = |line: &&str| {
                line.strip_prefix(indentation)
                    .is_some_and(|rest| rest == "}" || rest.starts_with(')') && rest.ends_with(';'))
            };
            let length = 2 + file.text.lines().skip(start).take_while(|line| !ends(line)).count();
            if !line.ends_with([';', '}']) && length > 70 {
                findings.push(file.finding(start, format!("a function of {length} lines; the limit is 70")));
            }
        }
    }
    findings
}

/// Two files should fit side by side on a screen. URLs and the strings of tests are exempt: they cannot be
/// broken.
pub(crate) fn line_length(tree: &Tree) -> Vec<Finding> {
    let sources = ["rs", "py", "cjs", "mjs", "sql"];
    let mut findings = Vec::new();
    for file in
        tree.files.iter().filter(|file| sources.contains(&file.extension()) && !file.path.contains("vendor/"))
    {
        for (number, line) in file.lines() {
            let unbreakable = line.contains("://") || file.is_test() && line.contains('"');
            if line.chars().count() > 110 && !unbreakable {
                findings.push(file.finding(number, "longer than 110 columns"));
            }
        }
    }
    findings
}

/// `expect` needs a reason and warns when it is no longer necessary; an ignored test proves nothing.
pub(crate) fn lint_attributes(tree: &Tree) -> Vec<Finding> {
    let refused = [
        (concat!("[al", "low("), "use #[expect(…, reason = \"…\")]"),
        (concat!("[ign", "ore"), "a test that does not run is not a test"),
    ];
    find(tree.with_extension("rs"), |code| {
        refused
            .iter()
            .find(|(attribute, _)| code.contains(attribute))
            .map(|(_, problem)| (*problem).to_owned())
    })
}

/// The program must not panic: a comment has to say why an unwrap cannot fail.
pub(crate) fn unargued_unwrap(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.with_extension("rs").filter(|file| file.is_product()) {
        let mut above = "";
        for (number, line) in file.lines() {
            let unwraps = [".unwrap()", ".expect("].iter().any(|call| code_of(line).contains(call));
            if unwraps && !line.contains("//") && !above.trim_start().starts_with("//") {
                findings.push(file.finding(number, "unwrap without a comment that says why it cannot fail"));
            }
            above = line;
        }
    }
    findings
}

/// Money is counted in integers; floats round.
pub(crate) fn floats(tree: &Tree) -> Vec<Finding> {
    let exact = ["crates/ledger/", "crates/stripe/src/", "crates/store/", "crates/engine/"];
    let files =
        tree.with_extension("rs").filter(|file| exact.iter().any(|place| file.path.starts_with(place)));
    find(files, |code| {
        words(code).find(|word| ["f32", "f64"].contains(word)).map(|word| format!("{word}: integers only"))
    })
}

/// Applies `judge` to each line without its comment.
pub(crate) fn find<'a>(
    files: impl Iterator<Item = &'a File>,
    judge: impl Fn(&str) -> Option<String>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files {
        for (number, line) in file.lines() {
            findings.extend(judge(code_of(line)).map(|problem| file.finding(number, problem)));
        }
    }
    findings
}

/// The identifiers and numbers of a line.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric() && character != '_')
        .filter(|word| !word.is_empty())
}

/// A line without its comment. A `//` inside a string does not start one.
fn code_of(line: &str) -> &str {
    let starts = line.match_indices("//").map(|(start, _)| start);
    let outside_strings = |start: &usize| line[..*start].matches('"').count().is_multiple_of(2);
    starts.into_iter().find(outside_strings).map_or(line, |start| &line[..start])
}

fn opens_function(line: &str) -> bool {
    let signature = line.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
    let qualifiers = ["pub", "const", "async", "default"];
    signature.split(' ').find(|word| !qualifiers.contains(word)) == Some("fn")
}
