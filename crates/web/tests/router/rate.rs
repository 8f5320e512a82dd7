//! The rate limit over HTTP: which requests count, the header fields, and the refusal.
//! The unit tests of `rate.rs` cover the windows.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use web::Limits;

use crate::answer::Answer;
use crate::deployment::{Deployment, NOW};
use crate::{OTHER, TENANT};

async fn limited(requests_per_hour: u32) -> Deployment {
    let limits = Limits { requests_per_hour, ..Limits::default() };
    Deployment::with(store::Mode::Live, ledger::Policy::default(), limits).await
}

/// The `X-RateLimit-*` fields: limit, remaining, and reset in seconds after `NOW`; none if all are missing.
fn rate_limit(answer: &Answer) -> Option<[i64; 3]> {
    let names = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"];
    let [limit, remaining, reset] = names.map(|name| answer.header(name).parse::<i64>().ok());
    match (limit, remaining, reset) {
        (Some(limit), Some(remaining), Some(reset)) => Some([limit, remaining, reset - NOW]),
        (None, None, None) => None,
        _ => panic!("not all of them: {answer:?}"),
    }
}

const BALANCE: &str = "/api/credits/balance";

#[tokio::test]
async fn the_thousandth_request_is_the_last_of_the_hour() {
    let deployment = Deployment::new().await;
    let key = deployment.reader(TENANT).await;
    for number in 1..=1000 {
        let answer = deployment.get(BALANCE, &key).await;
        assert_eq!(
            (answer.status, rate_limit(&answer)),
            (200, Some([1000, 1000 - number, 3600])),
            "{number}"
        );
        assert_eq!(answer.header("retry-after"), "", "{number}");
    }
    deployment.pass(600);
    let refused = deployment.get(BALANCE, &key).await;
    let expected = "429 RATE_LIMIT_EXCEEDED The tenant's 1000 requests of this hour are used up. Nothing was changed; \
                    ask again in 3000 seconds.";
    assert_eq!(refused.summary(), expected);
    assert_eq!(refused.json()["error"]["details"], json!({ "limit": 1000, "retry_after": 3000 }));
    assert_eq!((refused.header("retry-after"), rate_limit(&refused)), ("3000", Some([1000, 0, 3600])));

    deployment.pass(2999);
    let refused = deployment.get(BALANCE, &key).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "1"));
    deployment.pass(1);
    let again = deployment.get(BALANCE, &key).await;
    assert_eq!((again.status, rate_limit(&again)), (200, Some([1000, 999, 7200])));
}

#[tokio::test]
async fn the_keys_of_a_tenant_share_one_limit() {
    let deployment = limited(3).await;
    let (first, second) = (deployment.reader(TENANT).await, deployment.reader(TENANT).await);
    let other = deployment.reader(OTHER).await;
    let (id, revoked) = deployment.key(TENANT, store::Access::Read, None).await;
    deployment.revoke(&id).await;
    let operator = deployment.operator.clone();
    let service = deployment.service().await;
    let of_tenant = format!("{BALANCE}?tenant_id={TENANT}");

    // Requests that are not counted show the full limit.
    let own = |left| Some([3, left, 3600]);
    let none = own(3);
    let rows = [
        (&first, BALANCE, 200, own(2)),
        (&revoked, BALANCE, 401, none),
        (&operator, &of_tenant, 200, none),
        (&service, &of_tenant, 200, none),
        (&second, BALANCE, 200, own(1)),
        (&first, BALANCE, 200, own(0)),
        (&second, BALANCE, 429, own(0)),
        (&first, "/api/health", 200, none),
        (&other, BALANCE, 200, own(2)),
        (&operator, &of_tenant, 200, none),
        (&revoked, BALANCE, 401, none),
    ];
    for (number, (key, path, status, expected)) in rows.into_iter().enumerate() {
        let answer = deployment.get(path, key).await;
        assert_eq!((answer.status, rate_limit(&answer)), (status, expected), "row {number}");
    }
}

/// Error responses to a valid key count too, whatever the reason.
#[tokio::test]
async fn errors_count_towards_the_limit() {
    let deployment = limited(9).await;
    let (_, key) = deployment.key(TENANT, store::Access::Write, None).await;
    let rows = [
        (BALANCE, 403),
        ("/api/credits/lots?a=1&a=2", 400),
        ("/api/admin/status", 404),
        ("/api/admin/events/%FF", 404),
        ("/api/payments/%FF", 403),
        ("/api/nothing", 404),
        ("/api/credits/spend", 405),
    ];
    for (number, (path, status)) in rows.into_iter().enumerate() {
        let answer = deployment.get(path, &key).await;
        let left = 8 - i64::try_from(number).unwrap();
        assert_eq!((answer.status, rate_limit(&answer)), (status, Some([9, left, 3600])), "{path}");
    }
    let spend = async || {
        let method = axum::http::Method::POST;
        deployment.request(method, "/api/credits/spend", Some(&key), r#"{"credits":1}"#).await
    };
    assert_eq!((spend().await.status, spend().await.status), (400, 400), "no `Idempotency-Key`");
    assert_eq!(deployment.get("/api/nothing", &key).await.status, 429);
    let refused = spend().await;
    assert_eq!((refused.status, rate_limit(&refused)), (429, Some([9, 0, 3600])));
}

/// Every response carries the fields, for every caller and from every part of the service.
#[tokio::test]
async fn every_response_shows_the_remaining_requests() {
    let deployment = limited(9).await;
    let (_, key) = deployment.key(TENANT, store::Access::Full, None).await;
    let long = format!("GET /{}", "x".repeat(2048));
    let large = "x".repeat(70_000);
    let (no_key, tenant, operator) = (None, Some(key.as_str()), Some(deployment.operator.as_str()));
    for (route, key, body, status, left) in [
        ("GET /api/credits/balance", no_key, "", 401, 9),
        ("GET /api/nothing", no_key, "", 404, 9),
        ("PUT /api/credits/balance", no_key, "", 405, 9),
        ("GET /api/health", no_key, "", 200, 9),
        (&long, no_key, "", 414, 9),
        ("POST /webhooks/stripe", no_key, "{}", 400, 9),
        ("GET /webhooks/stripe", no_key, "", 405, 9),
        ("GET /api/admin/status", operator, "", 200, 9),
        ("POST /api/admin/keys", operator, &large, 413, 9),
        ("POST /api/admin/keys", operator, "{", 400, 9),
        ("POST /api/credits/spend", tenant, &large, 413, 8),
        ("GET /api/admin/status", tenant, "", 404, 7),
        (&long, tenant, "", 414, 9),
        ("PUT /api/credits/balance", tenant, "", 405, 6),
        (
            "POST /api/credits/purchase",
            tenant,
            r#"{"package":"a","success_url":"https://a.example"}"#,
            503,
            5,
        ),
    ] {
        let (method, path) = route.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path).header("idempotency-key", "k");
        if let Some(key) = key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let answer = deployment.send(request.body(Body::from(body.to_owned())).unwrap()).await;
        let route = &route[..route.len().min(60)];
        assert_eq!((answer.status, rate_limit(&answer)), (status, Some([9, left, 3600])), "{route}");
    }
}

#[tokio::test]
async fn zero_means_no_limit() {
    let deployment = limited(0).await;
    let key = deployment.reader(TENANT).await;
    for _ in 0..1002 {
        let answer = deployment.get(BALANCE, &key).await;
        assert_eq!((answer.status, rate_limit(&answer)), (200, None));
    }
}
