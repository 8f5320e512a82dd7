//! What all routes have in common: keys, versions, request ids, idempotency, unknown URLs, sizes.

use super::*;

#[tokio::test]
async fn keys() {
    let account = Account::new();
    // sk_test_emulator: and :password in base64.
    let cases = [
        ("Bearer sk_test_emulator", 200, ""),
        ("bearer sk_test_emulator", 200, ""),
        ("Basic c2tfdGVzdF9lbXVsYXRvcjo=", 200, ""),
        ("Basic c2tfdGVzdF9lbXVsYXRvcg", 200, ""),
        ("Bearer sk_test_0123456789abcd", 401, "Invalid API Key provided: sk_test_****abcd"),
        ("Basic !!!", 401, "You did not provide an API key."),
        ("Bearer ", 401, "You did not provide an API key."),
        ("sk_test_emulator", 401, "You did not provide an API key."),
        ("Digest x", 401, "You did not provide an API key."),
        (
            "Bearer sk_live_0123456789abcd",
            401,
            "Invalid API Key provided: sk_live_****abcd. This is FairePlace's",
        ),
    ];
    for (authorization, status, message) in cases {
        let headers = [("authorization", authorization)];
        let answer = account.call("GET /v1/charges", "", &headers).await;
        assert_eq!(answer.status, status, "{authorization}");
        let given = answer.body["error"]["message"].as_str().unwrap_or_default();
        assert!(given.starts_with(message), "{authorization}: {given}");
    }
    let bare = Request::get("/v1/charges").header("host", "127.0.0.1:12111").body(Body::empty()).unwrap();
    let answer = account.send(bare).await;
    assert_eq!((answer.status, answer.body["error"]["type"].as_str()), (401, Some("invalid_request_error")));
}

#[tokio::test]
async fn versions() {
    let account = Account::new();
    let session = account.session().await;
    let path = format!("GET /v1/checkout/sessions/{session}");
    let cases = [
        (None, "2026-10-28.endive", "hosted_page"),
        (Some("2026-10-28.endive"), "2026-10-28.endive", "hosted_page"),
        (Some("2025-03-31.basil"), "2025-03-31.basil", "hosted"),
        (Some("2024-06-20"), "2022-11-15", "hosted"),
    ];
    for (requested, returned, ui_mode) in cases {
        let headers: Vec<_> = requested.map(|version| ("stripe-version", version)).into_iter().collect();
        let answer = account.call(&path, "", &headers).await;
        assert_eq!(answer.headers["stripe-version"], returned, "{requested:?}");
        assert_eq!(answer.body["ui_mode"], ui_mode, "{requested:?}");
    }
    for wrong in ["yesterday", "2020-08-27", ""] {
        let answer = account.call(&path, "", &[("stripe-version", wrong)]).await;
        let message = answer.body["error"]["message"].as_str().unwrap();
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(message.starts_with(&format!("Invalid Stripe API version: {wrong}. ")), "{message}");
    }
}

#[tokio::test]
async fn every_response_has_its_own_request_id() {
    let account = Account::new();
    let mut seen = std::collections::BTreeSet::new();
    for line in ["GET /v1/charges", "GET /v1/nothing", "GET /v1/charges/ch_0", "POST /v1/refunds"] {
        let answer = account.call(line, "", &[]).await;
        assert!(seen.insert(answer.headers["request-id"].to_str().unwrap().to_owned()), "{line}");
        assert_eq!(answer.headers["content-type"], "application/json");
    }
}

#[tokio::test]
async fn a_key_executes_once() {
    let account = Account::new();
    let key = [("idempotency-key", "k1")];
    let create = "POST /v1/customers";
    let first = account.call(create, "name=A&email=a@b.c", &key).await;
    let again = account.call(create, "email=a@b.c&name=A", &key).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(again.headers["original-request"], first.headers["request-id"]);
    assert_eq!(again.headers["idempotency-key"], "k1");
    assert_ne!(again.headers["request-id"], first.headers["request-id"]);
    assert!(first.headers.get("idempotent-replayed").is_none());

    let other = account.call(create, "name=B", &key).await;
    assert_eq!((other.status, other.body["error"]["type"].as_str()), (400, Some("idempotency_error")));
    let elsewhere = account.call("POST /v1/products", "name=A&email=a@b.c", &key).await;
    assert_eq!(elsewhere.body["error"]["type"], "idempotency_error");
    assert_eq!(account.ok("GET /v1/customers", "").await["data"].as_array().unwrap().len(), 1);

    let event = &account.ok("GET /v1/events?type=customer.created", "").await["data"][0];
    assert_eq!(event["request"]["idempotency_key"], "k1");
    assert_eq!(event["request"]["id"], first.headers["request-id"].to_str().unwrap());
}

