//! Statements: what happens, line by line, and the expected result of each line. A file has several. Each
//! begins with `== title`, followed by options in brackets: `[every order]` (see `orders`), `[ceil]`,
//! `[catalogue]`, `[known tenants only]`, `[sells without sessions]`.
//!
//! ```text
//! == A refund of part of the money takes part of the credits
//! session  P1  A  10 credits  25000  paid     ->  granted 10    available 10
//! refund   P1  re1  7500  succeeded           ->  revoked 3     available 7
//! ```
//!
//! After the arrow follow the outcome with the credits moved, the reason why a person must look, in
//! parentheses, if there is one, and the balance of every tenant. A failure prints the file with the actual
//! results.

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use ledger::{Balance, Catalogue, Credits, Minor, PackageTerms, Policy, Rounding, TermsFrom};

use crate::step::{Step, tenant};
use crate::world::{Done, World};

/// One statement of a file.
pub(crate) struct Statement {
    pub(crate) title: String,
    pub(crate) lines: Vec<Line>,
}

/// One line of a statement: a step or a comment.
pub(crate) struct Line {
    pub(crate) left: String,
    pub(crate) step: Option<Step>,
    right: String,
}

impl Statement {
    pub(crate) fn has(&self, option: &str) -> bool {
        self.title.contains(&format!("[{option}]"))
    }

    pub(crate) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.lines.iter().filter_map(|line| line.step.as_ref())
    }

    /// An empty ledger with the policy that the statement's options set.
    pub(crate) fn world(&self) -> World {
        let policy = Policy {
            refund_rounding: if self.has("ceil") { Rounding::Ceil } else { Rounding::Floor },
            catalogue: self.has("catalogue").then(catalogue),
            known_tenants_only: self.has("known tenants only"),
            terms_from: match self.has("sells without sessions") {
                true => TermsFrom::PaymentIntent,
                false => TermsFrom::Session,
            },
            ..Policy::default()
        };
        World::under(policy)
    }

    /// The lines with their actual results, and whether all of them were expected.
    fn run(&self) -> (String, bool) {
        let mut world = self.world();
        let tenants = self.tenants();
        let mut as_expected = true;
        let mut rows = Vec::new();
        let mut lines = self.lines.iter();
        for line in lines.by_ref() {
            let Some(step) = &line.step else {
                rows.push((line.left.clone(), None));
                continue;
            };
            let Ok(done) = catch_unwind(AssertUnwindSafe(|| world.take(step))) else {
                rows.push((line.left.clone(), Some(("panicked".into(), String::new()))));
                as_expected = false;
                break;
            };
            let balances = match step {
                Step::Fact(_) | Step::Rule(..) | Step::Command(_) | Step::Sweep(_) => {
                    balances(&world, &tenants)
                }
                _ => String::new(),
            };
            let right = (outcome(&done), balances);
            as_expected &= squeeze(&line.right) == squeeze(&format!("{} {}", right.0, right.1));
            rows.push((line.left.clone(), Some(right)));
        }
        // Lines are left only if a step panicked.
        rows.extend(lines.map(|line| (line.left.clone(), None)));
        (format!("{}\n{}", self.title, render(&rows)), as_expected)
    }

    /// The letters of the tenants that it names.
    fn tenants(&self) -> Vec<String> {
        let words = self.lines.iter().filter(|line| line.step.is_some());
        let words = words.flat_map(|line| line.left.split_whitespace());
        let mut letters: Vec<String> =
            words.filter(|word| word.len() == 1 && tenant(word).is_some()).map(String::from).collect();
        letters.sort();
        letters.dedup();
        letters
    }
}

