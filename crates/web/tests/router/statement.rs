//! Statements: every journal entry of the range is listed once, and the lines add up.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use web::Limits;

use crate::tenant_client::TenantClient;
use crate::{OTHER, TENANT};

/// A statement as text, with its headers.
async fn raw(client: &TenantClient, key: &str, query: &str) -> (axum::http::HeaderMap, String) {
    let request = axum::http::Request::get(format!("/api/credits/statement?{query}"))
        .header("authorization", format!("Bearer {key}"));
    let answer = client.deployment.send_raw(request.body(axum::body::Body::empty()).unwrap()).await;
    let (head, body) = answer.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    (head.headers, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn a_statement_as_csv() {
    let client = TenantClient::new().await;
    client.deployment.pass(60);
    client.post("spend", "lease-1", r#"{"credits":3,"reference":"=HYPERLINK(\"x\"), 1"}"#).await.data();
    let hold = client.hold("hold-1", 2).await;
    client.deployment.pass(60);
    client.refund().await;
    let (headers, text) = raw(&client, &client.key, "format=csv").await;
    let file = format!("attachment; filename=\"statement-{TENANT}-2024-02-20.csv\"");
    assert_eq!(headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(headers["content-disposition"], file.as_str());
    let expected = format!(
        "date,transaction,type,credits,available,held,frozen,debt,balance,payment,hold,reference,cause\r\n\
         ,,opening_balance,,0,0,0,0,0,,,,\r\n\
         2024-02-20T10:41:40Z,1,granted,10,10,0,0,0,10,pi_r,,,\
         Stripe event evt_r_buy_checkout_session_completed\r\n\
         2024-02-20T10:42:40Z,2,spent,-3,7,0,0,0,7,,,\"'=HYPERLINK(\"\"x\"\"), 1\",request lease-1\r\n\
         2024-02-20T10:42:40Z,3,held,0,5,2,0,0,7,,{hold},,request hold-1\r\n\
         2024-02-20T10:43:40Z,4,revoked,-10,0,2,0,5,-3,pi_r,,,Stripe event evt_r_refund_charge_refunded\r\n\
         ,,closing_balance,,0,2,0,5,-3,,,,\r\n"
    );
    assert_eq!(text, expected);
}

#[tokio::test]
async fn a_statement_as_json() {
    let client = TenantClient::new().await;
    client.spend("lease-1", 3).await.data();
    let (headers, text) = raw(&client, &client.key, "format=json").await;
    assert_eq!(headers["content-type"], "application/json");
    let whole: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(whole["meta"]["request_id"], headers["x-request-id"].to_str().unwrap());
    let statement = &whole["data"];
    let balance = |available: i64| {
        json!({ "available": available, "held": 0, "frozen": 0, "debt": 0,
            "balance": available })
    };
    assert_eq!(
        json!([statement["tenant_id"], statement["from"], statement["opening"], statement["closing"]]),
        json!([TENANT, null, balance(0), balance(7)])
    );
    let line = json!({
        "date": "2024-02-20T10:41:40Z", "transaction": 2, "type": "spent", "credits": -3, "available": 7,
        "held": 0, "frozen": 0, "debt": 0, "balance": 7, "payment": null, "hold": null, "reference": null,
        "cause": "request lease-1",
    });
    assert_eq!((statement["lines"].as_array().unwrap().len(), &statement["lines"][1]), (2, &line));
}

/// For any range, and across chunks: the lines are those of the range, and lead from the opening balance to
/// the closing one.
#[tokio::test]
async fn the_lines_add_up() {
    let client = TenantClient::with(Limits { requests_per_hour: 0, ..Limits::default() }).await;
    for number in 0..130 {
        client.buy(&format!("b{number}")).await;
    }
    for number in 0..1_100 {
        client.deployment.pass(1);
        client.spend(&format!("s{number}"), 1).await.data();
    }
    client.refund().await;
    let start = 1_708_425_700;
    let moment = |seconds: i64| jiff::Timestamp::from_second(start + seconds).unwrap().to_string();
    let mut ranges =
        vec![(None, None, 1_232), (None, Some(-1), 0), (Some(1_101), None, 0), (Some(700), Some(600), 0)];
    let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
    for _ in 0..20 {
        let (from, length) = (random.random_range(1..=900), random.random_range(0..150));
        ranges.push((Some(from), Some(from + length), length as usize + 1));
    }
    for (from, to, count) in ranges {
        let mut query = "format=json".to_owned();
        query.extend(from.map(|from| format!("&created_at_from={}", moment(from))));
        query.extend(to.map(|to| format!("&created_at_to={}", moment(to))));
        let whole: Value = serde_json::from_str(&raw(&client, &client.key, &query).await.1).unwrap();
        let statement = &whole["data"];
        let lines = statement["lines"].as_array().unwrap();
        assert_eq!(lines.len(), count, "{query}");
        let balance = |of: &Value| of["balance"].as_i64().unwrap();
        let change: i64 = lines.iter().map(|line| line["credits"].as_i64().unwrap()).sum();
        assert_eq!(change, balance(&statement["closing"]) - balance(&statement["opening"]), "{query}");
        let mut running = balance(&statement["opening"]);
        for line in lines {
            running += line["credits"].as_i64().unwrap();
            assert_eq!(running, balance(line), "{query}: {line}");
        }
        let csv = raw(&client, &client.key, &query.replace("json", "csv")).await.1;
        assert_eq!(csv.matches("\r\n").count(), count + 3, "{query}");
    }
}

#[tokio::test]
async fn operators_stay_anonymous_and_invalid_input_is_refused() {
    let client = TenantClient::new().await;
    let request = axum::http::Request::post("/api/admin/adjustments")
        .header("authorization", format!("Bearer {}", client.deployment.operator))
        .header("idempotency-key", "k");
    let body = json!({ "tenant_id": TENANT, "credits": 1, "reason": "they are nice" }).to_string();
    client.deployment.send(request.body(axum::body::Body::from(body)).unwrap()).await.data();
    let own = raw(&client, &client.key, "format=csv").await.1;
    assert!(own.contains("a decision by the operator") && !own.contains("nice"), "{own}");
    let seen = raw(&client, &client.deployment.operator, &format!("format=csv&tenant_id={TENANT}")).await.1;
    assert!(seen.contains("decided by Grace (key a test's): they are nice"), "{seen}");

    let (_, reader) = client.deployment.key(OTHER, store::Access::Read, None).await;
    for (key, query, expected) in [
        (&reader, format!("tenant_id={TENANT}"), "404 NOT_FOUND There is no such tenant."),
        (&client.key, "format=xml".to_owned(), "422 VALIDATION_ERROR format must be json or csv."),
        (
            &client.key,
            "created_at_from=noon".to_owned(),
            "422 VALIDATION_ERROR created_at_from must be an RFC 3339 timestamp",
        ),
        (&client.key, "page=2".to_owned(), "422 VALIDATION_ERROR This route does not know page"),
    ] {
        let answer = client.deployment.get(&format!("/api/credits/statement?{query}"), key).await;
        assert!(answer.summary().starts_with(expected), "{query}: {}", answer.text);
    }
    let nothing = raw(&client, &reader, "format=csv").await.1;
    assert_eq!(nothing.matches("\r\n").count(), 3, "a heading and two balances: {nothing}");
}
