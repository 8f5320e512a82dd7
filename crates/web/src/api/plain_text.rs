//! Text for people: references, reasons, names. One rule for all: no invisible characters, so that a line of
//! the history reads as it is stored. Callers check the length.

use ledger::Credits;

/// A number of credits in words: `1 credit`, `5 credits`.
pub(crate) fn counted(credits: Credits) -> String {
    if credits == Credits(1) { "1 credit".to_owned() } else { format!("{credits} credits") }
}

/// Whether the text is visible: not only space, and without control characters and characters that are
/// invisible, end a line, or change the direction of text (Unicode TR 36, section 2.3).
pub(crate) fn is_plain(text: &str) -> bool {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
            || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
    };
    !text.trim().is_empty() && !text.chars().any(hidden)
}

#[cfg(test)]
mod tests;
