//! The timeline of a payment, as support staff read it.

use emulator::scenario::Scenario;
use serde_json::{Value, json};

use crate::TENANT;
use crate::deployment::{Deployment, ten_credits};

/// One line per entry: an event's text, or a transaction's, indented, with the available credits after it.
fn lines(timeline: &Value) -> String {
    let line = |entry: &Value| {
        let text = entry["text"].as_str().unwrap();
        match entry["type"].as_str().unwrap() {
            "event" => format!("{text}\n"),
            _ => format!("    {text}; {} spendable\n", entry["balance_after"]["available"]),
        }
    };
    timeline.as_array().unwrap().iter().map(line).collect()
}

async fn play(scenario: Scenario, reversed: bool) -> (Deployment, Value) {
    let deployment = Deployment::new().await;
    let mut events = scenario.events(&ten_credits());
    if reversed {
        events.reverse();
    }
    for event in events {
        deployment.learn(event.body).await;
        deployment.pass(1);
    }
    let payment = deployment.look("/api/payments/pi_r").await;
    (deployment, payment)
}

#[tokio::test]
async fn a_pending_refund_that_succeeds() {
    let (_, payment) = play(Scenario::PendingRefund, false).await;
    let expected = "\
the customer started to pay (payment_intent.created): waiting for the event that names the purchase
the bank agreed to pay (charge.succeeded): waiting for the event that names the purchase
the payment succeeded (payment_intent.succeeded): waiting for the event that names the purchase
the customer completed the checkout (checkout.session.completed): credits were added
    10 credits added; 10 spendable
details of the charge changed (charge.updated): already known; it changes nothing
a refund was created (refund.created): credits were set aside until the refund or dispute ends
    10 credits set aside until the refund or dispute ends; 0 spendable
a refund was updated (refund.updated): credits were taken back
    10 credits taken back; 0 spendable
money goes back to the customer (charge.refunded): recorded; it moves no credits
a refund was updated (refund.updated): already known; it changes nothing
";
    assert_eq!(lines(&payment["timeline"]), expected);
    assert_eq!(payment["refunds"], json!([{ "id": "re_r", "amount": 25_000, "status": "succeeded" }]));
}

#[tokio::test]
async fn a_refund_that_failed() {
    let (_, payment) = play(Scenario::FailedRefund, false).await;
    let expected = "\
a refund was created (refund.created): credits were taken back
    10 credits taken back; 0 spendable
money goes back to the customer (charge.refunded): recorded; it moves no credits
a refund failed, and its money was returned (refund.failed): credits were given back
    10 credits given back; 10 spendable
";
    let timeline = lines(&payment["timeline"]);
    assert!(timeline.ends_with(expected), "{timeline}");
    let objects = json!(["pi_r", "cs_live_r", "ch_r", "re_r"]);
    assert_eq!(payment["objects"], objects);
    assert_eq!((&payment["status"], &payment["final"]), (&"final".into(), &true.into()));
    assert_eq!(payment["refunds"], json!([{ "id": "re_r", "amount": 25_000, "status": "failed" }]));
}

#[tokio::test]
async fn a_lost_dispute_with_its_events_in_reverse() {
    let (deployment, payment) = play(Scenario::DisputeLost, true).await;
    let expected = "\
the dispute was decided (charge.dispute.closed): waiting for the event that names the purchase
the dispute was updated (charge.dispute.updated): already known; it changes nothing
the bank took the disputed money (charge.dispute.funds_withdrawn): already known; it changes nothing
the customer's bank disputes the payment (charge.dispute.created): already known; it changes nothing
details of the charge changed (charge.updated): waiting for the event that names the purchase
the customer completed the checkout (checkout.session.completed): credits were added
    10 credits added; 10 spendable
    10 credits taken back; 0 spendable
the payment succeeded (payment_intent.succeeded): recorded; it moves no credits
the bank agreed to pay (charge.succeeded): already known; it changes nothing
the customer started to pay (payment_intent.created): already known; it changes nothing
";
    assert_eq!(lines(&payment["timeline"]), expected);
    assert_eq!((&payment["status"], &payment["amount_lost"]), (&"dispute_lost".into(), &25_000.into()));
    assert_eq!(payment["disputes"], json!([{ "id": "du_r", "amount": 25_000, "status": "lost" }]));
    deployment.check_books().await;
}

#[tokio::test]
async fn an_operators_decision_is_listed() {
    let deployment = Deployment::new().await;
    let doubtful = crate::GUIDE_SAMPLE.replace(r#""credits": "10""#, r#""credits": "1 0""#);
    deployment.learn(doubtful.clone()).await;
    deployment.deliver(doubtful).await;
    deployment.pass(60);
    let decision = json!({ "reason": "A typing error.", "tenant_id": TENANT, "credits": 1 });
    deployment.post("/api/admin/quarantine/1/resolve", &decision).await.data();
    let payment = deployment.look("/api/payments/cs_live_a1b2c3d4e5f6g7h8").await;
    let expected = "\
the customer completed the checkout (checkout.session.completed): a person must decide whether it \
counts; it moved no credits
    1 credit added, by Grace (key a test's): A typing error.; 1 spendable
";
    assert_eq!(lines(&payment["timeline"]), expected);
    assert_eq!(payment["timeline"][0]["deliveries"], 2);
}
