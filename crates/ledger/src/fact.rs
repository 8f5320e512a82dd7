//! What one event says about one payment, in the ledger's terms. A fact never says "take three credits": it
//! is a piece of [`Knowledge`], and learning it is a join (design section 3). `engine::read` reads facts from
//! Stripe's JSON.

use crate::claim::ClaimedTerms;
use crate::ids::EventRef;
use crate::knowledge::Knowledge;

/// What one event says about one payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The event and its time.
    pub event: EventRef,
    /// What it adds to the knowledge about its payment.
    pub knowledge: Knowledge,
    /// What its object's metadata claims was bought, if anything. It is judged before it grants credits.
    pub claimed: Option<ClaimedTerms>,
}
