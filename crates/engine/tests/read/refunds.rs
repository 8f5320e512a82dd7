//! Refunds: how far each has come. Whoever writes a status that we do not know may be moving money.

use serde_json::{Value, json};

use crate::check_all;

fn refund() -> Value {
    json!({
        "id": "re_1", "object": "refund", "amount": 1_200, "charge": "ch_1", "payment_intent": "pi_1",
        "status": "succeeded",
    })
}

#[test]
fn how_far_a_refund_has_come() {
    let status = |status: &str| json!({ "status": status });
    let (pending, gone) = ("pi_1; ch_1; re_1 1200 pending", "pi_1; ch_1; re_1 1200 succeeded");
    let (failed, canceled) = ("pi_1; ch_1; re_1 1200 failed", "pi_1; ch_1; re_1 1200 canceled");
    check_all(
        &refund(),
        &[
            ("under way", "refund.created", status("pending"), pending),
            ("waits for the customer", "refund.created", status("requires_action"), pending),
            ("a status of the future freezes", "refund.updated", status("reviewing"), pending),
            ("done", "refund.created", status("succeeded"), gone),
            ("done, later", "refund.updated", status("succeeded"), gone),
            ("done, by the older name", "charge.refund.updated", status("succeeded"), gone),
            ("failed", "refund.failed", status("failed"), failed),
            ("failed, by the older name", "charge.refund.updated", status("failed"), failed),
            ("failed, and the snapshot lags", "refund.failed", status("succeeded"), failed),
            ("failed, and the snapshot lags more", "refund.failed", status("pending"), failed),
            ("called off", "refund.updated", status("canceled"), canceled),
            ("failed stays called off", "refund.failed", status("canceled"), canceled),
            ("no charge", "refund.created", json!({ "charge": null }), "pi_1; re_1 1200 succeeded"),
            (
                "no payment intent",
                "refund.created",
                json!({ "payment_intent": null }),
                "ch_1; re_1 1200 succeeded",
            ),
            (
                "neither",
                "refund.created",
                json!({ "charge": null, "payment_intent": null }),
                "re_1 1200 succeeded",
            ),
            ("no amount", "refund.created", json!({ "amount": null }), "quarantined unreadable"),
            ("a negative amount", "refund.created", json!({ "amount": -1 }), "quarantined unreadable"),
            ("no status, which freezes", "refund.created", json!({ "status": null }), pending),
            ("no status, and it failed", "refund.failed", json!({ "status": null }), failed),
            (
                "a status that is no text",
                "refund.created",
                json!({ "status": 7 }),
                "pi_1; ch_1; re_1 1200 pending; partial wrong_type",
            ),
        ],
    );
}
