//! Quarantine decisions: an event is read again or dismissed; a payment is settled as the operator decides.

use emulator::scenario::{Sale, event};
use serde_json::{Value, json};

use crate::deployment::{Deployment, ten_credits};
use crate::office::{Office, waits};
use crate::{GUIDE_SAMPLE, OTHER, TENANT};

/// The guide's sale with credits that are not a number, so that an operator must decide how many to grant.
fn doubtful() -> String {
    GUIDE_SAMPLE.replace(r#""credits": "10""#, r#""credits": "ten""#)
}

/// A valid sale to the same tenant.
fn sound() -> String {
    GUIDE_SAMPLE.replace("evt_1234567890", "evt_sound").replace("cs_live_a1b2c3d4e5f6g7h8", "cs_sound")
}

async fn open(deployment: &Deployment) -> Value {
    deployment.look("/api/admin/quarantine").await
}

#[tokio::test]
async fn a_payment_is_resolved_as_the_operator_decides() {
    let deployment = Deployment::new().await;
    deployment.learn(sound()).await;
    deployment.learn(doubtful()).await;
    let item = &open(&deployment).await[0];
    let expected = json!({
        "id": 1, "event": null, "payment": "cs_live_a1b2c3d4e5f6g7h8", "reason": "credits_invalid",
        "detail": "The metadata's credits are not a whole number from 1 to 1,000,000,000. Nothing was granted.",
        "tenant_id": TENANT, "credits": null, "package": "10_credits", "amount": 25_000, "currency": "eur",
        "opened_at": "2024-02-20T10:41:40Z", "closed_at": null, "resolution": null, "closed_by": null, "note": null,
    });
    assert_eq!(item, &expected);
    let mut shown = deployment.look("/api/admin/quarantine/1").await;
    let claims = shown.as_object_mut().unwrap().remove("claims").unwrap();
    assert_eq!(&shown, item);
    let claim = json!({
        "event": "evt_1234567890", "source": "session", "accepted": false, "reason": "credits_invalid",
        "tenant": TENANT, "tenant_id": TENANT, "credits": null, "package": "10_credits", "currency": "eur",
        "amount": 25_000,
    });
    assert_eq!(claims, json!([claim]));

    let resolve = "/api/admin/quarantine/1/resolve";
    for (decision, expected) in [
        (
            json!({ "reason": "x", "tenant_id": TENANT }),
            "The payment of item 1 does not say who gets how many credits, from 1 to 1000000000. Nothing was changed. Decide it by itself, with tenant_id and credits.",
        ),
        (
            json!({ "reason": "x", "tenant_id": "acme", "credits": 10 }),
            "tenant_id must be the tenant's UUID. Nothing was changed.",
        ),
        (
            json!({ "reason": "x", "tenant_id": TENANT, "credits": 0 }),
            "credits must be a whole number from 1 to 1000000000. Nothing was changed.",
        ),
        (
            json!({ "reason": "x", "tenant_id": TENANT, "credits": 1_000_000_001 }),
            "credits must be a whole number from 1 to 1000000000. Nothing was changed.",
        ),
        (
            json!({ "reason": " ", "tenant_id": TENANT, "credits": 10 }),
            "reason must be 1 to 500 characters that still explain this in a year. Nothing was changed.",
        ),
        (
            json!({ "reason": "x\u{202e}", "tenant_id": TENANT, "credits": 10 }),
            "reason must be 1 to 500 characters that still explain this in a year. Nothing was changed.",
        ),
    ] {
        let answer = deployment.post(resolve, &decision).await;
        assert_eq!(answer.summary(), format!("422 VALIDATION_ERROR {expected}"), "{decision}");
    }
    for body in [
        json!({ "tenant_id": TENANT }),
        json!({ "reason": "x", "credits": 1.5 }),
        json!({ "reason": "x", "amounts": 1 }),
    ] {
        assert!(deployment.post(resolve, &body).await.summary().starts_with("400 BAD_REQUEST "), "{body}");
    }
    assert_eq!(deployment.available(TENANT).await, 10, "nothing was changed");

    deployment.pass(60);
    let decision = json!({ "reason": "The invoice says ten.", "tenant_id": TENANT, "credits": 10 });
    let answer = deployment.post(resolve, &decision).await;
    let seen = ["kind", "state", "payment", "outcome", "credits", "tenant_id"]
        .map(|name| answer.data()[name].clone());
    let payment = "cs_live_a1b2c3d4e5f6g7h8";
    assert_eq!(json!(seen), json!(["quarantine_resolve", "done", payment, "granted", 10, TENANT]));
    assert_eq!(deployment.available(TENANT).await, 20, "added to the earlier credits");
    assert_eq!(open(&deployment).await, json!([]));
    let closed = &deployment.look("/api/admin/quarantine?all=true").await[0];
    let actual = ["closed_at", "resolution", "closed_by", "note"].map(|key| closed[key].as_str().unwrap());
    assert_eq!(actual, ["2024-02-20T10:42:40Z", "resolved", "Grace (key a test's)", "The invoice says ten."]);
    for (verb, decision) in [("resolve", decision), ("dismiss", json!({ "reason": "again" }))] {
        let answer = deployment.post(&format!("/api/admin/quarantine/1/{verb}"), &decision).await;
        let expected = "422 VALIDATION_ERROR This item is closed already: resolved. Nothing was changed.";
        assert_eq!(answer.summary(), expected);
    }
    // Neither a redelivery nor a replay overrides the operator's decision.
    deployment.learn(doubtful()).await;
    deployment.post("/api/admin/events/evt_1234567890/replay", &Value::Null).await;
    deployment.apply().await;
    assert_eq!((deployment.available(TENANT).await, open(&deployment).await), (20, json!([])));
    deployment.check_books().await;
}

#[tokio::test]
async fn terms_that_the_payment_names_may_be_omitted() {
    let deployment = Deployment::new().await;
    let half_paid = GUIDE_SAMPLE.replace(r#""payment_status": "paid""#, r#""payment_status": "partly""#);
    deployment.learn(half_paid).await;
    let answer =
        deployment.post("/api/admin/quarantine/1/resolve", &json!({ "reason": "Paid, says Stripe." })).await;
    assert_eq!(answer.data()["outcome"], "granted");
    assert_eq!(deployment.available(TENANT).await, 10);
    let closed = &deployment.look("/api/admin/quarantine/1").await;
    assert_eq!(closed["closed_by"], "Grace (key a test's)");
}

#[tokio::test]
async fn an_operator_may_assign_a_payment_to_another_tenant() {
    let deployment = Deployment::new().await;
    deployment.learn(sound().replace(TENANT, OTHER)).await;
    deployment.learn(doubtful()).await;
    let decision = json!({ "reason": "Wrong tenant.", "tenant_id": OTHER, "credits": 7 });
    assert_eq!(deployment.post("/api/admin/quarantine/1/resolve", &decision).await.status, 200);
    assert_eq!((deployment.available(TENANT).await, deployment.available(OTHER).await), (0, 17));
    let key = deployment.reader(OTHER).await;
    assert_eq!(
        deployment.get("/api/payments/cs_live_a1b2c3d4e5f6g7h8", &key).await.status,
        200,
        "visible to its new tenant"
    );
    deployment.check_books().await;
}

#[tokio::test]
async fn a_dismissed_payment_grants_nothing_and_needs_no_review() {
    let deployment = Deployment::new().await;
    deployment.learn(doubtful()).await;
    let answer =
        deployment.post("/api/admin/quarantine/1/dismiss", &json!({ "reason": "A test of ours." })).await;
    assert_eq!(answer.data()["payment"], "cs_live_a1b2c3d4e5f6g7h8");
    assert_eq!((deployment.available(TENANT).await, open(&deployment).await), (0, json!([])));
    let payment = deployment.look("/api/payments/cs_live_a1b2c3d4e5f6g7h8").await;
    assert_eq!((&payment["status"], &payment["review_reason"]), (&"dismissed".into(), &Value::Null));
    deployment.learn(doubtful()).await;
    assert_eq!(open(&deployment).await, json!([]));
}

/// Two decisions at the same moment: one is refused, and the item shows what the ledger did.
#[tokio::test]
async fn of_two_concurrent_decisions_one_counts() {
    let deployment = Deployment::new().await;
    for number in 0..20 {
        // The daily limit starts afresh, so that one person may grant each of them.
        deployment.pass(24 * 3600);
        let session = format!("cs_{number}");
        let body = doubtful().replace("evt_1234567890", &format!("evt_{number}"));
        deployment.learn(body.replace("cs_live_a1b2c3d4e5f6g7h8", &session)).await;
        let item = open(&deployment).await[0]["id"].clone();
        let (grant, refuse) = (json!({ "reason": "g", "credits": 10 }), json!({ "reason": "r" }));
        let paths = ["resolve", "dismiss"].map(|verb| format!("/api/admin/quarantine/{item}/{verb}"));
        let answers = tokio::join!(deployment.post(&paths[0], &grant), deployment.post(&paths[1], &refuse));
        let mut statuses = [answers.0.status, answers.1.status];
        let granted = statuses[0] == 200;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 422], "item {item}");
        let resolution = if granted { "resolved" } else { "dismissed" };
        assert_eq!(deployment.look(&format!("/api/admin/quarantine/{item}")).await["resolution"], resolution);
        let worth = &deployment.look(&format!("/api/payments/{session}")).await["credits"]["granted"];
        assert_eq!(*worth, json!(if granted { 10 } else { 0 }), "item {item}, {resolution}");
    }
}

