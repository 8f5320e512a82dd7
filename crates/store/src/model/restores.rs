//! A restore from a backup that has to be confirmed. See `sqlite/unconfirmed.rs` for what it blocks.

use ledger::Timestamp;

/// A restore that is not confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreRow {
    /// When the database was restored.
    pub restored_at: Timestamp,
    /// The newest timestamp in the backup; `None` if it is empty.
    pub newest: Option<Timestamp>,
    /// The file that was restored.
    pub source: String,
    /// Where the replaced database was moved; `None` if there was none.
    pub replaced: Option<String>,
    /// The ids of API keys that are valid in the backup and were no longer valid in the replaced database;
    /// `None` if the replaced database could not be read.
    pub revoked_keys: Option<Vec<String>>,
    /// Events stored since the restore.
    pub events_since: i64,
}
