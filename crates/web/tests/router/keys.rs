//! `/api/admin/keys`: a secret is shown once and works immediately; a revoked key stops working immediately.

use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::office::{Office, waits};
use crate::{OTHER, TENANT};

async fn create(deployment: &Deployment, body: &Value) -> (Value, String) {
    let answer = deployment.post("/api/admin/keys", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    (answer.data()["key"].clone(), answer.data()["secret"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_key_works_until_it_is_revoked() {
    let deployment = Deployment::new().await;
    let request = json!({ "name": "shop", "tenant_id": TENANT, "expires_in_days": 1 });
    let (key, secret) = create(&deployment, &request).await;
    assert!(secret.starts_with("fp_") && secret.len() == 67, "{}", secret.len());
    let expected = json!({
        "id": key["id"], "name": "shop", "kind": "tenant", "tenant_id": TENANT, "person_id": null,
        "permissions": ["credits:read"],
        "created_at": "2024-02-20T10:41:40Z", "expires_at": "2024-02-21T10:41:40Z", "revoked_at": null,
    });
    assert_eq!(key, expected);
    let balance = deployment.get("/api/credits/balance", &secret).await.data();
    assert_eq!(balance["tenant_id"], TENANT);

    let listed = deployment.get("/api/admin/keys", &deployment.operator).await;
    assert!(listed.data().as_array().unwrap().contains(&key), "{listed:?}");
    assert!(!listed.text.contains("fp_"), "no list shows a secret");

    let revoke = format!("/api/admin/keys/{}/revoke", key["id"].as_str().unwrap());
    assert_eq!(deployment.post(&revoke, &json!({})).await.data()["state"], "done");
    assert_eq!(deployment.get("/api/credits/balance", &secret).await.status, 401);
    let again = deployment.post(&revoke, &json!({})).await;
    assert_eq!(again.summary(), "404 NOT_FOUND There is no such key that still works.");
    let listed = deployment.look("/api/admin/keys").await;
    let listed = listed.as_array().unwrap().iter().find(|one| one["id"] == key["id"]).unwrap().clone();
    assert_eq!(listed["revoked_at"], "2024-02-20T10:41:40Z", "a revoked key stays on the list");
}

/// Rotates a key; returns the response's data.
async fn rotate(deployment: &Deployment, key: &Value, body: &Value) -> Value {
    let answer = deployment.post(&format!("/api/admin/keys/{}/rotate", key.as_str().unwrap()), body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.data()
}

#[tokio::test]
async fn a_rotated_key_works_during_its_grace_period() {
    let deployment = Deployment::new().await;
    let permissions = json!(["credits:read", "credits:write"]);
    let request =
        json!({ "name": "shop", "tenant_id": TENANT, "permissions": permissions, "expires_in_days": 2 });
    let (old, old_secret) = create(&deployment, &request).await;
    deployment.pass(3600);
    let rotated = rotate(&deployment, &old["id"], &json!({ "grace_period_hours": 2 })).await;
    let (key, secret) = (&rotated["key"], rotated["secret"].as_str().unwrap());
    let expected = json!({
        "id": key["id"], "name": "shop", "kind": "tenant", "tenant_id": TENANT, "person_id": null,
        "permissions": permissions,
        "created_at": "2024-02-20T11:41:40Z", "expires_at": "2024-02-22T10:41:40Z", "revoked_at": null,
    });
    assert_eq!(*key, expected);
    assert!(key["id"] != old["id"] && secret != old_secret);
    let mut replaced = old.clone();
    replaced["expires_at"] = "2024-02-20T13:41:40Z".into();
    assert_eq!(rotated["replaced"], replaced);

    let both = async || {
        let ask = async |key: &str| deployment.get("/api/credits/balance", key).await.status;
        (ask(&old_secret).await, ask(secret).await)
    };
    assert_eq!(both().await, (200, 200));
    deployment.pass(2 * 3600 - 1);
    assert_eq!(both().await, (200, 200), "the grace period's last second");
    deployment.pass(1);
    assert_eq!(both().await, (401, 200));
    let again = format!("/api/admin/keys/{}/rotate", old["id"].as_str().unwrap());
    let expected = "404 NOT_FOUND There is no such key that still works.";
    assert_eq!(deployment.post(&again, &json!({})).await.summary(), expected);

    let revoke = format!("/api/admin/keys/{}/revoke", key["id"].as_str().unwrap());
    assert_eq!(deployment.post(&revoke, &json!({})).await.status, 200);
    assert_eq!(both().await, (401, 401), "a revoked key stops working immediately");
}

#[tokio::test]
async fn the_grace_period_is_configurable() {
    let deployment = Deployment::new().await;
    let post = async |id: &Value, body: &str| {
        let path = format!("/api/admin/keys/{}/rotate", id.as_str().unwrap());
        deployment.request(axum::http::Method::POST, &path, Some(&deployment.operator), body).await
    };
    for (days, body, ends) in [
        (None, "", "2024-02-21T10:41:40Z"),
        (None, "{}", "2024-02-21T10:41:40Z"),
        (None, r#"{"grace_period_hours":0}"#, "2024-02-20T10:41:40Z"),
        (None, r#"{"grace_period_hours":168}"#, "2024-02-27T10:41:40Z"),
        (Some(3), r#"{"grace_period_hours":168}"#, "2024-02-23T10:41:40Z"),
    ] {
        let request = json!({ "name": "x", "tenant_id": TENANT, "expires_in_days": days });
        let (key, secret) = create(&deployment, &request).await;
        let rotated = post(&key["id"], body).await.data();
        assert_eq!((&rotated["replaced"]["expires_at"]), ends, "{body}");
        assert_eq!(rotated["key"]["expires_at"], key["expires_at"], "{body}");
        let status = deployment.get("/api/credits/balance", &secret).await.status;
        assert_eq!(status, if body.contains(":0") { 401 } else { 200 }, "{body}");
    }
    let (key, _) = create(&deployment, &json!({ "name": "x", "tenant_id": TENANT })).await;
    let before = deployment.look("/api/admin/keys").await;
    for (body, expected) in [
        (
            r#"{"grace_period_hours":-1}"#,
            "422 VALIDATION_ERROR grace_period_hours must be a whole number from 0 to 168.",
        ),
        (
            r#"{"grace_period_hours":169}"#,
            "422 VALIDATION_ERROR grace_period_hours must be a whole number from 0 to 168.",
        ),
        (r#"{"grace_period_hours":1.5}"#, "400 BAD_REQUEST The body cannot be read: "),
        (r#"{"grace_period":1}"#, "400 BAD_REQUEST The body cannot be read: unknown field"),
    ] {
        let summary = post(&key["id"], body).await.summary();
        assert!(summary.starts_with(expected), "{body}: {summary}");
    }
    assert_eq!(deployment.look("/api/admin/keys").await, before, "nothing was changed");
}

#[tokio::test]
async fn every_key_has_its_own_id_and_secret() {
    let deployment = Deployment::new().await;
    let request = json!({ "name": "twin", "tenant_id": TENANT });
    let ((first, secret), (second, other)) =
        (create(&deployment, &request).await, create(&deployment, &request).await);
    assert!(first["id"] != second["id"] && secret != other);
}

#[tokio::test]
async fn keys_of_every_kind_are_created_and_invalid_ones_refused() {
    let deployment = Deployment::new().await;
    let both = json!({ "name": "x", "tenant_id": OTHER, "permissions": ["credits:read", "credits:write"] });
    let (key, secret) = create(&deployment, &both).await;
    assert_eq!(key["permissions"], both["permissions"]);
    assert_eq!(deployment.get("/api/admin/status", &secret).await.status, 404);
    let request = json!({ "name": "backend", "kind": "service", "reason": "the shop", "alone": true });
    let (key, secret) = create(&deployment, &request).await;
    assert_eq!(json!([key["kind"], key["tenant_id"], key["person_id"]]), json!(["service", null, null]));
    assert_eq!(deployment.get("/api/admin/status", &secret).await.status, 404);
    let path = format!("/api/credits/balance?tenant_id={TENANT}");
    assert_eq!(deployment.get(&path, &secret).await.status, 200);
    let request = json!({ "name": "phone", "kind": "operator", "reason": "on call", "alone": true });
    let (key, secret) = create(&deployment, &request).await;
    assert_eq!(json!([key["kind"], key["person_id"]]), json!(["operator", "person_grace"]));
    assert_eq!(deployment.get("/api/admin/status", &secret).await.status, 200);

    let tenants = json!({ "tenant_id": TENANT });
    for (base, patch, expected) in [
        (&tenants, json!({ "tenant_id": "acme" }), "tenant_id must be a UUID."),
        (&tenants, json!({ "tenant_id": "" }), "tenant_id must be a UUID."),
        (&json!({}), json!({}), "tenant_id must be a UUID."),
        (&tenants, json!({ "name": " " }), "name must be what the key is for, without control characters."),
        (&tenants, json!({ "name": "a\u{1b}[2Jb" }), "name must be what the key is for, without"),
        (&tenants, json!({ "permissions": [] }), "permissions must be some of credits:read, credits:write."),
        (&tenants, json!({ "permissions": ["operator"] }), "permissions must be some of credits:read, "),
        (&tenants, json!({ "permissions": ["credits:read operator"] }), "permissions must be some of "),
        (&tenants, json!({ "permissions": ["credits:read", "operator"] }), "permissions must be some of "),
        (
            &tenants,
            json!({ "kind": "operator" }),
            "tenant_id must be left out: it is for a key of kind tenant.",
        ),
        (&tenants, json!({ "kind": "service" }), "tenant_id must be left out"),
        (&tenants, json!({ "kind": "root" }), "kind must be one of tenant, service, operator."),
        (
            &tenants,
            json!({ "person": "Grace" }),
            "person must be left out: it is for a key of kind operator.",
        ),
        (
            &json!({ "kind": "service" }),
            json!({ "permissions": ["credits:read"] }),
            "permissions must be left",
        ),
        (&json!({ "kind": "service" }), json!({}), "reason must be 1 to 500 characters"),
        (
            &json!({ "kind": "service", "reason": "r" }),
            json!({ "name": "backend" }),
            "name must be one that no",
        ),
        (&tenants, json!({ "expires_in_days": 0 }), "expires_in_days must be from 1 to 3650."),
        (&tenants, json!({ "expires_in_days": -1 }), "expires_in_days must be from 1 to 3650."),
        (&tenants, json!({ "expires_in_days": 3651 }), "expires_in_days must be from 1 to 3650."),
    ] {
        let mut request = base.clone();
        request["name"] = "x".into();
        request.as_object_mut().unwrap().extend(patch.as_object().unwrap().clone());
        let summary = deployment.post("/api/admin/keys", &request).await.summary();
        assert!(summary.starts_with(&format!("422 VALIDATION_ERROR {expected}")), "{request}: {summary}");
        assert!(summary.ends_with(" Nothing was changed."), "{summary}");
    }
    let keys = deployment.look("/api/admin/keys").await;
    assert_eq!(keys.as_array().unwrap().len(), 4, "nothing else was created");
}

/// Service and operator keys take two people, and exist only once the second person has approved.
#[tokio::test]
async fn service_and_operator_keys_take_two_people() {
    let office = Office::new().await;
    let deployment = &office.client.deployment;
    let path = format!("/api/credits/balance?tenant_id={TENANT}");
    for (kind, route) in [("service", path.as_str()), ("operator", "/api/admin/status")] {
        let request = json!({ "name": format!("the {kind}"), "kind": kind, "reason": "r" });
        let answer = deployment.post("/api/admin/keys", &request).await;
        let (id, secret) = (waits(&answer), answer.data()["secret"].as_str().unwrap().to_owned());
        assert_eq!(deployment.get(route, &secret).await.status, 401, "it does not exist yet");
        let shown = deployment.look(&format!("/api/admin/actions/{id}")).await;
        assert!(!shown.to_string().contains(&secret) && !shown.to_string().contains("hash"), "{shown}");
        assert_eq!(office.decide(&office.grace, &id, "approve").await.status, 403);
        assert_eq!(office.decide(&office.bob, &id, "approve").await.status, 200);
        assert_eq!(deployment.get(route, &secret).await.status, 200);
    }
    let keys = deployment.look("/api/admin/keys").await;
    let id = |name: &str| {
        let found = keys.as_array().unwrap().iter().find(|key| key["name"] == name);
        found.unwrap()["id"].as_str().unwrap().to_owned()
    };
    let rotate = async |who: &str, name: &str| {
        let path = format!("keys/{}/rotate", id(name));
        office.post(who, &path, "unused", &json!({ "reason": "r" })).await
    };
    let service = rotate(&office.grace, "the service").await;
    assert!(service.data()["replaced"]["expires_at"].is_null(), "nothing has changed yet");
    waits(&service);
    let replaced = id("the operator");
    assert_eq!(
        rotate(&office.grace, "the operator").await.status,
        201,
        "her own key: rotating it grants nothing new"
    );
    // A second rotation fails, so its owner notices when someone else has rotated the key.
    let path = format!("keys/{replaced}/rotate");
    let again = office.post(&office.grace, &path, "unused", &json!({ "reason": "r" })).await.summary();
    assert!(again.starts_with("403 FORBIDDEN This key was already rotated"), "{again}");
    let other = rotate(&office.bob, "the operator").await;
    assert_eq!(other.status, 403, "{}", other.text);
}
