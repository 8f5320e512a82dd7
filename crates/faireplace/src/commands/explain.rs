//! `faireplace explain`: explains an error code, a quarantine reason or an outcome. The text is
//! docs/errors.md, which is part of the program.

use clap::Args;
use strsim::levenshtein;

use crate::failure::Failure;
use crate::terminal::{bold, faint, say, shown};

const DOCUMENT: &str = include_str!("../../../../docs/errors.md");
/// Changes of one letter after which a name is still taken for a slip of another.
const MAX_DISTANCE: usize = 4;
/// Names that are offered for one that does not exist.
const MAX_NEAREST: usize = 3;

/// Explain an error, a reason or an outcome, and what to do about it
#[derive(Args)]
pub(crate) struct ExplainArgs {
    /// Name of the error, reason or outcome [default: list all names]
    code: Option<String>,
}

/// One section of the page.
struct ExplainedName {
    chapter: &'static str,
    name: &'static str,
    text: &'static str,
}

impl ExplainArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let Some(code) = self.code else {
            list();
            return Ok(());
        };
        let asked = code.to_ascii_lowercase().replace('-', "_");
        // A reason and a problem may share a name: `PACKAGE_UNKNOWN`, `package_unknown`. As written, then
        // all.
        let exact: Vec<_> = entries().filter(|entry| entry.name == code).collect();
        let mut found = exact;
        if found.is_empty() {
            found = entries().filter(|entry| entry.name.eq_ignore_ascii_case(&asked)).collect();
        }
        if found.is_empty() {
            return Err(unknown(&code, &asked));
        }
        for (number, entry) in found.iter().enumerate() {
            if number > 0 {
                say!("");
            }
            say!("{}\n{}", faint(entry.chapter), bold(entry.name));
            say!("\n{}", plain(entry.text));
        }
        Ok(())
    }
}

fn list() {
    let mut chapter = "";
    let width = entries().map(|entry| entry.name.len()).max().unwrap_or_default();
    for entry in entries() {
        if entry.chapter != chapter {
            if !chapter.is_empty() {
                say!("");
            }
            chapter = entry.chapter;
            say!("{}", bold(chapter));
        }
        say!("  {:width$}  {}", entry.name, gist(entry.text));
    }
    say!("\n{}", faint("`faireplace explain NAME` explains one of them."));
}

fn entries() -> impl Iterator<Item = ExplainedName> {
    DOCUMENT.split("\n## ").skip(1).flat_map(|part| {
        let (chapter, rest) = part.split_once('\n').unwrap_or((part, ""));
        rest.split("\n### `").skip(1).filter_map(move |entry| {
            let (name, text) = entry.split_once("`\n")?;
            Some(ExplainedName { chapter, name, text: text.trim() })
        })
    })
}

/// Markdown without emphasis, code marks and link targets.
fn plain(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, link)) = rest.split_once("](") {
        let (before, label) = before.rsplit_once('[').unwrap_or((before, ""));
        words.push_str(before);
        words.push_str(label);
        rest = link.split_once(')').map_or("", |(_, after)| after);
    }
    words.push_str(rest);
    words.replace("**", "").replace('`', "")
}

/// A summary in one line: the first sentence, or its first clause.
fn gist(text: &str) -> String {
    let words = plain(text).split_whitespace().collect::<Vec<_>>().join(" ");
    let mut words = words.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
    for about in ["About an event. ", "About a payment. "] {
        words = words.strip_prefix(about).unwrap_or(words);
    }
    let end = [". ", ": ", "; "].iter().filter_map(|stop| words.find(stop)).min();
    end.map_or_else(|| words.to_owned(), |end| format!("{}.", &words[..end]))
}

fn unknown(code: &str, asked: &str) -> Failure {
    let far = |entry: &ExplainedName| levenshtein(asked, &entry.name.to_ascii_lowercase());
    let mut near: Vec<_> = entries().map(|entry| (far(&entry), entry.name)).collect();
    near.retain(|(distance, _)| *distance <= MAX_DISTANCE);
    near.sort_unstable();
    let near: Vec<_> = near.into_iter().take(MAX_NEAREST).map(|(_, name)| name).collect();
    let hint = if near.is_empty() { String::new() } else { format!("; similar names: {}", near.join(", ")) };
    Failure::failed(format!(
        "{} is not a known name{hint}. `faireplace explain` lists all names.",
        shown(code)
    ))
}
