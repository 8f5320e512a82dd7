//! Events look like Stripe's: every type and every scenario in every API version follows Stripe's rules and
//! equals two committed texts.
//!
//! The texts are in `golden/`. After an intended change, the failing test prints the new text.

use std::collections::{BTreeMap, BTreeSet};

use emulator::scenario::{EventFault, Sale, Scenario, event, event_names, metadata};
use serde_json::{Value, json};
use stripe::EventType;
use stripe::write::{ApiVersion, WrittenEvent};

pub(crate) fn sale(reference: &str, api_version: ApiVersion) -> Sale {
    Sale {
        reference: reference.to_owned(),
        metadata: metadata([("tenant_id", TENANT), ("package", "10_credits"), ("credits", "10")]),
        description: "10 credits".to_owned(),
        amount: 4999,
        currency: "eur".to_owned(),
        created: 1_790_000_000,
        livemode: false,
        api_version,
    }
}

pub(crate) const TENANT: &str = "7f3c2f6e-6a0e-4a57-9a9e-0d6f6c5f9b11";

fn parsed(event: &WrittenEvent) -> Value {
    serde_json::from_str(&event.body).unwrap_or_else(|error| panic!("{}: {error}\n{}", event.id, event.body))
}

/// Every event that can be written for the sale: one of each type, and those of each scenario.
fn all_events(sale: &Sale) -> Vec<WrittenEvent> {
    let alone = event_names().iter().map(|name| event(name, sale, "n1", None).unwrap());
    alone.chain(Scenario::ALL.iter().flat_map(|scenario| scenario.events(sale))).collect()
}

/// Checks one rule with every event of every version and mode.
fn check_all(rule: impl Fn(&Sale, &WrittenEvent, &Value)) {
    for api_version in ApiVersion::ALL {
        for livemode in [false, true] {
            let sale = Sale { livemode, ..sale("A1_b", api_version) };
            for event in all_events(&sale) {
                rule(&sale, &event, &parsed(&event));
            }
        }
    }
}

/// Calls `rule` with every field in `value`, however deep.
fn each_field(value: &Value, rule: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            rule(key, value);
            each_field(value, rule);
        }),
        Value::Array(items) => items.iter().for_each(|item| each_field(item, rule)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn envelopes_are_complete() {
    let fields =
        ["api_version", "created", "data", "id", "livemode", "object", "pending_webhooks", "request", "type"];
    check_all(|sale, event, body| {
        let keys: BTreeSet<&str> = body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, BTreeSet::from(fields), "{}", event.id);
        assert_eq!(body["id"], event.id, "{}", event.id);
        assert_eq!(body["object"], "event", "{}", event.id);
        assert_eq!(body["type"], event.type_name, "{}", event.id);
        assert_eq!(body["created"], event.created, "{}", event.id);
        assert_eq!(body["livemode"], sale.livemode, "{}", event.id);
        assert_eq!(body["api_version"], sale.api_version.as_str(), "{}", event.id);
        assert_eq!(body["pending_webhooks"], 1, "{}", event.id);
        let request: BTreeSet<&String> = body["request"].as_object().unwrap().keys().collect();
        assert_eq!(
            request,
            BTreeSet::from([&"id".to_owned(), &"idempotency_key".to_owned()]),
            "{}",
            event.id
        );
        assert!(event.id.len() <= 255, "{}", event.id);
    });
}

#[test]
fn bodies_are_laid_out_like_stripes() {
    check_all(|_, event, _| {
        let start = format!("{{\n  \"id\": \"{}\",\n  \"object\": \"event\",\n  \"api_version\": ", event.id);
        assert!(event.body.starts_with(&start), "{}", event.body);
        assert!(event.body.ends_with("\n}"), "{}", event.body);
        for line in event.body.lines() {
            let indent = line.len() - line.trim_start_matches(' ').len();
            assert!(indent % 2 == 0 && line.trim_end() == line, "{}: {line:?}", event.id);
        }
    });
}

#[test]
fn sizes_are_like_stripes() {
    check_all(|_, event, body| {
        let range = match body["data"]["object"]["object"].as_str().unwrap() {
            "checkout.session" | "charge" => 2_500..=4_500,
            "payment_intent" | "dispute" => 1_000..=6_000,
            _ => 500..=2_000,
        };
        let size = event.body.len();
        assert!(range.contains(&size), "{} has {size} bytes", event.id);
    });
}

#[test]
fn metadata_stays_on_the_session() {
    check_all(|sale, event, body| {
        let object = &body["data"]["object"];
        if object["object"] == "checkout.session" {
            assert_eq!(object["metadata"], json!(sale.metadata), "{}", event.id);
            return;
        }
        for value in [TENANT, "10_credits"] {
            assert!(!event.body.contains(value), "{} contains {value}", event.id);
        }
        each_field(body, &mut |key, value| {
            assert!(key != "metadata" || value.as_object().unwrap().is_empty(), "{} {value}", event.id);
        });
    });
}

