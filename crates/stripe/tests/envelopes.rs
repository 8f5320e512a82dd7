//! Envelopes: which bodies are events, and what is read from them.

use stripe::{Envelope, EventType, ReadFault};

fn check(body: &str, expected: Result<(), ReadFault>) {
    assert_eq!(Envelope::parse(body.as_bytes()).map(|_| ()), expected, "{body}");
}

#[test]
fn a_snapshot_event() {
    let body = include_bytes!("fixtures/dispute.2026-10-28.endive.json");
    let Ok(Envelope::Snapshot(event)) = Envelope::parse(body) else { panic!("no snapshot") };
    assert_eq!(event.id, "evt_1PgafyB7WZ01zgkWlBB4Oxyz");
    assert_eq!(event.kind, EventType::DisputeFundsReinstated);
    assert_eq!((event.created, event.livemode), (1_760_000_000, Some(false)));
    assert_eq!(event.api_version.as_deref(), Some("2026-10-28.endive"));
    assert_eq!(event.account, None);
    assert!(event.object.get().starts_with("{\n      \"id\": \"du_1PgbB7WZ01zgkWDis\""), "{}", event.object);
}

#[test]
fn a_thin_event() {
    let body = include_bytes!("fixtures/thin.json");
    let envelope = Envelope::parse(body).unwrap();
    assert_eq!(envelope.type_name(), "v1.checkout.session.completed");
    assert_eq!((envelope.created(), envelope.livemode()), (None, Some(false)));
    let Envelope::Thin(event) = envelope else { panic!("not thin") };
    assert_eq!(event.snapshot_event.as_deref(), Some("evt_1PgafyB7WZ01zgkWlBB4Oxyz"));
    assert_eq!(event.created, "2026-11-20T09:15:30.123456789Z");
}

#[test]
fn the_guide_sample() {
    let envelope = Envelope::parse(include_bytes!("fixtures/guide-sample.json")).unwrap();
    assert_eq!(envelope.id(), "evt_1234567890");
    assert_eq!(envelope.type_name(), "checkout.session.completed");
    assert_eq!((envelope.created(), envelope.livemode()), (Some(1_708_425_600), None));
}

