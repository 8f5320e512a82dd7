//! What the tests buy, as Stripe tells of it.

use stripe::write::{ApiVersion, Purchase, event};

/// The tenant that buys it.
pub const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";

/// Ten credits for 250 euros, in test mode, a minute ago. Ids follow from `reference`.
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

/// The body of the event that says that they are paid.
///
/// # Panics
/// Never: the type of the event is known.
pub fn paid(reference: &str) -> String {
    let sold = event("checkout.session.completed", &ten_credits(reference), "once", None);
    sold.expect("a known type").body
}
