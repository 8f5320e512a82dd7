//! The fields of objects in three API versions, as Stripe's documentation lists them: fields that a version
//! removed must be missing, fields that it added must be present.

use serde_json::Value;

use crate::running::{Emulator, NEWEST, text};

const VERSIONS: [&str; 3] = ["2022-11-15", "2025-03-31.basil", NEWEST];

/// Fields in every version, and fields in some versions with the versions that have them.
type Fields = (&'static [&'static str], &'static [(&'static str, [bool; 3])]);

const SESSION: Fields = (
    &[
        "id",
        "object",
        "amount_subtotal",
        "amount_total",
        "automatic_tax",
        "cancel_url",
        "client_reference_id",
        "created",
        "currency",
        "customer",
        "customer_details",
        "expires_at",
        "invoice",
        "livemode",
        "metadata",
        "mode",
        "payment_intent",
        "payment_link",
        "payment_method_types",
        "payment_status",
        "status",
        "subscription",
        "success_url",
        "total_details",
        "url",
    ],
    &[
        ("line_items", [false, false, false]),
        ("currency_conversion", [true, true, false]),
        ("managed_payments", [false, false, true]),
    ],
);
const INTENT: Fields = (
    &[
        "id",
        "object",
        "amount",
        "amount_capturable",
        "amount_received",
        "capture_method",
        "client_secret",
        "created",
        "currency",
        "customer",
        "last_payment_error",
        "latest_charge",
        "livemode",
        "metadata",
        "next_action",
        "payment_method",
        "status",
    ],
    &[("invoice", [true, false, false]), ("charges", [false, false, false])],
);
const CHARGE: Fields = (
    &[
        "id",
        "object",
        "amount",
        "amount_captured",
        "amount_refunded",
        "balance_transaction",
        "billing_details",
        "captured",
        "created",
        "currency",
        "customer",
        "disputed",
        "failure_code",
        "failure_message",
        "livemode",
        "metadata",
        "outcome",
        "paid",
        "payment_intent",
        "payment_method",
        "payment_method_details",
        "receipt_url",
        "refunded",
        "status",
    ],
    &[("invoice", [true, false, false]), ("refunds", [false, false, false])],
);
const REFUND: Fields = (
    &[
        "id",
        "object",
        "amount",
        "balance_transaction",
        "charge",
        "created",
        "currency",
        "metadata",
        "payment_intent",
        "reason",
        "status",
    ],
    // Refunds have no `livemode`; only the event has it.
    &[("livemode", [false, false, false])],
);
const DISPUTE: Fields = (
    &[
        "id",
        "object",
        "amount",
        "balance_transactions",
        "charge",
        "created",
        "currency",
        "evidence",
        "evidence_details",
        "is_charge_refundable",
        "livemode",
        "metadata",
        "payment_intent",
        "reason",
        "status",
    ],
    &[("intended_submission_method", [false, false, true])],
);

#[test]
fn objects_have_the_fields_of_the_requested_version() {
    let emulator = Emulator::start("");
    let session = emulator.buy("", "4000000000000259");
    let intent = text(&session["payment_intent"]);
    emulator.control("POST", "advance", r#"{"seconds":3600}"#);
    let other = text(&emulator.buy("", "4242424242424242")["payment_intent"]);
    let refund =
        emulator.stripe(NEWEST, "POST", "/v1/refunds", &format!("payment_intent={other}&amount=500"));

    let wanted = [
        (format!("/v1/checkout/sessions/{}", text(&session["id"])), SESSION),
        (format!("/v1/payment_intents/{intent}"), INTENT),
        (format!("/v1/charges/{}", text(&refund["charge"])), CHARGE),
        (format!("/v1/refunds/{}", text(&refund["id"])), REFUND),
        (format!("/v1/disputes?payment_intent={intent}"), DISPUTE),
    ];
    let mut wrong = Vec::new();
    for (path, fields) in &wanted {
        for (number, version) in VERSIONS.into_iter().enumerate() {
            let mut object = emulator.stripe(version, "GET", path, "");
            if object["object"] == "list" {
                object = object["data"][0].take();
            }
            wrong.extend(
                differences(&object, *fields, number).map(|text| format!("{version} {path}: {text}")),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn differences(object: &Value, (always, some): Fields, version: usize) -> impl Iterator<Item = String> {
    let always = always.iter().map(|field| (*field, true));
    let some = some.iter().map(move |(field, versions)| (*field, versions[version]));
    always.chain(some).filter_map(|(field, expected)| {
        let found = object.get(field).is_some();
        let problem = if found { "should be missing" } else { "is missing" };
        (found != expected).then(|| format!("`{field}` {problem}"))
    })
}
