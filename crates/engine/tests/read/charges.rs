//! Charges: the amounts captured and refunded.

use serde_json::{Value, json};

use crate::check_all;

fn charge() -> Value {
    json!({
        "id": "ch_1", "object": "charge", "amount": 2_500, "amount_captured": 2_500, "amount_refunded": 0,
        "captured": true, "payment_intent": "pi_1", "status": "succeeded",
    })
}

#[test]
fn captured_amounts() {
    let authorised = json!({ "captured": false, "amount_captured": 0 });
    let reserved = json!({ "status": null, "captured": false, "amount_captured": 0 });
    let bare = |kind: &'static str, reading: &'static str| {
        ("no status, so the event type decides", kind, json!({ "status": null }), reading)
    };
    let done = "pi_1; ch_1 captured 2500 succeeded";
    check_all(
        &charge(),
        &[
            ("captured at once", "charge.succeeded", json!({}), done),
            ("updated", "charge.updated", json!({}), done),
            (
                "a charge without a payment intent",
                "charge.succeeded",
                json!({ "payment_intent": null }),
                "ch_1 captured 2500 succeeded",
            ),
            ("only authorised", "charge.succeeded", authorised, "pi_1; ch_1"),
            ("captured later", "charge.captured", json!({}), done),
            (
                "captured in part",
                "charge.captured",
                json!({ "amount_captured": 1_500, "amount_refunded": 1_000 }),
                "pi_1; ch_1 captured 1500 succeeded",
            ),
            (
                "never captured",
                "charge.expired",
                json!({ "captured": false, "amount_captured": 0, "amount_refunded": 2_500 }),
                "pi_1; ch_1 failed",
            ),
            (
                "declined",
                "charge.failed",
                json!({ "status": "failed", "captured": false, "amount_captured": 0 }),
                "pi_1; ch_1 failed",
            ),
            (
                "declined, although captured is true",
                "charge.failed",
                json!({ "status": "failed" }),
                "pi_1; ch_1 failed",
            ),
            (
                "declined, reported later by another event",
                "charge.updated",
                json!({ "status": "failed", "captured": false }),
                "pi_1; ch_1 failed",
            ),
            (
                "pending",
                "charge.pending",
                json!({ "status": "pending", "captured": false, "amount_captured": 0 }),
                "pi_1; ch_1",
            ),
            ("pending, captured", "charge.pending", json!({ "status": "pending" }), "pi_1; ch_1"),
            ("a status of the future", "charge.succeeded", json!({ "status": "settling" }), "pi_1; ch_1"),
            (
                "without amount_captured (older versions)",
                "charge.succeeded",
                json!({ "amount_captured": null }),
                done,
            ),
            ("without captured (older versions)", "charge.succeeded", json!({ "captured": null }), done),
            (
                "no amounts at all",
                "charge.succeeded",
                json!({ "amount": null, "amount_captured": null }),
                "pi_1; ch_1 succeeded",
            ),
            bare("charge.succeeded", done),
            bare("charge.captured", done),
            bare("charge.refunded", done),
            bare("charge.updated", "pi_1; ch_1"),
            bare("charge.pending", "pi_1; ch_1"),
            bare("charge.failed", "pi_1; ch_1 failed"),
            ("authorised, no status", "charge.succeeded", reserved, "pi_1; ch_1"),
        ],
    );
}

#[test]
fn refunded_amounts() {
    let refunds = json!({ "data": [
        { "id": "re_1", "amount": 300, "status": "succeeded" },
        { "id": "re_2", "amount": 200, "status": "pending" },
    ] });
    let refunded = "charge.refunded";
    check_all(
        &charge(),
        &[
            (
                "a part",
                refunded,
                json!({ "amount_refunded": 1_000 }),
                "pi_1; ch_1 captured 2500 refunded 1000 succeeded",
            ),
            (
                "all",
                refunded,
                json!({ "amount_refunded": 2_500, "refunded": true }),
                "pi_1; ch_1 captured 2500 refunded 2500 succeeded",
            ),
            (
                "captured in part, only the uncaptured rest released",
                refunded,
                json!({ "amount_captured": 1_500, "amount_refunded": 1_000 }),
                "pi_1; ch_1 captured 1500 succeeded",
            ),
            (
                "captured in part, some of it refunded",
                refunded,
                json!({ "amount_captured": 1_500, "amount_refunded": 1_200 }),
                "pi_1; ch_1 captured 1500 refunded 200 succeeded",
            ),
            (
                "captured in part, all of it refunded",
                refunded,
                json!({ "amount_captured": 1_500, "amount_refunded": 2_500 }),
                "pi_1; ch_1 captured 1500 refunded 1500 succeeded",
            ),
            (
                "an authorisation is released",
                refunded,
                json!({ "captured": false, "amount_captured": 0, "amount_refunded": 2_500 }),
                "pi_1; ch_1",
            ),
            (
                "without amount_captured (older versions)",
                refunded,
                json!({ "amount_captured": null, "amount_refunded": 1_000 }),
                "pi_1; ch_1 captured 2500 refunded 1000 succeeded",
            ),
            (
                "with embedded refunds",
                refunded,
                json!({ "amount_refunded": 500, "refunds": refunds }),
                "pi_1; ch_1 captured 2500 refunded 500 succeeded; re_1 300 succeeded; re_2 200 pending",
            ),
            (
                "an update with embedded refunds",
                "charge.updated",
                json!({ "amount_refunded": 500, "refunds": refunds }),
                "pi_1; ch_1 captured 2500 refunded 500 succeeded; re_1 300 succeeded; re_2 200 pending",
            ),
            ("no refunded amount", refunded, json!({ "amount_refunded": null }), "quarantined unreadable"),
        ],
    );
}
