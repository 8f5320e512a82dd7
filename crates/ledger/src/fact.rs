//! What one event tells us about one payment, in the ledger's terms. A fact never says "take three
//! credits": it is a piece of [`Knowledge`], and learning it is a join (design section 3).
//! Not here: how a fact is read from Stripe's JSON (`engine::read`).

use crate::claim::ClaimedTerms;
use crate::ids::EventRef;
use crate::knowledge::Knowledge;

/// One event, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The event and its time.
    pub event: EventRef,
    /// What it adds to what is known of its payment.
    pub knowledge: Knowledge,
    /// What its object's metadata claims was bought, if anything. It is judged before it counts.
    pub claimed: Option<ClaimedTerms>,
}
