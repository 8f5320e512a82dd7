//! `/api/credits/holds`: a hold is captured, released or expires once; later requests are refused and change
//! nothing.
//! `spend` tests `Idempotency-Key` and request bodies in general, `engine` the sweep that expires holds.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::tenant_client::{TenantClient, replayed, together};
use crate::{OTHER, TENANT};

const DAY: i64 = 86_400;
/// A well-formed id of no hold.
const UNKNOWN_HOLD: &str = "hold_018f0000000070008000000000000000";

#[tokio::test]
async fn a_hold_is_created_and_captured() {
    let client = TenantClient::new().await;
    let request = r#"{"credits":4,"reference":"envelope 7"}"#;
    let created = client.post("holds", "envelope-7", request).await;
    let hold = created.data();
    let id = hold["id"].as_str().unwrap();
    let expected = json!({
        "id": id, "state": "open", "credits": 4, "captured": 0, "reference": "envelope 7",
        "allocations": [{ "lot": 1, "credits": 4 }],
        "created_at": "2024-02-20T10:41:40Z", "expires_at": "2024-03-05T10:41:40Z", "resolved_at": null,
    });
    assert_eq!((created.status, &hold), (201, &expected), "14 days");
    assert_eq!(id.len(), 37);
    assert_eq!(client.balance().await, [6, 4, 0, 0]);
    assert_eq!(client.get(&format!("holds/{id}")).await, expected);

    client.deployment.pass(DAY);
    let captured = client.post(&format!("holds/{id}/capture"), "signed-7", r#"{"credits":3}"#).await;
    let mut resolved = expected.clone();
    (resolved["state"], resolved["captured"]) = ("captured".into(), 3.into());
    resolved["resolved_at"] = "2024-02-21T10:41:40Z".into();
    let expected = json!({
        "hold": resolved, "transaction_id": 3,
        "balance_after": { "available": 7, "held": 0, "frozen": 0, "debt": 0, "balance": 7 },
    });
    assert_eq!((captured.status, captured.data()), (200, expected));
    assert_eq!(client.get(&format!("holds/{id}")).await, resolved);

    let again = client.post("holds", "envelope-7", request).await;
    assert_eq!(
        (again.status, again.data(), replayed(&again)),
        (201, hold.clone(), true),
        "the original response"
    );
    let lines = client.get("transactions?sort=created_at").await;
    let shown = |line: &Value| {
        ["type", "amount", "credits", "hold", "reference", "allocations"].map(|field| line[field].clone())
    };
    let (id, reference) = (json!(id), json!("envelope 7"));
    let of = |credits: i64| json!([{ "lot": 1, "credits": credits }]);
    assert_eq!(shown(&lines[1]), ["held".into(), 0.into(), 4.into(), id.clone(), reference.clone(), of(4)]);
    assert_eq!(shown(&lines[2]), ["captured".into(), (-3).into(), 4.into(), id, reference, of(3)]);
    client.deployment.check_books().await;
}

/// Verb, body and days to wait before it, for a hold of four of ten credits; the response and the balance.
type Step<'a> = (&'a str, &'a str, i64, &'a str, [i64; 4]);

