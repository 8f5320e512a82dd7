//! Times in responses: RFC 3339 in UTC.

use jiff::Timestamp as Moment;
use ledger::Timestamp;

/// A time in RFC 3339, in UTC.
pub fn rfc3339(at: Timestamp) -> String {
    // Times after the year 9999 cannot be written; none is stored.
    Moment::from_microsecond(at.0).map(|moment| moment.to_string()).unwrap_or_default()
}
