//! What is remembered of the time, so that a later start can tell whether the machine's clock is right.
//! Not here: what a start makes of it (`engine::clock`).

use std::time::Duration;

use ledger::Timestamp;

/// A moment at which the clock was trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockMark {
    /// The time.
    pub at: Timestamp,
    /// Which run of the machine it was, where that can be known.
    pub boot_id: Option<String>,
    /// How long the machine had run by then.
    pub since_boot: Duration,
}

/// What is known of the time that was last written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClockRecord {
    /// The last mark.
    pub mark: Option<ClockMark>,
    /// The newest date in the database when the mark was made.
    pub newest_at_mark: Option<Timestamp>,
    /// The newest date in the database: when the last event arrived, or the journal's last entry.
    pub newest: Option<Timestamp>,
}

impl ClockRecord {
    /// The time that was last written; none in a new database.
    ///
    /// A date that was there already when the mark was made says nothing: an entry may have been dated ahead,
    /// and every later one was then given the same date.
    pub fn last_written(&self) -> Option<Timestamp> {
        let since = self.newest.filter(|newest| self.newest_at_mark.is_none_or(|then| *newest > then));
        self.mark.as_ref().map(|mark| mark.at).max(since)
    }
}
