//! Checkout sessions: whether they are paid, and the terms that their metadata claims.

use engine::{DeploymentScope, MetadataKeys};
use serde_json::{Value, json};

use crate::{check, check_all, check_bytes, event, live, with};

const COMPLETED: &str = "checkout.session.completed";
const SUCCEEDED: &str = "checkout.session.async_payment_succeeded";
const FAILED: &str = "checkout.session.async_payment_failed";
const EXPIRED: &str = "checkout.session.expired";
const TERMS: &str = "session terms T 10_credits 10 eur 2500 2100";

fn session() -> Value {
    json!({
        "id": "cs_1", "object": "checkout.session", "amount_total": 2_500, "amount_subtotal": 2_100,
        "currency": "eur", "payment_intent": "pi_1", "payment_status": "paid", "status": "complete",
        "metadata": { "tenant_id": "T", "package": "10_credits", "credits": "10" },
    })
}

#[test]
fn the_payment_status_decides_whether_a_session_is_paid() {
    let status = |status: &str| json!({ "payment_status": status });
    let with_terms = |text: &str| format!("pi_1 cs_1; {text}; {TERMS}");
    let rows = [
        ("paid", COMPLETED, status("paid"), with_terms("paid; completed")),
        (
            "setup mode saves a card and sells nothing",
            COMPLETED,
            json!({ "mode": "setup", "payment_status": "no_payment_required" }),
            "pi_1 cs_1; completed".to_owned(),
        ),
        (
            "nothing due",
            COMPLETED,
            json!({ "payment_status": "no_payment_required", "amount_total": 0 }),
            "pi_1 cs_1; paid; completed; session terms T 10_credits 10 eur 0 2100".to_owned(),
        ),
        (
            "no payment required, but an amount",
            COMPLETED,
            status("no_payment_required"),
            with_terms("completed; status unknown"),
        ),
        (
            "a subscription began",
            COMPLETED,
            json!({ "mode": "subscription", "payment_intent": null, "subscription": "sub_1", "invoice": "in_1" }),
            format!("cs_1 in_1 sub_1; completed; invoice paid; {TERMS} recurring"),
        ),
        (
            "a trial began",
            COMPLETED,
            json!({ "mode": "subscription", "payment_status": "no_payment_required", "amount_total": 0 }),
            "pi_1 cs_1; completed; session terms T 10_credits 10 eur 0 2100 recurring".to_owned(),
        ),
        ("a delayed method", COMPLETED, status("unpaid"), with_terms("completed")),
        ("a delayed method cleared", SUCCEEDED, status("paid"), with_terms("paid")),
        ("cleared, without a status", SUCCEEDED, json!({ "payment_status": null }), with_terms("paid")),
        ("a delayed method bounced", FAILED, status("unpaid"), with_terms("async_failed")),
        ("expired unpaid", EXPIRED, status("unpaid"), with_terms("expired")),
        // A session with a total of zero has `no_payment_required` from its creation. If it expires, nothing
        // was bought.
        ("expired, no payment required", EXPIRED, status("no_payment_required"), with_terms("expired")),
        ("a status of the future", COMPLETED, status("partly_paid"), with_terms("completed; status unknown")),
        ("no status", COMPLETED, json!({ "payment_status": null }), with_terms("completed; status unknown")),
        ("no status, expired", EXPIRED, json!({ "payment_status": null }), with_terms("expired")),
    ];
    let rows =
        rows.each_ref().map(|(name, kind, patch, reading)| (*name, *kind, patch.clone(), reading.as_str()));
    check_all(&session(), &rows);
}

