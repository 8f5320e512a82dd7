//! The life of a payment, as a support person reads it.

use emulator::scenario::Scenario;
use serde_json::{Value, json};

use crate::TENANT;
use crate::deployment::{Deployment, ten_credits};

/// One line per entry: an event's text, or a transaction's, indented, with what is spendable after it.
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

async fn told(scenario: Scenario, reversed: bool) -> (Deployment, Value) {
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
async fn a_refund_that_is_pending_first() {
    let (_, payment) = told(Scenario::PendingRefund, false).await;
    let expected = "\
the customer began to pay (payment_intent.created): kept until we hear what was bought
the bank agreed to pay (charge.succeeded): kept until we hear what was bought
the payment succeeded (payment_intent.succeeded): kept until we hear what was bought
the customer completed the checkout (checkout.session.completed): credits were added
    10 credits added; 10 spendable
details of the charge changed (charge.updated): nothing that we did not know
a refund began (refund.created): credits were set aside until it is decided
    10 credits set aside until it is decided; 0 spendable
a refund went on (refund.updated): credits were taken back
    10 credits taken back; 0 spendable
money goes back to the customer (charge.refunded): noted; it moves no credits
a refund went on (refund.updated): nothing that we did not know
";
    assert_eq!(lines(&payment["timeline"]), expected);
    assert_eq!(payment["refunds"], json!([{ "id": "re_r", "amount": 25_000, "status": "succeeded" }]));
}

#[tokio::test]
async fn a_refund_that_failed() {
    let (_, payment) = told(Scenario::FailedRefund, false).await;
    let expected = "\
a refund began (refund.created): credits were taken back
    10 credits taken back; 0 spendable
money goes back to the customer (charge.refunded): noted; it moves no credits
a refund failed, its money came back (refund.failed): credits were given back
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
async fn a_dispute_that_was_lost_told_backwards() {
    let (deployment, payment) = told(Scenario::DisputeLost, true).await;
    let expected = "\
the dispute was decided (charge.dispute.closed): kept until we hear what was bought
the dispute went on (charge.dispute.updated): nothing that we did not know
the bank took the disputed money (charge.dispute.funds_withdrawn): nothing that we did not know
the customer's bank disputes the payment (charge.dispute.created): nothing that we did not know
details of the charge changed (charge.updated): kept until we hear what was bought
the customer completed the checkout (checkout.session.completed): credits were added
    10 credits added; 10 spendable
    10 credits taken back; 0 spendable
the payment succeeded (payment_intent.succeeded): noted; it moves no credits
the bank agreed to pay (charge.succeeded): nothing that we did not know
the customer began to pay (payment_intent.created): nothing that we did not know
";
    assert_eq!(lines(&payment["timeline"]), expected);
    assert_eq!((&payment["status"], &payment["amount_lost"]), (&"dispute_lost".into(), &25_000.into()));
    assert_eq!(payment["disputes"], json!([{ "id": "du_r", "amount": 25_000, "status": "lost" }]));
    deployment.check_books().await;
}

#[tokio::test]
async fn a_persons_word_stands_in_it() {
    let deployment = Deployment::new().await;
    let doubtful = crate::GUIDE_SAMPLE.replace(r#""credits": "10""#, r#""credits": "1 0""#);
    deployment.learn(doubtful.clone()).await;
    deployment.deliver(doubtful).await;
    deployment.pass(60);
    let word = json!({ "reason": "A typing error.", "tenant_id": TENANT, "credits": 1 });
    deployment.post("/api/admin/quarantine/1/resolve", &word).await.data();
    let payment = deployment.look("/api/payments/cs_live_a1b2c3d4e5f6g7h8").await;
    let expected = "\
the customer completed the checkout (checkout.session.completed): a person must decide whether it \
counts; it moved no credits
    1 credit added, by Grace (key a test's): A typing error.; 1 spendable
";
    assert_eq!(lines(&payment["timeline"]), expected);
    assert_eq!(payment["timeline"][0]["deliveries"], 2);
}
