//! Who may do what: every route of the API × everyone who may ask, as one table.

use axum::http::Method;
use serde_json::Value;
use web::auth::{CREDITS_READ, CREDITS_WRITE};

use crate::deployment::Deployment;
use crate::{GUIDE_SAMPLE, OTHER, TENANT};

/// Those who ask, in the order of the table's columns: without a key; with one that was revoked; with one
/// that ended; with one of the tenant that lacks the permission; with one of another tenant; with the
/// tenant's own; the operator.
const COLUMNS: &str = "none revoked expired lacking other own operator";

/// The tenant's payment, an event and a key are there to be found; `{tenant}` is the tenant.
const MATRIX: &[(&str, &str, [u16; 7])] = &[
    ("GET", "/api/health", [200, 200, 200, 200, 200, 200, 200]),
    ("GET", "/api/credits/balance", [401, 401, 401, 403, 200, 200, 422]),
    ("GET", "/api/credits/balance?tenant_id={tenant}", [401, 401, 401, 403, 404, 200, 200]),
    ("GET", "/api/credits/transactions", [401, 401, 401, 403, 200, 200, 422]),
    ("GET", "/api/credits/transactions?tenant_id={tenant}", [401, 401, 401, 403, 404, 200, 200]),
    ("GET", "/api/credits/lots", [401, 401, 401, 403, 200, 200, 422]),
    ("GET", "/api/credits/lots?tenant_id={tenant}", [401, 401, 401, 403, 404, 200, 200]),
    ("GET", "/api/payments", [401, 401, 401, 403, 200, 200, 200]),
    ("GET", "/api/payments?tenant_id={tenant}", [401, 401, 401, 403, 404, 200, 200]),
    ("GET", "/api/payments/cs_live_a1b2c3d4e5f6g7h8", [401, 401, 401, 403, 404, 200, 200]),
    ("GET", "/api/payments/cs_missing", [401, 401, 401, 403, 404, 404, 404]),
    ("GET", "/api/admin/status", [401, 401, 401, 404, 404, 404, 200]),
    ("GET", "/api/admin/audit", [401, 401, 401, 404, 404, 404, 200]),
    ("GET", "/api/admin/events", [401, 401, 401, 404, 404, 404, 200]),
    ("GET", "/api/admin/events/evt_1234567890", [401, 401, 401, 404, 404, 404, 200]),
    ("GET", "/api/admin/events/evt_missing", [401, 401, 401, 404, 404, 404, 404]),
    ("POST", "/api/admin/events/evt_1234567890/replay", [401, 401, 401, 404, 404, 404, 200]),
    ("GET", "/api/admin/quarantine", [401, 401, 401, 404, 404, 404, 200]),
    ("GET", "/api/admin/quarantine/1", [401, 401, 401, 404, 404, 404, 200]),
    ("POST", "/api/admin/quarantine/1/resolve", [401, 401, 401, 404, 404, 404, 400]),
    ("POST", "/api/admin/quarantine/1/dismiss", [401, 401, 401, 404, 404, 404, 400]),
    ("GET", "/api/admin/keys", [401, 401, 401, 404, 404, 404, 200]),
    ("POST", "/api/admin/keys", [401, 401, 401, 404, 404, 404, 400]),
    ("POST", "/api/admin/keys/key_missing/revoke", [401, 401, 401, 404, 404, 404, 404]),
];

#[tokio::test]
async fn everyone_at_every_route() {
    let deployment = Deployment::new().await;
    deployment.learn(GUIDE_SAMPLE).await;
    deployment.learn("{").await;
    let (id, revoked) = deployment.key(Some(TENANT), &[CREDITS_READ, CREDITS_WRITE], None).await;
    deployment.app.store.revoke_key(id, deployment.now()).await.unwrap();
    let (_, expired) = deployment.key(Some(TENANT), &[CREDITS_READ], Some(deployment.now())).await;
    let (_, lacking) = deployment.key(Some(TENANT), &[CREDITS_WRITE], None).await;
    let (other, own) = (deployment.reader(OTHER).await, deployment.reader(TENANT).await);
    let keys = [
        None,
        Some(&revoked),
        Some(&expired),
        Some(&lacking),
        Some(&other),
        Some(&own),
        Some(&deployment.operator),
    ];
    for (method, route, expected) in MATRIX {
        let mut found = [0; 7];
        for (key, found) in keys.iter().zip(&mut found) {
            let path = route.replace("{tenant}", TENANT);
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            *found = deployment.request(method, &path, key.map(String::as_str), "").await.status;
        }
        assert_eq!(found, *expected, "{method} {route}\nfor {COLUMNS}");
    }
}

