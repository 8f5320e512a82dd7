//! The session in every status, and its fields that this crate does not read.

use super::{keeps, note, read, text};
use serde_json::{Value, json};
use stripe::Object;
use stripe::write::{
    ApiVersion, BillingDetails, CustomerCreation, MethodType, Payment, Session, SessionStatus,
};

fn session() -> Session {
    Session {
        id: "cs_test_a1".to_owned(),
        created: 1_790_000_000,
        expires_at: 1_790_086_400,
        livemode: false,
        currency: "eur".to_owned(),
        amount_subtotal: 4165,
        amount_tax: 834,
        amount_total: 4999,
        status: SessionStatus::Open,
        payment_status: Payment::Unpaid,
        payment_intent: None,
        customer: text("cus_1"),
        customer_email: text("buyer@example.com"),
        customer_details: None,
        customer_creation: CustomerCreation::Always,
        client_reference_id: text("tenant-1"),
        metadata: note(),
        success_url: text("https://shop.example.com/done"),
        cancel_url: None,
        url: text("http://127.0.0.1:12111/c/pay/cs_test_a1"),
        payment_method_types: vec![MethodType::Card, MethodType::SepaDebit],
        automatic_tax: true,
    }
}

#[test]
fn sessions() {
    for version in ApiVersion::ALL {
        for &status in SessionStatus::ALL {
            for &payment_status in Payment::ALL {
                let payment_intent = (status == SessionStatus::Complete).then(|| "pi_1".to_owned());
                let model = Session { status, payment_status, payment_intent, ..session() };
                keeps(&model);
                let object = model.render(version);
                let Object::CheckoutSession(read) = read("checkout.session.completed", version, &object)
                else {
                    panic!("{object}");
                };
                assert_eq!(read.id, model.id);
                assert_eq!(read.status.as_deref(), Some(status.name()));
                assert_eq!(
                    read.payment_status,
                    Some(stripe::PaymentStatus::from_name(payment_status.name()))
                );
                assert!(!matches!(read.payment_status, Some(stripe::PaymentStatus::Other(_))), "{object}");
                assert_eq!(read.mode.as_deref(), Some("payment"));
                assert_eq!((read.amount_subtotal, read.amount_total), (Some(4165), Some(4999)));
                assert_eq!(read.amount_tax, Some(834));
                assert_eq!(read.currency.as_deref(), Some("eur"));
                assert_eq!(read.payment_intent, model.payment_intent);
                assert_eq!(read.client_reference_id, model.client_reference_id);
                assert_eq!(read.metadata.get("order"), Some("\"7\" Ž"));
            }
        }
    }
}

#[test]
fn what_a_session_says_besides() {
    let object = session().render(ApiVersion::Endive);
    for (path, value) in [
        ("/url", json!("http://127.0.0.1:12111/c/pay/cs_test_a1")),
        ("/success_url", json!("https://shop.example.com/done")),
        ("/cancel_url", Value::Null),
        ("/customer", json!("cus_1")),
        ("/customer_email", json!("buyer@example.com")),
        ("/customer_creation", json!("always")),
        ("/customer_details", Value::Null),
        ("/payment_method_types", json!(["card", "sepa_debit"])),
        ("/total_details/amount_tax", json!(834)),
        ("/automatic_tax/enabled", json!(true)),
        ("/automatic_tax/status", json!("requires_location_inputs")),
        ("/ui_mode", json!("hosted_page")),
    ] {
        assert_eq!(object.pointer(path), Some(&value), "{path}");
    }
    let customer_details = Some(BillingDetails { country: text("AT"), ..BillingDetails::default() });
    let object = Session { customer_details, ..session() }.render(ApiVersion::Basil);
    assert_eq!(object["automatic_tax"]["status"], "complete");
    assert_eq!(object["customer_details"]["address"]["country"], "AT");
    assert_eq!(object["customer_details"]["email"], Value::Null);
    assert_eq!(object["ui_mode"], "hosted");
}
