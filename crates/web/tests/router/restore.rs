//! A database that was restored from a backup, through the real routes: commands are refused, health and
//! status report it, and the service resumes after an operator's confirmation.
//! `store` tests the restore itself.

use axum::http::Method;
use emulator::scenario::{Sale, event};
use serde_json::{Value, json};
use store::KeyHolder;

use crate::TENANT;
use crate::deployment::ten_credits;
use crate::office::Office;
use crate::tenant_client::TenantClient;

/// Records a restore; `revoked` lists the keys known to be revoked since the backup, or is null if unknown.
fn record_restore(client: &TenantClient, revoked: &Value) {
    let sql = "INSERT INTO restores (restored_at, newest, source, replaced, revoked_keys, last_event)
         VALUES (?1, ?2, 'monday.db', 'a.db.replaced', ?3, (SELECT max(seq) FROM events))";
    let now = client.deployment.now().0;
    let revoked = (!revoked.is_null()).then(|| revoked.to_string());
    client.deployment.backdoor().execute(sql, (now, now - 1, revoked)).unwrap();
}

fn confirmation(keys: u64, reason: &str) -> Value {
    json!({ "expected_keys": keys, "reason": reason })
}

async fn health(client: &TenantClient) -> Value {
    let answer = client.deployment.request(Method::GET, "/api/health", None, "").await;
    assert_eq!(answer.status, 200);
    let health = answer.data();
    json!([health["status"], health["reasons"], health["pending"]])
}

