//! Errors: the fields of each response, and values that are never shown.

use serde_json::json;

use super::*;

#[test]
fn an_error_has_no_empty_fields() {
    let (status, body) = StripeError::no_such("charge", "ch_x", "id").render();
    assert_eq!(status, 404);
    assert_eq!(
        body,
        json!({"error": {
            "code": "resource_missing",
            "doc_url": "https://stripe.com/docs/error-codes/resource-missing",
            "message": "No such charge: 'ch_x'",
            "param": "id",
            "type": "invalid_request_error",
        }})
    );
    let (status, body) =
        StripeError::card("card_declined".into(), Some("lost_card".into()), "Your card was declined.")
            .charge("ch_1")
            .payment_intent(json!({"id": "pi_1"}))
            .render();
    assert_eq!(status, 402);
    assert_eq!(
        body,
        json!({"error": {
            "charge": "ch_1",
            "code": "card_declined",
            "decline_code": "lost_card",
            "doc_url": "https://stripe.com/docs/error-codes/card-declined",
            "message": "Your card was declined.",
            "payment_intent": {"id": "pi_1"},
            "type": "card_error",
        }})
    );
}

#[test]
fn statuses_and_types() {
    let cases = [
        (StripeError::no_key(), 401, "invalid_request_error"),
        (StripeError::wrong_key("sk_test_1"), 401, "invalid_request_error"),
        (StripeError::idempotency_mismatch("k"), 400, "idempotency_error"),
        (StripeError::idempotency_key_in_use("k"), 409, "idempotency_error"),
        (StripeError::unknown_url("GET", "/v1/x", "GET /v1/charges"), 404, "invalid_request_error"),
        (StripeError::amount_too_small("amount", 50, "eur"), 400, "invalid_request_error"),
        (StripeError::exclusive(&["customer", "customer_email"]), 400, "invalid_request_error"),
    ];
    for (error, status, kind) in cases {
        let rendered = error.render();
        assert_eq!(
            (rendered.0.as_u16(), rendered.1["error"]["type"].as_str()),
            (status, Some(kind)),
            "{error}"
        );
    }
}

#[test]
fn a_wrong_key_is_redacted() {
    let cases = [
        ("sk_test_0123456789abcd", "sk_test_****abcd"),
        ("sk_test_short", "sk_test_****"),
        ("rk_test_0123456789wxyz", "rk_test_****wxyz"),
        ("whatever, 0123456789", "****6789"),
        ("äöüäöüäöü", "****öäöü"),
        ("", "****"),
    ];
    for (key, shown) in cases {
        let message = StripeError::wrong_key(key).to_string();
        let expected = if key.starts_with('ä') { "****üäöü".len() } else { shown.len() };
        assert_eq!(message.len(), "Invalid API Key provided: ".len() + expected, "{key}: {message}");
        assert!(!message.contains("0123"), "{message}");
    }
    assert!(
        StripeError::wrong_key("sk_live_0123456789abcd").to_string().contains("does not accept live keys")
    );
}

#[test]
fn long_input_is_not_echoed_in_full() {
    let error = StripeError::no_such("charge", &"ü".repeat(10_000), "id");
    assert!(error.to_string().len() < 500);
}