#[test]
fn ids_agree() {
    check_all(|sale, event, body| {
        let mode = if sale.livemode { "live" } else { "test" };
        let object = &body["data"]["object"];
        let own = match object["object"].as_str().unwrap() {
            "checkout.session" => format!("cs_{mode}_A1_b"),
            "payment_intent" => "pi_A1_b".to_owned(),
            "charge" => "ch_A1_b".to_owned(),
            "refund" => "re_A1_b".to_owned(),
            "dispute" => "du_A1_b".to_owned(),
            "radar.early_fraud_warning" => "issfr_A1_b".to_owned(),
            other => panic!("{} is about {other}", event.id),
        };
        assert_eq!(object["id"], own, "{}", event.id);
        each_field(object, &mut |key, value| match (key, value) {
            (_, Value::Null) => {}
            ("payment_intent", id) => assert_eq!(id, "pi_A1_b", "{}", event.id),
            ("charge" | "latest_charge", id) => assert_eq!(id, "ch_A1_b", "{}", event.id),
            ("livemode", livemode) => assert_eq!(*livemode, sale.livemode, "{}", event.id),
            ("currency", currency) => assert_eq!(currency, "eur", "{}", event.id),
            _ => {}
        });
    });
}

#[test]
fn numbers_are_integers() {
    check_all(|_, event, body| {
        each_field(body, &mut |key, value| {
            assert!(!value.is_number() || value.is_i64(), "{}: {key} is {value}", event.id);
        });
    });
}

#[test]
fn versions_differ_as_documented() {
    check_all(|sale, event, body| {
        let object = &body["data"]["object"];
        let has = |key: &str| object.as_object().unwrap().contains_key(key);
        let version = sale.api_version;
        match object["object"].as_str().unwrap() {
            "charge" => {
                assert!(!has("refunds"), "{}", event.id);
                assert_eq!(has("invoice"), version == ApiVersion::V2022_11_15, "{}", event.id);
            }
            "payment_intent" => {
                assert_eq!(has("invoice"), version == ApiVersion::V2022_11_15, "{}", event.id);
            }
            "checkout.session" => {
                let ui_mode = if version == ApiVersion::Endive { "hosted_page" } else { "hosted" };
                assert_eq!(object["ui_mode"], ui_mode, "{}", event.id);
                assert_eq!(has("currency_conversion"), version != ApiVersion::Endive, "{}", event.id);
                assert!(!has("line_items"), "{}", event.id);
            }
            "refund" => assert!(!has("livemode"), "{}", event.id),
            _ => {}
        }
    });
}

#[test]
fn updates_have_the_previous_values() {
    check_all(|_, event, body| {
        let previous = body["data"].get("previous_attributes");
        if event.type_name.ends_with(".updated") {
            assert!(previous.is_some_and(|before| !before.as_object().unwrap().is_empty()), "{}", event.id);
        }
        if event.type_name.ends_with(".created") || event.type_name.ends_with(".succeeded") {
            assert_eq!(previous, None, "{}", event.id);
        }
        if event.type_name == "refund.failed" {
            assert_eq!(previous.unwrap()["status"], "succeeded", "{}", event.id);
            assert_eq!(body["data"]["object"]["failure_reason"], "expired_or_canceled_card", "{}", event.id);
        }
    });
}

#[test]
fn a_scenario_has_the_same_bytes_every_time() {
    for version in ApiVersion::ALL {
        for scenario in Scenario::ALL {
            let events = scenario.events(&sale("A1", version));
            assert_eq!(events, scenario.events(&sale("A1", version)), "{}", scenario.name());
            assert!((1..=12).contains(&events.len()), "{} has {} events", scenario.name(), events.len());
            assert!(events.is_sorted_by_key(|event| event.created), "{}", scenario.name());
            let ids: BTreeSet<&str> = events.iter().map(|event| event.id.as_str()).collect();
            assert_eq!(ids.len(), events.len(), "{} repeats an id", scenario.name());
            let another = scenario.events(&sale("A2", version));
            assert!(another.iter().all(|event| !ids.contains(event.id.as_str())), "{}", scenario.name());
            assert_eq!(Scenario::from_name(scenario.name()), Some(scenario));
        }
    }
    assert_eq!(Scenario::from_name("refund"), None);
}

