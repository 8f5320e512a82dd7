//! The `stripe` crate reads every event as an object of the expected type, with the expected ids, amounts and
//! states.

use emulator::scenario::{Sale, Scenario, event, event_names};
use stripe::write::{ApiVersion, WrittenEvent};
use stripe::{Envelope, Object};

use crate::scenarios;

fn sale(api_version: ApiVersion) -> Sale {
    Sale { livemode: true, ..scenarios::sale("A1", api_version) }
}

fn read(event: &WrittenEvent) -> Object {
    let Envelope::Snapshot(read) = Envelope::parse(event.body.as_bytes()).unwrap() else {
        panic!("{} is read as a thin event", event.id);
    };
    assert_eq!(read.id, event.id);
    assert_eq!(read.kind.name(), event.type_name);
    assert_eq!(read.created, event.created);
    assert_eq!(read.livemode, Some(true));
    assert!(read.api_version.is_some());
    assert_eq!(read.account, None);
    read.object().unwrap_or_else(|fault| panic!("{}: {fault}", event.id))
}

/// The fields that decide about credits, in one line.
fn line(object: &Object) -> String {
    match object {
        Object::CheckoutSession(session) => {
            assert_eq!(session.id, "cs_live_A1");
            assert_eq!(session.currency.as_deref(), Some("eur"));
            assert_eq!(session.metadata.get("tenant_id"), Some(scenarios::TENANT));
            assert_eq!(session.metadata.get("credits"), Some("10"));
            let status = session.payment_status.as_ref().unwrap().name();
            format!("session {status} {} {}", session.amount_total.unwrap(), or_none(&session.payment_intent))
        }
        Object::PaymentIntent(intent) => {
            assert_eq!(intent.id, "pi_A1");
            let (amount, received) = (intent.amount.unwrap(), intent.amount_received.unwrap());
            format!("intent {} {received} of {amount}", or_none(&intent.status))
        }
        Object::Charge(charge) => {
            assert_eq!((charge.id.as_str(), charge.payment_intent.as_deref()), ("ch_A1", Some("pi_A1")));
            assert!(charge.refunds.is_empty());
            let (captured, amount) = (charge.amount_captured.unwrap(), charge.amount.unwrap());
            let refunded = charge.amount_refunded;
            format!("charge {} {captured} of {amount} less {refunded}", or_none(&charge.status))
        }
        Object::Refund(refund) => {
            assert_eq!((refund.id.as_str(), refund.payment_intent.as_deref()), ("re_A1", Some("pi_A1")));
            assert_eq!(refund.charge.as_deref(), Some("ch_A1"));
            format!(
                "refund {} {}",
                refund.status.as_ref().map_or("none", |status| status.name()),
                refund.amount
            )
        }
        Object::Dispute(dispute) => {
            assert_eq!((dispute.id.as_str(), dispute.payment_intent.as_deref()), ("du_A1", Some("pi_A1")));
            assert_eq!(dispute.charge.as_deref(), Some("ch_A1"));
            let moved: Vec<i64> = dispute.balance_transactions.iter().map(|leg| leg.amount).collect();
            format!("dispute {} {} moved {moved:?}", dispute.status.name(), dispute.amount)
        }
        Object::EarlyFraudWarning(warning) => {
            assert_eq!(warning.charge.as_deref(), Some("ch_A1"));
            assert_eq!(warning.payment_intent.as_deref(), Some("pi_A1"));
            format!("warning {}", warning.actionable)
        }
        Object::Invoice(_) | Object::InvoicePayment(_) | Object::Other => {
            panic!("an object that events here never contain")
        }
    }
}

fn or_none(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("none")
}

