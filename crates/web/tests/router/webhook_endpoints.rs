//! `/api/webhook-endpoints`: ownership, validation, deliveries, and that a secret is shown only once.
//! `engine` tests the sending, `destination` the refused addresses.

use axum::http::Method;
use engine::{Notifier, Transport};
use serde_json::{Value, json};
use stripe::retry::Schedule;

use crate::answer::Answer;
use crate::tenant_client::TenantClient;
use crate::{OTHER, TENANT};

const PATH: &str = "/api/webhook-endpoints";

async fn post(client: &TenantClient, key: &str, path: &str, body: &Value) -> Answer {
    client.deployment.request(Method::POST, path, Some(key), &body.to_string()).await
}

/// Creates an endpoint; returns its id and its secret.
async fn create(client: &TenantClient, key: &str, query: &str) -> (String, String) {
    let body = json!({ "url": "https://example.com/notices" });
    let created = post(client, key, &format!("{PATH}{query}"), &body).await.data();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&created["endpoint"]["id"]), text(&created["secret"]))
}

/// Sends all due notices to receivers that respond with this status.
async fn deliver(client: &TenantClient, status: u16) {
    let app = &client.deployment.app;
    let transport = Transport::from_fn(move |_| async move {
        engine::notify::NoticeResponse::Answered { status, retry_after_seconds: None }
    });
    let mut notifier = Notifier::new(app.store.clone(), transport, Schedule::default(), app.clock.clone());
    loop {
        notifier.step(client.deployment.now()).await.unwrap();
        if notifier.is_idle() {
            return;
        }
        notifier.lane_ended().await;
    }
}

