//! Options of a list, and its output: a table, or with `--json` the API's response.

use clap::Args;
use serde_json::Value;

use crate::failure::Failure;
use crate::terminal::{Side, faint, say, table};

/// Page and format of a list.
#[derive(Args)]
pub(crate) struct ListingOptions {
    /// Print the API's JSON response
    #[arg(long)]
    pub(crate) json: bool,
    /// Rows per page, at most 100
    #[arg(long, default_value_t = 20, value_name = "ROWS")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: u32,
    /// Page number
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    page: u32,
}

/// One column: its heading, its alignment, and the cell of a row.
pub(crate) struct Column(pub(crate) &'static str, pub(crate) Side, pub(crate) fn(&Value) -> String);

impl ListingOptions {
    /// The page as query parameters.
    pub(crate) fn query(&self) -> String {
        format!("page={}&per_page={}", self.page, self.limit)
    }

    /// Prints one page; `nothing` is the text for an empty list.
    pub(crate) fn print(&self, answer: &Value, columns: &[Column], nothing: &str) -> Result<(), Failure> {
        if self.json {
            return json(answer);
        }
        let rows = answer["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        let total = answer["meta"]["pagination"]["total"].as_u64().unwrap_or_default();
        let (page, limit) = (u64::from(self.page), u64::from(self.limit));
        match rows.len() as u64 {
            0 if total == 0 => say!("{nothing}"),
            0 => say!("Page {page} is past the end; the last page is {}.", total.div_ceil(limit)),
            shown => {
                print_rows(rows, columns);
                let before = (page - 1) * limit;
                let more = if total > before + shown {
                    format!("; --page {} for more", page + 1)
                } else {
                    String::new()
                };
                if total > shown {
                    say!("{}", faint(&format!("{}–{} of {total}{more}", before + 1, before + shown)));
                }
            }
        }
        Ok(())
    }
}

/// Prints rows as a table.
pub(crate) fn print_rows(rows: &[Value], columns: &[Column]) {
    let headings: Vec<_> = columns.iter().map(|column| (column.0, column.1)).collect();
    let cells: Vec<Vec<_>> =
        rows.iter().map(|row| columns.iter().map(|column| column.2(row)).collect()).collect();
    say!("{}", table(&headings, &cells));
}

/// Prints JSON as it is.
pub(crate) fn json(value: &Value) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::failed(error.to_string()))?;
    // Control characters beyond ASCII may stand in JSON as they are; in a terminal they must not.
    let harmless = |c: char| match c {
        '\n' => c.to_string(),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    say!("{}", text.chars().map(harmless).collect::<String>());
    Ok(())
}

/// A number with its noun: `1 lot`, `2 lots`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// The text of a field, or a dash.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

/// A time to the second, such as `2026-11-23 12:00:00`.
pub(crate) fn moment(value: &Value) -> String {
    value
        .as_str()
        .and_then(|text| text.get(..19))
        .map_or_else(|| "-".to_owned(), |text| text.replace('T', " "))
}

/// A number with its sign; empty for zero.
pub(crate) fn signed(value: &Value) -> String {
    match value.as_i64() {
        Some(0) | None => String::new(),
        Some(amount) => format!("{amount:+}"),
    }
}
