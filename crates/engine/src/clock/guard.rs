//! Whether the wall clock is trusted. Pure: the readings are arguments, so every case is a row of a table.
//!
//! An *offset* is wall time minus boot time, in microseconds: it is constant while both clocks run alike. The
//! *anchor* is the offset that the wall clock is compared with. It follows the wall clock at a bounded rate,
//! so that it absorbs a small step in the end, and many small steps in a row are noticed.

use ledger::{Now, Timestamp};

use super::status::{ClockState, ClockStatus, Doubt};

/// How far the wall clock may differ from the anchor, in microseconds: 60 seconds.
pub(super) const TOLERANCE: i64 = 60_000_000;
/// How often the anchor follows the wall clock, by the boot clock: every minute.
pub(super) const FOLLOW_EVERY: i64 = 60_000_000;
/// The anchor follows by at most this fraction of the elapsed time: 1 second in 1000 seconds. NTP slews both
/// clocks alike on Linux, so this absorbs only small steps.
const FOLLOW_ONE_IN: i64 = 1000;
/// Where the two times are close together, evidence must be this near to the one that it supports, in
/// microseconds: 30 seconds. They are more than [`TOLERANCE`] apart, so it is never this near to both.
const CLEARLY: i64 = 30_000_000;

/// One of the two times that may be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeCandidate {
    /// The machine's wall clock.
    Wall,
    /// The last trusted time plus what has elapsed.
    Kept,
}

impl TimeCandidate {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Wall, Self::Kept];

    /// `wall` or `kept`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wall => "wall",
            Self::Kept => "kept",
        }
    }

    /// The one with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|time| time.as_str() == name)
    }

    pub(super) const fn in_words(self) -> &'static str {
        match self {
            Self::Wall => "the machine's clock",
            Self::Kept => "the kept time",
        }
    }
}

/// The effect of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvidenceOutcome {
    /// There was no doubt.
    NoDoubt,
    /// This time is trusted now.
    On(TimeCandidate),
    /// It may fit either time: the doubt stays.
    Unclear,
    /// It fits neither time: the doubt stays.
    Neither,
}

/// A change that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TrustChange {
    /// From now on the time is in doubt.
    Doubted(Doubt),
    /// The wall clock agrees again.
    Returned,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// The wall clock agrees with the anchor.
    Wall,
    /// It is not known which time is right.
    Doubt { why: Doubt, since: Timestamp },
    /// The wall clock is wrong, and the kept time is right.
    Kept { why: Doubt, since: Timestamp },
}

/// The state of trust in the wall clock.
#[derive(Clone, Debug)]
pub(super) struct ClockGuard {
    trust: Trust,
    /// The offset that the wall clock is compared with.
    anchor: i64,
    /// How much further ahead than [`TOLERANCE`] the wall clock may be: nonzero after a start that cannot
    /// know how long the machine was off.
    slack: i64,
    /// The offset of the kept time.
    kept: i64,
    /// When the anchor last followed the wall clock, by the boot clock.
    followed_at: i64,
    /// The kept time's offset, where a doubt was settled on the wall clock, and why there was a doubt.
    rejected: Option<(i64, Doubt)>,
}

impl ClockGuard {
    /// A guard that trusts a wall clock of this offset.
    pub(super) fn trusting(offset: i64, anchor: i64, boot: i64) -> Self {
        Self { trust: Trust::Wall, anchor, slack: 0, kept: offset, followed_at: boot, rejected: None }
    }

    /// A guard that begins in doubt, with a kept time of this offset. The wall clock is trusted once it is
    /// within the tolerance of that, or up to `slack` microseconds further ahead.
    pub(super) fn doubting(why: Doubt, kept: i64, slack: i64, boot: i64) -> Self {
        let since = Timestamp(kept.saturating_add(boot));
        Self {
            trust: Trust::Doubt { why, since },
            anchor: kept,
            slack,
            kept,
            followed_at: boot,
            rejected: None,
        }
    }

    /// The time to use.
    pub(super) fn reading(&self, wall: Timestamp, boot: i64) -> Now {
        match self.trust {
            Trust::Wall => Now::trusted(wall),
            Trust::Doubt { .. } => Now::in_doubt(self.kept_time(boot)),
            Trust::Kept { .. } => Now::trusted(self.kept_time(boot)),
        }
    }

    pub(super) fn status(&self, wall: Timestamp, boot: i64) -> ClockStatus {
        let (state, why, since) = match self.trust {
            Trust::Wall => (ClockState::Trusted, None, None),
            Trust::Doubt { why, since } => (ClockState::InDoubt, Some(why), Some(since)),
            Trust::Kept { why, since } => (ClockState::Kept, Some(why), Some(since)),
        };
        ClockStatus { state, wall, kept: self.kept_time(boot), why, since }
    }

    pub(super) fn is_in_doubt(&self) -> bool {
        matches!(self.trust, Trust::Doubt { .. })
    }

    /// What the fast path compares the wall clock with; none while that is not trusted.
    pub(super) fn anchor(&self) -> Option<i64> {
        (self.trust == Trust::Wall).then_some(self.anchor)
    }

    pub(super) fn kept_offset(&self) -> i64 {
        self.kept
    }

    /// Takes over the offset of a reading that the fast path trusted. A late one from before a settled doubt
    /// does not count.
    pub(super) fn take_over(&mut self, offset: i64) {
        if offset.saturating_sub(self.anchor).saturating_abs() <= TOLERANCE {
            self.kept = offset;
        }
    }

