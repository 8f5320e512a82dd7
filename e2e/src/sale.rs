//! The sale that most tests use, and Stripe's event for it.

use emulator::scenario::{Sale, event, metadata};
use stripe::write::ApiVersion;

/// The buyer.
pub const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";

/// Credits for `amount` euro cents, sold to `tenant` in test mode a minute ago. Ids are derived from
/// `reference`.
pub fn sale(reference: &str, tenant: &str, credits: u32, amount: i64) -> Sale {
    let (package, count) = (format!("{credits}_credits"), credits.to_string());
    Sale {
        reference: reference.to_owned(),
        metadata: metadata([("tenant_id", tenant), ("package", &package), ("credits", &count)]),
        description: format!("{credits} credits"),
        amount,
        currency: "eur".to_owned(),
        created: crate::now() - 60,
        livemode: false,
        api_version: ApiVersion::default(),
    }
}

/// Ten credits for 250 euros, sold to [`TENANT`].
pub fn ten_credits(reference: &str) -> Sale {
    sale(reference, TENANT, 10, 25_000)
}

/// The body of the event that reports this sale as paid.
///
/// # Panics
/// Never: the event type exists.
pub fn paid(reference: &str) -> String {
    let sold = event("checkout.session.completed", &ten_credits(reference), "once", None);
    sold.expect("the type exists").body
}
