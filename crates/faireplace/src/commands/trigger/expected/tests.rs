//! Expected credits, compared with figures that were computed by hand, in every API version.

use emulator::scenario::{Sale, Scenario, metadata};
use engine::MetadataKeys;
use ledger::Rounding;
use stripe::write::ApiVersion;

use super::spendable;

fn left(scenario: Scenario, api_version: ApiVersion, bought: (&str, i64), rounding: Rounding) -> i64 {
    let sale = Sale {
        reference: "A1".to_owned(),
        metadata: metadata([
            ("tenant_id", "550e8400-e29b-41d4-a716-446655440000"),
            ("package", "any"),
            ("credits", bought.0),
        ]),
        description: "credits".to_owned(),
        amount: bought.1,
        currency: "eur".to_owned(),
        created: 1_710_000_000,
        livemode: false,
        api_version,
    };
    spendable(&scenario.events(&sale), &sale, &MetadataKeys::default(), rounding)
}

/// The refund is half the amount, rounded down to a minor unit.
#[test]
fn a_partial_refund_leaves_the_rounded_half() {
    // Credits and amount bought; credits left with floor and with ceil.
    for (bought, floor, ceil) in [
        (("10", 4_999), 6, 5),
        (("5", 14_000), 3, 2),
        (("7", 3), 5, 4),
        (("1", 100), 1, 0),
        (("1000000000", 99_999_999), 500_000_006, 500_000_005),
    ] {
        for version in ApiVersion::ALL {
            let left = |rounding| left(Scenario::PartialRefund, version, bought, rounding);
            assert_eq!(
                (left(Rounding::Floor), left(Rounding::Ceil)),
                (floor, ceil),
                "{bought:?} {version:?}"
            );
        }
    }
}

#[test]
fn other_scenarios_leave_all_or_no_credits() {
    for (scenario, expected) in [
        (Scenario::Purchase, 7),
        (Scenario::Async, 7),
        (Scenario::FailedRefund, 7),
        (Scenario::DisputeWon, 7),
        (Scenario::PendingRefund, 0),
        (Scenario::DisputeLost, 0),
        (Scenario::Declined, 0),
    ] {
        for version in ApiVersion::ALL {
            let left = left(scenario, version, ("7", 1_300), Rounding::Floor);
            assert_eq!(left, expected, "{} {version:?}", scenario.name());
        }
    }
}