/// Every way in which a hold can end, and the responses to later requests.
#[tokio::test]
async fn a_hold_ends_once() {
    let captured = "409 HOLD_RESOLVED This hold was captured before: its credits are spent. ";
    let released = "409 HOLD_RESOLVED This hold was released before: its credits went back. ";
    let expired =
        "409 HOLD_EXPIRED This hold ran out of time: its credits went back, and can be spent or held anew. ";
    let exceeds = "422 CAPTURE_EXCEEDS_HOLD 5 credits were requested, and this hold has 4. ";
    let amount = "422 VALIDATION_ERROR credits must be a whole number from 1 to 1000000000. ";
    let rows: &[&[Step]] = &[
        &[
            ("capture", "", 0, "200", [6, 0, 0, 0]),
            ("capture", "", 0, captured, [6, 0, 0, 0]),
            ("capture", r#"{"credits":1}"#, 0, captured, [6, 0, 0, 0]),
            ("release", "", 0, captured, [6, 0, 0, 0]),
            ("release", "{}", 20, captured, [6, 0, 0, 0]),
        ],
        &[
            ("capture", r#"{"credits":5}"#, 0, exceeds, [6, 4, 0, 0]),
            ("capture", r#"{"credits":0}"#, 0, amount, [6, 4, 0, 0]),
            ("capture", r#"{"credits":-1}"#, 0, amount, [6, 4, 0, 0]),
            ("capture", r#"{"credits":1.5}"#, 0, amount, [6, 4, 0, 0]),
            ("capture", r#"{"credits":4.0}"#, 0, amount, [6, 4, 0, 0]),
            ("capture", r#"{"credits":4e0}"#, 0, amount, [6, 4, 0, 0]),
            ("capture", r#"{"credits":"4"}"#, 0, amount, [6, 4, 0, 0]),
            ("capture", r#"{"credits":9223372036854775808}"#, 0, amount, [6, 4, 0, 0]),
            ("capture", r#"{"credits":1}"#, 0, "200", [9, 0, 0, 0]),
            ("capture", r#"{"credits":3}"#, 0, captured, [9, 0, 0, 0]),
        ],
        &[("capture", r#"{"credits":null}"#, 13, "200", [6, 0, 0, 0])],
        &[
            ("release", "{}", 0, "200", [10, 0, 0, 0]),
            ("capture", "", 0, released, [10, 0, 0, 0]),
            ("release", "", 0, released, [10, 0, 0, 0]),
        ],
        &[("capture", "", 14, expired, [10, 0, 0, 0]), ("release", "", 0, expired, [10, 0, 0, 0])],
        &[("release", "", 15, expired, [10, 0, 0, 0]), ("capture", "", 0, expired, [10, 0, 0, 0])],
    ];
    for steps in rows {
        let client = TenantClient::new().await;
        let id = client.hold("created", 4).await;
        for (number, (verb, body, days, expected, balance)) in steps.iter().enumerate() {
            client.deployment.pass(days * DAY);
            let name = format!("{verb}-{number}");
            let path = format!("holds/{id}/{verb}");
            let before = client.books().await;
            let answer = client.post(&path, &name, body).await;
            assert!(answer.summary().starts_with(expected), "{name} {body}: {}", answer.summary());
            assert_eq!(client.balance().await, *balance, "{name} {body}");
            if answer.status != 200 && *days == 0 {
                assert_eq!(client.books().await, before, "{name} {body}");
            }
            if !expected.starts_with("422 V") {
                let again = client.post(&path, &name, body).await;
                assert_eq!((again.stable(), replayed(&again)), (answer.stable(), true), "{name} {body}");
            }
        }
        client.deployment.check_books().await;
    }
}

#[tokio::test]
async fn invalid_bodies_are_refused() {
    let client = TenantClient::new().await;
    let id = client.hold("created", 4).await;
    let before = client.books().await;
    let amount = "422 VALIDATION_ERROR credits must be a whole number from 1 to 1000000000. ";
    let time = "422 VALIDATION_ERROR expires_in_seconds must be a whole number from 60 to 7776000. ";
    let unread = "400 BAD_REQUEST The body cannot be read: ";
    let (capture, release) = (format!("holds/{id}/capture"), format!("holds/{id}/release"));
    let rows = [
        ("holds", r#"{"credits":0}"#, amount),
        ("holds", r#"{"credits":-4}"#, amount),
        ("holds", r#"{"credits":1.0}"#, amount),
        ("holds", r#"{"credits":null}"#, amount),
        ("holds", r#"{}"#, amount),
        ("holds", r#"{"credits":1,"expires_in_seconds":59}"#, time),
        ("holds", r#"{"credits":1,"expires_in_seconds":0}"#, time),
        ("holds", r#"{"credits":1,"expires_in_seconds":-60}"#, time),
        ("holds", r#"{"credits":1,"expires_in_seconds":7776001}"#, time),
        ("holds", r#"{"credits":1,"expires_in_seconds":60.0}"#, time),
        ("holds", r#"{"credits":1,"expires_in_seconds":"3600"}"#, time),
        ("holds", r#"{"credits":1,"expires_in_seconds":9223372036854775807}"#, time),
        ("holds", r#"{"credits":1,"reference":""}"#, "422 VALIDATION_ERROR reference must be 1 to 255 "),
        ("holds", r#"{"credits":1,"expires_at":"2026-01-01T00:00:00Z"}"#, unread),
        ("holds", "", unread),
        (&capture, r#"{"credit":1}"#, unread),
        (&capture, r#"{"credits":1,"credits":2}"#, unread),
        (&capture, r#"{"dry_run":true}"#, unread),
        (&capture, "[]", unread),
        (&release, r#"{"credits":1}"#, unread),
        (&release, "null", unread),
        (&release, " ", unread),
    ];
    for (path, body, expected) in rows {
        let answer = client.post(path, "name", body).await;
        assert!(answer.summary().starts_with(expected), "{path} {body}: {}", answer.summary());
        assert!(answer.summary().ends_with("Nothing was changed."), "{path} {body}: {}", answer.summary());
        assert_eq!(client.books().await, before, "{path} {body}");
    }
    assert!(!replayed(&client.post(&release, "name", "").await), "none of them used up the Idempotency-Key");
}

/// Another tenant's hold looks like one that does not exist, and cannot be changed.
#[tokio::test]
async fn holds_of_other_tenants_are_hidden() {
    let client = TenantClient::new().await;
    let id = client.hold("created", 4).await;
    let stranger = client.stranger().await;
    let before = client.books().await;
    let upper = id.to_uppercase();
    let odd = [
        UNKNOWN_HOLD,
        "hold_",
        "hold_1",
        "018f0000000070008000000000000000",
        "hold_018f0000-0000-7000-8000-000000000000",
        "ep_018f0000000070008000000000000000",
        "hold_018f000000007000800000000000000g",
        "%20",
        "hold_%00",
        &upper,
    ];
    let missing = "404 NOT_FOUND There is no such hold.";
    for (number, id) in odd.iter().chain([&id.as_str()]).enumerate() {
        for key in [&stranger, &client.key] {
            if key == &client.key && *id == client.get("holds").await[0]["id"] {
                continue;
            }
            let shown = client.deployment.get(&format!("/api/credits/holds/{id}"), key).await;
            assert_eq!(shown.summary(), missing, "{id}");
            for verb in ["capture", "release"] {
                let answer =
                    client.post_as(key, &format!("holds/{id}/{verb}"), &format!("{verb}-{number}"), "").await;
                assert_eq!(
                    (answer.summary().as_str(), answer.stable()),
                    (missing, shown.stable()),
                    "{id} {verb}"
                );
            }
        }
    }
    let listed = client.deployment.get("/api/credits/holds", &stranger).await;
    assert_eq!(listed.data(), json!([]));
    assert_eq!(client.books().await, before);

    // A service acts only for the tenant that it names.
    let service = client.deployment.service().await;
    let path = |verb: &str, tenant: &str| format!("holds/{id}/{verb}?tenant_id={tenant}");
    let wrong = client.post_as(&service, &path("capture", OTHER), "by-service", "").await;
    assert_eq!(wrong.summary(), missing);
    let right = client.post_as(&service, &path("release", TENANT), "by-service", "").await;
    assert_eq!(right.status, 200, "the first use of the key was for another tenant: {}", right.text);
    assert_eq!(client.balance().await, [10, 0, 0, 0]);
}

/// An idempotency key covers every value, including defaults.
#[tokio::test]
async fn an_idempotency_key_means_one_request() {
    let client = TenantClient::new().await;
    let first = client.post("holds", "hold", r#"{"credits":2}"#).await.data();
    let id = first["id"].as_str().unwrap();
    let same = client.post("holds", "hold", r#"{"credits":2,"expires_in_seconds":1209600}"#).await;
    assert_eq!(
        (same.data(), replayed(&same)),
        (first.clone(), true),
        "an explicit default equals an omitted one"
    );
    let other = client.hold("other", 2).await;
    let (capture, captures) = (format!("holds/{id}/capture"), format!("holds/{other}/capture"));
    client.post(&capture, "capture", r#"{"credits":1}"#).await.data();
    let before = client.books().await;
    let rows = [
        ("holds", "hold", r#"{"credits":3}"#),
        ("holds", "hold", r#"{"credits":2,"expires_in_seconds":1209601}"#),
        ("holds", "hold", r#"{"credits":2,"reference":"r"}"#),
        (&capture, "capture", ""),
        (&capture, "capture", r#"{"credits":2}"#),
        (&captures, "capture", r#"{"credits":1}"#),
    ];
    for (path, name, body) in rows {
        let answer = client.post(path, name, body).await;
        assert!(answer.summary().starts_with("409 IDEMPOTENCY_KEY_REUSED "), "{body}: {}", answer.summary());
    }
    assert_eq!(client.books().await, before);
}

/// Of concurrent captures and releases, one succeeds, and the books add up.
#[tokio::test]
async fn concurrent_captures_and_releases_end_a_hold_once() {
    for released_first in [false, true] {
        let client = Arc::new(TenantClient::new().await);
        let id = client.hold("created", 4).await;
        let send = |number: usize| {
            let (client, id) = (client.clone(), id.clone());
            let verb = if (number % 3 == 2) ^ released_first { "release" } else { "capture" };
            async move { client.post(&format!("holds/{id}/{verb}"), &format!("try-{number}"), "").await }
        };
        let answers = together((0..12).map(send)).await;
        let done: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(done.len(), 1);
        assert!(answers.iter().all(|answer| [200, 409].contains(&answer.status)));
        let state = done[0].data()["hold"]["state"].clone();
        let left = if state == "captured" { 6 } else { 10 };
        assert_eq!(client.balance().await, [left, 0, 0, 0]);
        assert_eq!(client.get(&format!("holds/{id}")).await["state"], state);
        client.deployment.check_books().await;
    }
}

/// A sweep races captures at the moment when a hold expires: its credits return once, and none is spent.
#[tokio::test]
async fn captures_concurrent_with_the_sweep_spend_nothing() {
    for sweep_first in [false, true] {
        let client = Arc::new(TenantClient::new().await);
        let id = client.hold("created", 4).await;
        client.deployment.pass(14 * DAY);
        let (store, now) = (client.deployment.app.store.clone(), client.deployment.app.clock.reading());
        let sweep = async || store.expire_due(now, 100).await.unwrap();
        let captures = together((0..8).map(|number: usize| {
            let (client, id) = (client.clone(), id.clone());
            async move { client.post(&format!("holds/{id}/capture"), &format!("late-{number}"), "").await }
        }));
        let answers = match sweep_first {
            true => tokio::join!(sweep(), captures).1,
            false => tokio::join!(captures, sweep()).0,
        };
        for answer in &answers {
            assert!(answer.summary().starts_with("409 HOLD_EXPIRED "), "{}", answer.summary());
        }
        assert_eq!(client.balance().await, [10, 0, 0, 0]);
        let lines = client.get("transactions").await;
        let kinds: Vec<_> = lines.as_array().unwrap().iter().map(|line| line["type"].clone()).collect();
        assert_eq!(kinds, ["hold_expired", "held", "granted"]);
        client.deployment.check_books().await;
    }
}

/// Holds are listed by state, including expired holds that no sweep has processed yet.
#[tokio::test]
async fn holds_are_listed_by_state() {
    let client = TenantClient::new().await;
    for (name, end) in [("a", "capture"), ("b", "release"), ("c", "")] {
        let id = client.hold(name, 1).await;
        if !end.is_empty() {
            client.post(&format!("holds/{id}/{end}"), end, "").await.data();
        }
        client.deployment.pass(1);
    }
    let short = client.post("holds", "d", r#"{"credits":1,"expires_in_seconds":60}"#).await;
    assert_eq!(short.data()["expires_at"], "2024-02-20T10:42:43Z");
    client.deployment.pass(60);
    let listed = async |query: &str| -> Vec<String> {
        let rows = client.get(&format!("holds?sort=created_at&{query}")).await;
        rows.as_array().unwrap().iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(listed("").await, ["captured", "released", "open", "expired"]);
    for state in ["captured", "released", "open", "expired"] {
        assert_eq!(listed(&format!("state={state}")).await, [state]);
    }
    let answer = client.deployment.get("/api/credits/holds?state=closed", &client.key).await;
    let expected = "422 VALIDATION_ERROR state must be one of open, captured, released, expired.";
    assert!(answer.summary().starts_with(expected), "{}", answer.summary());
    let longest = client.post("holds", "e", r#"{"credits":1,"expires_in_seconds":7776000}"#).await;
    assert_eq!(longest.data()["expires_at"], "2024-05-20T10:42:43Z");
}
