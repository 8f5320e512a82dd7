//! Deliveries as `stripe listen` prints them, so that eyes need no retraining: one line out, one line back.
//!
//! Not here: where the lines go, and deliveries.

use ledger::Timestamp;

use crate::terminal::{bold, faint, green, red, shown, yellow};

/// An event sets out.
pub(crate) fn sent(type_name: &str, id: &str, now: Timestamp) -> String {
    format!("{}   --> {} [{}]", faint(&clock_text(now)), bold(&shown(type_name)), shown(id))
}

/// The endpoint answered.
pub(crate) fn answered(status: u16, endpoint: &str, id: &str, now: Timestamp) -> String {
    let code = format!("[{status}]");
    let code = match status {
        ..300 => green(&code),
        300..500 => yellow(&code),
        _ => red(&code),
    };
    format!("{}  <--  {code} POST {} [{}]", faint(&clock_text(now)), shown(endpoint), shown(id))
}

/// No answer came.
pub(crate) fn failed(reason: &str, now: Timestamp) -> String {
    let word = red("[ERROR]");
    format!("{}            {word} Failed to POST: {}", faint(&clock_text(now)), shown(reason))
}

/// A moment as these lines show it, in UTC.
pub(crate) fn clock_text(at: Timestamp) -> String {
    let moment = jiff::Timestamp::from_microsecond(at.0).unwrap_or_default();
    moment.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
