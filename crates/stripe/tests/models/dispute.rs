//! The dispute and the inquiry in every status, and the movements of the balance.

use super::{keeps, note, read, text};
use serde_json::json;
use std::collections::BTreeMap;
use stripe::Object;
use stripe::write::{ApiVersion, Dispute, DisputeStatus, Leg, MethodType};

fn dispute() -> Dispute {
    Dispute {
        id: "dp_1".to_owned(),
        created: 1_790_000_000,
        livemode: false,
        currency: "eur".to_owned(),
        amount: 4999,
        charge: "ch_1".to_owned(),
        payment_intent: text("pi_1"),
        status: DisputeStatus::NeedsResponse,
        reason: "product_not_received".to_owned(),
        evidence: BTreeMap::new(),
        submission_count: 0,
        due_by: 1_790_777_600,
        is_charge_refundable: false,
        method: MethodType::Card,
        legs: Vec::new(),
        metadata: note(),
    }
}

#[test]
fn disputes() {
    let leg = |id: &str, amount, fee| Leg { id: id.to_owned(), created: 1_790_000_000, amount, fee };
    let both = vec![leg("txn_1", -4999, 1500), leg("txn_2", 3000, 0)];
    let evidence = BTreeMap::from([("uncategorized_text".to_owned(), "winning_evidence".to_owned())]);
    for version in ApiVersion::ALL {
        for &status in DisputeStatus::ALL {
            for &method in MethodType::ALL {
                let inquiry = status.is_inquiry();
                let model = Dispute {
                    status,
                    evidence: if inquiry { BTreeMap::new() } else { evidence.clone() },
                    submission_count: u32::from(!inquiry),
                    is_charge_refundable: inquiry,
                    method,
                    legs: if inquiry { Vec::new() } else { both.clone() },
                    ..dispute()
                };
                keeps(&model);
                let object = model.render(version);
                let Object::Dispute(read) = read("charge.dispute.updated", version, &object) else {
                    panic!("{object}");
                };
                assert_eq!((read.id.as_str(), read.amount), ("dp_1", 4999));
                assert_eq!(read.status, stripe::DisputeStatus::from_name(status.name()));
                assert!(!matches!(read.status, stripe::DisputeStatus::Other(_)), "{object}");
                assert_eq!(
                    (read.charge.as_deref(), &read.payment_intent),
                    (Some("ch_1"), &model.payment_intent)
                );
                assert_eq!(read.reason.as_deref(), Some("product_not_received"));
                let moved: Vec<i64> = read.balance_transactions.iter().map(|leg| leg.amount).collect();
                assert_eq!(moved, if inquiry { vec![] } else { vec![-4999, 3000] });
                assert_eq!(object["is_charge_refundable"], inquiry);
                assert_eq!(object["evidence_details"]["has_evidence"], !inquiry);
                assert_eq!(object["evidence"]["uncategorized_text"].is_null(), inquiry);
                let case = if inquiry { json!("inquiry") } else { json!("chargeback") };
                let told = object.pointer("/payment_method_details/card/case_type");
                assert_eq!(told, (method == MethodType::Card).then_some(&case));
            }
        }
    }
}

#[test]
fn the_fee_for_a_dispute_is_a_part_of_the_net() {
    let leg = Leg { id: "txn_1".to_owned(), created: 7, amount: -4999, fee: 1500 };
    let object = Dispute { legs: vec![leg], ..dispute() }.render(ApiVersion::Endive);
    let movement = &object["balance_transactions"][0];
    for (name, value) in [
        ("id", json!("txn_1")),
        ("created", json!(7)),
        ("amount", json!(-4999)),
        ("fee", json!(1500)),
        ("net", json!(-6499)),
        ("reporting_category", json!("dispute")),
        ("source", json!("dp_1")),
    ] {
        assert_eq!(movement[name], value, "{name}");
    }
}
