//! The payment intent in every status, its next actions and its errors.

use super::{declined_card, iban, keeps, note, read, text};
use serde_json::json;
use stripe::Object;
use stripe::write::{
    ApiVersion, CaptureMethod, Declined, IntentStatus, MethodType, NextAction, PaymentFailure, PaymentIntent,
};

fn intent() -> PaymentIntent {
    PaymentIntent {
        id: "pi_1".to_owned(),
        created: 1_790_000_000,
        livemode: false,
        currency: "eur".to_owned(),
        amount: 4999,
        amount_capturable: 0,
        amount_received: 2000,
        status: IntentStatus::Succeeded,
        capture_method: CaptureMethod::AutomaticAsync,
        description: text("Ten credits"),
        metadata: note(),
        customer: text("cus_1"),
        latest_charge: text("ch_1"),
        payment_method: text("pm_1"),
        payment_method_types: vec![MethodType::Card, MethodType::SepaDebit],
        next_action: None,
        last_payment_error: None,
        canceled_at: None,
        cancellation_reason: None,
        client_secret: "pi_1_secret_1".to_owned(),
    }
}

#[test]
fn payment_intents() {
    let next = NextAction::Redirect { return_url: None, url: "https://bank.example.com".to_owned() };
    for version in ApiVersion::ALL {
        for &status in IntentStatus::ALL {
            for &capture_method in CaptureMethod::ALL {
                let next_action = (status == IntentStatus::RequiresAction).then(|| next.clone());
                let last_payment_error = (status == IntentStatus::RequiresPaymentMethod).then(declined_card);
                let model =
                    PaymentIntent { status, capture_method, next_action, last_payment_error, ..intent() };
                keeps(&model);
                let object = model.render(version);
                let Object::PaymentIntent(read) = read("payment_intent.created", version, &object) else {
                    panic!("{object}");
                };
                assert_eq!((read.id.as_str(), read.latest_charge.as_deref()), ("pi_1", Some("ch_1")));
                assert_eq!((read.amount, read.amount_received), (Some(4999), Some(2000)));
                assert_eq!(read.status.as_deref(), Some(status.name()));
                assert_eq!(read.currency.as_deref(), Some("eur"));
                assert_eq!(read.metadata.get("order"), Some("\"7\" Ž"));
                assert_eq!(object["capture_method"], capture_method.name());
                assert_eq!(
                    (&object["customer"], &object["description"]),
                    (&json!("cus_1"), &json!("Ten credits"))
                );
                assert_eq!(object["next_action"].is_object(), status == IntentStatus::RequiresAction);
            }
        }
    }
}

#[test]
fn next_actions() {
    let redirect = NextAction::Redirect { return_url: text("https://a/"), url: "https://bank/".to_owned() };
    let transfer = NextAction::BankTransfer {
        amount_remaining: 2500,
        currency: "eur".to_owned(),
        reference: "R1".to_owned(),
    };
    for (action, rendered) in [
        (redirect, json!({ "return_url": "https://a/", "url": "https://bank/" })),
        (
            transfer,
            json!({
                "amount_remaining": 2500, "currency": "eur", "reference": "R1", "type": "eu_bank_transfer",
            }),
        ),
    ] {
        let model = PaymentIntent { next_action: Some(action), ..intent() };
        keeps(&model);
        let object = model.render(ApiVersion::Endive);
        let kind = object["next_action"]["type"].as_str().unwrap();
        assert_eq!(object["next_action"], json!({ kind: rendered, "type": kind }));
    }
}

/// Fields that do not apply to a decline are absent.
#[test]
fn refusals() {
    let card = declined_card();
    let unconfirmed = PaymentFailure {
        code: "payment_intent_authentication_failure".to_owned(),
        decline_code: None,
        message: "The provided PaymentMethod has failed authentication.".to_owned(),
    };
    let sepa =
        PaymentFailure { code: String::new(), decline_code: text("generic_decline"), ..unconfirmed.clone() };
    for (declined, kind, absent) in [
        (card.clone(), "card_error", [].as_slice()),
        (Declined { failure: sepa, method: iban(), ..card.clone() }, "card_error", &["doc_url"]),
        (
            Declined { failure: unconfirmed, charge: None, ..card },
            "invalid_request_error",
            &["advice_code", "charge", "decline_code"],
        ),
    ] {
        let last_payment_error = Some(declined.clone());
        let model = PaymentIntent { last_payment_error, ..intent() };
        let object = model.render(ApiVersion::Endive);
        let error = &object["last_payment_error"];
        assert_eq!(error["type"], kind, "{error}");
        assert_eq!(error["code"], declined.failure.code);
        assert_eq!(error["payment_method"]["type"], declined.method.method_type().name());
        for name in ["advice_code", "charge", "decline_code", "doc_url"] {
            assert_eq!(error.get(name).is_none(), absent.contains(&name), "{name} in {error}");
        }
    }
}
