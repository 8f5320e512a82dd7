//! People: who is registered, what one of them does alone, and what the reports say of it.

use serde_json::{Value, json};
use store::KeyHolder;

use crate::deployment::Deployment;
use crate::office::{Office, problem, waits};
use crate::tenant_client::TenantClient;
use crate::{GUIDE_SAMPLE, TENANT};

#[tokio::test]
async fn a_person_is_registered_by_two_with_a_first_key() {
    let office = Office::new().await;
    let deployment = &office.client.deployment;
    let asked = json!({ "name": "Carol", "reason": "joined the team" });
    let answer = deployment.post("/api/admin/people", &asked).await;
    let (id, secret) = (waits(&answer), answer.data()["secret"].as_str().unwrap().to_owned());
    assert_eq!(deployment.get("/api/admin/status", &secret).await.status, 401);
    assert_eq!(office.decide(&office.bob, &id, "approve").await.status, 200);
    assert_eq!(deployment.get("/api/admin/status", &secret).await.status, 200);
    let people = deployment.look("/api/admin/people").await;
    let carol = people.as_array().unwrap().iter().find(|person| person["name"] == "Carol").unwrap();
    assert_eq!((&carol["created_by"], &carol["removed_at"]), (&"person_grace".into(), &Value::Null));
    for name in ["Carol", "carol", " ", "a\nb"] {
        let asked = json!({ "name": name, "reason": "r" });
        let summary = deployment.post("/api/admin/people", &asked).await.summary();
        assert!(summary.starts_with("422 VALIDATION_ERROR name must be"), "{name}: {summary}");
    }

    let remove = format!("/api/admin/people/{}/remove", carol["id"].as_str().unwrap());
    deployment.pass(1);
    let id = waits(&deployment.post(&remove, &json!({ "reason": "left" })).await);
    assert_eq!(deployment.get("/api/admin/status", &secret).await.status, 200, "she is still there");
    assert_eq!(office.decide(&office.bob, &id, "approve").await.status, 200);
    assert_eq!(deployment.get("/api/admin/status", &secret).await.status, 401);
    let again = deployment.post(&remove, &json!({ "reason": "left" })).await;
    assert_eq!(again.summary(), "404 NOT_FOUND There is no such registered person.");
}

