//! Rules of every API route: authentication, query parameters, bodies and pagination. `answer.rs` checks the
//! envelope of every response.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use crate::deployment::Deployment;
use crate::{GUIDE_SAMPLE, OTHER, TENANT};

#[tokio::test]
async fn every_invalid_key_gets_the_same_response() {
    let deployment = Deployment::new().await;
    let good = deployment.reader(TENANT).await;
    let (revoked_id, revoked) = deployment.key(TENANT, store::Access::Read, None).await;
    deployment.revoke(&revoked_id).await;
    let (_, expired) = deployment.key(TENANT, store::Access::Read, Some(deployment.now())).await;
    let (_, ending) =
        deployment.key(TENANT, store::Access::Read, Some(deployment.now().plus_seconds(1))).await;
    let rows = [
        ("no header", None),
        ("empty", Some(String::new())),
        ("only a scheme", Some("Bearer".into())),
        ("no key", Some("Bearer ".into())),
        ("another scheme", Some(format!("Basic {good}"))),
        ("no scheme", Some(good.clone())),
        ("unknown", Some(format!("Bearer fp_{}", "0".repeat(64)))),
        ("longer", Some(format!("Bearer {good}0"))),
        ("shorter", Some(format!("Bearer {}", &good[..good.len() - 1]))),
        ("upper case", Some(format!("Bearer {}", good.to_uppercase()))),
        ("revoked", Some(format!("Bearer {revoked}"))),
        ("expired", Some(format!("Bearer {expired}"))),
        ("the id of a key", Some("Bearer key_0".into())),
    ];
    let mut answers: Vec<Value> = Vec::new();
    for (name, header) in rows {
        let mut request = Request::get("/api/credits/balance");
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let answer = deployment.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 401, "{name}");
        assert_eq!(answer.json()["error"]["type"], "UNAUTHORIZED", "{name}");
        answers.push(answer.stable());
    }
    // Two headers, even if each is valid: a proxy on the way may have checked the other one.
    for second in [good.clone(), format!("fp_{}", "0".repeat(64))] {
        let request = Request::get("/api/credits/balance").header("authorization", format!("Bearer {good}"));
        let request = request.header("authorization", format!("Bearer {second}"));
        let answer = deployment.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 401, "two headers");
        answers.push(answer.stable());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "the responses differ: {answers:?}");

    assert_eq!(deployment.get("/api/credits/balance", &ending).await.status, 200, "not yet");
    deployment.pass(1);
    assert_eq!(deployment.get("/api/credits/balance", &ending).await.status, 401, "it has expired");
    assert_eq!(deployment.get("/api/credits/balance", &good).await.status, 200);
}

/// Routes and the query parameters that they accept.
const QUERIES: [(&str, &str); 15] = [
    ("/api/credits/balance", "tenant_id"),
    ("/api/credits/transactions", "tenant_id, type, created_at_from, created_at_to, page, per_page, sort"),
    ("/api/credits/lots", "tenant_id, page, per_page, sort"),
    ("/api/payments", "tenant_id, status, page, per_page, sort"),
    ("/api/payments/cs_live_a1b2c3d4e5f6g7h8", ""),
    ("/api/admin/status", ""),
    ("/api/admin/audit", ""),
    ("/api/admin/events", "type, outcome, payment, pending, page, per_page, sort"),
    ("/api/admin/events/evt_1234567890", ""),
    ("/api/admin/quarantine", "all, reason, tenant_id, opened_before, page, per_page, sort"),
    ("/api/admin/quarantine/1", ""),
    ("/api/admin/keys", ""),
    ("/api/admin/people", ""),
    ("/api/admin/actions", "state, kind, person, tenant_id, page, per_page, sort"),
    ("/api/admin/reports/actions", "from, to, format"),
];

#[tokio::test]
async fn an_unknown_parameter_is_refused_not_ignored() {
    let deployment = Deployment::new().await;
    deployment.learn(GUIDE_SAMPLE).await;
    deployment.learn("{").await;
    for (route, known) in QUERIES {
        let answer = deployment.get(&format!("{route}?tenantid={TENANT}"), &deployment.operator).await;
        let known = if known.is_empty() { "takes no parameters".into() } else { format!("it knows {known}") };
        let summary = answer.summary();
        assert!(summary.starts_with("422 VALIDATION_ERROR This route "), "{route}: {summary}");
        assert!(
            summary.contains("tenantid") && summary.ends_with(&format!("{known}. Nothing was changed.")),
            "{route}: {summary}"
        );

        let twice = format!("{route}?page=1&page=2");
        let answer = deployment.get(&twice, &deployment.operator).await;
        assert_eq!(answer.summary(), "400 BAD_REQUEST The query string names page twice.", "{route}");
    }
    for post in
        ["events/evt_1234567890/replay", "quarantine/1/dismiss", "quarantine/1/resolve", "keys/key_0/revoke"]
    {
        let answer =
            deployment.post(&format!("/api/admin/{post}?dry_run=1"), &json!({ "reason": "x" })).await;
        assert!(answer.summary().starts_with("422 "), "{post} ignored an unknown parameter: {answer:?}");
    }
}

