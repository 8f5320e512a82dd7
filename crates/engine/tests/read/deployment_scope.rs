//! Which events belong to this deployment, which only link objects, which are ignored, and which cannot be
//! read.

use engine::DeploymentScope;
use serde_json::{Value, json};
use store::Mode;

use crate::{check, check_all, check_bytes, event, live, with};

fn intent() -> Value {
    json!({
        "id": "pi_1", "object": "payment_intent", "amount": 2_500, "amount_received": 2_500,
        "latest_charge": "ch_1",
    })
}

#[test]
fn a_payment_intent_links_and_never_grants() {
    let linked = "pi_1; pi_1 received 2500; ch_1";
    check_all(
        &intent(),
        &[
            (
                "created",
                "payment_intent.created",
                json!({ "latest_charge": null, "amount_received": 0 }),
                "pi_1",
            ),
            ("processing", "payment_intent.processing", json!({}), linked),
            ("requires action", "payment_intent.requires_action", json!({}), linked),
            ("succeeded", "payment_intent.succeeded", json!({}), linked),
            (
                "succeeded, expanded",
                "payment_intent.succeeded",
                json!({ "latest_charge": { "id": "ch_1" } }),
                linked,
            ),
            ("capturable", "payment_intent.amount_capturable_updated", json!({}), linked),
            (
                "partially funded",
                "payment_intent.partially_funded",
                json!({ "latest_charge": null, "amount_received": 0 }),
                "pi_1",
            ),
            (
                "an attempt failed",
                "payment_intent.payment_failed",
                json!({ "amount_received": 0 }),
                "pi_1; ch_1 failed",
            ),
            (
                "an attempt failed before a charge",
                "payment_intent.payment_failed",
                json!({ "latest_charge": null, "amount_received": null }),
                "pi_1",
            ),
            ("canceled", "payment_intent.canceled", json!({ "amount_received": 0 }), "pi_1; expired; ch_1"),
            (
                "a part was received",
                "payment_intent.partially_funded",
                json!({ "amount_received": 1 }),
                "pi_1; pi_1 received 1; ch_1",
            ),
            (
                "its own metadata",
                "payment_intent.succeeded",
                json!({ "metadata": { "tenant_id": "T", "credits": "10" }, "currency": "eur" }),
                "pi_1; pi_1 received 2500; ch_1; payment intent terms T - 10 eur 2500 -",
            ),
            (
                "of an invoice",
                "payment_intent.succeeded",
                json!({ "invoice": "in_1" }),
                "pi_1 in_1; pi_1 received 2500; ch_1",
            ),
            (
                "a figure that cannot be read",
                "payment_intent.succeeded",
                json!({ "amount_received": "2500" }),
                "pi_1; ch_1; partial amount_invalid",
            ),
            ("no id", "payment_intent.succeeded", json!({ "id": null }), "quarantined unreadable"),
        ],
    );
}

#[test]
fn an_early_fraud_warning_is_recorded() {
    let warning = json!({ "id": "issfr_1", "charge": "ch_1", "payment_intent": "pi_1", "actionable": true });
    let (created, updated) = ("radar.early_fraud_warning.created", "radar.early_fraud_warning.updated");
    check_all(
        &warning,
        &[
            ("raised", created, json!({}), "pi_1 issfr_1; ch_1"),
            ("no longer actionable", updated, json!({ "actionable": false }), "pi_1 issfr_1; ch_1"),
            ("with a charge only", created, json!({ "payment_intent": null }), "issfr_1; ch_1"),
        ],
    );
}

