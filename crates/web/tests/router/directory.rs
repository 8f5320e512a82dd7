//! Tenants as operators list, read and edit them.

use serde_json::{Value, json};

use crate::tenant_client::TenantClient;
use crate::{OTHER, TENANT};

#[tokio::test]
async fn tenants_are_listed_shown_and_edited() {
    let client = TenantClient::new().await;
    client.deployment.pass(60);
    client.stranger().await;
    let names = async |query: &str| -> Vec<String> {
        let rows = client.deployment.look(&format!("/api/admin/tenants?{query}")).await;
        rows.as_array().unwrap().iter().map(|row| row["tenant_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("").await, [OTHER, TENANT], "newest first");
    assert_eq!(names("sort=created_at&per_page=1").await, [TENANT]);
    assert!(names("debt=true").await.is_empty() && names("low=true").await.is_empty());

    let path = format!("/api/admin/tenants/{TENANT}");
    let set = client.deployment.post(&path, &json!({ "name": "Acme Homes", "low_balance": 11 })).await.data();
    let expected = json!({
        "tenant_id": TENANT, "name": "Acme Homes", "available": 10, "held": 0, "frozen": 0, "debt": 0,
        "balance": 10,
        "low_balance": 11, "created_at": "2024-02-20T10:41:40Z",
    });
    assert_eq!(set, expected);
    assert_eq!(names("low=true").await, [TENANT]);
    client.hold("h", 3).await;
    let shown = client.deployment.look(&path).await;
    let counts = ["open_holds", "lots", "payments_in_quarantine", "held"].map(|field| shown[field].clone());
    assert_eq!(json!(counts), json!([1, 1, 0, 3]));
    client.deployment.pass(15 * 86_400);
    assert_eq!(client.deployment.look(&path).await["open_holds"], 0, "the hold has expired");

    assert_eq!(
        client.deployment.post(&path, &json!({})).await.data()["name"],
        "Acme Homes",
        "omitted fields stay unchanged"
    );
    let set = client.deployment.post(&path, &json!({ "name": null, "low_balance": null })).await.data();
    assert_eq!(json!([set["name"], set["low_balance"]]), json!([null, null]));

    assert_eq!(client.spend("s", 5).await.status, 200);
    client.refund().await;
    assert_eq!(names("debt=true").await, [TENANT]);
}

#[tokio::test]
async fn invalid_input_changes_nothing() {
    let client = TenantClient::new().await;
    let path = format!("/api/admin/tenants/{TENANT}");
    for (body, status) in [
        (json!({ "name": "" }), 422),
        (json!({ "name": "a\tb" }), 422),
        (json!({ "name": "x".repeat(201) }), 422),
        (json!({ "low_balance": 0 }), 422),
        (json!({ "low_balance": -1 }), 422),
        (json!({ "low_balance": 1.0 }), 422),
        (json!({ "low_balance": 1_000_000_001 }), 422),
        (json!({ "available": 1000 }), 400),
        (Value::Null, 400),
    ] {
        assert_eq!(client.deployment.post(&path, &body).await.status, status, "{body}");
    }
    for missing in [OTHER, "nobody", "%2E"] {
        let path = format!("/api/admin/tenants/{missing}");
        assert_eq!(client.deployment.post(&path, &json!({ "name": "x" })).await.status, 404, "{missing}");
        assert_eq!(client.deployment.get(&path, &client.deployment.operator).await.status, 404, "{missing}");
    }
    assert_eq!(client.deployment.look(&path).await["name"], Value::Null);
}

/// The ledger sends the notice, at the threshold that an operator set.
#[tokio::test]
async fn a_low_balance_sends_one_notice() {
    let client = TenantClient::new().await;
    let path = format!("/api/admin/tenants/{TENANT}");
    client.deployment.post(&path, &json!({ "low_balance": 8 })).await.data();
    for (name, credits) in [("a", 2), ("b", 1), ("c", 1)] {
        assert_eq!(client.spend(name, credits).await.status, 200);
    }
    let sql = "SELECT count(*) FROM notices WHERE type = 'balance.low'";
    let notices: i64 = client.deployment.backdoor().query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(notices, 1, "once, when it fell from 8 to 7");
}
