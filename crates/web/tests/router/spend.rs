//! `POST /api/credits/spend`: valid and invalid requests, and that no refusal changes balance, history, lots
//! or holds. The tests of idempotency here stand for all commands.
//! `ledger` tests the order in which lots are spent, `e2e` clients that disconnect.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tokio::time::timeout;
use tower::ServiceExt as _;
use web::{App, AppParts, Limits, router};

use crate::answer::Answer;
use crate::tenant_client::{TenantClient, replayed, together};
use crate::{OTHER, TENANT};

#[tokio::test]
async fn a_spend_uses_the_oldest_lot_first() {
    let client = TenantClient::new().await;
    client.deployment.pass(1);
    client.buy("second").await;
    let answer = client.post("spend", "lease-1", r#"{"credits":13,"reference":"lease 1"}"#).await;
    let balance = json!({ "available": 7, "held": 0, "frozen": 0, "debt": 0, "balance": 7 });
    let allocations = json!([{ "lot": 1, "credits": 10 }, { "lot": 2, "credits": 3 }]);
    let expected = json!({
        "transaction_id": 3, "credits": 13, "reference": "lease 1", "allocations": allocations,
        "balance_after": balance, "dry_run": false,
    });
    assert_eq!((answer.status, answer.data(), replayed(&answer)), (200, expected, false));

    let line = &client.get("transactions").await[0];
    let expected = json!({
        "id": 3, "type": "spent", "amount": -13, "credits": 13, "balance_after": balance, "payment": null,
        "hold": null, "reference": "lease 1", "allocations": allocations,
        "cause": { "type": "command", "id": "lease-1" },
        "postings": [
            { "account": "available", "lot": 1, "amount": -10 }, { "account": "consumed", "lot": 1, "amount": 10 },
            { "account": "available", "lot": 2, "amount": -3 }, { "account": "consumed", "lot": 2, "amount": 3 },
        ],
        "hash": line["hash"], "created_at": line["created_at"],
    });
    assert_eq!(line, &expected);
    client.deployment.check_books().await;
}

/// Each is refused, changes nothing, and leaves its `Idempotency-Key` free.
#[tokio::test]
async fn invalid_bodies_are_refused() {
    let amount =
        "422 VALIDATION_ERROR credits must be a whole number from 1 to 1000000000. Nothing was changed.";
    let reference_error =
        "422 VALIDATION_ERROR reference must be 1 to 255 characters, none of them a control character.";
    let unread = "400 BAD_REQUEST The body cannot be read: ";
    let credits = |text: &str| format!(r#"{{"credits":{text}}}"#);
    let reference = |text: &str| format!(r#"{{"credits":1,"reference":{text}}}"#);
    let nested = |depth: usize| credits(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
    let mut rows: Vec<(String, &str)> = [
        "0",
        "-1",
        "-0",
        "1.5",
        "1.0",
        "1e0",
        "1e3",
        "0.1",
        "1000000001",
        "2147483648",
        "4294967297",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551617",
        "-9223372036854775808",
        "1000000000000000000000000000000",
        "\"1\"",
        "\"\"",
        "null",
        "true",
        "[1]",
        "{}",
        "{\"credits\":1}",
    ]
    .map(|text| (credits(text), amount))
    .into();
    rows.extend([
        ("{}".into(), amount),
        (r#"{"reference":"lease"}"#.into(), amount),
        (nested(100), amount),
        (reference("\"\""), reference_error),
        (reference("\"a\\nb\""), reference_error),
        (reference("\"\\u0000\""), reference_error),
        (reference(&format!("\"{}\"", "é".repeat(256))), reference_error),
        (reference("7"), unread),
        (reference("{}"), unread),
        (r#"{"credits":1,"dry_run":"yes"}"#.into(), unread),
        (r#"{"credits":1,"dry_run":1}"#.into(), unread),
        (r#"{"credits":1,"tenant_id":"650e8400-e29b-41d4-a716-446655440000"}"#.into(), unread),
        (r#"{"credits":1,"Credits":1}"#.into(), unread),
        (r#"{"credits":1,"credits":1}"#.into(), unread),
        (r#"{"credits":1,"reference":"a","reference":"b"}"#.into(), unread),
        (nested(100_000 / 4), unread),
        (credits("1e400"), unread),
        (credits("01"), unread),
        (credits("+1"), unread),
        (credits("0x1"), unread),
        (credits("NaN"), unread),
        (credits("1_0"), unread),
        (String::new(), unread),
        ("credits=1".into(), unread),
        ("[]".into(), unread),
        ("null".into(), unread),
        ("1".into(), unread),
        (r#"{"credits":1}{"credits":1}"#.into(), unread),
        (r#"{"credits":1,}"#.into(), unread),
        ("\u{feff}{\"credits\":1}".into(), unread),
        (
            format!(r#"{{"credits":1}}{}"#, " ".repeat(65_536)),
            "413 PAYLOAD_TOO_LARGE A body may have 65536 bytes.",
        ),
    ]);
    let client = TenantClient::new().await;
    let before = client.books().await;
    for (body, expected) in &rows {
        let answer = client.post("spend", "one-name", body).await;
        let shown = &body[..body.len().min(80)];
        assert!(answer.summary().starts_with(expected), "{shown}: {}", answer.summary());
        assert!(answer.summary().ends_with("Nothing was changed."), "{shown}: {}", answer.summary());
        assert_eq!(client.books().await, before, "{shown}");
    }
    let bearer = format!("Bearer {}", client.key);
    let fields = [("authorization", bearer.as_bytes()), ("idempotency-key", b"one-name")];
    let no_text = b"{\"credits\":1,\"reference\":\"\xff\"}".to_vec();
    let answer = client.post_raw("spend", &fields, no_text).await;
    assert!(answer.summary().starts_with(unread), "{}", answer.summary());
    assert_eq!(client.books().await, before);
    let answer = client.spend("one-name", 1).await;
    assert_eq!((answer.status, replayed(&answer)), (200, false), "none of them used up the Idempotency-Key");
}

/// A body is read as JSON whatever its `Content-Type`, and anything else is refused whatever its type.
#[tokio::test]
async fn the_content_type_is_ignored() {
    let client = TenantClient::new().await;
    let bearer = format!("Bearer {}", client.key);
    let kinds = ["application/json", "text/plain", "application/x-www-form-urlencoded", "", "nonsense"];
    for (kind, (body, status)) in
        kinds.iter().flat_map(|kind| [(r#"{"credits":1}"#, 200), ("credits=1", 400)].map(|case| (kind, case)))
    {
        let name = format!("as-{kind}");
        let fields = [
            ("authorization", bearer.as_bytes()),
            ("idempotency-key", name.as_bytes()),
            ("content-type", kind.as_bytes()),
        ];
        assert_eq!(client.post_raw("spend", &fields, body).await.status, status, "{kind}: {body}");
    }
    assert_eq!(client.balance().await, [5, 0, 0, 0]);
}

#[tokio::test]
async fn invalid_idempotency_keys_are_refused() {
    let client = TenantClient::new().await;
    let before = client.books().await;
    let bearer = format!("Bearer {}", client.key);
    let long = [b'k'; 256];
    let missing = "400 IDEMPOTENCY_KEY_MISSING This needs an `Idempotency-Key` header, ";
    let unusable = "422 VALIDATION_ERROR Idempotency-Key must be ";
    let rows: &[(&[&[u8]], &str)] = &[
        (&[], missing),
        (&[b""], unusable),
        (&[&long], unusable),
        (&["schlüssel".as_bytes()], unusable),
        (&[b"\xff"], unusable),
        (&[b"two words"], unusable),
        (&[b"a", b"b"], unusable),
        (&[b"a", b"a"], unusable),
    ];
    for path in ["spend", "holds", "holds/hold_018f0000000070008000000000000000/capture"] {
        for (names, expected) in rows {
            let mut fields: Vec<(&str, &[u8])> = vec![("authorization", bearer.as_bytes())];
            fields.extend(names.iter().map(|name| ("idempotency-key", *name)));
            let answer = client.post_raw(path, &fields, r#"{"credits":1}"#).await;
            assert!(answer.summary().starts_with(expected), "{path} {names:?}: {}", answer.summary());
            assert!(answer.summary().ends_with("Nothing was changed."), "{}", answer.summary());
        }
    }
    assert_eq!(client.books().await, before);
    let longest = "k".repeat(255);
    assert_eq!(client.spend(&longest, 1).await.status, 200);
}

#[tokio::test]
async fn invalid_tenants_are_refused() {
    let client = TenantClient::new().await;
    let before = client.books().await;
    let (own, service) = (&client.key, &client.deployment.service().await);
    let other = client.stranger().await;
    let whose = "422 VALIDATION_ERROR tenant_id must be the tenant's UUID, ";
    let rows: [(&str, &str, &str); 9] = [
        (service, "spend", whose),
        (service, "spend?tenant_id=", whose),
        (service, "spend?tenant_id=acme", whose),
        (service, "spend?tenant_id=550e8400e29b41d4a716446655440000", whose),
        (own, "spend?tenant_id=acme", whose),
        (own, "spend?tenant=x", "422 VALIDATION_ERROR This route does not know tenant; it knows tenant_id."),
        (own, "spend?dry_run=true", "422 VALIDATION_ERROR This route does not know dry_run"),
        (
            own,
            "spend?tenant_id=650e8400-e29b-41d4-a716-446655440000",
            "404 NOT_FOUND There is no such tenant.",
        ),
        (
            &other,
            "spend?tenant_id=550e8400-e29b-41d4-a716-446655440000",
            "404 NOT_FOUND There is no such tenant.",
        ),
    ];
    for (key, path, expected) in rows {
        let answer = client.post_as(key, path, "name", r#"{"credits":1}"#).await;
        assert!(answer.summary().starts_with(expected), "{path}: {}", answer.summary());
    }
    let nothing = client.post_as(&other, "spend", "name", r#"{"credits":1}"#).await;
    assert!(
        nothing.summary().starts_with("422 INSUFFICIENT_CREDITS 1 credit was requested, and 0 available.")
    );
    assert_eq!(client.books().await, before);
}

/// One key used by a tenant, by another tenant, and by a service that acts for the first: three commands.
#[tokio::test]
async fn an_idempotency_key_belongs_to_its_caller() {
    let client = TenantClient::new().await;
    let (service, other) = (client.deployment.service().await, client.stranger().await);
    let path = format!("spend?tenant_id={TENANT}");
    let rows = [
        (&client.key, "spend", 3, 200, false, 7),
        (&service, path.as_str(), 2, 200, false, 5),
        (&other, "spend", 1, 422, false, 5),
        (&client.key, "spend", 3, 200, true, 5),
        (&client.key, path.as_str(), 3, 200, true, 5),
        (&service, path.as_str(), 2, 200, true, 5),
        (&service, path.as_str(), 3, 409, false, 5),
        (&other, "spend", 1, 422, true, 5),
    ];
    for (key, path, credits, status, again, available) in rows {
        let answer = client.post_as(key, path, "name", &json!({ "credits": credits }).to_string()).await;
        assert_eq!((answer.status, replayed(&answer)), (status, again), "{credits}: {}", answer.text);
        assert_eq!(client.balance().await[0], available);
    }
    for row in [0, 1] {
        let expected = json!({ "type": "command", "id": "name" });
        assert_eq!(client.get("transactions").await[row]["cause"], expected);
    }
    client.deployment.check_books().await;
    let elsewhere = format!("/api/credits/transactions?tenant_id={OTHER}");
    assert_eq!(client.deployment.look(&elsewhere).await, json!([]));
}

/// A debt blocks spends and holds until it is repaid, and the refusal explains it.
#[tokio::test]
async fn a_tenant_in_debt_spends_nothing() {
    let client = TenantClient::new().await;
    assert_eq!(client.spend("all-but-three", 7).await.status, 200);
    client.refund().await;
    assert_eq!(client.balance().await, [0, 0, 0, 7]);
    let before = client.books().await;
    for path in ["spend", "holds"] {
        let answer = client.post(path, &format!("{path}-owing"), r#"{"credits":1}"#).await;
        let expected = "422 INSUFFICIENT_CREDITS This tenant owes 7 credits, because a payment was taken \
            back after its credits were used. Nothing was changed. The next purchase repays them first; \
            until then nothing can be spent or held.";
        assert!(answer.summary().starts_with(expected), "{}", answer.summary());
        let details = json!({ "requested": 1, "available": 0, "debt": 7 });
        assert_eq!(answer.json()["error"]["details"], details);
        let dry = client.post_unnamed(path, r#"{"credits":1,"dry_run":true}"#).await;
        assert_eq!(dry.stable(), answer.stable(), "{path}: dry run");
    }
    assert_eq!(client.books().await, before);
    client.buy("second").await;
    assert_eq!(client.balance().await, [3, 0, 0, 0], "repaid first");
    assert_eq!(client.spend("spend-owing", 1).await.status, 422, "a stored refusal is final");
    assert_eq!(client.spend("another", 3).await.status, 200);
    client.deployment.check_books().await;
}

/// A response is stored for good; a new attempt needs a new key.
#[tokio::test]
async fn a_response_is_stored_for_good() {
    let client = TenantClient::new().await;
    let spent = client.post("spend", "paid", r#"{"credits":4,"reference":"a"}"#).await;
    let refused = client.spend("refused", 7).await;
    let details = json!({ "requested": 7, "available": 6, "debt": 0 });
    assert_eq!((refused.status, &refused.json()["error"]["details"]), (422, &details));
    client.deployment.pass(400 * 86_400);
    client.buy("second").await;
    let before = client.books().await;

    let same = [
        r#"{"credits":4,"reference":"a"}"#,
        r#"{"reference":"a","credits":4}"#,
        " {\r\n\t\"credits\" : 4 , \"reference\" : \"\\u0061\", \"dry_run\": false }\n",
        r#"{"reference":"a","credits":4,"dry_run":null}"#,
    ];
    for body in same {
        let again = client.post("spend", "paid", body).await;
        assert_eq!((again.status, again.stable(), replayed(&again)), (200, spent.stable(), true), "{body}");
    }
    let again = client.spend("refused", 7).await;
    assert_eq!((again.status, again.stable(), replayed(&again)), (422, refused.stable(), true));

    let hold = "holds/hold_018f0000000070008000000000000000";
    let (capture, release) = (format!("{hold}/capture"), format!("{hold}/release"));
    let others = [
        ("spend", r#"{"credits":5,"reference":"a"}"#),
        ("spend", r#"{"credits":4}"#),
        ("spend", r#"{"credits":4,"reference":"b"}"#),
        ("spend", r#"{"credits":4,"reference":"A"}"#),
        ("holds", r#"{"credits":4,"reference":"a"}"#),
        (&capture, r#"{"credits":4}"#),
        (&release, ""),
    ];
    for name in ["paid", "refused"] {
        for (path, body) in others {
            let answer = client.post(path, name, body).await;
            let summary = answer.summary();
            assert!(summary.starts_with("409 IDEMPOTENCY_KEY_REUSED "), "{name} {path} {body}: {summary}");
            assert!(!replayed(&answer), "{name} {path} {body}");
        }
    }
    assert_eq!(client.books().await, before);
    assert_eq!(client.spend("new", 7).await.status, 200, "a new key is a new command");
    client.deployment.check_books().await;
}

/// A client that disconnects, or a timeout of the service, stops no command; a retry with the same key gets
/// its response.
#[tokio::test]
async fn a_started_command_is_finished() {
    let client = TenantClient::with(Limits { command: Duration::from_millis(20), ..Limits::default() }).await;
    // Another connection locks the database, so that nothing is written in time.
    let other = client.deployment.backdoor();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let late = client.spend("late", 3).await;
    let expected = "503 OUTCOME_UNKNOWN This may or may not have been stored. Ask again with the same \
        Idempotency-Key: it is done once, and you get its one answer.";
    assert_eq!((late.summary().as_str(), replayed(&late)), (expected, false));
    let dry = client.post_unnamed("spend", r#"{"credits":1,"dry_run":true}"#).await;
    assert!(dry.summary().starts_with("503 SERVICE_UNAVAILABLE "), "{}", dry.summary());
    assert!(dry.summary().contains("Nothing was changed"), "{}", dry.summary());
    other.execute_batch("ROLLBACK").unwrap();

    // The same service with a longer timeout, and a client that disconnects right after its request.
    let app = App::new(AppParts { limits: Limits::default(), ..client.deployment.parts.clone() });
    let send = async |name: &str, credits: i64| {
        let request = Request::post("/api/credits/spend")
            .header("authorization", format!("Bearer {}", client.key))
            .header("idempotency-key", name)
            .body(Body::from(json!({ "credits": credits }).to_string()));
        Answer::of(router(app.clone()).oneshot(request.unwrap()).await.unwrap()).await
    };
    let gone = timeout(Duration::from_millis(1), send("gone", 2)).await;
    let (late, gone_again) = (send("late", 3).await, send("gone", 2).await);
    assert_eq!((late.status, replayed(&late)), (200, true));
    assert_eq!(gone_again.status, 200);
    if let Ok(quick) = gone {
        assert_eq!(quick.stable(), gone_again.stable());
    }
    assert_eq!(client.balance().await, [5, 0, 0, 0]);
    client.deployment.check_books().await;
}

/// A dry run responds like the command itself, success or refusal, and changes nothing.
#[tokio::test]
async fn a_dry_run_shows_the_result() {
    let client = TenantClient::new().await;
    for (path, status) in [("spend", 200), ("holds", 201)] {
        for credits in [4, 11] {
            let before = client.books().await;
            let dry_run = json!({ "credits": credits, "reference": "r", "dry_run": true }).to_string();
            let dry = client.post_unnamed(path, &dry_run).await;
            // An `Idempotency-Key` sent with a dry run stays unused.
            let named = client.post(path, &format!("{path}-{credits}"), &dry_run).await;
            assert_eq!((named.status, named.stable()), (dry.status, dry.stable()));
            assert!(!replayed(&named));
            assert_eq!(client.books().await, before, "{path} {credits}");

            let real = json!({ "credits": credits, "reference": "r" }).to_string();
            let real = client.post(path, &format!("{path}-{credits}"), &real).await;
            assert!(!replayed(&real));
            if credits == 11 {
                assert_eq!((dry.status, dry.stable()), (real.status, real.stable()), "{path}");
                continue;
            }
            assert_eq!((dry.status, real.status), (200, status), "{path}");
            let (dry, real) = (dry.data(), real.data());
            assert_eq!((&dry["dry_run"], &dry["transaction_id"]), (&true.into(), &Value::Null));
            for field in ["credits", "reference", "allocations"] {
                assert_eq!(dry[field], real[field], "{path}: {field}");
            }
            let balance = client.get("balance").await;
            for field in ["available", "held", "frozen", "debt", "balance"] {
                assert_eq!(dry["balance_after"][field], balance[field], "{path}: {field}");
            }
        }
    }
    assert_eq!(client.balance().await, [2, 4, 0, 0]);
}

/// 32 concurrent spends with keys of their own, then all of them again: ten credits are ten spends.
#[tokio::test]
async fn concurrent_spends_never_exceed_the_balance() {
    let client = Arc::new(TenantClient::new().await);
    let send = |name: String, credits: i64| {
        let client = client.clone();
        async move { client.spend(&name, credits).await }
    };
    let mut first = Vec::new();
    for round in 0..2 {
        let answers = together((0..32).map(|number| send(format!("client-{number}"), 1))).await;
        let done = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!((done, client.balance().await), (10, [0, 0, 0, 0]));
        assert!(answers.iter().all(|answer| replayed(answer) == (round == 1)));
        let stable: Vec<_> = answers.iter().map(Answer::stable).collect();
        if round == 0 {
            first = stable;
        } else {
            assert_eq!(stable, first);
        }
    }
    // Concurrent requests with one key: done once.
    client.buy("second").await;
    let answers = together((0..16).map(|_| send("one".to_owned(), 10))).await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.stable() == answers[0].stable()));
    assert_eq!(answers.iter().filter(|answer| !replayed(answer)).count(), 1);
    assert_eq!(client.balance().await, [0, 0, 0, 0]);
    client.deployment.check_books().await;
}

/// Operators move credits only by actions, which count towards their limits.
#[tokio::test]
async fn an_operator_key_cannot_spend() {
    let client = TenantClient::new().await;
    let hold = client.hold("kept", 1).await;
    let before = client.books().await;
    let credits = r#"{"credits":1}"#;
    for (path, body) in [
        ("spend".to_owned(), credits),
        ("spend".to_owned(), r#"{"credits":1,"dry_run":true}"#),
        ("holds".to_owned(), credits),
        (format!("holds/{hold}/capture"), ""),
        (format!("holds/{hold}/release"), ""),
        ("purchase".to_owned(), r#"{"package":"10_credits"}"#),
    ] {
        let path = format!("{path}?tenant_id={TENANT}");
        let answer = client.post_as(&client.deployment.operator, &path, "name", body).await;
        let summary = answer.summary();
        assert!(summary.starts_with("403 FORBIDDEN An operator key cannot spend, hold"), "{path}: {summary}");
        assert!(
            summary.contains("a service key: `faireplace keys create NAME --service --reason WHY`"),
            "{summary}"
        );
    }
    assert_eq!(client.books().await, before);
}
