//! A database that was restored from a backup and not confirmed yet, as it crosses the border of the store.
//! Not here: restoring one (`sqlite/restore`), and what stands still meanwhile (`sqlite/unconfirmed`).

use ledger::Timestamp;

/// A restore that nobody has confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restore {
    /// When it was done.
    pub restored_at: Timestamp,
    /// The newest moment in the backup; none where nothing was written in it.
    pub newest: Option<Timestamp>,
    /// The file that was restored.
    pub source: String,
    /// Where the database before it was moved; none where there was none.
    pub replaced: Option<String>,
    /// The ids of keys that work in the backup and did not work any more in the database before it; none
    /// where that one could not be read.
    pub revoked_keys: Option<Vec<String>>,
    /// Events that were stored since.
    pub events_since: i64,
}