#[tokio::test]
async fn an_endpoint_is_created_rotated_and_deleted() {
    let client = TenantClient::new().await;
    let request = json!({ "url": "https://example.com/notices", "types": ["hold.created", "credits.spent"],
        "description": "the shop" });
    let answer = post(&client, &client.key, PATH, &request).await;
    let (mut expected, secret) = (answer.data()["endpoint"].clone(), answer.data()["secret"].clone());
    let id = expected["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.status, 201);
    assert_eq!(
        expected,
        json!({
            "id": id, "tenant_id": TENANT, "url": "https://example.com/notices",
            "types": ["credits.spent", "hold.created"], "description": "the shop", "state": "enabled",
            "created_at": "2024-02-20T10:41:40Z", "old_secret_expires_at": null, "failing_since": null,
            "disabled_at": null, "disabled_reason": null,
        })
    );
    assert_eq!((id.len(), secret.as_str().unwrap().len()), (35, 50), "{id} {secret}");

    let one = format!("{PATH}/{id}");
    let rotation = json!({ "grace_period_hours": 1 });
    let rotated = post(&client, &client.key, &format!("{one}/rotate"), &rotation).await.data();
    expected["old_secret_expires_at"] = "2024-02-20T11:41:40Z".into();
    assert_eq!(rotated["endpoint"], expected);
    assert_ne!(rotated["secret"], secret);
    let shown = client.deployment.get(&one, &client.key).await;
    let listed = client.deployment.get(PATH, &client.key).await;
    assert_eq!((shown.data(), listed.data()), (expected.clone(), json!([expected])));
    for answer in [&shown, &listed] {
        assert!(!answer.text.contains("whsec_"), "a secret is shown once: {}", answer.text);
    }

    let delete = async || client.deployment.request(Method::DELETE, &one, Some(&client.key), "").await;
    let deleted = delete().await;
    assert_eq!(deleted.data(), json!({ "id": id, "deleted": true }));
    let not_found = "404 NOT_FOUND There is no such webhook endpoint.";
    assert_eq!(delete().await.summary(), not_found);
    for path in ["rotate", "enable", "deliveries/msg_1/resend"] {
        let answer = post(&client, &client.key, &format!("{one}/{path}"), &json!({})).await;
        assert_eq!(answer.summary(), not_found, "{path}");
    }
}

#[tokio::test]
async fn deliveries_are_listed_and_can_be_resent() {
    let client = TenantClient::new().await;
    let (id, _) = create(&client, &client.key, "").await;
    assert_eq!(client.spend("a", 1).await.status, 200);
    let deliveries = format!("{PATH}/{id}/deliveries");
    let list = async |query: &str| client.deployment.get(&format!("{deliveries}{query}"), &client.key).await;
    let pending = list("?state=pending").await.data();
    let name = pending[0]["notice_id"].as_str().unwrap().to_owned();
    assert_eq!((&pending[0]["type"], &pending[0]["attempts"]), (&"credits.spent".into(), &0.into()));

    deliver(&client, 200).await;
    let seen = list("?state=delivered").await.data();
    let fields = ["response_status", "attempts", "delivered_at", "error"].map(|field| seen[0][field].clone());
    assert_eq!(fields, [json!(200), json!(1), json!("2024-02-20T10:41:40Z"), Value::Null]);
    let again = format!("{deliveries}/{name}/resend");
    let resent = post(&client, &client.key, &again, &json!({})).await.data();
    assert_eq!((&resent["notice_id"], &resent["state"]), (&name.into(), &"pending".into()));
    assert_eq!(list("?state=pending").await.data()[0]["attempts"], 0);
    let unknown = post(&client, &client.key, &format!("{deliveries}/msg_x/resend"), &json!({})).await;
    assert_eq!(unknown.summary(), "404 NOT_FOUND There is no such notice.");
    assert_eq!(list("?state=lost").await.status, 422);

    deliver(&client, 410).await;
    let endpoint = client.deployment.get(&format!("{PATH}/{id}"), &client.key).await.data();
    let fields = [&endpoint["state"], &endpoint["disabled_reason"]];
    assert_eq!(fields, ["disabled", "it answered 410 Gone"]);
    let status = client.deployment.look("/api/admin/status").await["notices"].clone();
    let disabled = json!([{ "id": id, "reason": "it answered 410 Gone" }]);
    assert_eq!((&status["endpoints"], &status["disabled"]), (&0.into(), &disabled));
    assert_eq!(client.deployment.look("/api/health").await["endpoints_disabled"], 1);
    assert_eq!(
        post(&client, &client.key, &again, &json!({})).await.status,
        422,
        "a disabled endpoint receives nothing"
    );
    assert_eq!(client.spend("b", 1).await.status, 200);
    assert_eq!(list("").await.json()["meta"]["pagination"]["total"], 1, "no notice is queued for it");

    let enabled = post(&client, &client.key, &format!("{PATH}/{id}/enable"), &json!({})).await.data();
    assert_eq!(enabled["state"], "enabled");
    assert_eq!(post(&client, &client.key, &again, &json!({})).await.status, 200);
    deliver(&client, 204).await;
    assert_eq!(list("?state=delivered").await.data()[0]["response_status"], 204);
}

/// Endpoints of another tenant, and those for all tenants, look like endpoints that do not exist.
#[tokio::test]
async fn tenants_see_their_own_endpoints_and_operators_all() {
    let client = TenantClient::new().await;
    let operator = client.deployment.operator.clone();
    let other = client.deployment.key(OTHER, store::Access::Full, None).await.1;
    let (own, _) = create(&client, &client.key, "").await;
    let (all, _) = create(&client, &operator, "").await;
    assert_eq!(client.spend("a", 1).await.status, 200);
    let notices = client.deployment.look(&format!("{PATH}/{all}/deliveries")).await;
    let notice = notices[0]["notice_id"].as_str().unwrap();

    for (key, query, expected) in [
        (&client.key, "", vec![&own]),
        (&other, "", vec![]),
        (&operator, "", vec![&all]),
        (&operator, "?tenant_id=550e8400-e29b-41d4-a716-446655440000", vec![&own]),
    ] {
        let found = client.deployment.get(&format!("{PATH}{query}"), key).await.data();
        let ids: Vec<_> = found.as_array().unwrap().iter().map(|row| &row["id"]).collect();
        assert_eq!(ids, expected, "{query}");
    }
    let requests = |id: &str| {
        let one = format!("{PATH}/{id}");
        let resend = format!("{one}/deliveries/{notice}/resend");
        [
            (Method::GET, one.clone()),
            (Method::GET, format!("{one}/deliveries")),
            (Method::POST, format!("{one}/enable")),
            (Method::POST, format!("{one}/rotate")),
            (Method::POST, resend),
            (Method::DELETE, one),
        ]
    };
    for (key, hidden) in [(&other, &own), (&other, &all), (&client.key, &all)] {
        for ((method, path), (_, unknown)) in requests(hidden).into_iter().zip(requests("ep_x")) {
            let found = client.deployment.request(method.clone(), &path, Some(key), "").await;
            let missing = client.deployment.request(method, &unknown, Some(key), "").await;
            assert_eq!((found.status, found.stable()), (404, missing.stable()), "{path}");
        }
    }
    let theirs = create(&client, &other, "").await.0;
    let across =
        post(&client, &other, &format!("{PATH}/{theirs}/deliveries/{notice}/resend"), &json!({})).await;
    assert_eq!(across.summary(), "404 NOT_FOUND There is no such notice.", "a tenant's notice stays its own");
    for (method, path) in requests(&own) {
        let found = client.deployment.request(method, &path, Some(&operator), "").await;
        assert_eq!(found.status, 200, "{path}: an operator may name any endpoint");
    }
}

#[tokio::test]
async fn invalid_input_is_refused_and_changes_nothing() {
    let client = TenantClient::new().await;
    let (id, _) = create(&client, &client.key, "").await;
    let url = "https://example.com/";
    let long = "x".repeat(201);
    let rotate = format!("{PATH}/{id}/rotate");
    for (path, body, expected) in [
        (PATH, json!({}), "400 BAD_REQUEST"),
        (PATH, json!({ "url": url, "secret": "whsec_x" }), "400 BAD_REQUEST"),
        (PATH, json!({ "url": 1 }), "400 BAD_REQUEST"),
        (PATH, json!({ "url": "" }), "422 VALIDATION_ERROR"),
        (PATH, json!({ "url": "http://example.com/" }), "422 VALIDATION_ERROR"),
        (PATH, json!({ "url": "https://10.0.0.1/" }), "422 VALIDATION_ERROR"),
        (PATH, json!({ "url": "https://localhost/" }), "422 VALIDATION_ERROR"),
        (PATH, json!({ "url": "https://[::ffff:7f00:1]/" }), "422 VALIDATION_ERROR"),
        (PATH, json!({ "url": "https://user@example.com/" }), "422 VALIDATION_ERROR"),
        (PATH, json!({ "url": url, "types": [] }), "422 VALIDATION_ERROR"),
        (PATH, json!({ "url": url, "types": ["*", "credits.spent"] }), "422 VALIDATION_ERROR"),
        (PATH, json!({ "url": url, "types": ["credits.*"] }), "422 VALIDATION_ERROR"),
        (PATH, json!({ "url": url, "description": long }), "422 VALIDATION_ERROR"),
        (PATH, json!({ "url": url, "description": "a\nb" }), "422 VALIDATION_ERROR"),
        (PATH, json!({ "url": url, "description": "a\u{202e}b" }), "422 VALIDATION_ERROR"),
        (&format!("{PATH}?a=b"), json!({ "url": url }), "422 VALIDATION_ERROR"),
        (&rotate, json!({ "grace_period_hours": -1 }), "422 VALIDATION_ERROR"),
        (&rotate, json!({ "grace_period_hours": 169 }), "422 VALIDATION_ERROR"),
        (&rotate, json!({ "grace_period_hours": 1.5 }), "400 BAD_REQUEST"),
        (&rotate, json!({ "hours": 1 }), "400 BAD_REQUEST"),
    ] {
        let answer = post(&client, &client.key, path, &body).await;
        assert!(answer.summary().starts_with(expected), "{path} {body}: {}", answer.summary());
    }
    let listed = client.deployment.get(PATH, &client.key).await;
    assert_eq!(listed.data().as_array().unwrap().len(), 1);
    assert_eq!(listed.data()[0]["old_secret_expires_at"], Value::Null);

    for _ in 1..50 {
        create(&client, &client.key, "").await;
    }
    let more = post(&client, &client.key, PATH, &json!({ "url": url })).await;
    assert!(more.summary().starts_with("429 TOO_MANY There are 50 endpoints"), "{}", more.summary());
    create(&client, &client.deployment.operator, "").await;
}
