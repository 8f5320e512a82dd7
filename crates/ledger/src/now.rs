//! What time it is, and whether that time may end credits or holds. A clock that may be wrong still dates
//! entries, but ends nothing: what has ended cannot be given back (design section 3, The clock may be wrong).
//! Not here: how a clock comes to be in doubt, and how that is settled (`engine::clock`).

use crate::ids::Timestamp;

/// What time it is, and whether it may end credits or holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The time, which dates entries.
    pub at: Timestamp,
    /// Whether the clock is trusted. One in doubt ends nothing.
    pub trusted: bool,
}

impl Now {
    /// This time, by a clock that is trusted.
    pub const fn trusted(at: Timestamp) -> Self {
        Self { at, trusted: true }
    }

    /// This time, by a clock that may be wrong.
    pub const fn in_doubt(at: Timestamp) -> Self {
        Self { at, trusted: false }
    }

    /// The moment by which to judge what has ended: an end at or before it has come. While the clock is in
    /// doubt it lies before every end.
    pub const fn ended_by(self) -> Timestamp {
        if self.trusted { self.at } else { Timestamp(i64::MIN) }
    }
}
