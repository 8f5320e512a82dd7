//! The charge in every status, with every payment method, and the early fraud warning.

use super::{card, declined_card, iban, keeps, note, read, text};
use serde_json::{Value, json};
use stripe::Object;
use stripe::write::{ApiVersion, BillingDetails, Charge, ChargeStatus, EarlyFraudWarning, Method};

fn charge() -> Charge {
    Charge {
        id: "ch_1".to_owned(),
        created: 1_790_000_000,
        livemode: false,
        currency: "eur".to_owned(),
        amount: 4999,
        amount_captured: 4000,
        amount_refunded: 3000,
        status: ChargeStatus::Succeeded,
        captured: true,
        paid: true,
        disputed: true,
        refunded: false,
        balance_transaction: None,
        payment_intent: text("pi_1"),
        payment_method: text("pm_1"),
        method: Method::BankTransfer,
        billing_details: BillingDetails::default(),
        failure: None,
        customer: text("cus_1"),
        description: text("Ten credits"),
        metadata: note(),
        receipt_url: None,
    }
}

#[test]
fn charges() {
    for version in ApiVersion::ALL {
        for &status in ChargeStatus::ALL {
            for method in [card(false), card(true), iban(), Method::BankTransfer] {
                for refunded in [false, true] {
                    let failure = (status == ChargeStatus::Failed).then(|| declined_card().failure);
                    let method = method.clone();
                    let model = Charge { status, refunded, captured: refunded, method, failure, ..charge() };
                    keeps(&model);
                    let object = model.render(version);
                    let Object::Charge(read) = read("charge.refunded", version, &object) else {
                        panic!("{object}");
                    };
                    assert_eq!((read.id.as_str(), read.payment_intent.as_deref()), ("ch_1", Some("pi_1")));
                    assert_eq!((read.amount, read.amount_captured), (Some(4999), Some(4000)));
                    assert_eq!((read.amount_refunded, read.refunded), (3000, refunded));
                    assert_eq!(
                        (read.status.as_deref(), read.captured),
                        (Some(status.name()), Some(refunded))
                    );
                    assert_eq!(read.currency.as_deref(), Some("eur"));
                    assert_eq!(read.failure_code, model.failure.as_ref().map(|failure| failure.code.clone()));
                    assert_eq!(read.metadata.get("order"), Some("\"7\" Ž"));
                    assert_eq!(object.get("refunds"), None);
                    assert_eq!(object["disputed"], true);
                    let details = &object["payment_method_details"];
                    let kind = model.method.method_type().name();
                    assert!(details["type"] == kind && details[kind].is_object(), "{details}");
                }
            }
        }
    }
}

#[test]
fn a_card_is_told_by_its_details() {
    for (three_d_secure, result) in [(false, Value::Null), (true, json!("authenticated"))] {
        let object = Charge { method: card(three_d_secure), ..charge() }.render(ApiVersion::Endive);
        let card = &object["payment_method_details"]["card"];
        for (name, value) in [
            ("brand", "mastercard"),
            ("network", "mastercard"),
            ("last4", "4444"),
            ("country", "DE"),
            ("funding", "debit"),
        ] {
            assert_eq!(card[name], value, "{name}");
        }
        assert_eq!(card["three_d_secure"]["result"], result);
        assert_eq!(card["three_d_secure"].is_null(), !three_d_secure);
    }
}

#[test]
fn early_fraud_warnings() {
    for version in ApiVersion::ALL {
        for actionable in [false, true] {
            let model = EarlyFraudWarning {
                id: "issfr_1".to_owned(),
                created: 1_790_000_000,
                livemode: false,
                charge: "ch_1".to_owned(),
                payment_intent: None,
                actionable,
                fraud_type: "misc".to_owned(),
            };
            keeps(&model);
            let object = model.render(version);
            let Object::EarlyFraudWarning(read) = read("radar.early_fraud_warning.updated", version, &object)
            else {
                panic!("{object}");
            };
            assert_eq!((read.id.as_str(), read.charge.as_deref()), ("issfr_1", Some("ch_1")));
            assert_eq!((read.payment_intent, read.actionable), (None, actionable));
            assert_eq!(read.fraud_type.as_deref(), Some("misc"));
        }
    }
}
