//! From stored events to balances, with a real database in a temporary folder and a clock that tests set. The
//! reading of single events is tested in `read`, the store by its conformance suite.

mod apply_loop;
mod command_queue;
mod deployment;
mod failures;
mod scenario_orders;
mod sweep;

use emulator::scenario::{Sale, Scenario, metadata};
use ledger::Timestamp;
use stripe::write::ApiVersion;

/// The time at the start of every test, long after the events were created, because events may be late.
const NOW: Timestamp = Timestamp::from_seconds(1_710_000_000);

/// A sale of ten credits.
fn ten_credits(reference: &str, tenant: u128) -> Sale {
    let tenant = uuid::Uuid::from_u128(tenant).to_string();
    Sale {
        reference: reference.to_owned(),
        metadata: metadata([("tenant_id", &tenant), ("package", "10_credits"), ("credits", "10")]),
        description: "10 credits".into(),
        amount: 2_500,
        currency: "eur".into(),
        created: 1_700_000_000,
        livemode: false,
        api_version: ApiVersion::default(),
    }
}

/// The bodies of a scenario's events.
fn bodies(scenario: Scenario, sale: &Sale) -> Vec<String> {
    scenario.events(sale).into_iter().map(|event| event.body).collect()
}
