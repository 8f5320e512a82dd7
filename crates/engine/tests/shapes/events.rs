//! The events of each shape, reduced to the fields that matter. All of them are about one purchase: ten
//! credits for 250.00 EUR.

use std::collections::BTreeMap;

use serde_json::{Value, json};

const COMPLETED: &str = "checkout.session.completed";
const SUCCEEDED: &str = "checkout.session.async_payment_succeeded";
const FAILED: &str = "checkout.session.async_payment_failed";
const EXPIRED: &str = "checkout.session.expired";

/// The events of every shape, by the name of the shape's row in the table.
pub(crate) fn shapes() -> BTreeMap<String, Vec<Value>> {
    let mut number = 0;
    let mut event = |(kind, object): (&str, Value)| {
        number += 1;
        json!({ "id": format!("evt_{number}"), "object": "event", "type": kind, "livemode": false,
            "created": 1_700_000_000 + number, "data": { "object": object } })
    };
    let all = sessions()
        .into_iter()
        .chain(captures())
        .chain(metadata_elsewhere())
        .chain(invoices())
        .chain(reversals());
    all.map(|(name, events)| (name.to_owned(), events.into_iter().map(&mut event).collect())).collect()
}

type Shape = (&'static str, Vec<(&'static str, Value)>);

fn terms() -> Value {
    json!({ "tenant_id": "550e8400-e29b-41d4-a716-446655440000", "package": "10_credits", "credits": "10" })
}

/// `base` with the fields of `patch`.
fn with(base: Value, patch: Value) -> Value {
    let (Value::Object(mut base), Value::Object(patch)) = (base, patch) else { panic!("two objects") };
    base.extend(patch);
    Value::Object(base)
}

/// A paid session in payment mode.
fn session(patch: Value) -> Value {
    let base = json!({ "id": "cs_1", "mode": "payment", "payment_status": "paid", "amount_total": 25_000,
        "amount_subtotal": 25_000, "currency": "eur", "payment_intent": "pi_1", "metadata": terms() });
    with(base, patch)
}

/// A charge that captured the whole amount, without metadata.
fn charge(patch: Value) -> Value {
    let base = json!({ "id": "ch_1", "payment_intent": "pi_1", "amount": 25_000, "amount_captured": 25_000,
        "amount_refunded": 0, "captured": true, "status": "succeeded", "currency": "eur", "metadata": {} });
    with(base, patch)
}

/// A payment intent that received the whole amount, without metadata.
fn intent(patch: Value) -> Value {
    let base = json!({ "id": "pi_1", "amount": 25_000, "amount_received": 25_000, "status": "succeeded",
        "currency": "eur", "latest_charge": "ch_1", "metadata": {} });
    with(base, patch)
}

/// A paid invoice without metadata of its own.
fn invoice(patch: Value) -> Value {
    let base = json!({ "id": "in_1", "amount_paid": 25_000, "currency": "eur", "status": "paid",
        "billing_reason": "subscription_create", "metadata": {}, "lines": { "data": [] } });
    with(base, patch)
}

/// An invoice's `parent`, since 2025-03-31.basil.
fn parent() -> Value {
    json!({ "type": "subscription_details",
        "subscription_details": { "subscription": "sub_1", "metadata": terms() } })
}

fn refund(patch: Value) -> Value {
    let base = json!({ "id": "re_1", "amount": 12_500, "charge": "ch_1", "payment_intent": "pi_1",
        "status": "succeeded", "currency": "eur" });
    with(base, patch)
}

fn dispute(patch: Value) -> Value {
    let base = json!({ "id": "du_1", "amount": 25_000, "charge": "ch_1", "payment_intent": "pi_1",
        "status": "needs_response", "currency": "eur", "balance_transactions": [] });
    with(base, patch)
}

fn unpaid() -> Value {
    session(json!({ "payment_status": "unpaid" }))
}