    /// Observes a reading.
    pub(super) fn observe(&mut self, wall: Timestamp, boot: i64) -> Option<TrustChange> {
        let offset = wall.0.saturating_sub(boot);
        let ahead = offset.saturating_sub(self.anchor);
        let agrees = (-TOLERANCE..=TOLERANCE.saturating_add(self.slack)).contains(&ahead);
        match (self.trust, agrees) {
            (Trust::Wall, true) => {
                self.follow(ahead, boot);
                self.kept = offset;
                None
            }
            (Trust::Wall, false) => {
                self.trust = Trust::Doubt { why: Doubt::Jumped, since: self.kept_time(boot) };
                Some(TrustChange::Doubted(Doubt::Jumped))
            }
            (Trust::Doubt { .. } | Trust::Kept { .. }, true) => {
                // Where the downtime was unknown, the wall clock says how long it was.
                let anchor = if self.slack > 0 { offset } else { self.anchor };
                *self = Self::trusting(offset, anchor, boot);
                Some(TrustChange::Returned)
            }
            (Trust::Doubt { .. } | Trust::Kept { .. }, false) => None,
        }
    }

    /// Settles a doubt on the time that `at` fits.
    pub(super) fn witness(
        &mut self,
        at: Timestamp,
        tolerance_seconds: i64,
        wall: Timestamp,
        boot: i64,
    ) -> EvidenceOutcome {
        if !self.is_in_doubt() {
            return EvidenceOutcome::NoDoubt;
        }
        let kept = self.kept_time(boot);
        let away = |time: Timestamp| time.0.saturating_sub(at.0).saturating_abs();
        let (time, nearest) = if away(wall) < away(kept) {
            (TimeCandidate::Wall, away(wall))
        } else {
            (TimeCandidate::Kept, away(kept))
        };
        let tolerance = tolerance_seconds * 1_000_000;
        if nearest > tolerance {
            return EvidenceOutcome::Neither;
        }
        // Where the two times are so close that a late delivery may mean either, it must be on time.
        let close = wall.0.saturating_sub(kept.0).saturating_abs() <= 2 * tolerance;
        if close && nearest > CLEARLY {
            return EvidenceOutcome::Unclear;
        }
        if self.slack > 0 && time == TimeCandidate::Kept {
            // The kept time lacks the downtime, and the evidence does not.
            self.kept = self.kept.max(at.0.saturating_sub(boot));
        }
        self.settle(time, wall, boot);
        EvidenceOutcome::On(time)
    }

    /// The time that a doubt was settled against, where it is later than the trusted one. Nothing is signed
    /// in the future, so a signature of that time shows that the settlement was wrong. An earlier time may be
    /// that of a late delivery, and shows nothing.
    pub(super) fn rejected(&self, wall: Timestamp, boot: i64) -> Option<Timestamp> {
        let (trusted, rejected) = match self.trust {
            Trust::Wall => (wall, Timestamp(self.rejected?.0.saturating_add(boot))),
            Trust::Kept { .. } => (self.kept_time(boot), wall),
            Trust::Doubt { .. } => return None,
        };
        (rejected > trusted).then_some(rejected)
    }

    /// Puts the time in doubt again, between the same two times as before. None where there is no other one.
    pub(super) fn doubt_again(&mut self, boot: i64) -> Option<Doubt> {
        let why = match (self.trust, self.rejected) {
            (Trust::Wall, Some((kept, why))) => {
                (self.kept, self.anchor, self.rejected) = (kept, kept, None);
                why
            }
            (Trust::Kept { why, .. }, _) => why,
            (Trust::Wall, None) | (Trust::Doubt { .. }, _) => return None,
        };
        self.trust = Trust::Doubt { why, since: self.kept_time(boot) };
        Some(why)
    }

    /// Settles on what an operator says. False where there is nothing to decide: the wall clock is trusted,
    /// or the kept time is confirmed already.
    pub(super) fn confirm(&mut self, time: TimeCandidate, wall: Timestamp, boot: i64) -> bool {
        match (self.trust, time) {
            (Trust::Wall, _) | (Trust::Kept { .. }, TimeCandidate::Kept) => false,
            (Trust::Doubt { .. }, _) | (Trust::Kept { .. }, TimeCandidate::Wall) => {
                self.settle(time, wall, boot);
                true
            }
        }
    }

    fn settle(&mut self, time: TimeCandidate, wall: Timestamp, boot: i64) {
        match (time, self.trust) {
            (TimeCandidate::Wall, Trust::Doubt { why, .. } | Trust::Kept { why, .. }) => {
                let (offset, rejected) = (wall.0.saturating_sub(boot), Some((self.kept, why)));
                *self = Self { rejected, ..Self::trusting(offset, offset, boot) };
            }
            (TimeCandidate::Kept, Trust::Doubt { why, .. } | Trust::Kept { why, .. }) => {
                self.trust = Trust::Kept { why, since: self.kept_time(boot) };
                (self.anchor, self.slack) = (self.kept, 0);
            }
            (TimeCandidate::Wall | TimeCandidate::Kept, Trust::Wall) => {}
        }
    }

    fn kept_time(&self, boot: i64) -> Timestamp {
        Timestamp(self.kept.saturating_add(boot))
    }

    /// Moves the anchor towards the wall clock, which is `ahead` of it.
    fn follow(&mut self, ahead: i64, boot: i64) {
        let passed = boot.saturating_sub(self.followed_at);
        if passed >= FOLLOW_EVERY {
            let most = passed / FOLLOW_ONE_IN;
            self.anchor = self.anchor.saturating_add(ahead.clamp(-most, most));
            self.followed_at = boot;
        }
    }
}
