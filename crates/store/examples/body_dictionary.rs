//! Writes `src/body.dict`: one typical event of each kind that matters, as plain text, most frequent last
//! because zstd reaches the end of a sample most cheaply. The same code gives the same bytes.
//!
//! A sample that was released never changes: whoever wants a better one adds a second file and a second mark
//! in `body.rs`.

use std::path::Path;

use stripe::write::{ApiVersion, Purchase, WrittenEvent, event};

/// The rarest first. Types that share an object's shape need one of them.
const TYPES: &[&str] = &[
    "charge.dispute.created",
    "charge.refunded",
    "refund.created",
    "charge.updated",
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.succeeded",
    "checkout.session.completed",
];

fn main() -> std::io::Result<()> {
    let sample: String = TYPES.iter().map(|kind| written(kind).body).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/body.dict");
    std::fs::write(path, sample)
}

fn written(kind: &str) -> WrittenEvent {
    let purchase = Purchase {
        reference: "sample".to_owned(),
        tenant_id: "00000000-0000-4000-8000-000000000000".to_owned(),
        package: "10_credits".to_owned(),
        credits: 10,
        amount_total: 4999,
        currency: "eur".to_owned(),
        created: 1_790_000_000,
        livemode: true,
        api_version: ApiVersion::Endive,
    };
    event(kind, &purchase, "sample", None).expect("a type that can be written")
}
