//! Credits given, taken and forgiven by hand: once, with a reason, and above the limit by two people.
//! Not here: what the ledger does with them.

use axum::body::Body;
use axum::http::Request;
use engine::Desk;
use serde_json::{Value, json};
use store::{AdjustmentState, AdjustmentVerdict, DecidedAdjustment, Page};
use tower::ServiceExt as _;
use web::auth::OPERATOR;
use web::router;

use crate::answer::Answer;
use crate::till::{Till, replayed, together};
use crate::{OTHER, TENANT};

/// Two operators, of whom one's key has the same name as the other's.
struct Office {
    till: Till,
    ann: String,
    bob: String,
}

impl Office {
    async fn new() -> Self {
        let till = Till::new().await;
        let ann = till.deployment.key(None, &[OPERATOR], None).await.1;
        let bob = till.deployment.key(None, &[OPERATOR], None).await.1;
        Self { till, ann, bob }
    }

    async fn post(&self, who: &str, path: &str, name: &str, body: &Value) -> Answer {
        let request = Request::post(format!("/api/admin/{path}"))
            .header("authorization", format!("Bearer {who}"))
            .header("idempotency-key", name.replace(' ', "-"));
        self.till.deployment.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn adjust(&self, name: &str, credits: i64) -> Answer {
        let body = json!({ "tenant_id": TENANT, "credits": credits, "reason": "because" });
        self.post(&self.ann, "adjustments", name, &body).await
    }

    /// One that waits for a second person.
    async fn waiting(&self, name: &str, credits: i64) -> String {
        let answer = self.adjust(name, credits).await;
        assert_eq!(
            (answer.status, answer.data()["state"].as_str()),
            (202, Some("waiting")),
            "{}",
            answer.text
        );
        answer.data()["id"].as_str().unwrap().to_owned()
    }

    async fn decide(&self, who: &str, id: &str, verdict: &str) -> Answer {
        self.post(who, &format!("adjustments/{id}/{verdict}"), "unused", &json!({ "reason": "no" })).await
    }

    async fn state(&self, id: &str) -> String {
        let shown = self.till.deployment.look(&format!("/api/admin/adjustments/{id}")).await;
        shown["state"].as_str().unwrap().to_owned()
    }

    async fn lines(&self) -> usize {
        self.till.get("transactions?per_page=100").await.as_array().unwrap().len()
    }
}

#[tokio::test]
async fn a_small_one_is_done_at_once_and_for_ever() {
    let office = Office::new().await;
    let first = office.adjust("outage", 5).await;
    let done = first.data();
    let seen = ["type", "credits", "state", "second_person", "priority", "transaction_id", "reason"];
    let seen = seen.map(|field| done[field].clone());
    assert_eq!(json!(seen), json!(["adjustment", 5, "done", false, 10, 2, "because"]));
    let again = office.adjust("outage", 5).await;
    assert_eq!((again.data(), replayed(&again), replayed(&first)), (done, true, false));
    assert_eq!(office.adjust("outage", 6).await.status, 409);
    assert_eq!(office.till.balance().await, [15, 0, 0, 0]);

    let line = &office.till.get("transactions").await[0];
    assert_eq!((&line["type"], &line["amount"]), (&"adjusted".into(), &5.into()));
    assert_eq!(line["cause"], json!({ "type": "operator", "id": "a decision by the operator" }));
    let shown = office.till.deployment.look(&format!("/api/credits/transactions?tenant_id={TENANT}")).await;
    assert_eq!(shown[0]["cause"], json!({ "type": "operator", "id": "because", "by": "a test's" }));

    assert_eq!(office.adjust("fee", -3).await.data()["priority"], Value::Null);
    assert_eq!(office.till.balance().await, [12, 0, 0, 0]);
    let lots = office.till.get("lots?sort=created_at").await;
    assert_eq!(
        (&lots[0]["available"], &lots[1]["available"]),
        (&10.into(), &2.into()),
        "the grant burns first"
    );
    office.till.deployment.check_books().await;
}

#[tokio::test]
async fn under_one_name_everything_that_was_asked_counts() {
    let office = Office::new().await;
    let asked = json!({ "tenant_id": TENANT, "credits": 5, "reason": "because", "priority": 10,
        "expires_at": "2027-01-01T00:00:00Z" });
    let with = |field: &str, value: Value| {
        let mut body = asked.clone();
        body[field] = value;
        body
    };
    assert_eq!(office.post(&office.ann, "adjustments", "k", &asked).await.status, 200);
    let cases = [
        ("credits", json!(6), 409),
        ("reason", json!("Because"), 409),
        ("priority", json!(11), 409),
        ("priority", Value::Null, 200), // 10, where nothing is said
        ("expires_at", json!("2027-01-01T00:00:01Z"), 409),
        ("expires_at", Value::Null, 409),
        ("expires_at", json!("2027-01-01T01:00:00+01:00"), 200), // the same moment
    ];
    for (field, value, status) in cases {
        let answer = office.post(&office.ann, "adjustments", "k", &with(field, value.clone())).await;
        assert_eq!((answer.status, replayed(&answer)), (status, status == 200), "{field} {value}");
    }
    let forgive = json!({ "tenant_id": TENANT, "credits": 5, "reason": "because" });
    assert_eq!(office.post(&office.ann, "write-offs", "k", &forgive).await.status, 409);
    assert_eq!(office.till.balance().await, [15, 0, 0, 0]);
}

#[tokio::test]
async fn what_the_ledger_refuses_is_refused_for_ever() {
    let office = Office::new().await;
    let refused = office.adjust("too much", -11).await;
    let details = refused.json()["error"]["details"].clone();
    assert_eq!((refused.status, &details["state"]), (422, &"refused".into()), "{}", refused.text);
    assert_eq!(json!([details["requested"], details["available"]]), json!([11, 10]));
    assert_eq!(refused.json()["error"]["type"], "INSUFFICIENT_CREDITS");
    office.till.buy("second").await;
    let again = office.adjust("too much", -11).await;
    assert_eq!(
        (again.stable(), replayed(&again)),
        (refused.stable(), true),
        "though it could be done by now"
    );
    assert_eq!(office.state(details["adjustment"].as_str().unwrap()).await, "refused");

    let forgive = json!({ "tenant_id": TENANT, "reason": "gone" });
    let refused = office.post(&office.ann, "write-offs", "w", &forgive).await;
    assert_eq!((refused.status, refused.json()["error"]["type"].as_str()), (422, Some("NO_DEBT")));
    assert_eq!(office.lines().await, 2);
}

#[tokio::test]
async fn a_debt_is_forgiven() {
    let office = Office::new().await;
    assert_eq!(office.till.spend("all", 10).await.status, 200);
    office.till.refund().await;
    assert_eq!(office.till.balance().await, [0, 0, 0, 10]);
    let forgive = |credits: Value| json!({ "tenant_id": TENANT, "reason": "gone", "credits": credits });
    let part = office.post(&office.ann, "write-offs", "part", &forgive(3.into())).await.data();
    assert_eq!((&part["type"], &part["credits"]), (&"write_off".into(), &3.into()));
    let rest = office.post(&office.ann, "write-offs", "rest", &forgive(Value::Null)).await.data();
    assert_eq!((&rest["credits"], &rest["state"]), (&7.into(), &"done".into()));
    assert_eq!(office.till.balance().await, [0; 4]);
    office.till.deployment.check_books().await;
}

#[tokio::test]
async fn above_the_limit_a_second_person_decides() {
    let office = Office::new().await;
    let at_limit = office.adjust("at the limit", 100).await;
    assert_eq!(at_limit.status, 200);
    let id = office.waiting("gift", 101).await;
    assert_eq!(office.till.balance().await, [110, 0, 0, 0], "nothing has moved yet");
    for verdict in ["approve", "reject"] {
        let own = office.decide(&office.ann, &id, verdict).await;
        assert_eq!(own.json()["error"]["type"], "SECOND_PERSON_REQUIRED", "{}", own.text);
    }
    office.till.deployment.pass(1);
    let late = office.till.deployment.key(None, &[web::auth::OPERATOR], None).await.1;
    let younger = office.decide(&late, &id, "approve").await;
    assert_eq!(younger.json()["error"]["type"], "SECOND_PERSON_REQUIRED", "{}", younger.text);
    assert_eq!(office.state(&id).await, "waiting");
    let approved = office.decide(&office.bob, &id, "approve").await;
    assert_eq!((approved.status, &approved.data()["state"]), (200, &"done".into()));
    assert_ne!(approved.data()["decided_by"]["key_id"], approved.data()["created_by"]["key_id"]);
    assert_eq!(office.decide(&office.bob, &id, "approve").await.data(), approved.data(), "asked again");
    for (who, verdict) in [(&office.bob, "reject"), (&office.till.deployment.operator, "approve")] {
        let late = office.decide(who, &id, verdict).await;
        assert_eq!(late.json()["error"]["type"], "ALREADY_DECIDED", "{verdict}: {}", late.text);
    }
    assert_eq!(office.till.balance().await, [211, 0, 0, 0]);
    // Whoever asked, and asks again, gets what they were told.
    let again = office.adjust("gift", 101).await;
    assert_eq!(
        (again.status, again.data()["state"].as_str(), replayed(&again)),
        (202, Some("waiting"), true)
    );
    let journal = office.till.deployment.look(&format!("/api/credits/transactions?tenant_id={TENANT}")).await;
    assert_eq!(journal[0]["cause"]["by"], "a test's, approved by a test's");

    let id = office.waiting("other gift", 500).await;
    let rejected = office.decide(&office.bob, &id, "reject").await.data();
    assert_eq!(json!([rejected["state"], rejected["note"]]), json!(["rejected", "no"]));
    assert_eq!(office.decide(&office.bob, &id, "reject").await.data(), rejected, "said again");
    assert_eq!(office.decide(&office.bob, &id, "approve").await.status, 409);
    assert_eq!(office.till.balance().await, [211, 0, 0, 0]);

    let id = office.waiting("too much", -500).await;
    let refused = office.decide(&office.bob, &id, "approve").await;
    assert_eq!((refused.status, office.state(&id).await.as_str()), (422, "refused"), "{}", refused.text);
    assert_eq!(office.decide(&office.bob, &id, "approve").await.stable(), refused.stable());
    office.till.deployment.check_books().await;
}

/// Whoever wins, it is done once or not at all.
#[tokio::test]
async fn approvals_and_rejections_at_once() {
    let office = Office::new().await;
    for round in 0..5 {
        let before = office.till.balance().await[0];
        let id = office.waiting(&format!("gift {round}"), 200).await;
        let deciders = [
            (office.bob.clone(), "approve"),
            (office.till.deployment.operator.clone(), "approve"),
            (office.bob.clone(), "approve"),
            (office.till.deployment.operator.clone(), "reject"),
        ];
        let office = std::sync::Arc::new(&office);
        let mut answers = Vec::new();
        let works = deciders.iter().map(|(who, verdict)| office.decide(who, &id, verdict));
        let mut works: Vec<_> = works.map(Box::pin).collect();
        std::future::poll_fn(|context| {
            works.retain_mut(|work| match work.as_mut().poll(context) {
                std::task::Poll::Ready(answer) => {
                    answers.push(answer.status);
                    false
                }
                std::task::Poll::Pending => true,
            });
            if works.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        assert!(answers.iter().all(|status| [200, 409].contains(status)), "{answers:?}");
        let moved = office.till.balance().await[0] - before;
        let expected = if office.state(&id).await == "done" { 200 } else { 0 };
        assert_eq!(moved, expected, "{answers:?}");
    }
    office.till.deployment.check_books().await;
}

#[tokio::test]
async fn the_same_request_at_once_is_one_adjustment() {
    let office = std::sync::Arc::new(Office::new().await);
    let works = (0..8).map(|_| {
        let office = office.clone();
        async move { office.adjust("same", 7).await.data() }
    });
    let answers = together(works).await;
    assert!(answers.iter().all(|one| one["id"] == answers[0]["id"]), "{answers:?}");
    assert_eq!(office.till.balance().await, [17, 0, 0, 0]);
}

/// The service ended between the decision and the deed, or between the deed and its note.
#[tokio::test]
async fn what_was_approved_is_finished_once() {
    let office = Office::new().await;
    let (store, now) = (&office.till.deployment.app.store, office.till.deployment.now());
    for finish in ["approve again", "at the start", "asked by another", "needs nobody"] {
        let before = office.till.balance().await[0];
        let id = office.waiting(finish, 200).await;
        if finish == "needs nobody" {
            let sql = format!("UPDATE adjustments SET state = 'approved', waits = 0 WHERE id = '{id}'");
            office.till.deployment.backdoor().execute_batch(&sql).unwrap();
        } else {
            let by = "key_of_carol".to_owned();
            let decided = store.decide_adjustment(id.clone(), AdjustmentVerdict::Approve, by, now).await;
            assert!(matches!(decided, Ok(Some(DecidedAdjustment::Counted(_)))), "{decided:?}");
        }
        assert_eq!((office.state(&id).await.as_str(), office.till.balance().await[0]), ("approved", before));
        match finish {
            "at the start" => {
                assert_eq!(web::complete_adjustments(&office.till.deployment.app).await.unwrap(), 1);
            }
            _ => assert_eq!(office.decide(&office.bob, &id, "approve").await.status, 200),
        }
        assert_eq!(
            (office.state(&id).await.as_str(), office.till.balance().await[0]),
            ("done", before + 200)
        );
        // It was done, and nobody wrote that down.
        let sql =
            format!("UPDATE adjustments SET state = 'approved', transaction_seq = NULL WHERE id = '{id}'");
        office.till.deployment.backdoor().execute_batch(&sql).unwrap();
        assert_eq!(web::complete_adjustments(&office.till.deployment.app).await.unwrap(), 1);
        assert_eq!(
            (office.state(&id).await.as_str(), office.till.balance().await[0]),
            ("done", before + 200)
        );
    }
    // What cannot be finished is not counted.
    let id = office.waiting("broken", 200).await;
    office.decide(&office.bob, &id, "approve").await.data();
    let sql = format!(
        "UPDATE adjustments SET state = 'approved' WHERE id = '{id}';
         UPDATE commands SET fingerprint = zeroblob(32) WHERE key = 'adjustment {id}'"
    );
    office.till.deployment.backdoor().execute_batch(&sql).unwrap();
    assert_eq!(web::complete_adjustments(&office.till.deployment.app).await.unwrap(), 0);
    let page = Page { number: 1, size: 10, ascending: true };
    let left = store.adjustments(None, Some(AdjustmentState::Approved), page).await.unwrap();
    assert_eq!(left.total, 1);
    office.till.deployment.check_books().await;
}

/// It is kept, and the desk takes nothing any more: it is done later, so nobody may be told that it was
/// nothing and ask for it again under another name.
#[tokio::test]
async fn what_is_kept_and_not_done_is_not_called_nothing() {
    let office = Office::new().await;
    let waiting = office.waiting("waits", 200).await;
    let mut app = office.till.deployment.app.clone();
    app.desk = Desk::new(app.store.clone(), app.noticed.clone());
    app.desk.run(&app.clock, async {}).await;
    let ask = async |who: &str, path: &str, body: &Value| {
        let request = Request::post(format!("/api/admin/{path}"))
            .header("authorization", format!("Bearer {who}"))
            .header("idempotency-key", "outage");
        let request = request.body(Body::from(body.to_string())).unwrap();
        Answer::of(router(app.clone()).oneshot(request).await.unwrap()).await
    };
    let small = json!({ "tenant_id": TENANT, "credits": 5, "reason": "because" });
    for answer in [
        ask(&office.ann, "adjustments", &small).await,
        ask(&office.bob, &format!("adjustments/{waiting}/approve"), &json!({})).await,
    ] {
        let summary = answer.summary();
        assert!(summary.starts_with("503 OUTCOME_UNKNOWN This is kept, and "), "{summary}");
    }
    assert_eq!(office.till.balance().await, [10, 0, 0, 0]);

    let again = office.adjust("outage", 5).await;
    assert_eq!((again.data()["state"].as_str(), replayed(&again)), (Some("done"), true));
    assert_eq!(office.decide(&office.bob, &waiting, "reject").await.status, 409);
    assert_eq!(office.decide(&office.bob, &waiting, "approve").await.status, 200);
    assert_eq!(office.till.balance().await, [215, 0, 0, 0]);
}

/// Nobody waits longer than the service does; what was asked for is done under the same name.
#[tokio::test]
async fn a_desk_that_does_not_answer() {
    let office = Office::new().await;
    let mut app = office.till.deployment.app.clone();
    app.desk = Desk::new(app.store.clone(), app.noticed.clone());
    app.limits.command = std::time::Duration::from_millis(20);
    let request = Request::post("/api/admin/adjustments")
        .header("authorization", format!("Bearer {}", office.ann))
        .header("idempotency-key", "late");
    let body = json!({ "tenant_id": TENANT, "credits": 5, "reason": "because" }).to_string();
    let answer = router(app).oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
    let answer = Answer::of(answer).await;
    assert!(answer.summary().starts_with("503 OUTCOME_UNKNOWN "), "{}", answer.text);
    let late = office.adjust("late", 5).await;
    assert_eq!((late.data()["state"].as_str(), replayed(&late)), (Some("done"), true));
    assert_eq!(office.till.balance().await, [15, 0, 0, 0]);
}

#[tokio::test]
async fn bad_input_keeps_nothing() {
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
        (with("expires_at", "2024-01-01T00:00:00Z".into()), 422, "expires_at must be a moment in the future"),
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
        let answer = office.post(&office.ann, "adjustments", "same-key", body).await;
        assert_eq!(answer.status, *status, "{body} {}", answer.text);
        assert!(answer.text.contains(message), "{body} {}", answer.text);
    }
    let unnamed = office.till.deployment.post("/api/admin/adjustments", &whole).await;
    assert_eq!(unnamed.json()["error"]["type"], "IDEMPOTENCY_KEY_MISSING");
    let kept = office.till.deployment.look("/api/admin/adjustments").await;
    assert_eq!((kept, office.lines().await), (json!([]), 1));
    assert_eq!(office.adjust("same-key", 5).await.status, 200, "the name is still free");
    for path in ["adjustments/adj_missing/approve", "adjustments/%2F/reject"] {
        assert_eq!(
            office.post(&office.ann, path, "k", &json!({ "reason": "r" })).await.status,
            404,
            "{path}"
        );
    }
}

/// A grant may end; one that would have ended while it waited is not given any more.
#[tokio::test]
async fn a_grant_that_ends() {
    let office = Office::new().await;
    let ends =
        json!({ "tenant_id": TENANT, "credits": 300, "reason": "r", "expires_at": "2024-03-01T00:00:00Z" });
    let mut small = ends.clone();
    (small["credits"], small["priority"]) = (3.into(), 7.into());
    office.post(&office.ann, "adjustments", "small", &small).await.data();
    let lot = &office.till.get("lots").await[0];
    assert_eq!(json!([lot["priority"], lot["expires_at"]]), json!([7, "2024-03-01T00:00:00Z"]));
    let id = office.post(&office.ann, "adjustments", "ends", &ends).await.data()["id"].clone();
    let id = id.as_str().unwrap();
    office.till.deployment.pass(30 * 86_400);
    let late = office.decide(&office.bob, id, "approve").await;
    assert!(late.status == 422 && late.text.contains("have ended meanwhile"), "{}", late.text);
    assert_eq!(office.state(id).await, "waiting");
    assert_eq!(office.decide(&office.bob, id, "reject").await.status, 200);
}
