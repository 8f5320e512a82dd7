//! Adjustments and write-offs: each is done once, with a reason, and above the daily limits by two people.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::office::{Office, problem, waits};
use crate::tenant_client::{replayed, together};
use crate::{OTHER, TENANT};

#[tokio::test]
async fn a_small_adjustment_is_done_at_once_and_only_once() {
    let office = Office::new().await;
    let first = office.adjust("outage", 5).await;
    let done = first.data();
    let seen = ["kind", "credits", "state", "alone", "request", "transaction_id", "reason", "decided_by"];
    let seen = seen.map(|field| done[field].clone());
    let request = json!({ "credits": 5, "priority": 10 });
    assert_eq!(json!(seen), json!(["adjustment", 5, "done", false, request, 2, "because", null]));
    let by = json!({ "person_id": "person_grace", "name": "Grace", "key_id": done["asked_by"]["key_id"],
        "key": "a test's" });
    assert_eq!(done["asked_by"], by);
    let again = office.adjust("outage", 5).await;
    assert_eq!((again.data(), replayed(&again), replayed(&first)), (done, true, false));
    assert_eq!(office.adjust("outage", 6).await.status, 409);
    assert_eq!(office.client.balance().await, [15, 0, 0, 0]);

    let line = &office.client.get("transactions").await[0];
    assert_eq!((&line["type"], &line["amount"]), (&"adjusted".into(), &5.into()));
    assert_eq!(line["cause"], json!({ "type": "operator", "id": "a decision by the operator" }));
    let shown = office.client.deployment.look(&format!("/api/credits/transactions?tenant_id={TENANT}")).await;
    assert_eq!(
        shown[0]["cause"],
        json!({ "type": "operator", "id": "because", "by": "Grace (key a test's)" })
    );

    let fee = office.adjust("fee", -3).await.data();
    assert_eq!((&fee["request"], &fee["credits"]), (&json!({ "credits": -3 }), &3.into()));
    assert_eq!(office.client.balance().await, [12, 0, 0, 0]);
    let lots = office.client.get("lots?sort=created_at").await;
    assert_eq!(
        (&lots[0]["available"], &lots[1]["available"]),
        (&10.into(), &2.into()),
        "the grant is spent first"
    );
    office.client.deployment.check_books().await;
}

#[tokio::test]
async fn an_idempotency_key_covers_every_field() {
    let office = Office::new().await;
    let original = json!({ "tenant_id": TENANT, "credits": 5, "reason": "because", "priority": 10,
        "expires_at": "2027-01-01T00:00:00Z" });
    let with = |field: &str, value: Value| {
        let mut body = original.clone();
        body[field] = value;
        body
    };
    assert_eq!(office.post(&office.grace, "adjustments", "k", &original).await.status, 200);
    let cases = [
        ("credits", json!(6), 409),
        ("reason", json!("Because"), 409),
        ("priority", json!(11), 409),
        ("priority", Value::Null, 200), // the default is 10
        ("expires_at", json!("2027-01-01T00:00:01Z"), 409),
        ("expires_at", Value::Null, 409),
        ("expires_at", json!("2027-01-01T01:00:00+01:00"), 200), // the same time
    ];
    for (field, value, status) in cases {
        let answer = office.post(&office.grace, "adjustments", "k", &with(field, value.clone())).await;
        assert_eq!((answer.status, replayed(&answer)), (status, status == 200), "{field} {value}");
    }
    let forgive = json!({ "tenant_id": TENANT, "credits": 5, "reason": "because" });
    assert_eq!(office.post(&office.grace, "write-offs", "k", &forgive).await.status, 409);
    assert_eq!(office.client.balance().await, [15, 0, 0, 0]);
}

#[tokio::test]
async fn a_refusal_by_the_ledger_is_final() {
    let office = Office::new().await;
    let refused = office.adjust("too much", -11).await;
    let details = refused.json()["error"]["details"].clone();
    assert_eq!((refused.status, &details["state"]), (422, &"refused".into()), "{}", refused.text);
    assert_eq!(json!([details["requested"], details["available"]]), json!([11, 10]));
    assert_eq!(refused.json()["error"]["type"], "INSUFFICIENT_CREDITS");
    office.client.buy("second").await;
    let again = office.adjust("too much", -11).await;
    assert_eq!((again.stable(), replayed(&again)), (refused.stable(), true), "although it would succeed now");
    assert_eq!(office.state(details["action"].as_str().unwrap()).await, "refused");

    let forgive = json!({ "tenant_id": TENANT, "reason": "gone" });
    let refused = office.post(&office.grace, "write-offs", "w", &forgive).await;
    assert_eq!((refused.status, refused.json()["error"]["type"].as_str()), (422, Some("NO_DEBT")));
    assert_eq!(office.lines().await, 2);
}

