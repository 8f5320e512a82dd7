//! Holds: credits set aside for a spend that may yet happen. A hold resolves once: captured (no more than was
//! held, the rest returns), released, or expired (design section 3, Spend and hold).
//! Not here: the postings that do it (`command`).

use serde::{Deserialize, Serialize};

use crate::ids::{HoldId, LotId, TenantId, Timestamp};
use crate::money::Credits;
use crate::named::named;

/// How long a hold lives where nobody says: 14 days, in seconds, as long as a signature may take.
pub const LIFE_SECONDS: i64 = 14 * 86_400;
/// The longest that a hold may live, in seconds.
pub const MAX_LIFE_SECONDS: i64 = 90 * 86_400;

named! {
    /// What became of a hold.
    HoldState {
        /// It stands.
        Open = "open",
        /// It was spent, in whole or in part.
        Captured = "captured",
        /// It was given up.
        Released = "released",
        /// Its time was up.
        Expired = "expired",
    }
}

/// Credits of one lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// Which lot.
    pub lot: LotId,
    /// How many of its credits.
    pub credits: Credits,
}

/// One hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Its name.
    pub id: HoldId,
    /// Whose credits.
    pub tenant: TenantId,
    /// How many were set aside.
    pub credits: Credits,
    /// How many of them were spent in the end.
    pub captured: Credits,
    /// What became of it.
    pub state: HoldState,
    /// From which lots, in burn order; together they are `credits`.
    pub lots: Vec<Allocation>,
    /// What the tenant's own system calls the occasion.
    pub reference: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its credits return by themselves.
    pub expires_at: Timestamp,
    /// When it was captured, released or expired.
    pub resolved_at: Option<Timestamp>,
}

impl Hold {
    /// Whether it stands.
    pub fn is_open(&self) -> bool {
        self.state == HoldState::Open
    }
}
