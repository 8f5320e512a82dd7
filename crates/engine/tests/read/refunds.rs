//! Refunds: the status of each. An unknown status counts as pending, because money may be moving.

use serde_json::{Value, json};

use crate::check_all;

fn refund() -> Value {
    json!({
        "id": "re_1", "object": "refund", "amount": 1_200, "charge": "ch_1", "payment_intent": "pi_1",
        "status": "succeeded",
    })
}

#[test]
fn refund_statuses() {
    let status = |status: &str| json!({ "status": status });
    let (pending, gone) = ("pi_1; ch_1; re_1 1200 pending", "pi_1; ch_1; re_1 1200 succeeded");
    let (failed, canceled) = ("pi_1; ch_1; re_1 1200 failed", "pi_1; ch_1; re_1 1200 canceled");
    check_all(
        &refund(),
        &[
            ("pending", "refund.created", status("pending"), pending),
            ("requires action by the customer", "refund.created", status("requires_action"), pending),
            ("a status of the future freezes", "refund.updated", status("reviewing"), pending),
            ("succeeded", "refund.created", status("succeeded"), gone),
            ("succeeded later", "refund.updated", status("succeeded"), gone),
            ("succeeded, by the older event type", "charge.refund.updated", status("succeeded"), gone),
            ("failed", "refund.failed", status("failed"), failed),
            ("failed, by the older event type", "charge.refund.updated", status("failed"), failed),
            ("failed, and the snapshot says succeeded", "refund.failed", status("succeeded"), failed),
            ("failed, and the snapshot says pending", "refund.failed", status("pending"), failed),
            ("canceled", "refund.updated", status("canceled"), canceled),
            ("failed, and the snapshot says canceled", "refund.failed", status("canceled"), canceled),
            ("no charge", "refund.created", json!({ "charge": null }), "pi_1; re_1 1200 succeeded"),
            (
                "no payment intent",
                "refund.created",
                json!({ "payment_intent": null }),
                "ch_1; re_1 1200 succeeded",
            ),
            (
                "neither charge nor payment intent",
                "refund.created",
                json!({ "charge": null, "payment_intent": null }),
                "re_1 1200 succeeded",
            ),
            ("no amount", "refund.created", json!({ "amount": null }), "quarantined unreadable"),
            ("a negative amount", "refund.created", json!({ "amount": -1 }), "quarantined unreadable"),
            ("no status, which freezes", "refund.created", json!({ "status": null }), pending),
            ("no status, and it failed", "refund.failed", json!({ "status": null }), failed),
            (
                "a status that is not a string",
                "refund.created",
                json!({ "status": 7 }),
                "pi_1; ch_1; re_1 1200 pending; partial wrong_type",
            ),
        ],
    );
}