#[test]
fn events_of_another_mode_or_account_never_count() {
    let (test, ours) = (DeploymentScope { mode: Mode::Test, ..live() }, Some("acct_1".to_owned()));
    let connected = DeploymentScope { account: ours, ..live() };
    let succeeded = event("payment_intent.succeeded", &intent());
    let patched = |patch: Value| with(&succeeded, &patch);
    let rows = [
        ("live at live", live(), json!({}), "pi_1; pi_1 received 2500; ch_1"),
        ("test at live", live(), json!({ "livemode": false }), "quarantined wrong_mode"),
        ("live at test", test.clone(), json!({}), "quarantined wrong_mode"),
        ("test at test", test.clone(), json!({ "livemode": false }), "pi_1; pi_1 received 2500; ch_1"),
        ("without livemode, at live", live(), json!({ "livemode": null }), "pi_1; pi_1 received 2500; ch_1"),
        (
            "without livemode, at test",
            test.clone(),
            json!({ "livemode": null }),
            "pi_1; pi_1 received 2500; ch_1",
        ),
        ("livemode as text", live(), json!({ "livemode": "true" }), "quarantined unreadable"),
        (
            "a connected account, none served",
            live(),
            json!({ "account": "acct_1" }),
            "quarantined foreign_account",
        ),
        (
            "the account that is served",
            connected.clone(),
            json!({ "account": "acct_1" }),
            "pi_1; pi_1 received 2500; ch_1",
        ),
        (
            "the platform account, where a connected account is served",
            connected.clone(),
            json!({}),
            "quarantined foreign_account",
        ),
        ("another account", connected, json!({ "account": "acct_2" }), "quarantined foreign_account"),
        (
            "wrong mode comes first",
            live(),
            json!({ "livemode": false, "account": "acct_2" }),
            "quarantined wrong_mode",
        ),
        (
            "ignored type, in any mode",
            live(),
            json!({ "livemode": false, "type": "customer.created" }),
            "ignored",
        ),
        (
            "ignored type, of any account",
            test,
            json!({ "account": "acct_2", "type": "payout.paid" }),
            "ignored",
        ),
    ];
    for (name, scope, patch, expected) in rows {
        check(name, &scope, &patched(patch), expected);
    }
}

#[test]
fn events_that_are_not_about_payments_are_ignored_unread() {
    for kind in [
        "invoice.created",
        "customer.subscription.updated",
        "charge.future_thing",
        "Checkout.Session.Completed",
    ] {
        check(kind, &live(), &event(kind, &json!({ "amount": "not even a number" })), "ignored");
    }
}

#[test]
fn a_thin_event_about_a_payment_is_quarantined() {
    let thin = |kind: &str| json!({ "id": "evt_1", "object": "v2.core.event", "type": kind, "created": "2026-11-20T09:15:30.123Z", "livemode": true });
    for (kind, expected) in [
        ("v1.checkout.session.completed", "quarantined thin_event"),
        ("v1.charge.refunded", "quarantined thin_event"),
        ("v1.refund.failed", "quarantined thin_event"),
        ("v1.charge.dispute.closed", "quarantined thin_event"),
        ("v1.customer.created", "ignored"),
        ("v1.v1.charge.refunded", "ignored"),
        ("v2.core.account.updated", "ignored"),
        ("charge.refunded", "ignored"),
    ] {
        check(kind, &live(), &thin(kind), expected);
    }
    let fixture = include_bytes!("../../../stripe/tests/fixtures/thin.json");
    check_bytes("as Stripe sends it", &live(), fixture, "quarantined thin_event");
}

#[test]
fn unreadable_events_are_quarantined() {
    let bodies: [(&str, &[u8]); 12] = [
        ("nothing", b""),
        ("invalid JSON", b"{"),
        ("invalid UTF-8", b"{\"id\":\"\xff\"}"),
        ("an array", b"[]"),
        ("a string", b"\"evt_1\""),
        ("an empty object", b"{}"),
        ("another object of Stripe", br#"{"id":"cs_1","object":"checkout.session"}"#),
        ("no object", br#"{"id":"evt_1","type":"charge.refunded","created":1,"data":{}}"#),
        (
            "an object that is an array",
            br#"{"id":"evt_1","type":"charge.refunded","created":1,"data":{"object":[]}}"#,
        ),
        (
            "a time as a float",
            br#"{"id":"evt_1","type":"charge.refunded","created":1.5,"data":{"object":{}}}"#,
        ),
        (
            "two ids",
            br#"{"id":"evt_1","id":"evt_2","type":"charge.refunded","created":1,"data":{"object":{}}}"#,
        ),
        (
            "no id inside",
            br#"{"id":"evt_1","type":"charge.refunded","created":1,"data":{"object":{"amount_refunded":1}}}"#,
        ),
    ];
    for (name, body) in bodies {
        check_bytes(name, &live(), body, "quarantined unreadable");
    }
}
