//! From kept events to balances, with a real database in a folder of its own and a clock that tests set.
//! Not here: what one event means (`read`), and the store's own promises (its conformance suite).

mod counter;
mod deployment;
mod failures;
mod lives;
mod looping;

use ledger::Timestamp;
use stripe::story::Story;
use stripe::write::{ApiVersion, Purchase};

/// When every test begins: long after the events were made, as events may be late.
const NOW: Timestamp = Timestamp::from_seconds(1_710_000_000);

/// A purchase of ten credits; its reference makes all ids of its events.
fn purchase(reference: &str, tenant: u128) -> Purchase {
    Purchase {
        reference: reference.to_owned(),
        tenant_id: uuid::Uuid::from_u128(tenant).to_string(),
        package: "10_credits".into(),
        credits: 10,
        amount_total: 2_500,
        currency: "eur".into(),
        created: 1_700_000_000,
        livemode: false,
        api_version: ApiVersion::default(),
    }
}

/// The bodies of a purchase's life.
fn bodies(story: Story, purchase: &Purchase) -> Vec<String> {
    story.events(purchase).into_iter().map(|event| event.body).collect()
}
