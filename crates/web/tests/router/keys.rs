//! `/api/admin/keys`: the secret is shown once and works at once; a revoked key stops at once.

use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::{OTHER, TENANT};

async fn create(deployment: &Deployment, body: &Value) -> (Value, String) {
    let answer = deployment.post("/api/admin/keys", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    (answer.data()["key"].clone(), answer.data()["secret"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_key_from_its_first_use_to_its_last() {
    let deployment = Deployment::new().await;
    let asked = json!({ "name": "shop", "tenant_id": TENANT, "expires_in_days": 1 });
    let (key, secret) = create(&deployment, &asked).await;
    assert!(secret.starts_with("fp_") && secret.len() == 67, "{}", secret.len());
    let expected = json!({
        "id": key["id"], "name": "shop", "tenant_id": TENANT, "permissions": ["credits:read"],
        "created_at": "2024-02-20T10:41:40Z", "expires_at": "2024-02-21T10:41:40Z", "revoked_at": null,
    });
    assert_eq!(key, expected);
    let balance = deployment.get("/api/credits/balance", &secret).await.data();
    assert_eq!(balance["tenant_id"], TENANT);

    let listed = deployment.get("/api/admin/keys", &deployment.operator).await;
    assert!(listed.data().as_array().unwrap().contains(&key), "{listed:?}");
    assert!(!listed.text.contains("fp_"), "no list shows a secret");

    let revoke = format!("/api/admin/keys/{}/revoke", key["id"].as_str().unwrap());
    assert_eq!(deployment.post(&revoke, &Value::Null).await.data()["revoked"], true);
    assert_eq!(deployment.get("/api/credits/balance", &secret).await.status, 401);
    let again = deployment.post(&revoke, &Value::Null).await;
    assert_eq!(again.summary(), "404 NOT_FOUND There is no such key that still works.");
    let listed = deployment.look("/api/admin/keys").await;
    let listed = listed.as_array().unwrap().iter().find(|one| one["id"] == key["id"]).unwrap().clone();
    assert_eq!(listed["revoked_at"], "2024-02-20T10:41:40Z", "a revoked key stays on the list");
}

#[tokio::test]
async fn no_two_secrets_are_alike() {
    let deployment = Deployment::new().await;
    let asked = json!({ "name": "twin", "tenant_id": TENANT });
    let ((first, secret), (second, other)) =
        (create(&deployment, &asked).await, create(&deployment, &asked).await);
    assert!(first["id"] != second["id"] && secret != other);
}

#[tokio::test]
async fn what_a_key_may_be() {
    let deployment = Deployment::new().await;
    let (operator, secret) = create(&deployment, &json!({ "name": "night shift" })).await;
    assert_eq!((&operator["permissions"], &operator["tenant_id"]), (&json!(["operator"]), &Value::Null));
    assert_eq!(deployment.get("/api/admin/status", &secret).await.status, 200);

    let both = json!({ "name": "x", "tenant_id": OTHER, "permissions": ["credits:read", "credits:write"] });
    let (key, secret) = create(&deployment, &both).await;
    assert_eq!(key["permissions"], both["permissions"]);
    assert_eq!(deployment.get("/api/admin/status", &secret).await.status, 404);

    for (patch, expected) in [
        (json!({ "tenant_id": "acme" }), "tenant_id must be a UUID."),
        (json!({ "tenant_id": "" }), "tenant_id must be a UUID."),
        (json!({ "name": " " }), "name must be what the key is for."),
        (json!({ "permissions": [] }), "permissions must be some of operator."),
        (json!({ "permissions": ["credits:read"] }), "permissions must be some of operator."),
        (
            json!({ "tenant_id": TENANT, "permissions": ["operator"] }),
            "permissions must be some of credits:read, credits:write.",
        ),
        (
            json!({ "tenant_id": TENANT, "permissions": ["credits:read operator"] }),
            "permissions must be some of credits:read, credits:write.",
        ),
        (json!({ "expires_in_days": 0 }), "expires_in_days must be from 1 to 3650."),
        (json!({ "expires_in_days": -1 }), "expires_in_days must be from 1 to 3650."),
        (json!({ "expires_in_days": 3651 }), "expires_in_days must be from 1 to 3650."),
    ] {
        let mut asked = json!({ "name": "x" });
        for (key, value) in patch.as_object().unwrap() {
            asked[key] = value.clone();
        }
        let answer = deployment.post("/api/admin/keys", &asked).await;
        let expected = format!("422 VALIDATION_ERROR {expected} Nothing was changed.");
        assert_eq!(answer.summary(), expected, "{asked}");
    }
    let keys = deployment.look("/api/admin/keys").await;
    assert_eq!(keys.as_array().unwrap().len(), 3, "nothing else was made");
}