#[test]
fn terms_are_read_as_they_were_written() {
    let metadata = |metadata: Value| json!({ "metadata": metadata });
    check_all(
        &session(),
        &[
            ("no metadata", COMPLETED, json!({ "metadata": null }), "pi_1 cs_1; paid; completed"),
            ("other metadata", COMPLETED, metadata(json!({ "order": "7" })), "pi_1 cs_1; paid; completed"),
            (
                "credits that are not a whole number",
                COMPLETED,
                metadata(json!({ "tenant_id": "x", "credits": "10.5" })),
                "pi_1 cs_1; paid; completed; session terms x - 10.5 eur 2500 2100",
            ),
            (
                "a currency in capitals",
                COMPLETED,
                json!({ "currency": "EUR" }),
                "pi_1 cs_1; paid; completed; session terms T 10_credits 10 eur 2500 2100",
            ),
            (
                "no amounts",
                COMPLETED,
                json!({ "amount_total": null, "amount_subtotal": null, "currency": null }),
                "pi_1 cs_1; paid; completed; session terms T 10_credits 10 - - -",
            ),
            (
                "tax inside the total",
                COMPLETED,
                json!({ "total_details": { "amount_discount": 0, "amount_tax": 400 } }),
                "pi_1 cs_1; paid; completed; tax 400; session terms T 10_credits 10 eur 2500 2100",
            ),
            (
                "total details without tax",
                COMPLETED,
                json!({ "total_details": { "amount_tax": null } }),
                "pi_1 cs_1; paid; completed; session terms T 10_credits 10 eur 2500 2100",
            ),
            (
                "tax in setup mode",
                COMPLETED,
                json!({ "mode": "setup", "total_details": { "amount_tax": 400 } }),
                "pi_1 cs_1; completed",
            ),
            (
                "no payment intent",
                COMPLETED,
                json!({ "payment_intent": null }),
                "cs_1; paid; completed; session terms T 10_credits 10 eur 2500 2100",
            ),
            (
                "an expanded payment intent",
                COMPLETED,
                json!({ "payment_intent": { "id": "pi_1" } }),
                "pi_1 cs_1; paid; completed; session terms T 10_credits 10 eur 2500 2100",
            ),
            (
                "credits as a number",
                COMPLETED,
                metadata(json!({ "credits": 10 })),
                "pi_1 cs_1; paid; completed; session terms - - - eur 2500 2100 unreadable",
            ),
            (
                "a negative tax",
                COMPLETED,
                json!({ "total_details": { "amount_tax": -1 } }),
                "pi_1 cs_1; paid; completed; session terms T 10_credits 10 eur 2500 2100 unreadable",
            ),
            (
                "an amount as a float",
                COMPLETED,
                json!({ "amount_total": 2500.0 }),
                "pi_1 cs_1; paid; completed; session terms T 10_credits 10 eur - 2100 unreadable",
            ),
            (
                "an amount as a float, without our metadata",
                COMPLETED,
                json!({ "amount_total": 2500.0, "metadata": {} }),
                "pi_1 cs_1; paid; completed; partial amount_invalid",
            ),
        ],
    );
}

#[test]
fn the_metadata_keys_are_configurable() {
    let keys =
        MetadataKeys { tenant: "tenant_id".into(), package: "package_id".into(), credits: "credits".into() };
    let scope = DeploymentScope { metadata: keys, ..live() };
    let fairplace = json!({ "metadata": { "tenant_id": "T", "user_id": "U", "package_id": "P" } });
    let sold = event(COMPLETED, &with(&session(), &fairplace));
    check(
        "other metadata keys, configured",
        &scope,
        &sold,
        "pi_1 cs_1; paid; completed; session terms T P - eur 2500 2100",
    );
    check(
        "other metadata keys, not configured",
        &live(),
        &sold,
        "pi_1 cs_1; paid; completed; session terms T - - eur 2500 2100",
    );
}

#[test]
fn the_sample_of_the_guide_can_be_read() {
    let sample = include_bytes!("../../../stripe/tests/fixtures/guide-sample.json");
    let expected = "cs_live_a1b2c3d4e5f6g7h8; paid; completed; \
                    session terms 550e8400-e29b-41d4-a716-446655440000 10_credits 10 eur 25000 -";
    check_bytes("live", &live(), sample, expected);
    check_bytes("test", &DeploymentScope { mode: store::Mode::Test, ..live() }, sample, expected);
}
