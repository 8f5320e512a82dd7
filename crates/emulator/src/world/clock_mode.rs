//! How the account's clock goes: with the machine's clock, ahead of it, or not at all. The machine's time is
//! an argument.

use serde::{Deserialize, Serialize};

/// How the clock goes. All numbers are milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockMode {
    /// It runs ahead of the machine's clock by a fixed amount, or by nothing.
    Running {
        /// How far it is ahead.
        ahead_ms: i64,
    },
    /// It stands still until it is advanced, so that every run has the same times.
    Still {
        /// The time that it shows, in Unix milliseconds.
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

    /// The same mode, adjusted so that the clock shows `now_ms` when the machine's clock shows `wall_ms`.
    #[must_use]
    pub fn set(self, now_ms: i64, wall_ms: i64) -> Self {
        match self {
            Self::Running { .. } => Self::Running { ahead_ms: now_ms.saturating_sub(wall_ms) },
            Self::Still { .. } => Self::Still { at_ms: now_ms },
        }
    }
}
