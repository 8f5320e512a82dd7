//! Comma-separated values (RFC 4180), in UTF-8, that no spreadsheet mistakes for formulas: text that could
//! begin one is shown behind an apostrophe (owasp.org, CSV injection). Numbers are ours and stay numbers.
//! Not here: which columns there are.

use std::fmt::Display;

/// What a spreadsheet may take for the beginning of a formula: also after spaces and quotes, which some cut,
/// and after every semicolon, at which some begin a cell, where a line is no longer quoted as it was written.
/// The last four are full-width forms.
const DANGEROUS: [char; 13] = ['=', '+', '-', '@', '|', '%', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Lines as they are written.
#[derive(Default)]
pub(crate) struct Csv {
    text: String,
    /// Something stands in the line already.
    begun: bool,
}

impl Csv {
    /// The names of the columns.
    pub(crate) fn heading(&mut self, names: &[&str]) {
        names.iter().for_each(|name| self.cell(name));
        self.end();
    }

    /// Text, made harmless.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        let harmless = |part: &str| {
            let first = part.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '"');
            let begins = part.starts_with(DANGEROUS) || first.starts_with(DANGEROUS);
            format!("{}{part}", if begins { "'" } else { "" })
        };
        let cell = text.split(';').map(harmless).collect::<Vec<_>>().join(";");
        if cell.contains([',', ';', '"', '\r', '\n']) {
            self.cell(&format!("\"{}\"", cell.replace('"', "\"\"")));
        } else {
            self.cell(&cell);
        }
        self
    }

    /// Text, or an empty cell.
    pub(crate) fn maybe(&mut self, text: Option<&str>) -> &mut Self {
        self.text(text.unwrap_or_default())
    }

    /// A number of ours.
    pub(crate) fn number(&mut self, number: impl Into<i128>) -> &mut Self {
        self.cell(&number.into().to_string());
        self
    }

    /// A number of ours, or an empty cell.
    pub(crate) fn maybe_number(&mut self, number: Option<i128>) -> &mut Self {
        match number {
            Some(number) => self.number(number),
            None => self.skip(1),
        }
    }

    /// So many empty cells.
    pub(crate) fn skip(&mut self, cells: usize) -> &mut Self {
        (0..cells).for_each(|_| self.cell(""));
        self
    }

    /// Ends the line.
    pub(crate) fn end(&mut self) {
        self.text.push_str("\r\n");
        self.begun = false;
    }

    /// Takes the lines that were written so far.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    fn cell(&mut self, cell: &(impl Display + ?Sized)) {
        if std::mem::replace(&mut self.begun, true) {
            self.text.push(',');
        }
        self.text.push_str(&cell.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_a_formula_and_every_cell_comes_back() {
        for (text, expected) in [
            ("plain", "plain"),
            ("", ""),
            ("=1+2", "'=1+2"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("-1", "'-1"),
            ("@SUM(A1:A9)", "'@SUM(A1:A9)"),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("\n=x", "\"'\n=x\""),
            ("＝1", "'＝1"),
            ("a=b", "a=b"),
            (";=1", "\";'=1\""),
            ("a;=1;b", "\"a;'=1;b\""),
            ("a; \"＝1", "\"a;' \"\"＝1\""),
            ("\"=1", "\"'\"\"=1\""),
            ("a; b", "\"a; b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("a,b", "\"a,b\""),
            ("=a,\"b\"\r\n", "\"'=a,\"\"b\"\"\r\n\""),
            ("Zoë", "Zoë"),
        ] {
            let mut csv = Csv::default();
            csv.text(text).number(-3).maybe(None).number(7).end();
            assert_eq!(csv.take(), format!("{expected},-3,,7\r\n"), "{text:?}");
        }
    }
}
