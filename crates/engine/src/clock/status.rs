//! The clock's status, for health, status, `doctor` and the operator who must decide.

use ledger::Timestamp;

/// Why the time is in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The wall clock jumped while the program ran.
    Jumped,
    /// The wall clock jumped between two runs of the program, while the machine ran.
    JumpedBetweenRuns,
    /// At the start the wall clock was before the time last written.
    BeforeLastWritten,
    /// At the start the wall clock was implausibly far after the time last written.
    FarAfterLastWritten,
}

impl Doubt {
    /// Every reason.
    pub const ALL: [Self; 4] =
        [Self::Jumped, Self::JumpedBetweenRuns, Self::BeforeLastWritten, Self::FarAfterLastWritten];

    /// Its machine name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jumped => "jumped",
            Self::JumpedBetweenRuns => "jumped_between_runs",
            Self::BeforeLastWritten => "before_last_written",
            Self::FarAfterLastWritten => "far_after_last_written",
        }
    }

    /// What happened, in words.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Jumped => "the machine's clock jumped",
            Self::JumpedBetweenRuns => "the machine's clock jumped while the program was not running",
            Self::BeforeLastWritten => "the machine's clock is before the time last written to the database",
            Self::FarAfterLastWritten => {
                "the machine's clock is more than 7 days after the time last written to the database"
            }
        }
    }
}

/// Which time is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockState {
    /// The wall clock.
    Trusted,
    /// Neither: the kept time is used, and ends nothing.
    InDoubt,
    /// The kept time, which was confirmed. The wall clock is wrong.
    Kept,
}

impl ClockState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Trusted, Self::InDoubt, Self::Kept];

    /// Its machine name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::InDoubt => "in_doubt",
            Self::Kept => "kept",
        }
    }
}

/// The clock's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockStatus {
    /// Which time is trusted.
    pub state: ClockState,
    /// The machine's wall clock.
    pub wall: Timestamp,
    /// The last trusted time plus what has elapsed.
    pub kept: Timestamp,
    /// Why the wall clock is not trusted.
    pub why: Option<Doubt>,
    /// Since when it is in doubt, or the kept time is trusted, by the kept time.
    pub since: Option<Timestamp>,
}

impl ClockStatus {
    /// A wall clock that is trusted.
    pub(super) fn trusted(now: Timestamp) -> Self {
        Self { state: ClockState::Trusted, wall: now, kept: now, why: None, since: None }
    }

    /// The time that is used.
    pub fn now(&self) -> Timestamp {
        if self.state == ClockState::Trusted { self.wall } else { self.kept }
    }

    /// How far the wall clock is ahead of the kept time, in seconds; negative where it is behind.
    pub fn difference_seconds(&self) -> i64 {
        self.wall.0.saturating_sub(self.kept.0) / 1_000_000
    }
}
