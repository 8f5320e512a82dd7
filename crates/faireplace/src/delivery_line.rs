//! Formats deliveries as `stripe listen` prints them: one line for the request, one for the response.

use ledger::Timestamp;

use crate::terminal::{bold, faint, green, red, shown, yellow};

/// The line of a request.
pub(crate) fn sent(type_name: &str, id: &str, now: Timestamp) -> String {
    format!("{}   --> {} [{}]", faint(&clock_text(now)), bold(&shown(type_name)), shown(id))
}

/// The line of a response.
pub(crate) fn answered(status: u16, endpoint: &str, id: &str, now: Timestamp) -> String {
    let code = format!("[{status}]");
    let code = match status {
        ..300 => green(&code),
        300..500 => yellow(&code),
        _ => red(&code),
    };
    format!("{}  <--  {code} POST {} [{}]", faint(&clock_text(now)), shown(endpoint), shown(id))
}

/// The line of a failed request.
pub(crate) fn failed(reason: &str, now: Timestamp) -> String {
    let word = red("[ERROR]");
    format!("{}            {word} Failed to POST: {}", faint(&clock_text(now)), shown(reason))
}

/// A time as these lines show it, in UTC.
pub(crate) fn clock_text(at: Timestamp) -> String {
    let moment = jiff::Timestamp::from_microsecond(at.0).unwrap_or_default();
    moment.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
