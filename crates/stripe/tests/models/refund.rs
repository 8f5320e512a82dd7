//! The refund in every status, with every payment method.

use super::{keeps, note, read, text};
use serde_json::json;
use stripe::Object;
use stripe::write::{ApiVersion, MethodType, Refund, RefundStatus};

#[test]
fn refunds() {
    for version in ApiVersion::ALL {
        for &status in RefundStatus::ALL {
            for &method in MethodType::ALL {
                let failed = status == RefundStatus::Failed;
                let model = Refund {
                    id: "re_1".to_owned(),
                    created: 1_790_000_000,
                    currency: "eur".to_owned(),
                    amount: 2500,
                    charge: (method != MethodType::BankTransfer).then(|| "ch_1".to_owned()),
                    payment_intent: text("pi_1"),
                    status,
                    reason: None,
                    failure_reason: failed.then(|| "lost_or_stolen_card".to_owned()),
                    reference: (status == RefundStatus::Succeeded).then(|| "7435".to_owned()),
                    balance_transaction: text("txn_1"),
                    failure_balance_transaction: failed.then(|| "txn_2".to_owned()),
                    method,
                    payment_method: text("pm_1"),
                    customer: text("cus_1"),
                    metadata: note(),
                };
                keeps(&model);
                let object = model.render(version);
                let Object::Refund(read) = read("refund.updated", version, &object) else {
                    panic!("{object}");
                };
                assert_eq!((read.id.as_str(), read.amount), ("re_1", 2500));
                assert_eq!(read.status, Some(stripe::RefundStatus::from_name(status.name())));
                assert!(!matches!(read.status, Some(stripe::RefundStatus::Other(_))), "{object}");
                assert_eq!((&read.charge, &read.payment_intent), (&model.charge, &model.payment_intent));
                assert_eq!(read.failure_reason, model.failure_reason);
                assert_eq!(read.currency.as_deref(), Some("eur"));
                assert_eq!(object.get("failure_balance_transaction").is_some(), failed);
                assert_eq!(object.get("pending_reason").is_some(), status == RefundStatus::Pending);
                assert_eq!(object.get("livemode"), None);
                assert_eq!(object["metadata"], json!(note()));
                let destination = &object["destination_details"];
                let details = &destination[destination["type"].as_str().unwrap()];
                let known = if model.reference.is_some() { "available" } else { "pending" };
                assert_eq!(details["reference_status"], known, "{destination}");
            }
        }
    }
}