#[tokio::test]
async fn an_event_is_read_again_or_dismissed() {
    let deployment = Deployment::new().await;
    let purchase = Sale { livemode: false, ..ten_credits() };
    let test_event = event("checkout.session.completed", &purchase, "1", None).unwrap();
    deployment.learn(test_event.body).await;
    deployment.learn("{").await;
    let decision = json!({ "reason": "The mode was set wrongly." });
    let resolve = "/api/admin/quarantine/1/resolve";
    for decision in [json!({ "reason": "x", "credits": 10 }), json!({ "reason": "x", "tenant_id": TENANT })] {
        let summary = deployment.post(resolve, &decision).await.summary();
        assert!(summary.starts_with("422 VALIDATION_ERROR This item is about an event: "), "{summary}");
    }
    // Nothing was fixed, so reading it again opens a new item; the decision stays on the old one.
    let seen = deployment.post(resolve, &decision).await.data();
    assert_eq!(
        json!([seen["state"], seen["credits"], seen["request"]]),
        json!(["done", 0, { "items": [1] }])
    );
    deployment.apply().await;
    assert_eq!(open(&deployment).await.as_array().unwrap().len(), 2);
    assert_eq!(deployment.available(TENANT).await, 0);

    for id in [3, 2] {
        let dismiss = format!("/api/admin/quarantine/{id}/dismiss");
        let answer = deployment.post(&dismiss, &decision).await;
        assert_eq!(answer.data()["request"], json!({ "items": [id] }), "{}", answer.text);
    }
    assert_eq!(open(&deployment).await, json!([]));
    let all = deployment.look("/api/admin/quarantine?all=true&sort=created_at").await;
    let resolutions: Vec<_> = all.as_array().unwrap().iter().map(|item| &item["resolution"]).collect();
    assert_eq!(resolutions, ["resolved", "dismissed", "dismissed"]);
    assert!(all.as_array().unwrap().iter().all(|item| item["note"] == decision["reason"]));
    let event = &deployment.look(&format!("/api/admin/events/{}", test_event.id)).await["event"];
    assert_eq!(
        (&event["outcome"], &event["reason"]),
        (&"quarantined".into(), &"wrong_mode".into()),
        "the event is unchanged"
    );
}