#[tokio::test]
async fn a_debt_is_written_off() {
    let office = Office::new().await;
    assert_eq!(office.client.spend("all", 10).await.status, 200);
    office.client.refund().await;
    assert_eq!(office.client.balance().await, [0, 0, 0, 10]);
    let forgive = |credits: Value| json!({ "tenant_id": TENANT, "reason": "gone", "credits": credits });
    let part = office.post(&office.grace, "write-offs", "part", &forgive(3.into())).await.data();
    assert_eq!((&part["kind"], &part["credits"]), (&"write_off".into(), &3.into()));
    let rest = office.post(&office.grace, "write-offs", "rest", &forgive(Value::Null)).await.data();
    assert_eq!((&rest["credits"], &rest["state"]), (&7.into(), &"done".into()));
    assert_eq!(office.client.balance().await, [0; 4]);
    office.client.deployment.check_books().await;
}

#[tokio::test]
async fn above_the_limits_a_second_person_decides() {
    let office = Office::new().await;
    assert_eq!(office.adjust("at the limit", 100).await.status, 200);
    let id = office.waiting("gift", 101).await;
    assert_eq!(office.client.balance().await, [110, 0, 0, 0], "nothing has moved yet");
    // Another key of the same person does not count as a second person.
    let grace = store::KeyHolder::Person("person_grace".to_owned());
    let phone = office.client.deployment.key_of(grace, None).await.1;
    for (key, verdict) in [(&office.grace, "approve"), (&office.grace, "reject"), (&phone, "approve")] {
        let own = office.decide(key, &id, verdict).await;
        assert_eq!(problem(&own), "SECOND_PERSON_REQUIRED", "{}", own.text);
    }
    office.client.deployment.pass(1);
    let bob = store::KeyHolder::Person("person_Bob".to_owned());
    let (late, young) =
        (office.client.deployment.colleague("Eve").await, office.client.deployment.key_of(bob, None).await.1);
    for key in [&late, &young] {
        let answer = office.decide(key, &id, "approve").await;
        assert_eq!(problem(&answer), "SECOND_PERSON_REQUIRED", "{}", answer.text);
    }
    for key in [office.client.key.clone(), office.client.deployment.service().await] {
        assert_eq!(office.decide(&key, &id, "approve").await.status, 404, "not an operator's key");
    }
    assert_eq!(office.state(&id).await, "waiting");
    let approved = office.decide(&office.bob, &id, "approve").await;
    assert_eq!((approved.status, &approved.data()["state"]), (200, &"done".into()), "{}", approved.text);
    assert_eq!(approved.data()["decided_by"]["name"], "Bob");
    assert_eq!(
        office.decide(&office.bob, &id, "approve").await.data(),
        approved.data(),
        "a repeated approval"
    );
    let late = office.decide(&office.bob, &id, "reject").await;
    assert_eq!(problem(&late), "ALREADY_DECIDED", "{}", late.text);
    assert_eq!(office.client.balance().await, [211, 0, 0, 0]);
    // The request, repeated, gets its original response.
    let again = office.adjust("gift", 101).await;
    assert_eq!((waits(&again), replayed(&again)), (id, true));
    let journal =
        office.client.deployment.look(&format!("/api/credits/transactions?tenant_id={TENANT}")).await;
    assert_eq!(journal[0]["cause"]["by"], "Grace (key a test's), approved by Bob (key a test's)");

    office.client.deployment.pass(1);
    let id = office.waiting("other gift", 500).await;
    let rejected = office.decide(&office.bob, &id, "reject").await.data();
    assert_eq!(json!([rejected["state"], rejected["note"]]), json!(["rejected", "no"]));
    assert_eq!(office.decide(&office.bob, &id, "reject").await.data(), rejected, "a repeated rejection");
    assert_eq!(office.decide(&office.bob, &id, "approve").await.status, 409);
    assert_eq!(waits(&office.adjust("other gift", 500).await), id, "the original response");
    assert_eq!(office.client.balance().await, [211, 0, 0, 0]);

    let id = office.waiting("back", -200).await;
    assert_eq!(office.client.spend("most", 100).await.status, 200);
    let refused = office.decide(&office.bob, &id, "approve").await;
    assert_eq!((refused.status, office.state(&id).await.as_str()), (422, "refused"), "{}", refused.text);
    assert_eq!(office.decide(&office.bob, &id, "approve").await.stable(), refused.stable());
    office.client.deployment.check_books().await;
}

