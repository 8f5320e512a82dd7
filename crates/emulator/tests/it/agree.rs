//! The emulator and `stripe`'s stories emit the same events in the same order.
//!
//! Not here: the fields (`payments`, `refunds`, `disputes`).

use stripe::story::Story;
use stripe::write::{ApiVersion, Purchase};

use crate::life::{START, life};

/// The types of a story's events.
fn story(story: Story, version: ApiVersion) -> Vec<String> {
    let purchase = Purchase {
        reference: "1".to_owned(),
        tenant_id: "t1".to_owned(),
        package: "starter".to_owned(),
        credits: 500,
        amount_total: 2_500,
        currency: "eur".to_owned(),
        created: START,
        livemode: false,
        api_version: version,
    };
    story.events(&purchase).into_iter().map(|event| event.type_name).collect()
}

fn types(version: ApiVersion, told: &str) -> Vec<String> {
    let word = |line: String| line.split(' ').nth(1).expect("a type").to_owned();
    life(version, told).into_iter().map(word).collect()
}

#[test]
fn the_emulator_emits_the_events_of_the_stories() {
    const DISPUTED: &str = "4000000000000259: buy 2500 eur; hasten";
    let old = |version: ApiVersion| !version.has_refund_events();
    for version in ApiVersion::ALL {
        // A scenario of the emulator for each story.
        let lives = [
            (Story::Purchase, "4242424242424242: buy 2500 eur; advance 2d".to_owned()),
            (
                Story::PartialRefund,
                "4242424242424242: buy 2500 eur; hasten; refund 1250; advance 2d".to_owned(),
            ),
            (Story::FailedRefund, "4000000000005126: buy 2500 eur; hasten; refund; advance 8d".to_owned()),
            (Story::DisputeWon, format!("{DISPUTED}; submit winning_evidence; advance 99d")),
            (Story::DisputeLost, format!("{DISPUTED}; submit losing_evidence; advance 99d")),
            (Story::Async, "AT611904300234573201: buy 2500 eur; advance 9d".to_owned()),
            (Story::Declined, "4000000000000002: buy 2500 eur; advance 2d".to_owned()),
        ];
        for (name, told) in lives {
            let (mut theirs, mut ours) = (story(name, version), types(version, &told));
            match name {
                // The story's refund is pending for a minute first; the test card's succeeds at once.
                Story::FailedRefund if !old(version) => assert_eq!(theirs.remove(6), "refund.updated"),
                // The reference number of a refund has an event before acacia, too.
                Story::PartialRefund if old(version) => {
                    assert_eq!(ours.pop().as_deref(), Some("charge.refund.updated"));
                }
                // An expiring session cancels its payment intent.
                Story::Declined => assert_eq!(ours.pop().as_deref(), Some("payment_intent.canceled")),
                // The dispute comes before Stripe has booked the charge.
                Story::DisputeWon | Story::DisputeLost => {
                    theirs.sort_by_key(|name| name == "charge.updated");
                    ours.sort_by_key(|name| name == "charge.updated");
                }
                Story::Purchase | Story::PartialRefund | Story::FailedRefund | Story::Async => {}
            }
            assert_eq!(ours, theirs, "{} in {version:?}", name.name());
        }
    }
}
