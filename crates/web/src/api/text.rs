//! What people write for people, and we for them: references, reasons, names. One rule for all: no character
//! that cannot be seen, because a line of a history must not read otherwise than it is stored.
//! Not here: how long each may be.

use ledger::Credits;

/// So many credits, in words: `1 credit`, `5 credits`.
pub(crate) fn counted(credits: Credits) -> String {
    if credits == Credits(1) { "1 credit".to_owned() } else { format!("{credits} credits") }
}

/// Whether everything in it can be seen: something but space, and neither controls nor characters that are
/// invisible, end a line, or turn the direction of what follows (Unicode TR 36, section 2.3).
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