#[tokio::test]
async fn every_route_has_its_row() {
    let routes = include_str!("../../src/routes.rs");
    let shape = |path: &str| -> String {
        let path = path.split('?').next().unwrap();
        let is_id = |part: &str| part == "{id}" || part == "1" || part.contains('_');
        path.split('/').map(|part| if is_id(part) { "*" } else { part }).collect::<Vec<_>>().join("/")
    };
    for line in routes.lines().filter(|line| line.contains(".route(\"/api/")) {
        let path = line.split('"').nth(1).unwrap();
        for method in ["get", "post"].iter().filter(|method| line.contains(&format!("{method}("))) {
            let has_row = MATRIX
                .iter()
                .any(|(m, route, _)| m.to_lowercase() == **method && shape(route) == shape(path));
            assert!(has_row, "{method} {path} has no row");
        }
    }
}

/// What belongs to somebody else looks exactly like what does not exist.
#[tokio::test]
async fn no_answer_tells_hidden_from_missing() {
    let deployment = Deployment::new().await;
    deployment.learn(GUIDE_SAMPLE).await;
    let other = deployment.reader(OTHER).await;
    let nobody = "750e8400-e29b-41d4-a716-446655440000";
    let pairs = [
        ("/api/payments/cs_live_a1b2c3d4e5f6g7h8".to_owned(), "/api/payments/cs_missing".to_owned()),
        (
            format!("/api/credits/balance?tenant_id={TENANT}"),
            format!("/api/credits/balance?tenant_id={nobody}"),
        ),
        (format!("/api/credits/lots?tenant_id={TENANT}"), format!("/api/credits/lots?tenant_id={nobody}")),
        (format!("/api/payments?tenant_id={TENANT}"), format!("/api/payments?tenant_id={nobody}")),
        (
            format!("/api/credits/transactions?tenant_id={TENANT}"),
            format!("/api/credits/transactions?tenant_id={nobody}"),
        ),
        ("/api/admin/status".into(), "/api/admin/nothing".into()),
        ("/api/admin/events/evt_1234567890".into(), "/api/nothing".into()),
        ("/api/admin/events/%FF".into(), "/api/nothing".into()),
        ("/api/admin/keys?a=b".into(), "/api/nothing?a=b".into()),
    ];
    for (hidden, missing) in pairs {
        let (mut hidden_answer, mut missing_answer) =
            (deployment.get(&hidden, &other).await, deployment.get(&missing, &other).await);
        assert_eq!(hidden_answer.status, 404, "{hidden}");
        assert_eq!(hidden_answer.stable(), missing_answer.stable(), "{hidden} against {missing}");
        for answer in [&mut hidden_answer, &mut missing_answer] {
            answer.headers.remove("x-request-id");
        }
        assert_eq!(hidden_answer.headers, missing_answer.headers, "{hidden} against {missing}");
        assert_eq!(hidden_answer.text.len(), missing_answer.text.len(), "{hidden} against {missing}");
    }
    let listed: Value = deployment.get("/api/payments", &other).await.data();
    assert_eq!(listed, Value::Array(vec![]), "a listing shows nothing of others");
}

/// No route makes such a key; if there is one all the same, it opens nothing.
#[tokio::test]
async fn a_key_of_nobody_that_is_no_operators_sees_nothing() {
    let deployment = Deployment::new().await;
    deployment.learn(GUIDE_SAMPLE).await;
    let (_, stray) = deployment.key(None, &[CREDITS_READ], None).await;
    for (route, expected) in [
        (format!("/api/credits/balance?tenant_id={TENANT}"), 404),
        (format!("/api/payments?tenant_id={TENANT}"), 404),
        ("/api/payments".to_owned(), 422),
        ("/api/payments/cs_live_a1b2c3d4e5f6g7h8".to_owned(), 404),
        ("/api/admin/status".to_owned(), 404),
    ] {
        assert_eq!(deployment.get(&route, &stray).await.status, expected, "{route}");
    }
}