#[tokio::test]
async fn which_responses_a_key_stores() {
    let account = Account::new();
    let cases = [
        // Refused before execution: not stored.
        ("POST /v1/refunds", "amount=abc&charge=ch_0", "k1", false),
        ("POST /v1/refunds", "nonsense=1", "k2", false),
        ("POST /v1/customers", "expand[]=nonsense", "k3", false),
        // Refused during execution: stored.
        ("POST /v1/refunds", "charge=ch_0", "k4", true),
    ];
    for (line, form, key, stored) in cases {
        let headers = [("idempotency-key", key)];
        assert!(account.call(line, form, &headers).await.status >= 400);
        let again = account.call(line, form, &headers).await;
        assert_eq!(again.headers.contains_key("idempotent-replayed"), stored, "{form}");
    }
    let long = "k".repeat(256);
    let answer = account.call("POST /v1/customers", "", &[("idempotency-key", &long)]).await;
    assert_eq!(answer.status, 400);
    let get = account.call("GET /v1/customers", "", &[("idempotency-key", "k4")]).await;
    assert_eq!(get.status, 200, "a GET needs no key");
}

#[tokio::test]
async fn unsupported_parameters_are_named() {
    let account = Account::new();
    for line in [
        "GET /v1/subscriptions",
        "PUT /v1/charges",
        "DELETE /v1/charges/ch_1",
        "GET /v1/a/b/c/d",
        "GET /v1/charges/search",
        "GET /v1",
        "POST /v1/",
        "GET /v2/core/events",
    ] {
        let (status, _, message) = account.refused(line, "").await;
        let start = format!(
            "Unrecognized request URL ({}: {}). FairePlace's emulator does not have it; it has: ",
            { line.split(' ').next().unwrap() },
            line.split(' ').nth(1).unwrap()
        );
        assert_eq!(status, 404);
        assert!(message.starts_with(&start), "{message}");
        assert!(
            message.contains("products, prices, customers, checkout/sessions, payment_intents"),
            "{message}"
        );
    }
    let without_key =
        Request::get("/v1/subscriptions").header("host", "127.0.0.1:12111").body(Body::empty()).unwrap();
    assert_eq!(account.send(without_key).await.status, 401);
}

#[tokio::test]
async fn bodies_are_forms_of_limited_size() {
    let account = Account::new();
    let json = [("content-type", "application/json")];
    let answer = account.call("POST /v1/customers", "{\"name\": \"A\"}", &json).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body["error"]["message"].as_str().unwrap().contains("x-www-form-urlencoded"));
    let huge = format!("name={}", "x".repeat(1024 * 1024));
    assert_eq!(account.refused("POST /v1/customers", &huge).await.0, 413);
    assert_eq!(account.refused("POST /v1/customers", &"a[]=1&".repeat(3_000)).await.0, 400);
}

#[tokio::test]
async fn expansion() {
    let account = Account::new();
    let (intent, charge) = account.paid("4242424242424242").await;
    let line =
        "GET /v1/checkout/sessions?expand[]=data.payment_intent.latest_charge&expand[]=data.line_items";
    let session = &account.ok(line, "").await["data"][0];
    assert_eq!(session["payment_intent"]["id"], intent.as_str());
    assert_eq!(session["payment_intent"]["latest_charge"]["id"], charge.as_str());
    assert_eq!(session["line_items"]["data"][0]["amount_total"], 1000);
    let refund = account.ok("POST /v1/refunds", &format!("charge={charge}&expand[]=charge.refunds")).await;
    assert_eq!(refund["charge"]["refunds"]["data"][0]["id"], refund["id"]);
    let (status, _, message) =
        account.refused("POST /v1/refunds", &format!("charge={charge}&expand[]=bogus")).await;
    assert_eq!((status, message.as_str()), (400, "This property cannot be expanded (bogus)."));
}