/// Twenty adjustments of 49 exceed what one person may move in a day.
#[tokio::test]
async fn small_adjustments_add_up_to_the_daily_limit() {
    let office = Office::new().await;
    let mut statuses = Vec::new();
    for number in 0..20 {
        statuses.push(office.adjust(&format!("part {number}"), 49).await.status);
    }
    let (done, rest) = statuses.split_at(2);
    assert!(done == [200; 2] && rest.iter().all(|status| *status == 202), "{statuses:?}");
    assert_eq!(office.client.balance().await, [108, 0, 0, 0]);
    office.client.deployment.pass(24 * 3600);
    assert_eq!(office.adjust("tomorrow", 49).await.status, 200);
}

#[tokio::test]
async fn concurrent_requests_never_exceed_the_limit() {
    let office = Arc::new(Office::new().await);
    let futures = (0..30).map(|number| {
        let office = office.clone();
        async move { office.adjust(&format!("part {number}"), 9).await.status }
    });
    let statuses = together(futures).await;
    let done = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(done, 11, "11 times 9, and no more: {statuses:?}");
    assert_eq!(office.client.balance().await, [109, 0, 0, 0]);
}

/// The second daily limit covers all tenants together.
#[tokio::test]
async fn a_person_has_a_daily_limit_across_all_tenants() {
    let office = Office::new().await;
    let mut done = 0;
    for number in 0..12 {
        let tenant = format!("00000000-0000-4000-8000-{number:012}");
        office.client.deployment.reader(&tenant).await;
        let body = json!({ "tenant_id": tenant, "credits": 100, "reason": "because" });
        let status = office.post(&office.grace, "adjustments", "k", &body).await.status;
        done += usize::from(status == 200);
    }
    assert_eq!(done, 10);
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let office = Office::new().await;
    let before = (office.client.books().await, office.client.deployment.look("/api/admin/actions").await);
    for (credits, second) in [(60, false), (101, true), (-10, false)] {
        let body = json!({ "tenant_id": TENANT, "credits": credits, "reason": "r", "dry_run": true });
        let answer = office.client.deployment.post("/api/admin/adjustments", &body).await;
        let seen = answer.data();
        assert_eq!((&seen["dry_run"], &seen["second_person"]), (&true.into(), &second.into()), "{seen}");
        let change = &seen["consequences"]["balances"][0];
        assert_eq!(change["after"]["available"], 10 + credits, "{seen}");
    }
    let body = json!({ "tenant_id": TENANT, "credits": -11, "reason": "r", "dry_run": true });
    assert_eq!(office.client.deployment.post("/api/admin/adjustments", &body).await.status, 422);
    let after = (office.client.books().await, office.client.deployment.look("/api/admin/actions").await);
    assert_eq!(after, before);
}

/// Whichever decision comes first, the adjustment is done once or not at all.
#[tokio::test]
async fn concurrent_decisions_count_once() {
    let office = Arc::new(Office::new().await);
    let carol = office.client.deployment.colleague("Carol").await;
    for round in 0..5 {
        let before = office.client.balance().await[0];
        let id = office.waiting(&format!("gift {round}"), 200).await;
        let deciders = [
            (office.bob.clone(), "approve"),
            (carol.clone(), "approve"),
            (office.bob.clone(), "approve"),
            (carol.clone(), "reject"),
        ];
        let futures = deciders.into_iter().map(|(key, verdict)| {
            let (office, id) = (office.clone(), id.clone());
            async move { office.decide(&key, &id, verdict).await.status }
        });
        let answers = together(futures).await;
        assert!(answers.iter().all(|status| [200, 409].contains(status)), "{answers:?}");
        let moved = office.client.balance().await[0] - before;
        let expected = if office.state(&id).await == "done" { 200 } else { 0 };
        assert_eq!(moved, expected, "{answers:?}");
    }
    office.client.deployment.check_books().await;
}

