//! The purchase that most tests use, and Stripe's event for it.

use stripe::write::{ApiVersion, Purchase, event};

/// The buyer.
pub const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";

/// Ten credits for 250 euros, in test mode, a minute ago. Ids are derived from `reference`.
pub fn ten_credits(reference: &str) -> Purchase {
    Purchase {
        reference: reference.to_owned(),
        tenant_id: TENANT.to_owned(),
        package: "10_credits".to_owned(),
        credits: 10,
        amount_total: 25_000,
        currency: "eur".to_owned(),
        created: crate::now() - 60,
        livemode: false,
        api_version: ApiVersion::default(),
    }
}

/// The body of the event that reports this purchase as paid.
///
/// # Panics
/// Never: the event type exists.
pub fn paid(reference: &str) -> String {
    let sold = event("checkout.session.completed", &ten_credits(reference), "once", None);
    sold.expect("the type exists").body
}