/// An id never names two different events, so scenarios about one sale can follow each other.
#[test]
fn scenarios_share_their_beginning() {
    for version in ApiVersion::ALL {
        let mut bodies = BTreeMap::new();
        for event in Scenario::ALL.iter().flat_map(|scenario| scenario.events(&sale("A1", version))) {
            let body = bodies.entry(event.id.clone()).or_insert_with(|| event.body.clone());
            assert_eq!(*body, event.body, "{} is two events", event.id);
        }
        let paid = Scenario::Purchase.events(&sale("A1", version));
        assert!(Scenario::DisputeLost.events(&sale("A1", version)).starts_with(&paid));
    }
}

#[test]
fn refund_events_depend_on_the_version() {
    let before_acacia = ["charge.refunded", "charge.refund.updated"].as_slice();
    let since_acacia = ["refund.created", "charge.refunded", "refund.updated"].as_slice();
    let failed_since_acacia = ["refund.created", "charge.refunded", "refund.failed"].as_slice();
    for (version, scenario, types) in [
        (ApiVersion::V2022_11_15, Scenario::PartialRefund, before_acacia),
        (ApiVersion::V2022_11_15, Scenario::FailedRefund, before_acacia),
        (ApiVersion::Basil, Scenario::PartialRefund, since_acacia),
        (ApiVersion::Basil, Scenario::FailedRefund, failed_since_acacia),
        (ApiVersion::Endive, Scenario::PartialRefund, since_acacia),
        (ApiVersion::Endive, Scenario::FailedRefund, failed_since_acacia),
    ] {
        let events = scenario.events(&sale("A1", version));
        let after_purchase: Vec<&str> = events.iter().skip(5).map(|event| event.type_name.as_str()).collect();
        assert_eq!(after_purchase, types, "{} in {}", scenario.name(), version.as_str());
    }
}

#[test]
fn a_nonce_decides_whether_an_event_is_new() {
    let sale = sale("A1", ApiVersion::default());
    for name in event_names() {
        let first = event(name, &sale, "n1", None).unwrap();
        assert_eq!(first, event(name, &sale, "n1", None).unwrap());
        assert_ne!(first.id, event(name, &sale, "n2", None).unwrap().id);
        assert_eq!(first.type_name, *name);
    }
}

#[test]
fn an_amount_is_written_to_the_field_of_the_event_type() {
    let sale = sale("A1", ApiVersion::default());
    for (name, field, all) in [
        ("checkout.session.completed", "amount_total", 4999),
        ("checkout.session.async_payment_succeeded", "amount_total", 4999),
        ("payment_intent.succeeded", "amount_received", 4999),
        ("charge.succeeded", "amount", 4999),
        ("charge.captured", "amount_captured", 4999),
        ("charge.refunded", "amount_refunded", 4999),
        ("refund.created", "amount", 4999),
        ("refund.failed", "amount", 4999),
        ("charge.refund.updated", "amount", 4999),
        ("charge.dispute.created", "amount", 4999),
        ("charge.dispute.closed", "amount", 4999),
    ] {
        for (amount, written) in [(None, all), (Some(2500), 2500)] {
            let body = parsed(&event(name, &sale, "n1", amount).unwrap());
            assert_eq!(body["data"]["object"][field], written, "{name} of {amount:?}");
        }
    }
    for (amount, refunded) in [(Some(2500), false), (Some(4999), true), (None, true)] {
        let body = parsed(&event("charge.refunded", &sale, "n1", amount).unwrap());
        assert_eq!(body["data"]["object"]["refunded"], refunded, "{amount:?}");
        assert_eq!(body["data"]["object"]["amount"], 4999, "{amount:?}");
    }
}

#[test]
fn an_unknown_type_is_refused_with_similar_names() {
    let sale = sale("A1", ApiVersion::default());
    for (requested, near) in [
        ("charge.refundet", "charge.refunded"),
        ("Refund.Created", "refund.created, refund.updated"),
        ("checkout.session.complete", "checkout.session.completed"),
        ("early_fraud", "radar.early_fraud_warning.created, radar.early_fraud_warning.updated"),
        ("refund.reversed", "refund.created, refund.updated, refund.failed"),
        ("customer.subscription.deleted", ""),
        ("", ""),
    ] {
        let fault = event(requested, &sale, "n1", None).unwrap_err();
        let EventFault::Unknown(unknown) = &fault else { panic!("{fault}") };
        assert_eq!(unknown.near.join(", "), near, "{requested}");
        let end = if near.is_empty() { String::new() } else { format!("; near it are {near}") };
        assert_eq!(fault.to_string(), format!("there is no event type {requested:?} here{end}"));
    }
}

#[test]
fn every_type_that_is_read_can_be_written_except_those_of_invoices() {
    let read = EventType::ALL.iter().map(|(name, _)| *name).filter(|name| !name.starts_with("invoice"));
    assert_eq!(*event_names(), read.collect::<Vec<_>>());
}

