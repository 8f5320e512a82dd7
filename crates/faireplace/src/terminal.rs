//! Terminal output: colour, and tables.

use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;

/// Whether colour is disabled (no-color.org); set once at the start.
static COLOURLESS: OnceLock<bool> = OnceLock::new();

/// Applies `NO_COLOR`: any non-empty value disables colour.
pub(crate) fn heed(no_color: Option<&str>) {
    // Set once; there is one caller.
    let _ = COLOURLESS.set(no_color.is_some_and(|value| !value.is_empty()));
}

/// Whether to use colour on this stream.
pub(crate) fn colourful(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && !COLOURLESS.get().copied().unwrap_or_default()
}

/// Prints a line like `println!`, but exits quietly when the pipe is closed, as in `… | head`.
macro_rules! say {
    ($($text:tt)*) => { $crate::terminal::line(&format!($($text)*)) };
}
pub(crate) use say;

/// The exit code of a shell for a program ended by SIGPIPE: 128 + 13.
const BROKEN_PIPE: i32 = 141;

/// Prints a line for [`say`].
pub(crate) fn line(text: &str) {
    if let Err(error) = writeln!(std::io::stdout(), "{text}")
        && error.kind() == ErrorKind::BrokenPipe
    {
        std::process::exit(BROKEN_PIPE);
    }
}

/// Writes text unchanged, for another program to read.
pub(crate) fn write(text: &str) {
    if let Err(error) = std::io::stdout().write_all(text.as_bytes())
        && error.kind() == ErrorKind::BrokenPipe
    {
        std::process::exit(BROKEN_PIPE);
    }
}

/// Prints a line to standard error, ignoring failures.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn paint(text: &str, code: &str) -> String {
    if colourful(&std::io::stdout()) { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
}

pub(crate) fn bold(text: &str) -> String {
    paint(text, "1")
}

pub(crate) fn faint(text: &str) -> String {
    paint(text, "2")
}

pub(crate) fn green(text: &str) -> String {
    paint(text, "32")
}

pub(crate) fn yellow(text: &str) -> String {
    paint(text, "33")
}

pub(crate) fn red(text: &str) -> String {
    paint(text, "31")
}

/// Formats an error message.
pub(crate) fn error(text: &str) -> String {
    let word = if colourful(&std::io::stderr()) { "\x1b[31merror\x1b[0m" } else { "error" };
    format!("{word}: {text}")
}

/// Makes untrusted text safe to print: it cannot move the cursor, imitate another line, or change the text
/// direction.
pub(crate) fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_invisible(c) { '\u{fffd}' } else { c }).collect()
}

/// Whether a character has zero width or changes the text direction.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The alignment of a column.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Side {
    Left,
    Right,
}

/// Formats a table; each column is as wide as its widest cell. Cells are made safe to print.
pub(crate) fn table(columns: &[(&str, Side)], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| shown(cell)).collect()).collect();
    let width = |index: usize| {
        let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count());
        cells.chain([columns[index].0.chars().count()]).max().unwrap_or_default()
    };
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().enumerate().map(|(index, cell)| match columns[index].1 {
            Side::Left => format!("{cell:<width$}", width = width(index)),
            Side::Right => format!("{cell:>width$}", width = width(index)),
        });
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let heading = faint(&line(columns.iter().map(|column| column.0).collect()));
    let body = rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    std::iter::once(heading).chain(body).collect::<Vec<_>>().join("\n")
}
