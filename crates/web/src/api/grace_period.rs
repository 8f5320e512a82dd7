//! The grace period during which an old key or secret stays valid beside the one that replaces it.

use crate::answer::Problem;

/// Hours by default.
const DEFAULT_HOURS: i64 = 24;
/// The most hours.
const MAX_HOURS: i64 = 168;

/// The grace period in seconds. `hours` is the field `grace_period_hours` of a request.
pub(crate) fn seconds(hours: Option<i64>) -> Result<i64, Problem> {
    let hours = hours.unwrap_or(DEFAULT_HOURS);
    if !(0..=MAX_HOURS).contains(&hours) {
        return Err(Problem::value("grace_period_hours", &format!("a whole number from 0 to {MAX_HOURS}")));
    }
    Ok(hours * 3_600)
}