fn sessions() -> Vec<Shape> {
    let status = |status: &str| session(json!({ "payment_status": status }));
    vec![
        ("session_paid", vec![(COMPLETED, status("paid")), ("charge.succeeded", charge(json!({})))]),
        (
            "session_free",
            vec![(
                COMPLETED,
                session(json!({ "payment_status": "no_payment_required", "amount_total": 0,
                "payment_intent": null })),
            )],
        ),
        ("session_free_beside_an_amount", vec![(COMPLETED, status("no_payment_required"))]),
        ("session_status_unknown", vec![(COMPLETED, status("partly_paid"))]),
        ("session_setup", vec![(COMPLETED, session(json!({ "mode": "setup", "payment_intent": null })))]),
        ("session_unpaid", vec![(COMPLETED, unpaid())]),
        ("delayed_cleared", vec![(COMPLETED, unpaid()), (SUCCEEDED, status("paid"))]),
        ("delayed_failed", vec![(COMPLETED, unpaid()), (FAILED, unpaid())]),
        ("delayed_cleared_by_charge", vec![(COMPLETED, unpaid()), ("charge.succeeded", charge(json!({})))]),
        (
            "expired_and_captured",
            vec![
                (EXPIRED, session(json!({ "payment_status": "unpaid", "payment_intent": "pi_1" }))),
                ("payment_intent.succeeded", intent(json!({}))),
            ],
        ),
        ("session_amount_unreadable", vec![(COMPLETED, session(json!({ "amount_total": 250.0 })))]),
        ("session_currency_missing", vec![(COMPLETED, session(json!({ "currency": null })))]),
        (
            "session_mode_unknown",
            vec![(
                COMPLETED,
                session(json!({ "mode": "rental", "payment_status": "no_payment_required",
                    "amount_total": 0, "payment_intent": null })),
            )],
        ),
        (
            "session_unreadable_metadata_elsewhere",
            vec![
                (COMPLETED, session(json!({ "payment_intent": ["pi_1"], "metadata": {} }))),
                ("payment_intent.succeeded", intent(json!({ "metadata": terms() }))),
            ],
        ),
        (
            "session_tenant_invalid",
            vec![(
                COMPLETED,
                session(json!({ "metadata": with(terms(),
            json!({ "tenant_id": "acme" })) })),
            )],
        ),
        (
            "session_not_ours",
            vec![
                (COMPLETED, session(json!({ "metadata": { "order": "7" } }))),
                ("charge.succeeded", charge(json!({}))),
            ],
        ),
        (
            "charge_not_ours",
            vec![("charge.succeeded", charge(json!({}))), ("refund.created", refund(json!({})))],
        ),
    ]
}

fn captures() -> Vec<Shape> {
    let authorised = || charge(json!({ "captured": false, "amount_captured": 0 }));
    let part = || charge(json!({ "amount_captured": 1, "amount_refunded": 24_999 }));
    vec![
        (
            "captured_by_hand",
            vec![
                (COMPLETED, unpaid()),
                ("charge.succeeded", authorised()),
                ("payment_intent.amount_capturable_updated", intent(json!({ "amount_received": 0 }))),
                ("charge.captured", charge(json!({}))),
                ("payment_intent.succeeded", intent(json!({}))),
            ],
        ),
        ("authorised_only", vec![(COMPLETED, unpaid()), ("charge.succeeded", authorised())]),
        (
            "captured_in_part",
            vec![
                (COMPLETED, unpaid()),
                ("charge.succeeded", authorised()),
                ("charge.captured", part()),
                ("payment_intent.succeeded", intent(json!({ "amount_received": 1 }))),
            ],
        ),
        (
            "partially_funded",
            vec![
                (COMPLETED, unpaid()),
                ("payment_intent.partially_funded", intent(json!({ "amount_received": 9_900 }))),
            ],
        ),
        (
            "partially_funded_amount_missing",
            vec![
                (COMPLETED, session(json!({ "payment_status": "unpaid", "amount_total": null }))),
                ("payment_intent.partially_funded", intent(json!({ "amount_received": 1 }))),
            ],
        ),
        (
            "capture_unreadable",
            vec![(COMPLETED, unpaid()), ("charge.captured", charge(json!({ "amount_captured": "25000" })))],
        ),
    ]
}

fn metadata_elsewhere() -> Vec<Shape> {
    let bare = || session(json!({ "metadata": {} }));
    let ours = |object: Value| with(object, json!({ "metadata": terms() }));
    vec![
        (
            "intent_metadata_beside_session",
            vec![
                (COMPLETED, bare()),
                ("payment_intent.succeeded", ours(intent(json!({})))),
                ("charge.succeeded", ours(charge(json!({})))),
            ],
        ),
        ("intent_metadata_alone", vec![("payment_intent.succeeded", ours(intent(json!({}))))]),
        (
            "charge_metadata_alone",
            vec![("charge.succeeded", ours(charge(json!({ "payment_intent": null }))))],
        ),
        (
            "metadata_everywhere",
            vec![
                (COMPLETED, session(json!({}))),
                ("payment_intent.succeeded", ours(intent(json!({})))),
                ("charge.succeeded", ours(charge(json!({})))),
            ],
        ),
        (
            "metadata_differs",
            vec![
                (COMPLETED, session(json!({}))),
                (
                    "payment_intent.succeeded",
                    intent(json!({ "metadata": with(terms(), json!({ "credits": "50" })) })),
                ),
            ],
        ),
    ]
}