#[tokio::test]
async fn credits_do_not_move_until_the_restore_is_confirmed() {
    let client = TenantClient::new().await;
    let hold = client.hold("lease", 4).await;
    record_restore(&client, &json!([]));
    let books = client.books().await;
    assert_eq!(health(&client).await, json!(["degraded", ["restore_unconfirmed"], 0]));
    let message = client.deployment.look("/api/admin/status").await["restore"]["message"].clone();
    assert!(message.as_str().unwrap().contains("faireplace restore --confirm --reason WHY"), "{message}");

    let commands = [
        ("spend", json!({ "credits": 1 })),
        ("holds", json!({ "credits": 1 })),
        (&*format!("holds/{hold}/capture"), json!({})),
        (&*format!("holds/{hold}/release"), json!({})),
    ];
    for (path, body) in &commands {
        let refused = client.post(path, "key", &body.to_string()).await;
        assert!(refused.summary().starts_with("503 RESTORE_UNCONFIRMED "), "{path}: {}", refused.summary());
    }
    assert_eq!(client.books().await, books);

    // Events are stored, but not applied.
    let sold = Sale { reference: "later".into(), ..ten_credits() };
    let sold = event("checkout.session.completed", &sold, "buy", None).unwrap();
    assert_eq!(client.deployment.deliver(sold.body).await.status, 200);
    client.deployment.apply().await;
    assert_eq!(health(&client).await, json!(["degraded", ["restore_unconfirmed"], 1]));
    assert_eq!(client.deployment.look("/api/admin/restore").await["events_since"], 1);
    assert_eq!(client.books().await, books);

    let confirmed =
        client.deployment.post("/api/admin/restore/confirm", &confirmation(0, "it is right")).await;
    let action = confirmed.data();
    assert_eq!(json!([action["kind"], action["state"]]), json!(["restore_confirm", "done"]));
    assert_eq!(json!([action["reason"], action["request"]["source"]]), json!(["it is right", "monday.db"]));
    client.deployment.apply().await;
    assert_eq!(health(&client).await, json!(["ok", [], 0]));
    assert_eq!(client.deployment.look("/api/admin/status").await["restore"], Value::Null);
    assert_eq!(client.balance().await, [16, 4, 0, 0]);
    // The refused request did not use up its `Idempotency-Key`.
    assert_eq!(client.post("spend", "key", r#"{"credits":1}"#).await.status, 200);
    let again = client.deployment.post("/api/admin/restore/confirm", &confirmation(0, "again")).await;
    assert!(
        again.summary().starts_with("409 NO_RESTORE_TO_CONFIRM There is no restore to confirm: "),
        "{}",
        again.summary()
    );
    assert_eq!(client.deployment.look("/api/admin/restore").await["unconfirmed"], false);
    client.deployment.check_books().await;
}

#[tokio::test]
async fn operator_commands_are_refused_too() {
    let office = Office::new().await;
    let deployment = &office.client.deployment;
    record_restore(&office.client, &Value::Null);
    let body = json!({ "tenant_id": TENANT, "credits": 1, "reason": "r" }).to_string();
    for path in ["adjustments", "write-offs"] {
        let request = axum::http::Request::post(format!("/api/admin/{path}"))
            .header("authorization", format!("Bearer {}", office.grace))
            .header("idempotency-key", path);
        let refused = deployment.send(request.body(body.clone().into()).unwrap()).await;
        assert!(refused.summary().starts_with("503 RESTORE_UNCONFIRMED "), "{path}: {}", refused.summary());
    }
    for path in ["quarantine/1/resolve", "quarantine/1/dismiss"] {
        let refused = deployment.post(&format!("/api/admin/{path}"), &json!({ "reason": "r" })).await;
        assert!(refused.summary().starts_with("503 RESTORE_UNCONFIRMED "), "{path}: {}", refused.summary());
    }
    // With several registered people, the machine's key acts for none of them.
    let machine = deployment.key_of(KeyHolder::Machine, None).await.1;
    let keys = deployment.look("/api/admin/restore").await["keys_working_again"].as_u64().unwrap();
    let body = confirmation(keys, "it is right").to_string();
    let path = "/api/admin/restore/confirm";
    let refused = deployment.request(Method::POST, path, Some(&machine), &body).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    for (invalid, status) in [(confirmation(keys, " "), 422), (json!({ "reason": "it is right" }), 400)] {
        let body = invalid.to_string();
        let refused = deployment.request(Method::POST, path, Some(&office.bob), &body).await;
        assert_eq!(refused.status, status, "{}", refused.text);
    }
    let confirmed = deployment.request(Method::POST, path, Some(&office.bob), &body).await;
    assert_eq!((confirmed.status, confirmed.data()["asked_by"]["name"].as_str()), (200, Some("Bob")));
}

#[tokio::test]
async fn keys_that_work_again_are_listed_and_can_be_revoked() {
    let client = TenantClient::new().await;
    let (revoked, _) = client.deployment.key_of(KeyHolder::Service, None).await;
    let (ended, _) = client.deployment.key_of(KeyHolder::Service, None).await;
    client.deployment.revoke(&ended).await;
    record_restore(&client, &json!([revoked]));
    client.deployment.pass(1);
    let (since, _) = client.deployment.key_of(KeyHolder::Service, None).await;
    let shown = client.deployment.look("/api/admin/restore").await;
    assert_eq!(shown["keys_working_again"], 1);
    let listed = shown["keys"].clone();
    let marked = |id: &str| {
        let row = listed.as_array().unwrap().iter().find(|row| row["key"]["id"] == id);
        row.map(|row| row["was_revoked"].clone())
    };
    assert_eq!(marked(&revoked), Some(json!(true)));
    assert_eq!((marked(&ended), marked(&since)), (None, None), "revoked in the backup; created after it");
    assert_eq!(listed.as_array().unwrap().len(), 3, "{listed}");
    assert_expected_keys(&client, 1, 0).await;
    client.deployment.revoke(&revoked).await;
    let listed = client.deployment.look("/api/admin/restore").await["keys"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    assert_expected_keys(&client, 0, 1).await;
    let confirmed = client.deployment.post("/api/admin/restore/confirm", &confirmation(0, "r")).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text);

    let unknown = TenantClient::new().await;
    record_restore(&unknown, &Value::Null);
    let shown = unknown.deployment.look("/api/admin/restore").await;
    let listed = shown["keys"].as_array().unwrap();
    assert!(!listed.is_empty() && listed.iter().all(|row| row["was_revoked"].is_null()), "{listed:?}");
    assert_eq!(shown["keys_working_again"], listed.len());
    assert_expected_keys(&unknown, listed.len() as u64, 0).await;
}

/// A confirmation with the wrong number of keys is refused with the right number.
async fn assert_expected_keys(client: &TenantClient, right: u64, wrong: u64) {
    let refused = client.deployment.post("/api/admin/restore/confirm", &confirmation(wrong, "r")).await;
    let start = format!("409 COUNT_CHANGED {right} of the backup's keys work again");
    assert!(refused.summary().starts_with(&start), "{}", refused.summary());
    let details = refused.json()["error"]["details"].clone();
    assert_eq!(details, json!({ "expected": wrong, "found": right }));
    assert_eq!(client.deployment.look("/api/admin/restore").await["unconfirmed"], true);
}
