//! Events and their bodies, status, audit and replay, as operators use them.

use emulator::scenario::Scenario;
use serde_json::{Value, json};

use crate::deployment::{Deployment, ten_credits};
use crate::{GUIDE_SAMPLE, TENANT};

#[tokio::test]
async fn events_are_listed_filtered_and_shown() {
    let deployment = Deployment::new().await;
    for event in Scenario::PartialRefund.events(&ten_credits()) {
        deployment.learn(event.body).await;
    }
    deployment.learn(GUIDE_SAMPLE.replace("checkout.session.completed", "invoice.created")).await;
    let found = async |query: &str| -> Vec<String> {
        let rows = deployment.look(&format!("/api/admin/events?sort=created_at&{query}")).await;
        let line =
            |row: &Value| format!("{} {}", row["type"].as_str().unwrap(), row["outcome"].as_str().unwrap());
        rows.as_array().unwrap().iter().map(line).collect()
    };
    let all = [
        "payment_intent.created awaiting_purchase",
        "charge.succeeded awaiting_purchase",
        "payment_intent.succeeded awaiting_purchase",
        "checkout.session.completed granted",
        "charge.updated already_known",
        "refund.created revoked",
        "charge.refunded recorded",
        "refund.updated already_known",
        "invoice.created ignored",
    ];
    assert_eq!(found("").await, all);
    assert_eq!(found("outcome=granted").await, [all[3]]);
    assert_eq!(found("type=charge.succeeded").await, [all[1]]);
    assert_eq!(found("type=charge").await, Vec::<String>::new(), "the filter matches the whole type");
    for object in ["pi_r", "cs_live_r", "ch_r", "re_r"] {
        assert_eq!(found(&format!("payment={object}")).await, all[..8], "{object}");
    }
    assert_eq!(found("pending=true").await, Vec::<String>::new());
    let answer = deployment.get("/api/admin/events?payment=pi_x", &deployment.operator).await;
    assert_eq!(answer.summary(), "404 NOT_FOUND There is no such payment.");

    let shown = deployment.look("/api/admin/events/evt_1234567890").await;
    let expected = json!({
        "id": "evt_1234567890", "type": "invoice.created", "outcome": "ignored", "reason": null, "payment": null,
        "deliveries": 1, "attempts": 0, "livemode": null, "created_at": "2024-02-20T10:40:00Z",
        "received_at": "2024-02-20T10:41:40Z", "due_at": null,
    });
    assert_eq!(shown["event"], expected);
    assert_eq!(shown["body"], GUIDE_SAMPLE.replace("checkout.session.completed", "invoice.created"));
}

#[tokio::test]
async fn a_replay_never_counts_twice() {
    let deployment = Deployment::new().await;
    deployment.learn(GUIDE_SAMPLE).await;
    deployment.pass(60);
    let path = "/api/admin/events/evt_1234567890/replay";
    for _ in 0..3 {
        let answer = deployment.post(path, &Value::Null).await;
        assert_eq!(answer.data(), json!({ "event": "evt_1234567890", "replayed": true }));
        let pending = deployment.look("/api/admin/events?pending=true").await;
        assert_eq!(pending[0]["due_at"], "2024-02-20T10:42:40Z", "{pending}");
        deployment.apply().await;
        let event = &deployment.look("/api/admin/events/evt_1234567890").await["event"];
        assert_eq!((&event["outcome"], &event["deliveries"]), (&"granted".into(), &1.into()));
    }
    assert_eq!(deployment.available(TENANT).await, 10);
    deployment.check_books().await;
    let missing = deployment.post("/api/admin/events/evt_x/replay", &Value::Null).await;
    assert_eq!(missing.summary(), "404 NOT_FOUND There is no such event.");
}

#[tokio::test]
async fn status_and_audit_show_the_current_state() {
    let deployment = Deployment::new().await;
    assert_eq!(deployment.deliver(GUIDE_SAMPLE).await.status, 200);
    deployment.pass(60);
    assert_eq!(deployment.deliver("{").await.status, 200);
    let status = deployment.look("/api/admin/status").await;
    let expected = json!({
        "mode": "live", "events": 2, "pending": 2, "oldest_pending_at": "2024-02-20T10:41:40Z",
        "last_event_at": "2024-02-20T10:42:40Z", "quarantined": 0, "transactions": 0,
        "notices": { "endpoints": 0, "failing": 0, "pending": 0, "next_due_at": null, "disabled": [] },
        "clock": {
            "state": "trusted", "time": "2024-02-20T10:42:40Z", "wall_time": "2024-02-20T10:42:40Z",
            "kept_time": "2024-02-20T10:42:40Z", "difference_seconds": 0, "reason": null, "since": null,
            "message": null,
        },
        "restore": null,
        "since_start": {
            "accepted": 2, "duplicates": 0, "unavailable": 0,
            "signature_faults": {
                "missing": 0, "malformed": 0, "no_v1": 0, "mismatch": 0, "stale": 0, "future": 0,
            },
            "log_lines_dropped": 0,
        },
    });
    assert_eq!(status, expected);
    deployment.apply().await;
    let status = deployment.look("/api/admin/status").await;
    let seen = ["pending", "oldest_pending_at", "quarantined", "transactions"].map(|key| status[key].clone());
    assert_eq!(seen, [json!(0), Value::Null, json!(1), json!(1)]);

    let audit = deployment.look("/api/admin/audit").await;
    assert_eq!(
        (&audit["ok"], &audit["transactions"], &audit["tenants"], &audit["lots"]),
        (&true.into(), &1.into(), &1.into(), &1.into())
    );
    let journal = deployment.look(&format!("/api/credits/transactions?tenant_id={TENANT}")).await;
    assert_eq!(audit["head"], journal[0]["hash"], "the chain ends at the newest transaction");

    deployment.backdoor().execute_batch("UPDATE tenants SET available = 1000").unwrap();
    let audit = deployment.look("/api/admin/audit").await;
    let faults = [format!("tenant {TENANT}: the stored balance is not the sum of the postings")];
    assert_eq!((&audit["ok"], &audit["faults"]), (&false.into(), &json!(faults)));
}