#[test]
fn an_amount_that_stripe_would_refuse_is_an_error() {
    let sale = sale("A1", ApiVersion::default());
    for name in ["charge.refunded", "refund.failed", "charge.captured", "charge.dispute.created"] {
        for amount in [i64::MIN, -1, 0, 5000, i64::MAX] {
            let fault = event(name, &sale, "n1", Some(amount)).unwrap_err();
            assert!(
                fault.to_string().starts_with(&format!("Stripe sends no {name} for that amount")),
                "{fault}"
            );
        }
    }
}

#[test]
fn extreme_amounts_and_times_are_written() {
    for extreme in [i64::MIN, -1, 0, 1, i64::MAX] {
        let sale = Sale { amount: extreme, created: extreme / 2_000, ..sale("A1", ApiVersion::default()) };
        let alone = event_names().iter().filter_map(|name| event(name, &sale, "n1", None).ok());
        let events: Vec<_> = alone.chain(Scenario::ALL.iter().flat_map(|one| one.events(&sale))).collect();
        assert!(events.iter().any(|event| event.type_name == "checkout.session.completed"), "{extreme}");
        for event in events {
            parsed(&event);
        }
    }
}

#[test]
fn strings_are_escaped() {
    let tenant_id = "\"quoted\"\n\\ Žofie 😀".to_owned();
    let sale = Sale { metadata: metadata([("tenant_id", &tenant_id)]), ..sale("A1", ApiVersion::default()) };
    let body = parsed(&event("checkout.session.completed", &sale, "n1", None).unwrap());
    assert_eq!(body["data"]["object"]["metadata"]["tenant_id"], tenant_id);
}

/// Panics with the differing lines and the whole new text, unless it equals the committed text.
fn check_golden(name: &str, committed: &str, now: &str) {
    if committed == now {
        return;
    }
    let lines = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    let (before, after) = (lines(committed), lines(now));
    let removed = before.iter().filter(|line| !after.contains(line)).map(|line| format!("- {line}\n"));
    let new = after.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}\n"));
    let difference: String = removed.chain(new).collect();
    panic!(
        "tests/golden/{name} differs from the new text:\n{difference}\n\
         If the change is intended, replace the file with the text between the lines:\n{:-<80}\n{now}{:-<80}",
        "", ""
    );
}

/// The fields of the object that decide about money.
fn facts(object: &Value) -> String {
    const FACTS: [&str; 14] = [
        "status",
        "payment_status",
        "amount_total",
        "amount",
        "amount_received",
        "amount_captured",
        "amount_refunded",
        "captured",
        "refunded",
        "failure_reason",
        "payment_intent",
        "latest_charge",
        "charge",
        "currency",
    ];
    let mut facts: Vec<String> = FACTS
        .iter()
        .filter_map(|name| Some(format!("{name}={}", object.get(name)?)))
        .map(|fact| fact.replace('"', ""))
        .collect();
    for leg in object["balance_transactions"].as_array().into_iter().flatten() {
        facts.push(format!("moved={}", leg["amount"]));
    }
    facts.join(" ")
}

#[test]
fn scenarios_equal_the_committed_text() {
    let newest = Scenario::ALL.map(|scenario| (ApiVersion::Endive, scenario));
    let older =
        [Scenario::PartialRefund, Scenario::FailedRefund].map(|scenario| (ApiVersion::V2022_11_15, scenario));
    let text: String =
        newest.into_iter().chain(older).map(|(version, scenario)| paragraph(version, scenario)).collect();
    check_golden("scenarios.txt", include_str!("golden/scenarios.txt"), &text);
}

fn paragraph(version: ApiVersion, scenario: Scenario) -> String {
    let sale = sale("A1", version);
    let mut text = format!("{}, {}: {}\n", scenario.name(), version.as_str(), scenario.summary());
    for event in scenario.events(&sale) {
        let body = parsed(&event);
        let object = &body["data"]["object"];
        let after = event.created - sale.created;
        text += &format!("  +{after} s {} {}\n", event.type_name, event.id);
        text += &format!("      {} {}\n", object["id"].as_str().unwrap(), facts(object));
        if let Some(previous) = body["data"].get("previous_attributes") {
            text += &format!("      was {previous}\n");
        }
    }
    text + "\n"
}

#[test]
fn a_body_equals_the_committed_text() {
    let event = event("checkout.session.completed", &sale("A1", ApiVersion::default()), "n1", None);
    let body = event.unwrap().body + "\n";
    let committed = include_str!("golden/checkout.session.completed.json");
    check_golden("checkout.session.completed.json", committed, &body);
}
