//! CSV (RFC 4180) in UTF-8, safe against formula injection (owasp.org, CSV injection): text that a
//! spreadsheet could take for a formula is prefixed with an apostrophe. Numbers are unchanged.

use std::fmt::Display;

/// Characters that may begin a formula, also after spaces and quotes, which some spreadsheets remove, and
/// after a semicolon, which some take for a separator. The last four are full-width forms.
const DANGEROUS: [char; 13] = ['=', '+', '-', '@', '|', '%', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Writes lines of CSV.
#[derive(Default)]
pub(crate) struct Csv {
    text: String,
    /// The current line has a cell.
    begun: bool,
}

impl Csv {
    /// Writes the names of the columns.
    pub(crate) fn heading(&mut self, names: &[&str]) {
        names.iter().for_each(|name| self.cell(name));
        self.end();
    }

    /// Writes text that no spreadsheet takes for a formula.
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

    /// Writes text or an empty cell.
    pub(crate) fn maybe(&mut self, text: Option<&str>) -> &mut Self {
        self.text(text.unwrap_or_default())
    }

    /// Writes a number.
    pub(crate) fn number(&mut self, number: impl Into<i128>) -> &mut Self {
        self.cell(&number.into().to_string());
        self
    }

    /// Writes a number or an empty cell.
    pub(crate) fn maybe_number(&mut self, number: Option<i128>) -> &mut Self {
        match number {
            Some(number) => self.number(number),
            None => self.skip(1),
        }
    }

    /// Writes this many empty cells.
    pub(crate) fn skip(&mut self, cells: usize) -> &mut Self {
        (0..cells).for_each(|_| self.cell(""));
        self
    }

    /// Ends the line.
    pub(crate) fn end(&mut self) {
        self.text.push_str("\r\n");
        self.begun = false;
    }

    /// Takes the text written so far.
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
