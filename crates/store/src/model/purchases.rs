//! Purchases that were started through the API: requested checkouts.

use ledger::{Credits, Minor, TenantId, Timestamp};

use super::IdempotencyKey;

/// A purchase to be stored before Stripe is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPurchase {
    /// `purchase_…`
    pub id: String,
    /// The package in the catalogue.
    pub package: String,
    /// The credits of the package at the time of the request.
    pub credits: Credits,
    /// The price at the time of the request, before tax, in minor units.
    pub price: Minor,
    /// Lower-case ISO 4217 code.
    pub currency: String,
    /// The request form for Stripe, so that a retry sends the same form.
    pub form: String,
}

/// A stored purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurchaseRow {
    /// The buying tenant.
    pub tenant: TenantId,
    /// The requested purchase.
    pub order: NewPurchase,
    /// When it was stored.
    pub created_at: Timestamp,
    /// The checkout session, once Stripe has created it.
    pub session: Option<PurchaseSession>,
}

/// The checkout session of a purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurchaseSession {
    /// `cs_…`
    pub id: String,
    /// The payment page.
    pub url: String,
    /// When the session expires.
    pub expires_at: Timestamp,
}

/// A request to start a purchase.
#[derive(Clone, Debug)]
pub struct PurchaseOrder {
    /// The buying tenant.
    pub tenant: TenantId,
    /// The idempotency key of the request.
    pub idempotency_key: IdempotencyKey,
    /// The purchase to store if the key is unused. `None` only looks up the key.
    pub new: Option<NewPurchase>,
}

/// The result of starting a purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BegunPurchase {
    /// The stored purchase, new or existing.
    Purchase(PurchaseRow),
    /// The key was used for another request.
    KeyReused,
    /// The key is unused, and there was nothing to store.
    NotFound,
}