#[tokio::test]
async fn concurrent_identical_requests_are_one_adjustment() {
    let office = Arc::new(Office::new().await);
    let futures = (0..8).map(|_| {
        let office = office.clone();
        async move { office.adjust("same", 7).await.data() }
    });
    let answers = together(futures).await;
    assert!(answers.iter().all(|one| one["id"] == answers[0]["id"]), "{answers:?}");
    assert_eq!(office.client.balance().await, [17, 0, 0, 0]);
}

#[tokio::test]
async fn invalid_input_stores_nothing() {
    let office = Office::new().await;
    let whole = json!({ "tenant_id": TENANT, "credits": 5, "reason": "because" });
    let with = |field: &str, value: Value| {
        let mut body = whole.clone();
        body[field] = value;
        body
    };
    let long = "x".repeat(501);
    let cases = [
        (with("credits", 0.into()), 422, "credits must be a whole number that is not 0"),
        (with("credits", json!(1.5)), 422, "credits must be a whole number from -1000000000"),
        (with("credits", json!("5")), 422, "credits must be"),
        (with("credits", json!(1_000_000_001)), 422, "credits must be"),
        (with("credits", json!(-1_000_000_001)), 422, "credits must be"),
        (with("reason", "".into()), 422, "reason must be 1 to 500 characters"),
        (with("reason", "  ".into()), 422, "reason must be"),
        (with("reason", long.into()), 422, "reason must be"),
        (with("reason", "a\nb".into()), 422, "reason must be"),
        (with("priority", 101.into()), 422, "priority must be a whole number from 0 to 100"),
        (
            with("expires_at", "2024-01-01T00:00:00Z".into()),
            422,
            "expires_at must be a future RFC 3339 timestamp",
        ),
        (with("expires_at", "soon".into()), 422, "expires_at must be"),
        (with("tenant_id", OTHER.into()), 404, "There is no such tenant."),
        (with("tenant_id", "nobody".into()), 422, "tenant_id must be the tenant's UUID"),
        (with("approved", true.into()), 400, "unknown field"),
        (json!({ "tenant_id": TENANT, "credits": 5 }), 400, "missing field `reason`"),
        (
            json!({ "tenant_id": TENANT, "credits": -5, "reason": "r", "priority": 1 }),
            422,
            "for credits that are given",
        ),
    ];
    for (body, status, message) in &cases {
        let answer = office.post(&office.grace, "adjustments", "same-key", body).await;
        assert_eq!(answer.status, *status, "{body} {}", answer.text);
        assert!(answer.text.contains(message), "{body} {}", answer.text);
    }
    let unnamed = office.client.deployment.post("/api/admin/adjustments", &whole).await;
    assert_eq!(unnamed.json()["error"]["type"], "IDEMPOTENCY_KEY_MISSING");
    let kept = office.client.deployment.look("/api/admin/actions").await;
    assert_eq!((kept, office.lines().await), (json!([]), 1));
    assert_eq!(office.adjust("same-key", 5).await.status, 200, "the Idempotency-Key is still unused");
    for path in ["actions/act_missing/approve", "actions/%2F/reject"] {
        assert_eq!(
            office.post(&office.grace, path, "k", &json!({ "reason": "r" })).await.status,
            404,
            "{path}"
        );
    }
}

/// A grant may expire; one that expires while it waits can no longer be approved.
#[tokio::test]
async fn a_grant_that_expired_while_waiting_is_not_approved() {
    let office = Office::new().await;
    let ends =
        json!({ "tenant_id": TENANT, "credits": 300, "reason": "r", "expires_at": "2024-03-01T00:00:00Z" });
    let mut small = ends.clone();
    (small["credits"], small["priority"]) = (3.into(), 7.into());
    office.post(&office.grace, "adjustments", "small", &small).await.data();
    let lot = &office.client.get("lots").await[0];
    assert_eq!(json!([lot["priority"], lot["expires_at"]]), json!([7, "2024-03-01T00:00:00Z"]));
    let id = office.post(&office.grace, "adjustments", "ends", &ends).await.data()["id"].clone();
    let id = id.as_str().unwrap();
    office.client.deployment.pass(30 * 86_400);
    let late = office.decide(&office.bob, id, "approve").await;
    assert!(late.status == 422 && late.text.contains("have expired meanwhile"), "{}", late.text);
    assert_eq!(office.state(id).await, "waiting");
    assert_eq!(office.decide(&office.bob, id, "reject").await.status, 200);
}