fn invoices() -> Vec<Shape> {
    let subscribed = |patch: Value| {
        let base = json!({ "mode": "subscription", "payment_intent": null, "subscription": "sub_1" });
        (COMPLETED, session(with(base, patch)))
    };
    let paid = |patch: Value| ("invoice.paid", invoice(patch));
    let refunded = || ("charge.refunded", charge(json!({ "amount_refunded": 25_000 })));
    vec![
        ("subscription_session", vec![subscribed(json!({ "invoice": "in_1" })), refunded()]),
        (
            "subscription_since_basil",
            vec![
                subscribed(json!({})),
                paid(json!({ "parent": parent() })),
                ("invoice.payment_succeeded", invoice(json!({ "parent": parent() }))),
                (
                    "invoice_payment.paid",
                    json!({ "id": "inpay_1", "invoice": "in_1", "amount_paid": 25_000,
                    "payment": { "type": "payment_intent", "payment_intent": "pi_1" } }),
                ),
                refunded(),
            ],
        ),
        (
            "subscription_before_basil",
            vec![
                subscribed(json!({ "invoice": "in_1" })),
                paid(json!({ "subscription": "sub_1", "payment_intent": "pi_1", "charge": "ch_1",
                    "subscription_details": { "metadata": terms() } })),
                ("charge.refunded", charge(json!({ "invoice": "in_1", "amount_refunded": 25_000 }))),
            ],
        ),
        (
            "renewal",
            vec![
                subscribed(json!({ "invoice": "in_0" })),
                paid(json!({ "billing_reason": "subscription_cycle", "parent": parent() })),
            ],
        ),
        (
            "invoice_lines",
            vec![paid(json!({ "billing_reason": "manual",
            "lines": { "data": [{ "id": "il_1", "metadata": terms() }] } }))],
        ),
        ("invoice_amount_missing", vec![paid(json!({ "amount_paid": null, "metadata": terms() }))]),
        (
            "session_unpaid_invoice_paid",
            vec![
                (COMPLETED, session(json!({ "payment_status": "unpaid", "invoice": "in_1" }))),
                paid(json!({ "billing_reason": "manual", "metadata": terms() })),
            ],
        ),
        (
            "session_bare_invoice_ours",
            vec![
                (COMPLETED, session(json!({ "invoice": "in_1", "metadata": {} }))),
                paid(json!({ "billing_reason": "manual", "metadata": terms() })),
            ],
        ),
        ("invoice_by_hand", vec![paid(json!({ "billing_reason": "manual", "metadata": terms() }))]),
        ("invoice_over_nothing", vec![paid(json!({ "amount_paid": 0, "parent": parent() }))]),
        ("trial", vec![subscribed(json!({ "payment_status": "no_payment_required", "amount_total": 0 }))]),
        (
            "session_with_invoice",
            vec![
                (COMPLETED, session(json!({ "invoice": "in_1" }))),
                paid(json!({ "billing_reason": "manual", "metadata": terms() })),
            ],
        ),
        ("invoice_not_ours", vec![paid(json!({}))]),
    ]
}

fn reversals() -> Vec<Shape> {
    let bought = || (COMPLETED, session(json!({})));
    let embedded = |status: Value| {
        charge(json!({ "amount_refunded": 12_500,
            "refunds": { "data": [{ "id": "re_1", "amount": 12_500, "status": status }] } }))
    };
    vec![
        (
            "refund_in_part",
            vec![
                bought(),
                ("charge.refunded", charge(json!({ "amount_refunded": 12_500 }))),
                ("refund.created", refund(json!({}))),
            ],
        ),
        ("refund_pending", vec![bought(), ("refund.created", refund(json!({ "status": "pending" })))]),
        (
            "refund_failed",
            vec![
                bought(),
                ("refund.created", refund(json!({}))),
                ("refund.failed", refund(json!({ "status": "failed" }))),
            ],
        ),
        ("refund_without_status", vec![bought(), ("refund.created", refund(json!({ "status": null })))]),
        ("refund_embedded", vec![bought(), ("charge.refunded", embedded(json!("succeeded")))]),
        ("refund_embedded_without_status", vec![bought(), ("charge.refunded", embedded(Value::Null))]),
        ("refund_of_unpaid", vec![(COMPLETED, unpaid()), ("refund.created", refund(json!({})))]),
        (
            "refund_of_unknown_amount",
            vec![
                (COMPLETED, session(json!({ "amount_total": null }))),
                ("refund.created", refund(json!({}))),
            ],
        ),
        (
            "refund_pending_of_unknown_amount",
            vec![
                (COMPLETED, session(json!({ "amount_total": null }))),
                ("refund.created", refund(json!({ "status": "pending" }))),
            ],
        ),
        (
            "refund_of_a_part_received",
            vec![
                (COMPLETED, unpaid()),
                ("payment_intent.partially_funded", intent(json!({ "amount_received": 10_000 }))),
                (SUCCEEDED, session(json!({}))),
                ("refund.created", refund(json!({ "amount": 10_000 }))),
            ],
        ),
        (
            "refund_amount_unreadable",
            vec![bought(), ("charge.refunded", charge(json!({ "amount_refunded": "25000" })))],
        ),
        (
            "inquiry",
            vec![
                bought(),
                ("charge.dispute.created", dispute(json!({ "status": "warning_needs_response" }))),
            ],
        ),
        ("dispute_open", vec![bought(), ("charge.dispute.created", dispute(json!({})))]),
        ("dispute_lost", vec![bought(), ("charge.dispute.closed", dispute(json!({ "status": "lost" })))]),
        (
            "dispute_won",
            vec![
                bought(),
                ("charge.dispute.created", dispute(json!({}))),
                ("charge.dispute.closed", dispute(json!({ "status": "won" }))),
            ],
        ),
    ]
}