#[tokio::test]
async fn unknown_items_are_not_found() {
    let deployment = Deployment::new().await;
    for id in ["1", "0", "-1", "one", "99999999999999999999"] {
        let answer = deployment.get(&format!("/api/admin/quarantine/{id}"), &deployment.operator).await;
        assert_eq!(answer.summary(), "404 NOT_FOUND There is no such quarantine item.", "{id}");
        for verb in ["resolve", "dismiss"] {
            let path = format!("/api/admin/quarantine/{id}/{verb}");
            assert_eq!(deployment.post(&path, &json!({ "reason": "x" })).await.status, 404, "{path}");
        }
    }
}

/// Two events that name different credits for one payment: ten are granted, and an item is open.
async fn conflict(deployment: &Deployment, name: &str) {
    let first = GUIDE_SAMPLE.replace("evt_1234567890", &format!("evt_{name}_1"));
    let first = first.replace("cs_live_a1b2c3d4e5f6g7h8", &format!("cs_{name}"));
    let second = first.replace(&format!("evt_{name}_1"), &format!("evt_{name}_2"));
    deployment.learn(first).await;
    deployment.learn(second.replace(r#""credits": "10""#, r#""credits": "7""#)).await;
}

/// One person cannot grant more by a quarantine decision than by an adjustment.
#[tokio::test]
async fn a_large_grant_waits_for_a_second_person() {
    let office = Office::new().await;
    let deployment = &office.client.deployment;
    deployment.learn(doubtful()).await;
    let decision = json!({ "reason": "r", "tenant_id": TENANT, "credits": 1_000_000 });
    let id = waits(&office.post(&office.grace, "quarantine/1/resolve", "unused", &decision).await);
    assert_eq!((deployment.available(TENANT).await, open(deployment).await[0]["id"].clone()), (10, json!(1)));
    let shown = deployment.look(&format!("/api/admin/actions/{id}")).await;
    assert_eq!(shown["request"], json!({ "items": [1], "tenant_id": TENANT, "credits": 1_000_000 }));
    assert_eq!(office.decide(&office.grace, &id, "approve").await.status, 403);
    assert_eq!(office.decide(&office.bob, &id, "approve").await.data()["outcome"], "granted");
    assert_eq!(deployment.available(TENANT).await, 1_000_010);
    let by = "Grace (key a test's), approved by Bob (key a test's)";
    assert_eq!(deployment.look("/api/admin/quarantine/1").await["closed_by"], by);
    deployment.check_books().await;
}

/// The dry run of a dismissal shows what the dismissal takes back.
#[tokio::test]
async fn a_dismissal_shows_what_it_takes_back() {
    let office = Office::new().await;
    let deployment = &office.client.deployment;
    conflict(deployment, "a").await;
    assert_eq!(office.client.spend("most", 14).await.status, 200);
    let before = office.client.books().await;
    let decision = json!({ "reason": "r", "dry_run": true });
    let seen = deployment.post("/api/admin/quarantine/1/dismiss", &decision).await.data();
    let actual = &seen["consequences"];
    let actual = ["granted", "taken_back", "already_used", "debt_created"].map(|name| actual[name].clone());
    assert_eq!(json!(actual), json!([0, 10, 4, 4]), "{seen}");
    assert_eq!(seen["consequences"]["balances"][0]["after"]["debt"], 4);
    assert_eq!((office.client.books().await, open(deployment).await[0]["id"].clone()), (before, json!(1)));
    let done = deployment.post("/api/admin/quarantine/1/dismiss", &json!({ "reason": "r" })).await.data();
    assert_eq!((&done["consequences"], &done["credits"]), (&seen["consequences"], &10.into()));
    assert_eq!(office.client.balance().await, [0, 0, 0, 4]);
    deployment.check_books().await;
}

/// All matching items are one action, if their number is the expected one.
#[tokio::test]
async fn many_items_are_decided_as_one_action() {
    let office = Office::new().await;
    let deployment = &office.client.deployment;
    for name in ["a", "b", "c"] {
        conflict(deployment, name).await;
    }
    deployment.learn("{").await;
    let filter = json!({ "reason": "claims_conflict" });
    let dismiss = async |more: Value| {
        let mut decision = json!({ "filter": filter, "reason": "r" });
        decision.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        deployment.post("/api/admin/quarantine/dismiss", &decision).await
    };
    let counted = dismiss(json!({})).await.data();
    assert_eq!(json!([counted["dry_run"], counted["credits"]]), json!([true, 30]));
    assert_eq!(counted["consequences"]["items"], 3);
    assert_eq!(counted["consequences"]["balances"], json!([]));
    // Another one came in meanwhile.
    conflict(deployment, "d").await;
    let changed = dismiss(json!({ "expected_count": 3 })).await;
    assert!(changed.summary().starts_with("409 COUNT_CHANGED 3 items were expected, and 4 "), "{changed:?}");
    assert_eq!(open(deployment).await.as_array().unwrap().len(), 5, "nothing was changed");
    let done = dismiss(json!({ "expected_count": 4 })).await.data();
    assert_eq!((&done["state"], &done["credits"]), (&"done".into(), &40.into()));
    let left = open(deployment).await;
    assert_eq!((left.as_array().unwrap().len(), &left[0]["reason"]), (1, &"unreadable".into()));
    assert_eq!(office.client.balance().await, [10, 0, 0, 0]);
    // The sum counts towards the daily limit: 40 are used, so 61 more need a second person.
    office.waiting("61", 61).await;
    assert_eq!(office.adjust("60", 60).await.status, 200);

    let resolve = json!({ "filter": {}, "reason": "fixed", "expected_count": 1 });
    assert_eq!(deployment.post("/api/admin/quarantine/resolve", &resolve).await.data()["state"], "done");
    for (filter, expected) in [
        (json!({ "reason": "nonsense" }), "422 VALIDATION_ERROR filter.reason must be"),
        (json!({ "tenant_id": "acme" }), "422 VALIDATION_ERROR tenant_id must be"),
        (json!({ "opened_before": "soon" }), "422 VALIDATION_ERROR filter.opened_before must be"),
        (json!({ "all": true }), "400 BAD_REQUEST"),
    ] {
        let decision = json!({ "filter": filter, "reason": "r" });
        let summary = deployment.post("/api/admin/quarantine/resolve", &decision).await.summary();
        assert!(summary.starts_with(expected), "{summary}");
    }
    deployment.check_books().await;
}

#[tokio::test]
async fn the_list_is_filtered() {
    let deployment = Deployment::new().await;
    conflict(&deployment, "a").await;
    deployment.pass(60);
    deployment.learn("{").await;
    for (query, expected) in [
        ("", 2),
        ("?reason=unreadable", 1),
        ("?reason=claims_conflict", 1),
        (&format!("?tenant_id={TENANT}"), 1),
        (&format!("?tenant_id={OTHER}"), 0),
        ("?opened_before=2024-02-20T10:42:00Z", 1),
        ("?opened_before=2024-02-20T10:41:40Z", 0),
    ] {
        let found = deployment.look(&format!("/api/admin/quarantine{query}")).await;
        assert_eq!(found.as_array().unwrap().len(), expected, "{query}");
    }
}

/// Two people decide on all items at the same moment: one succeeds, and the other gets a conflict.
#[tokio::test]
async fn of_two_concurrent_bulk_decisions_one_counts() {
    let office = Office::new().await;
    let deployment = &office.client.deployment;
    for name in ["a", "b", "c"] {
        conflict(deployment, name).await;
    }
    let decision = json!({ "filter": {}, "reason": "r", "expected_count": 3 });
    let dismiss = |key| office.post(key, "quarantine/dismiss", "unused", &decision);
    let (first, second) = tokio::join!(dismiss(&office.grace), dismiss(&office.bob));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    assert_eq!(office.client.balance().await, [10, 0, 0, 0]);
    deployment.check_books().await;
}