/// Parses a file of statements. Text before the first title is a comment on the file.
pub(crate) fn read(text: &str) -> (String, Vec<Statement>) {
    let mut head = String::new();
    let mut statements: Vec<Statement> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("==") {
            statements.push(Statement { title: line.into(), lines: Vec::new() });
            continue;
        }
        let Some(statement) = statements.last_mut() else {
            head += &format!("{line}\n");
            continue;
        };
        let comment = line.is_empty() || line.starts_with('#');
        let (left, right) = if comment { (line, "") } else { line.split_once("->").unwrap_or((line, "")) };
        let number = index as i64 + 1;
        let step = (!comment).then(|| Step::parse(left, number));
        statement.lines.push(Line { left: left.trim_end().into(), step, right: right.trim().into() });
    }
    (head, statements)
}

/// Every statement file, by name.
pub(crate) fn files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/statements");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// Runs a file and compares every line.
#[track_caller]
fn check(name: &str, text: &str) {
    let (head, statements) = read(text);
    let (mut actual, mut wrong) = (head, String::new());
    for statement in &statements {
        let (lines, as_expected) = statement.run();
        actual += &lines;
        if !as_expected {
            let _ = writeln!(wrong, "  {}", statement.title);
        }
    }
    assert!(wrong.is_empty(), "{name} with the actual results:\n\n{actual}\nNot as expected:\n{wrong}");
}

#[test]
fn every_statement_has_the_expected_results() {
    let files = files();
    let failed: Vec<&str> = files
        .iter()
        .filter(|(name, text)| catch_unwind(|| check(name, text)).is_err())
        .map(|(name, _)| name.as_str())
        .collect();
    assert!(!files.is_empty() && failed.is_empty(), "wrong: {failed:?}");
}

/// FairePlace's price list, without tax.
fn catalogue() -> Catalogue {
    let packages = [(1, 3_000), (5, 14_000), (10, 25_000), (25, 57_500), (50, 100_000)];
    let package = |(credits, price)| PackageTerms {
        credits: Credits(credits),
        price: Minor(price),
        currency: "eur".to_owned(),
    };
    let name = |credits: i64| if credits == 1 { "1_credit".into() } else { format!("{credits}_credits") };
    packages.map(|one| (name(one.0), package(one))).into()
}

fn outcome(done: &Done) -> String {
    let moved: Vec<String> =
        done.transactions.iter().map(|t| format!("{} {}", t.kind.as_str(), t.credits())).collect();
    let reason = done.review_reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    match moved.as_slice() {
        [] => format!("{}{reason}", done.outcome),
        [one] if one.starts_with(&done.outcome) => format!("{one}{reason}"),
        several => format!("{}: {}{reason}", done.outcome, several.join(", ")),
    }
}

fn balances(world: &World, letters: &[String]) -> String {
    let of = |letter: &String| {
        let tenant = world.book.tenants.get(&tenant(letter).unwrap());
        tenant.map(|tenant| tenant.balance).unwrap_or_default()
    };
    match letters {
        [one] => balance(of(one)),
        _ => letters.iter().map(|one| format!("{one} {}", balance(of(one)))).collect::<Vec<_>>().join(" | "),
    }
}

fn balance(balance: Balance) -> String {
    let columns = [
        ("available", balance.available),
        ("held", balance.held),
        ("frozen", balance.frozen),
        ("debt", balance.debt),
    ];
    let filled = columns.iter().filter(|column| !column.1.is_zero());
    let texts: Vec<String> = filled.map(|(name, credits)| format!("{name} {credits}")).collect();
    if texts.is_empty() { "nothing".into() } else { texts.join(", ") }
}

/// Aligns the columns.
fn render(rows: &[(String, Option<(String, String)>)]) -> String {
    let rights = || rows.iter().filter_map(|row| row.1.as_ref());
    let left = rows.iter().filter(|row| row.1.is_some()).map(|row| row.0.chars().count()).max();
    let middle = rights().filter(|right| !right.1.is_empty()).map(|right| right.0.len()).max();
    let (left, middle) = (left.unwrap_or(0), middle.unwrap_or(0));
    let mut text = String::new();
    for row in rows {
        let line = match &row.1 {
            None => row.0.clone(),
            Some(right) => format!("{:left$}  ->  {:middle$}  {}", row.0, right.0, right.1),
        };
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