/// While one person is registered, what takes two is done alone, and every report says so.
#[tokio::test]
async fn one_person_alone() {
    let client = TenantClient::new().await;
    let deployment = &client.deployment;
    let give = async |name: &str, more: Value| {
        let mut body = json!({ "tenant_id": TENANT, "credits": 500, "reason": "because" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let request = axum::http::Request::post("/api/admin/adjustments")
            .header("authorization", format!("Bearer {}", deployment.operator))
            .header("idempotency-key", name);
        deployment.send(request.body(axum::body::Body::from(body.to_string())).unwrap()).await
    };
    let refused = give("k", json!({})).await;
    assert_eq!((refused.status, problem(&refused).as_str()), (403, "SECOND_PERSON_REQUIRED"));
    assert!(
        refused.text.contains("`--alone`") && refused.text.contains("reports mark it"),
        "{}",
        refused.text
    );
    assert_eq!(client.balance().await, [10, 0, 0, 0]);
    let done = give("k", json!({ "alone": true })).await.data();
    assert_eq!((&done["state"], &done["alone"]), (&"done".into(), &true.into()), "the name was still free");
    let body = json!({ "name": "Bob", "reason": "second", "alone": true });
    assert_eq!(deployment.post("/api/admin/people", &body).await.status, 201);
    let refused = give("other", json!({ "alone": true })).await;
    assert_eq!(problem(&refused), "SECOND_PERSON_REQUIRED", "there are two now");
    waits(&give("other", json!({})).await);

    let report = deployment.look("/api/admin/reports/actions").await;
    let line = json!({ "person_id": "person_grace", "person": "Grace", "kind": "adjustment", "actions": 1,
        "credits": 500, "alone": 1, "alone_credits": 500, "approved": 0, "approved_credits": 0 });
    assert_eq!(report["lines"][0], line, "{report}");
    let request = axum::http::Request::get("/api/admin/reports/actions?format=csv")
        .header("authorization", format!("Bearer {}", deployment.operator));
    let csv = deployment.send_raw(request.body(axum::body::Body::empty()).unwrap()).await;
    let csv = axum::body::to_bytes(csv.into_body(), 10_000).await.unwrap();
    let csv = String::from_utf8(csv.to_vec()).unwrap();
    assert!(csv.contains("person_grace,Grace,adjustment,1,500,1,500,0,0\r\n"), "{csv}");
    let none = deployment.look("/api/admin/reports/actions?from=2024-02-21&to=2024-02-22").await;
    assert_eq!(none["lines"], json!([]));
    let wrong = deployment.get("/api/admin/reports/actions?from=soon", &deployment.operator).await;
    assert_eq!(wrong.status, 422);
}

/// The machine's own key acts for the only person, and for nobody once there are several.
#[tokio::test]
async fn the_key_of_the_machine() {
    let deployment = Deployment::new().await;
    let machine = deployment.key_of(KeyHolder::Machine, None).await.1;
    let post = async |path: &str, body: &Value| {
        deployment.request(axum::http::Method::POST, path, Some(&machine), &body.to_string()).await
    };
    let key = json!({ "name": "shop", "tenant_id": TENANT });
    let made = post("/api/admin/keys", &key).await;
    assert_eq!(made.data()["action"]["asked_by"]["name"], "Grace");
    deployment.colleague("Bob").await;
    let refused = post("/api/admin/keys", &key).await;
    assert!(refused.summary().starts_with("403 FORBIDDEN This key acts for no registered person."));
    assert_eq!(deployment.get("/api/admin/keys", &machine).await.status, 200, "it still reads");
    let asked = json!({ "name": "mine", "kind": "operator", "reason": "r" });
    assert_eq!(post("/api/admin/keys", &asked).await.status, 403);
    // Nor does it change what is no action.
    deployment.deliver(GUIDE_SAMPLE).await;
    let endpoint = json!({ "url": "https://example.com/hook" });
    for (path, body) in [
        ("/api/admin/events/evt_1234567890/replay", &json!({})),
        (&*format!("/api/admin/tenants/{TENANT}"), &json!({ "name": "Acme" })),
        ("/api/admin/clock/confirm", &json!({ "time": "wall", "reason": "r" })),
        ("/api/webhook-endpoints", &endpoint),
    ] {
        let summary = post(path, body).await.summary();
        assert!(
            summary.starts_with("403 FORBIDDEN This key acts for no registered person."),
            "{path}: {summary}"
        );
    }
}

/// Without a key of their own, the first person would lock themselves out.
#[tokio::test]
async fn a_second_person_needs_a_first_one_with_a_key() {
    let deployment = Deployment::new().await;
    let machine = deployment.key_of(KeyHolder::Machine, None).await.1;
    let keys = deployment.look("/api/admin/keys").await;
    let own = keys.as_array().unwrap().iter().find(|key| key["person_id"] == "person_grace").unwrap();
    let revoke = format!("/api/admin/keys/{}/revoke", own["id"].as_str().unwrap());
    let post = async |path: &str, body: &Value| {
        deployment.request(axum::http::Method::POST, path, Some(&machine), &body.to_string()).await
    };
    assert_eq!(post(&revoke, &json!({ "reason": "lost" })).await.status, 200);
    let bob = json!({ "name": "Bob", "reason": "second", "alone": true });
    let refused = post("/api/admin/people", &bob).await;
    assert!(refused.text.contains("First create a key of your own"), "{}", refused.text);
    let own = json!({ "name": "laptop", "kind": "operator", "reason": "mine", "alone": true });
    assert_eq!(post("/api/admin/keys", &own).await.status, 201);
    assert_eq!(post("/api/admin/people", &bob).await.status, 201);
}
