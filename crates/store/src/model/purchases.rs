//! Checkouts that were asked for through us. Plain data.
//! Not here: payments, which begin where Stripe speaks of one.

use ledger::{Credits, Minor, TenantId, Timestamp};

use super::IdempotencyKey;

/// A checkout that is about to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPurchase {
    /// `purchase_…`
    pub id: String,
    /// Which package of the catalogue.
    pub package: String,
    /// What it held when it was asked for.
    pub credits: Credits,
    /// What it cost then, before tax, in minor units.
    pub price: Minor,
    /// Three letters, lower case.
    pub currency: String,
    /// The very form that Stripe is asked, so that a retry asks for the same.
    pub form: String,
}

/// A checkout that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// Who buys.
    pub tenant: TenantId,
    /// What was asked for.
    pub order: NewPurchase,
    /// When.
    pub created_at: Timestamp,
    /// Stripe's answer, once it is known.
    pub session: Option<PurchaseSession>,
}

/// Stripe's answer: where it can be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurchaseSession {
    /// `cs_…`
    pub id: String,
    /// The payment page.
    pub url: String,
    /// Until when it can be paid.
    pub expires_at: Timestamp,
}

/// Who asks for a checkout, under which name, and for what.
#[derive(Clone, Debug)]
pub struct PurchaseOrder {
    /// Who buys.
    pub tenant: TenantId,
    /// The command's name and fingerprint.
    pub pin: IdempotencyKey,
    /// What to keep if nothing is kept under that name yet. Without it nothing is.
    pub new: Option<NewPurchase>,
}

/// What is kept under the name of a command that asks for a checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BegunPurchase {
    /// This one: it was new, or it was there already.
    Purchase(Purchase),
    /// Another command, which asked for something else.
    KeyReused,
    /// Nothing, and there was nothing to keep.
    Nothing,
}
