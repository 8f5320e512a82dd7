//! Registering and removing people, actions by a single person, and the report on actions.

use serde_json::{Value, json};
use store::KeyHolder;

use crate::deployment::Deployment;
use crate::office::{Office, problem, waits};
use crate::tenant_client::TenantClient;
use crate::{GUIDE_SAMPLE, TENANT};

#[tokio::test]
async fn registering_and_removing_a_person_takes_two_people() {
    let office = Office::new().await;
    let deployment = &office.client.deployment;
    let request = json!({ "name": "Carol", "reason": "joined the team" });
    let answer = deployment.post("/api/admin/people", &request).await;
    let (id, secret) = (waits(&answer), answer.data()["secret"].as_str().unwrap().to_owned());
    assert_eq!(deployment.get("/api/admin/status", &secret).await.status, 401);
    assert_eq!(office.decide(&office.bob, &id, "approve").await.status, 200);
    assert_eq!(deployment.get("/api/admin/status", &secret).await.status, 200);
    let people = deployment.look("/api/admin/people").await;
    let carol = people.as_array().unwrap().iter().find(|person| person["name"] == "Carol").unwrap();
    assert_eq!((&carol["created_by"], &carol["removed_at"]), (&"person_grace".into(), &Value::Null));
    for name in ["Carol", "carol", " ", "a\nb"] {
        let request = json!({ "name": name, "reason": "r" });
        let summary = deployment.post("/api/admin/people", &request).await.summary();
        assert!(summary.starts_with("422 VALIDATION_ERROR name must be"), "{name}: {summary}");
    }

    let remove = format!("/api/admin/people/{}/remove", carol["id"].as_str().unwrap());
    deployment.pass(1);
    let id = waits(&deployment.post(&remove, &json!({ "reason": "left" })).await);
    assert_eq!(
        deployment.get("/api/admin/status", &secret).await.status,
        200,
        "the removal is not approved yet"
    );
    assert_eq!(office.decide(&office.bob, &id, "approve").await.status, 200);
    assert_eq!(deployment.get("/api/admin/status", &secret).await.status, 401);
    let again = deployment.post(&remove, &json!({ "reason": "left" })).await;
    assert_eq!(again.summary(), "404 NOT_FOUND There is no such registered person.");
}

/// While only one person is registered, they act alone where two are required, and the report shows it.
#[tokio::test]
async fn one_person_acts_alone_only_while_nobody_else_is_registered() {
    let client = TenantClient::new().await;
    let deployment = &client.deployment;
    let adjust = async |name: &str, more: Value| {
        let mut body = json!({ "tenant_id": TENANT, "credits": 500, "reason": "because" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let request = axum::http::Request::post("/api/admin/adjustments")
            .header("authorization", format!("Bearer {}", deployment.operator))
            .header("idempotency-key", name);
        deployment.send(request.body(axum::body::Body::from(body.to_string())).unwrap()).await
    };
    let refused = adjust("k", json!({})).await;
    assert_eq!((refused.status, problem(&refused).as_str()), (403, "SECOND_PERSON_REQUIRED"));
    assert!(
        refused.text.contains("`--alone`") && refused.text.contains("reports mark it"),
        "{}",
        refused.text
    );
    assert_eq!(client.balance().await, [10, 0, 0, 0]);
    let done = adjust("k", json!({ "alone": true })).await.data();
    assert_eq!(
        (&done["state"], &done["alone"]),
        (&"done".into(), &true.into()),
        "the Idempotency-Key was still unused"
    );
    let body = json!({ "name": "Bob", "reason": "second", "alone": true });
    assert_eq!(deployment.post("/api/admin/people", &body).await.status, 201);
    let refused = adjust("other", json!({ "alone": true })).await;
    assert_eq!(problem(&refused), "SECOND_PERSON_REQUIRED", "there are two now");
    waits(&adjust("other", json!({})).await);

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

/// The machine's key acts for the only registered person, and for nobody once there are several.
#[tokio::test]
async fn the_machine_key_acts_only_for_a_single_person() {
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
    let request = json!({ "name": "mine", "kind": "operator", "reason": "r" });
    assert_eq!(post("/api/admin/keys", &request).await.status, 403);
    // It cannot make other changes either.
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
async fn registering_a_second_person_requires_a_key_of_ones_own() {
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
