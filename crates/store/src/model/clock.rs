//! Stored times, from which the next start can tell whether the machine's clock is right (`engine::clock`).

use std::time::Duration;

use ledger::Timestamp;

/// A time at which the clock was trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockMark {
    /// The time.
    pub at: Timestamp,
    /// The machine's boot id, if it is known.
    pub boot_id: Option<String>,
    /// The machine's uptime at that time.
    pub since_boot: Duration,
}

/// What is stored about the time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClockRecord {
    /// The last mark.
    pub mark: Option<ClockMark>,
    /// The newest timestamp in the database when the mark was made.
    pub newest_at_mark: Option<Timestamp>,
    /// The newest timestamp in the database: of the last event's arrival or of the journal's last
    /// transaction.
    pub newest: Option<Timestamp>,
}

impl ClockRecord {
    /// The latest trustworthy time in the database; `None` in a new database.
    ///
    /// A timestamp that already existed when the mark was made is ignored: a transaction may have been dated
    /// ahead, and every later one then got the same date.
    pub fn last_written(&self) -> Option<Timestamp> {
        let since = self.newest.filter(|newest| self.newest_at_mark.is_none_or(|then| *newest > then));
        self.mark.as_ref().map(|mark| mark.at).max(since)
    }
}
