//! What one event tells us about one payment, in the ledger's terms. A fact never says "take three
//! credits": it is a piece of [`Knowledge`], and learning it is a join (design section 3).
//! Not here: how a fact is read from Stripe's JSON (`engine::read`).

use crate::knowledge::{Knowledge, Told};
use crate::money::Minor;

/// One event, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The event and its time.
    pub told: Told,
    /// What it adds to what is known of its payment.
    pub knowledge: Knowledge,
    /// What a checkout session claims was bought, if this is one. It is judged before it is believed.
    pub offer: Option<Offer>,
}

/// The terms of a checkout session exactly as they were written, before anyone trusted them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The metadata's tenant, e.g. `550e8400-e29b-41d4-a716-446655440000`.
    pub tenant: Option<String>,
    /// The metadata's package, e.g. `10_credits`.
    pub package: Option<String>,
    /// The metadata's credits: a decimal string, e.g. `10`.
    pub credits: Option<String>,
    /// Three letters, lower case.
    pub currency: Option<String>,
    /// What was charged: after discounts, with tax. Minor units.
    pub amount_total: Option<Minor>,
    /// The sum of the items: before discounts and tax. Minor units.
    pub amount_subtotal: Option<Minor>,
    /// The session's `payment_status` was one that we do not know, so it cannot be taken as paid.
    pub status_unknown: bool,
}
