//! Every event type that we read, as Stripe writes it in every supported API version.

use emulator::scenario::{Sale, event, event_names, metadata};
use stripe::write::ApiVersion;

use crate::{check_bytes, live};

const TERMS: &str = "session terms 550e8400-e29b-41d4-a716-446655440000 10_credits 10 eur 2500 2500";

/// The reading of an event of each type. The event is about the whole amount of a purchase.
const READINGS: &[(&str, &str)] = &[
    ("checkout.session.completed", "pi_r cs_live_r; paid; completed; TERMS"),
    ("checkout.session.async_payment_succeeded", "pi_r cs_live_r; paid; TERMS"),
    ("checkout.session.async_payment_failed", "pi_r cs_live_r; async_failed; TERMS"),
    ("checkout.session.expired", "cs_live_r; expired; TERMS"),
    ("payment_intent.created", "pi_r"),
    ("payment_intent.processing", "pi_r; ch_r"),
    ("payment_intent.requires_action", "pi_r"),
    ("payment_intent.succeeded", "pi_r; pi_r received 2500; ch_r"),
    ("payment_intent.payment_failed", "pi_r; ch_r failed"),
    ("payment_intent.canceled", "pi_r; expired; ch_r"),
    ("payment_intent.amount_capturable_updated", "pi_r; ch_r"),
    ("payment_intent.partially_funded", "pi_r"),
    ("charge.succeeded", "pi_r; ch_r captured 2500 succeeded"),
    ("charge.pending", "pi_r; ch_r"),
    ("charge.failed", "pi_r; ch_r failed"),
    ("charge.expired", "pi_r; ch_r failed"),
    ("charge.captured", "pi_r; ch_r captured 2500 succeeded"),
    ("charge.updated", "pi_r; ch_r captured 2500 succeeded"),
    ("charge.refunded", "pi_r; ch_r captured 2500 refunded 2500 succeeded"),
    ("charge.refund.updated", "pi_r; ch_r; re_r 2500 succeeded"),
    ("refund.created", "pi_r; ch_r; re_r 2500 succeeded"),
    ("refund.updated", "pi_r; ch_r; re_r 2500 succeeded"),
    ("refund.failed", "pi_r; ch_r; re_r 2500 failed"),
    ("charge.dispute.created", "pi_r; ch_r; du_r 2500 open withdrawn"),
    ("charge.dispute.updated", "pi_r; ch_r; du_r 2500 open withdrawn"),
    ("charge.dispute.closed", "pi_r; ch_r; du_r 2500 lost withdrawn"),
    ("charge.dispute.funds_withdrawn", "pi_r; ch_r; du_r 2500 open withdrawn"),
    ("charge.dispute.funds_reinstated", "pi_r; ch_r; du_r 2500 won withdrawn reinstated 2500"),
    ("radar.early_fraud_warning.created", "pi_r issfr_r; ch_r"),
    ("radar.early_fraud_warning.updated", "pi_r issfr_r; ch_r"),
];

fn sale(api_version: ApiVersion) -> Sale {
    let tenant = "550e8400-e29b-41d4-a716-446655440000";
    Sale {
        reference: "r".into(),
        metadata: metadata([("tenant_id", tenant), ("package", "10_credits"), ("credits", "10")]),
        description: "10 credits".into(),
        amount: 2_500,
        currency: "eur".into(),
        created: 1_700_000_000,
        livemode: true,
        api_version,
    }
}

#[test]
fn every_type_in_every_version() {
    let rows: Vec<_> = READINGS.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(rows, event_names(), "one row for each type that is read");
    for version in ApiVersion::ALL {
        for (kind, expected) in READINGS {
            let written = event(kind, &sale(version), "1", None).unwrap();
            let name = format!("{kind} {}", version.as_str());
            check_bytes(&name, &live(), written.body.as_bytes(), &expected.replace("TERMS", TERMS));
        }
    }
}