#[tokio::test]
async fn invalid_values_are_refused_by_name() {
    let deployment = Deployment::new().await;
    let key = deployment.reader(TENANT).await;
    let rows = [
        ("/api/payments?per_page=0", "per_page must be a number from 1 to 100."),
        ("/api/payments?per_page=101", "per_page must be a number from 1 to 100."),
        ("/api/payments?per_page=ten", "per_page must be a number from 1 to 100."),
        ("/api/payments?page=0", "page must be a number from 1 to 1000000."),
        ("/api/payments?page=-1", "page must be a number from 1 to 1000000."),
        ("/api/payments?page=99999999999999999999", "page must be a number from 1 to 1000000."),
        ("/api/payments?sort=amount", "sort must be created_at or -created_at."),
        ("/api/payments?status=payed", "status must be one of quarantined, "),
        ("/api/payments?tenant_id=acme", "tenant_id must be the tenant's UUID, "),
        ("/api/credits/transactions?type=grant", "type must be one of granted, "),
        (
            "/api/credits/transactions?created_at_from=yesterday",
            "created_at_from must be an RFC 3339 timestamp such as ",
        ),
        (
            "/api/credits/transactions?created_at_to=2026-11-23",
            "created_at_to must be an RFC 3339 timestamp such as ",
        ),
    ];
    for (path, expected) in rows {
        let answer = deployment.get(path, &key).await;
        let expected = format!("422 VALIDATION_ERROR {expected}");
        assert!(answer.summary().starts_with(&expected), "{path}: {}", answer.summary());
        assert!(answer.summary().ends_with("Nothing was changed."), "{path}: {}", answer.summary());
        assert!(path.contains(answer.json()["error"]["details"]["field"].as_str().unwrap()), "{path}");
    }
    for (path, field) in [
        ("/api/admin/events?pending=yes", "pending"),
        ("/api/admin/quarantine?all=1", "all"),
        ("/api/admin/events?outcome=grant", "outcome"),
        ("/api/credits/balance", "tenant_id"),
        ("/api/credits/lots?tenant_id=", "tenant_id"),
    ] {
        let answer = deployment.get(path, &deployment.operator).await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["details"]["field"]),
            (422, &field.into()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn every_list_paginates_alike() {
    let deployment = Deployment::new().await;
    for number in 0..5 {
        let sold = GUIDE_SAMPLE.replace("evt_1234567890", &format!("evt_{number}"));
        deployment.learn(sold.replace("cs_live_a1b2c3d4e5f6g7h8", &format!("cs_{number}"))).await;
        deployment.pass(1);
    }
    let listings = [
        format!("/api/payments?tenant_id={TENANT}"),
        format!("/api/credits/transactions?tenant_id={TENANT}"),
        format!("/api/credits/lots?tenant_id={TENANT}"),
        "/api/admin/events?pending=false".to_owned(),
    ];
    for listing in listings {
        let page = async |query: &str| {
            let answer = deployment.get(&format!("{listing}&{query}"), &deployment.operator).await;
            let ids: Vec<String> =
                answer.data().as_array().unwrap().iter().map(|row| row["id"].to_string()).collect();
            (ids, answer.json()["meta"]["pagination"].clone())
        };
        let (oldest_first, pagination) = page("sort=created_at").await;
        let expected = json!({
            "current_page": 1, "per_page": 20, "total": 5, "total_pages": 1, "has_next": false, "has_prev": false,
        });
        assert_eq!((oldest_first.len(), &pagination), (5, &expected), "{listing}");
        let mut newest_first = oldest_first.clone();
        newest_first.reverse();
        assert_eq!(page("page=1").await.0, newest_first, "{listing}: newest first by default");
        assert_eq!(page("sort=-created_at").await.0, newest_first, "{listing}");

        let (middle, pagination) = page("per_page=2&page=2").await;
        assert_eq!(middle, newest_first[2..4], "{listing}");
        let expected = json!({
            "current_page": 2, "per_page": 2, "total": 5, "total_pages": 3, "has_next": true, "has_prev": true,
        });
        assert_eq!(pagination, expected, "{listing}");
        let (beyond, pagination) = page("per_page=2&page=4").await;
        assert_eq!((beyond.len(), &pagination["has_next"]), (0, &false.into()), "{listing}: beyond the end");
    }
    let window =
        format!("tenant_id={TENANT}&created_at_from=2024-02-20T10:41:41Z&created_at_to=2024-02-20T10:41:43Z");
    let found = deployment.look(&format!("/api/credits/transactions?{window}")).await;
    assert_eq!(found.as_array().unwrap().len(), 3, "both bounds are inclusive: {found}");
}

#[tokio::test]
async fn unknown_routes_and_methods_are_refused() {
    let deployment = Deployment::new().await;
    let missing = "404 NOT_FOUND There is no such route; GET /docs shows all of them. Nothing was changed.";
    for path in [
        "/",
        "/api",
        "/api/",
        "/api/credits",
        "/api/credits/balance/",
        "/API/health",
        "/api/admin",
        "/.env",
        "/api/payments/%FF",
        "/api/admin/events/%FF",
    ] {
        let answer = deployment.get(path, &deployment.operator).await;
        assert_eq!(answer.summary(), missing, "{path}");
    }
    assert_eq!(deployment.request(Method::POST, "/nothing", None, "").await.summary(), missing);
    for (path, allow) in [
        ("/api/credits/balance", "GET,HEAD"),
        ("/api/admin/keys", "GET,HEAD,POST"),
        ("/api/admin/keys/key_0/revoke", "POST"),
        ("/api/health", "GET,HEAD"),
    ] {
        let answer = deployment.request(Method::DELETE, path, Some(&deployment.operator), "").await;
        let message = "405 METHOD_NOT_ALLOWED This route does not take this method; see the `Allow` header. \
                       Nothing was changed.";
        assert_eq!((answer.summary().as_str(), answer.header("allow")), (message, allow), "{path}");
    }
}

#[tokio::test]
async fn request_bodies_are_limited_and_parsed_strictly() {
    let deployment = Deployment::new().await;
    let limit = deployment.app.limits.api_body_bytes;
    let around = format!("{{\"tenant_id\":\"{TENANT}\",\"name\":\"\"}}");
    let sized = |size: usize| around.replace("\"\"}", &format!("\"{}\"}}", "x".repeat(size - around.len())));
    let post = async |body: &str| {
        deployment.request(Method::POST, "/api/admin/keys", Some(&deployment.operator), body).await
    };
    let answer = post(&sized(limit + 1)).await;
    assert_eq!(answer.summary(), "413 PAYLOAD_TOO_LARGE A body may have 65536 bytes. Nothing was changed.");
    assert_eq!(post(&sized(limit)).await.status, 201, "exactly at the limit");
    for body in [
        "",
        "{",
        "[]",
        r#"["x",null,null,null]"#,
        "null",
        r#"{"name":1}"#,
        r#"{}"#,
        r#"{"name":"x","tenant":"y"}"#,
        "\u{feff}{}",
    ] {
        let summary = post(body).await.summary();
        assert!(summary.starts_with("400 BAD_REQUEST The body cannot be read: "), "{body}: {summary}");
        assert!(summary.ends_with("Nothing was changed."), "{body}: {summary}");
    }
    for (body, why) in [
        ("", "it is empty, and must be a JSON object. "),
        ("name=x", "it is not JSON: expected ident at line 1 column 2. "),
        ("{\"name\":", "it is not JSON: EOF while parsing a value at line 1 column 8. "),
        (r#"{"name":1}"#, "invalid type: integer `1`, expected a string at line 1 column 9. "),
    ] {
        let summary = post(body).await.summary();
        let expected = format!("400 BAD_REQUEST The body cannot be read: {why}");
        assert!(summary.starts_with(&expected), "{body}: {summary}");
    }
}

#[tokio::test]
async fn a_database_error_is_an_internal_error() {
    let deployment = Deployment::new().await;
    let key = deployment.reader(OTHER).await;
    deployment.backdoor().execute_batch("ALTER TABLE tenants RENAME TO gone").unwrap();
    let expected = "500 INTERNAL_ERROR The database could not answer; the log says why. Nothing was changed.";
    assert_eq!(deployment.get("/api/credits/balance", &key).await.summary(), expected);
    let health = deployment.request(Method::GET, "/api/health", None, "").await;
    assert_eq!(health.data()["status"], "ok", "health does not read that table");
}
