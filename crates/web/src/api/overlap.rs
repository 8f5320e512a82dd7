//! How long what was replaced works beside what replaces it, of keys and of endpoints' secrets alike.

use crate::answer::Problem;

/// Hours, where nobody says.
const HOURS: i64 = 24;
/// The most hours.
const MAX_HOURS: i64 = 168;

/// The overlap in seconds.
pub(crate) fn seconds(hours: Option<i64>) -> Result<i64, Problem> {
    let hours = hours.unwrap_or(HOURS);
    if !(0..=MAX_HOURS).contains(&hours) {
        return Err(Problem::value("overlap_hours", &format!("a whole number from 0 to {MAX_HOURS}")));
    }
    Ok(hours * 3_600)
}
