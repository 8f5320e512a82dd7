//! How the account's clock goes: with the machine's, ahead of it, or not at all.
//!
//! Not here: the machine's clock; its reading is handed in.

use serde::{Deserialize, Serialize};

/// The clock. All figures are milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockMode {
    /// It goes as the machine's does, so much ahead of it.
    Running {
        /// How far ahead.
        ahead_ms: i64,
    },
    /// It stands until it is turned: the same story told twice bears the same times.
    Still {
        /// Where it stands, in Unix milliseconds.
        at_ms: i64,
    },
}

impl ClockMode {
    /// The account's time when the machine's clock shows `wall_ms`.
    #[must_use]
    pub fn now_ms(self, wall_ms: i64) -> i64 {
        match self {
            Self::Running { ahead_ms } => wall_ms.saturating_add(ahead_ms),
            Self::Still { at_ms } => at_ms,
        }
    }

    /// The same kind of clock, showing `now_ms` while the machine's shows `wall_ms`.
    #[must_use]
    pub fn set(self, now_ms: i64, wall_ms: i64) -> Self {
        match self {
            Self::Running { .. } => Self::Running { ahead_ms: now_ms.saturating_sub(wall_ms) },
            Self::Still { .. } => Self::Still { at_ms: now_ms },
        }
    }
}
