//! A tenant's view of its own credits and payments; a reassigned payment reveals nothing of the other tenant.

use emulator::scenario::{Sale, event};
use serde_json::{Value, json};

use crate::deployment::{Deployment, ten_credits, terms};
use crate::{GUIDE_SAMPLE, OTHER, TENANT};

#[tokio::test]
async fn a_purchase_as_its_tenant_sees_it() {
    let deployment = Deployment::new().await;
    let key = deployment.reader(TENANT).await;
    let empty = json!({
        "tenant_id": TENANT, "available": 0, "held": 0, "frozen": 0, "debt": 0, "balance": 0,
    });
    assert_eq!(
        deployment.get("/api/credits/balance", &key).await.data(),
        empty,
        "a tenant without entries has a balance"
    );
    deployment.learn(GUIDE_SAMPLE).await;

    let balance = json!({ "available": 10, "held": 0, "frozen": 0, "debt": 0, "balance": 10 });
    let line = &deployment.get("/api/credits/transactions", &key).await.data()[0];
    assert_eq!(line["hash"].as_str().unwrap().len(), 64);
    let expected = json!({
        "id": 1, "type": "granted", "amount": 10, "credits": 10, "balance_after": balance,
        "payment": "cs_live_a1b2c3d4e5f6g7h8", "hold": null, "reference": null, "allocations": [], "cause": { "type": "event", "id": "evt_1234567890" },
        "postings": [
            { "account": "issued", "lot": 1, "amount": -10 }, { "account": "available", "lot": 1, "amount": 10 },
        ],
        "hash": line["hash"], "created_at": "2024-02-20T10:41:40Z",
    });
    assert_eq!(line, &expected);

    let lots = deployment.get("/api/credits/lots", &key).await.data();
    let expected = json!([{
        "id": 1, "payment": "cs_live_a1b2c3d4e5f6g7h8", "granted": 10, "revoked": 0, "available": 10, "held": 0,
        "frozen": 0, "purchased_at": "2024-02-20T10:40:00Z", "priority": 50, "expires_at": null,
    }]);
    assert_eq!(lots, expected);

    let payments = deployment.get("/api/payments?status=paid", &key).await.data();
    let expected = json!([{
        "id": "cs_live_a1b2c3d4e5f6g7h8", "tenant_id": TENANT, "status": "paid", "final": false, "review_reason": null,
        "package": "10_credits", "currency": "eur", "amount_paid": 25_000, "amount_lost": 0, "amount_pending": 0,
        "refunds_by_hand": false,
        "credits": { "granted": 10, "revoked": 0, "frozen": 0 }, "refunds": [], "disputes": [],
        "early_fraud_warning": false, "created_at": "2024-02-20T10:41:40Z", "updated_at": "2024-02-20T10:41:40Z",
    }]);
    assert_eq!(payments, expected);
    let others = deployment.get("/api/payments?status=final", &key).await.data();
    assert_eq!(others, json!([]), "no payment has this status");
}

/// Two sessions name one payment intent and different tenants; the earlier one counts, even if sent last.
#[tokio::test]
async fn a_reassigned_payment_reveals_nothing_of_the_other_tenant() {
    let deployment = Deployment::new().await;
    let sold = |tenant: &str, credits: u32, created: i64| {
        let sale = Sale { metadata: terms(tenant, credits), created, ..ten_credits() };
        event("checkout.session.completed", &sale, &format!("at{created}"), None).unwrap().body
    };
    deployment.learn(GUIDE_SAMPLE.replace(TENANT, OTHER)).await;
    deployment.learn(sold(OTHER, 777, 1_708_425_600)).await;
    deployment.learn(sold(TENANT, 10, 1_708_425_599)).await;
    assert_eq!((deployment.available(TENANT).await, deployment.available(OTHER).await), (10, 10));

    let (own, other) = (deployment.reader(TENANT).await, deployment.reader(OTHER).await);
    let shown = deployment.get("/api/payments/pi_r", &own).await;
    let kinds = |shown: &Value| -> Vec<String> {
        let lines = shown["timeline"].as_array().unwrap().iter();
        let lines = lines.filter(|line| line["type"] == "transaction");
        lines.map(|line| line["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(&shown.data()), ["10 credits added"], "{}", shown.text);
    let text = shown.data().to_string();
    assert!(!text.contains("787") && !text.contains("777"), "the other tenant's balance: {text}");
    assert_eq!(deployment.get("/api/payments/pi_r", &other).await.status, 404, "it is no longer theirs");

    let all = deployment.look("/api/payments/pi_r").await;
    assert_eq!(all["review_reason"], "claims_conflict");
    let expected = [
        "777 credits added",
        "10 credits added",
        "777 credits withdrawn, because they were not this tenant's",
    ];
    let mut found = kinds(&all);
    found.sort_by_key(|text| expected.iter().position(|one| one == text));
    assert_eq!(found, expected, "the operator sees both");
    deployment.check_books().await;
}