/// Each row is the valid `base` with one change.
#[test]
fn envelopes_good_and_bad() {
    let with =
        |more: &str| format!(r#"{{"id":"evt_1","type":"a.b","created":1,"data":{{"object":{{}}}}{more}}}"#);
    let not = |field, expected| Err(ReadFault::WrongType { field, expected });
    let missing = |field| Err(ReadFault::Missing { field });
    let duplicate = |field| Err(ReadFault::DuplicateKey { field });
    for (more, expected) in [
        ("", Ok(())),
        (r#","object":"event""#, Ok(())),
        (r#","object":null"#, Ok(())),
        (r#","request":"req_1""#, Ok(())),
        (r#","request":{"id":null,"idempotency_key":null}"#, Ok(())),
        (r#","request":7.5,"pending_webhooks":1e400,"later":[[[{}]]]"#, Ok(())),
        (r#","later":1,"later":2"#, Ok(())),
        (r#","account":"acct_1","context":"acct_1","api_version":null"#, Ok(())),
        (r#","object":"charge""#, Err(ReadFault::NotAnEvent)),
        (r#","object":"v2.core.account""#, Err(ReadFault::NotAnEvent)),
        (r#","object":{"object":"event"}"#, not("object", "text")),
        (r#","livemode":"true""#, not("livemode", "true or false")),
        (r#","account":"acct 1""#, Err(ReadFault::Id { field: "account" })),
        (r#","api_version":20221115"#, not("api_version", "text")),
        (r#","id":"evt_1""#, duplicate("id")),
        (r#","\u0069d":"evt_2""#, duplicate("id")),
        (r#","type":"a.c""#, duplicate("type")),
        (r#","created":2"#, duplicate("created")),
        (r#","livemode":true,"livemode":null"#, duplicate("livemode")),
        (r#","object":"event","object":"event""#, duplicate("object")),
        (r#","data":{"object":{}}"#, duplicate("data")),
    ] {
        check(&with(more), expected);
    }
    for (body, expected) in [
        (r#"{"type":"a.b","created":1,"data":{"object":{}}}"#, missing("id")),
        (r#"{"id":"evt_1","created":1,"data":{"object":{}}}"#, missing("type")),
        (r#"{"id":"evt_1","type":"a.b","data":{"object":{}}}"#, missing("created")),
        (r#"{"id":"evt_1","type":"a.b","created":1}"#, missing("data")),
        (r#"{"id":"evt_1","type":"a.b","created":1,"data":{}}"#, missing("data.object")),
        (r#"{"id":"evt_1","type":"a.b","created":1,"data":{"object":null}}"#, missing("data.object")),
        (r#"{"id":"evt_1","type":"a.b","created":1,"data":{"object":[]}}"#, not("data.object", "an object")),
        (r#"{"id":"evt_1","type":"a.b","created":1,"data":[]}"#, not("data", "an object")),
        (r#"{"object":"v2.core.event","id":"evt_1","type":"v1.a.b"}"#, missing("created")),
        (r#"{"object":"v2.core.event","id":"evt_1","type":"v1.a.b","created":1}"#, not("created", "text")),
        ("{}", missing("id")),
        ("[]", Err(ReadFault::NotAnEvent)),
        ("null", Err(ReadFault::NotAnEvent)),
        ("7", Err(ReadFault::NotAnEvent)),
        ("\"event\"", Err(ReadFault::NotAnEvent)),
        ("", Err(ReadFault::NotJson)),
        ("this is not valid JSON", Err(ReadFault::NotJson)),
        ("{} {}", Err(ReadFault::NotJson)),
        ("{'id':1}", Err(ReadFault::NotJson)),
        ("{\"id\":1,}", Err(ReadFault::NotJson)),
    ] {
        check(body, expected);
    }
}

#[test]
fn ids_are_opaque_but_clean() {
    let longest = "a".repeat(255);
    let too_long = "a".repeat(256);
    let bad = Err(ReadFault::Id { field: "id" });
    for (id, expected) in [
        ("evt_1", Ok(())),
        ("1", Ok(())),
        ("WHATEVER_next_year_brings", Ok(())),
        (longest.as_str(), Ok(())),
        (r"\u0065vt_1", Ok(())),
        (too_long.as_str(), bad),
        ("", bad),
        ("evt-1", bad),
        ("evt_1 ", bad),
        (r"evt_1\n", bad),
        (r"evt_1\u0000", bad),
        (r"evt_1\u001b[2J", bad),
        ("evt_ž", bad),
        ("evt_\u{202e}1", bad),
        (r"evt_\ud83d\ude00", bad),
        (r"evt_\ud83d", Err(ReadFault::Text { field: "id" })),
        (r"evt_\ude00\ud83d", Err(ReadFault::Text { field: "id" })),
    ] {
        check(&format!(r#"{{"id":"{id}","type":"a.b","created":1,"data":{{"object":{{}}}}}}"#), expected);
    }
}

#[test]
fn created_is_whole_seconds_of_this_calendar() {
    let bad = Err(ReadFault::Time { field: "created" });
    for (created, expected) in [
        ("0", Ok(())),
        ("1708425600", Ok(())),
        ("253402300799", Ok(())),
        ("253402300800", bad),
        ("-1", bad),
        ("-0", bad),
        ("1708425600.0", bad),
        ("1e9", bad),
        ("9223372036854775808", bad),
        ("\"1708425600\"", bad),
        ("\"2026-11-20T09:15:30Z\"", bad),
    ] {
        check(
            &format!(r#"{{"id":"e","type":"a.b","created":{created},"data":{{"object":{{}}}}}}"#),
            expected,
        );
    }
}

#[test]
fn event_types_go_by_stripes_names() {
    assert_eq!(EventType::ALL.len(), 33);
    for (name, kind) in EventType::ALL {
        assert_eq!((EventType::from_name(name), kind.name()), (kind.clone(), *name));
    }
    assert_eq!(EventType::DisputeCreated.name(), "charge.dispute.created");
    assert_eq!(EventType::EarlyFraudWarningCreated.name(), "radar.early_fraud_warning.created");
    assert_eq!(EventType::from_name("invoice.sent"), EventType::Other("invoice.sent".to_owned()));
    // The types of thin events differ from those of snapshots.
    assert_eq!(EventType::from_name("v1.refund.created").name(), "v1.refund.created");
    assert!(matches!(EventType::from_name("v1.refund.created"), EventType::Other(_)));
}
