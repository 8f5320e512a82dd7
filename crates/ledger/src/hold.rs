//! Holds: credits set aside for a later spend. A hold resolves once: it is captured (in whole or in part; the
//! rest becomes available again), released, or expires (design section 3, Spend and hold). `execute` makes
//! the postings.

use serde::{Deserialize, Serialize};

use crate::ids::{HoldId, LotId, TenantId, Timestamp};
use crate::money::Credits;
use crate::named::named;

/// The default lifetime of a hold, in seconds: 14 days, as long as a signature may take.
pub const LIFE_SECONDS: i64 = 14 * 86_400;
/// The longest lifetime of a hold, in seconds.
pub const MAX_LIFE_SECONDS: i64 = 90 * 86_400;

named! {
    /// The state of a hold.
    HoldState {
        /// Its credits are set aside.
        Open = "open",
        /// It was spent, in whole or in part.
        Captured = "captured",
        /// It was released without a spend.
        Released = "released",
        /// It expired.
        Expired = "expired",
    }
}

/// A number of credits of one lot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// The lot.
    pub lot: LotId,
    /// How many of its credits.
    pub credits: Credits,
}

/// One hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// The tenant that owns the credits.
    pub tenant: TenantId,
    /// How many credits were set aside.
    pub credits: Credits,
    /// How many of them were captured.
    pub captured: Credits,
    /// Its state.
    pub state: HoldState,
    /// The lots that the credits come from, in burn order. They add up to `credits`.
    pub lots: Vec<Allocation>,
    /// The tenant's own reference for it, such as an order number.
    pub reference: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When it was captured or released, or expired.
    pub resolved_at: Option<Timestamp>,
}

impl Hold {
    /// Whether its credits are still set aside.
    pub fn is_open(&self) -> bool {
        self.state == HoldState::Open
    }
}