#[test]
fn every_event_is_read_as_written() {
    let expected = [
        ("checkout.session.completed", "session paid 2500 pi_A1"),
        ("checkout.session.async_payment_succeeded", "session paid 2500 pi_A1"),
        ("checkout.session.async_payment_failed", "session unpaid 2500 pi_A1"),
        ("checkout.session.expired", "session unpaid 2500 none"),
        ("payment_intent.created", "intent requires_payment_method 0 of 2500"),
        ("payment_intent.processing", "intent processing 0 of 2500"),
        ("payment_intent.requires_action", "intent requires_action 0 of 2500"),
        ("payment_intent.succeeded", "intent succeeded 2500 of 2500"),
        ("payment_intent.payment_failed", "intent requires_payment_method 0 of 2500"),
        ("payment_intent.canceled", "intent canceled 0 of 2500"),
        ("payment_intent.amount_capturable_updated", "intent requires_capture 0 of 2500"),
        ("payment_intent.partially_funded", "intent requires_action 0 of 2500"),
        ("charge.succeeded", "charge succeeded 2500 of 2500 less 0"),
        ("charge.pending", "charge pending 0 of 2500 less 0"),
        ("charge.failed", "charge failed 0 of 2500 less 0"),
        ("charge.expired", "charge succeeded 0 of 2500 less 2500"),
        ("charge.captured", "charge succeeded 2500 of 4999 less 2499"),
        ("charge.updated", "charge succeeded 2500 of 2500 less 0"),
        ("charge.refunded", "charge succeeded 4999 of 4999 less 2500"),
        ("charge.refund.updated", "refund succeeded 2500"),
        ("refund.created", "refund succeeded 2500"),
        ("refund.updated", "refund succeeded 2500"),
        ("refund.failed", "refund failed 2500"),
        ("charge.dispute.created", "dispute needs_response 2500 moved [-2500]"),
        ("charge.dispute.updated", "dispute under_review 2500 moved [-2500]"),
        ("charge.dispute.closed", "dispute lost 2500 moved [-2500]"),
        ("charge.dispute.funds_withdrawn", "dispute needs_response 2500 moved [-2500]"),
        ("charge.dispute.funds_reinstated", "dispute won 2500 moved [-2500, 2500]"),
        ("radar.early_fraud_warning.created", "warning true"),
        ("radar.early_fraud_warning.updated", "warning false"),
    ];
    assert_eq!(expected.map(|(name, _)| name), *event_names(), "one row for each type");
    for version in ApiVersion::ALL {
        for (name, expected) in expected {
            let event = event(name, &sale(version), "n1", Some(2500)).unwrap();
            assert_eq!(line(&read(&event)), expected, "{name} in {}", version.as_str());
        }
    }
}

#[test]
fn every_scenario_is_read_as_written() {
    let purchased = "intent requires_payment_method 0 of 4999; charge succeeded 4999 of 4999 less 0; \
        intent succeeded 4999 of 4999; session paid 4999 pi_A1; charge succeeded 4999 of 4999 less 0";
    let disputed = "dispute needs_response 4999 moved [-4999]; dispute needs_response 4999 moved [-4999]; \
        dispute under_review 4999 moved [-4999]";
    for (scenario, expected) in [
        (Scenario::Purchase, purchased.to_owned()),
        (
            Scenario::PartialRefund,
            format!(
                "{purchased}; refund succeeded 2499; charge succeeded 4999 of 4999 less 2499; \
                 refund succeeded 2499"
            ),
        ),
        (
            Scenario::PendingRefund,
            format!(
                "{purchased}; refund pending 4999; refund succeeded 4999; \
                 charge succeeded 4999 of 4999 less 4999; refund succeeded 4999"
            ),
        ),
        (
            Scenario::FailedRefund,
            format!(
                "{purchased}; refund succeeded 4999; \
                 charge succeeded 4999 of 4999 less 4999; refund failed 4999"
            ),
        ),
        (
            Scenario::DisputeWon,
            format!(
                "{purchased}; {disputed}; dispute won 4999 moved [-4999]; \
                 dispute won 4999 moved [-4999, 4999]"
            ),
        ),
        (Scenario::DisputeLost, format!("{purchased}; {disputed}; dispute lost 4999 moved [-4999]")),
        (
            Scenario::Async,
            "intent requires_payment_method 0 of 4999; session unpaid 4999 pi_A1; \
             intent processing 0 of 4999; charge pending 0 of 4999 less 0; \
             charge succeeded 4999 of 4999 less 0; intent succeeded 4999 of 4999; session paid 4999 pi_A1"
                .to_owned(),
        ),
        (
            Scenario::Declined,
            "intent requires_payment_method 0 of 4999; charge failed 0 of 4999 less 0; \
             intent requires_payment_method 0 of 4999; session unpaid 4999 none; intent canceled 0 of 4999"
                .to_owned(),
        ),
    ] {
        let lines: Vec<String> =
            scenario.events(&sale(ApiVersion::Endive)).iter().map(|event| line(&read(event))).collect();
        assert_eq!(lines.join("; "), expected, "{}", scenario.name());
    }
}
