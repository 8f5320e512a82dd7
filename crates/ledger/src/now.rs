//! The current time, and whether the clock is trusted. A clock that may be wrong still dates entries, but
//! expires nothing, because expired credits cannot be given back (design section 3, The clock may be wrong).
//! `engine::clock` decides whether the clock is trusted.

use crate::ids::Timestamp;

/// The current time, and whether holds and credits may expire by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The time, which dates entries.
    pub at: Timestamp,
    /// Whether the clock is trusted. If not, nothing expires.
    pub trusted: bool,
}

impl Now {
    /// This time, by a trusted clock.
    pub const fn trusted(at: Timestamp) -> Self {
        Self { at, trusted: true }
    }

    /// This time, by a clock that may be wrong.
    pub const fn in_doubt(at: Timestamp) -> Self {
        Self { at, trusted: false }
    }

    /// Holds and credits whose expiry is at or before this time have expired. While the clock is in doubt, it
    /// is earlier than every expiry.
    pub const fn ended_by(self) -> Timestamp {
        if self.trusted { self.at } else { Timestamp(i64::MIN) }
    }
}
