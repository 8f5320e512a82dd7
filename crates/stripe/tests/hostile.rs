//! Hostile bodies: deep nesting, duplicate keys, half characters, floats, and every single flipped bit.

use std::thread;
use stripe::signature::{SignatureFault, sign, verify};
use stripe::{Envelope, ReadFault, Secret};

const NOW: i64 = 1_700_000_000;
const SAMPLE: &[u8] = include_bytes!("fixtures/guide-sample.json");

fn secrets() -> Vec<Secret> {
    Secret::parse_list("whsec_test_secret").unwrap()
}

/// The code of the first fault between bytes and object, or "read".
fn read(body: &[u8]) -> &'static str {
    let object = Envelope::parse(body).and_then(|envelope| match envelope {
        Envelope::Snapshot(event) => event.object()?.fault().map_or(Ok(()), Err),
        Envelope::Thin(_) => Ok(()),
    });
    object.map_or_else(ReadFault::code, |()| "read")
}

fn with_object(kind: &str, object: &str) -> String {
    format!(r#"{{"id":"evt_1","type":"{kind}","created":1,"data":{{"object":{object}}}}}"#)
}

#[test]
fn every_flipped_bit_of_the_body_is_a_mismatch() {
    let header = sign(SAMPLE, NOW, &secrets());
    for bit in 0..SAMPLE.len() * 8 {
        let mut body = SAMPLE.to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        let verified = verify(&body, Some(header.as_bytes()), &secrets(), NOW, 300);
        assert_eq!(verified, Err(SignatureFault::Mismatch), "bit {bit}");
    }
}

#[test]
fn every_flipped_bit_of_the_header_is_refused() {
    let header = sign(SAMPLE, NOW, &secrets());
    for bit in 0..header.len() * 8 {
        let mut header = header.clone().into_bytes();
        header[bit / 8] ^= 1 << (bit % 8);
        let verified = verify(SAMPLE, Some(&header), &secrets(), NOW, 300);
        assert!(verified.is_err(), "bit {bit}: {}", String::from_utf8_lossy(&header));
    }
}

#[test]
fn every_shortened_body_is_a_mismatch() {
    let header = sign(SAMPLE, NOW, &secrets());
    for length in 0..SAMPLE.len() {
        let verified = verify(&SAMPLE[..length], Some(header.as_bytes()), &secrets(), NOW, 300);
        assert_eq!(verified, Err(SignatureFault::Mismatch), "{length} bytes");
    }
}

/// On a stack of 64 KiB, which a recursive parser would overflow.
#[test]
fn nesting_does_not_recurse() {
    let arrays = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let objects = |depth: usize| r#"{"a":"#.repeat(depth) + "1" + &"}".repeat(depth);
    let completed = "checkout.session.completed";
    let rows = [
        (
            format!(r#"{{"later":{},{}"#, arrays(100_000), &with_object(completed, r#"{"id":"cs_1"}"#)[1..]),
            "read",
        ),
        (with_object(completed, &format!(r#"{{"id":"cs_1","later":{}}}"#, arrays(100_000))), "read"),
        (with_object(completed, &format!(r#"{{"id":"cs_1","later":{}}}"#, objects(100_000))), "read"),
        (with_object(completed, &format!(r#"{{"id":{}}}"#, arrays(100_000))), "wrong_type"),
        (
            with_object(completed, &format!(r#"{{"id":"cs_1","metadata":{}}}"#, objects(100_000))),
            "wrong_type",
        ),
        (with_object("charge.succeeded", &format!(r#"{{"id":{}}}"#, objects(100_000))), "wrong_type"),
        (with_object("a.b", &objects(100_000)), "read"),
        (arrays(100_000), "not_an_event"),
        (objects(100_000), "field_missing"),
        ("[".repeat(1 << 20), "not_an_event"),
        (r#"{"a":"#.repeat(1 << 17), "not_json"),
        (format!(r#"{{"a":{}"#, "[".repeat(1 << 20)), "not_json"),
    ];
    let small_stack = thread::Builder::new().stack_size(64 * 1024);
    let reader = small_stack.spawn(move || {
        for (body, expected) in rows {
            assert_eq!(read(body.as_bytes()), expected, "{body:.80}");
        }
    });
    reader.unwrap().join().unwrap();
}

#[test]
fn width_is_bounded() {
    let wide = |fields: usize| (0..fields).map(|field| format!(r#""{field}":0,"#)).collect::<String>();
    let object = |fields: usize| format!(r#"{{{}"id":"cs_1"}}"#, wide(fields));
    let completed = "checkout.session.completed";
    assert_eq!(read(with_object(completed, &object(999)).as_bytes()), "read");
    assert_eq!(read(with_object(completed, &object(1_000)).as_bytes()), "wrong_type");
    assert_eq!(read(object(150_000).as_bytes()), "not_an_event");
    let metadata = format!(r#"{{"id":"cs_1","metadata":{}}}"#, object(150_000));
    assert_eq!(read(with_object(completed, &metadata).as_bytes()), "wrong_type");
}

/// Neither copy of a duplicate key has an effect.
#[test]
fn a_key_written_twice_is_no_value_at_any_level() {
    let completed = "checkout.session.completed";
    for (kind, object) in [
        (completed, r#"{"id":"cs_1","id":"cs_1"}"#),
        (completed, r#"{"id":"cs_1","amount_total":1,"amount_total":1000}"#),
        (completed, r#"{"id":"cs_1","amount_total":1,"amount\u005ftotal":1000}"#),
        (completed, r#"{"id":"cs_1","payment_status":"unpaid","payment_status":"paid"}"#),
        (completed, r#"{"id":"cs_1","payment_status":null,"payment_status":"paid"}"#),
        (completed, r#"{"id":"cs_1","metadata":{},"metadata":{"credits":"1000"}}"#),
        (completed, r#"{"id":"cs_1","metadata":{"credits":"10","credits":"1000"}}"#),
        (completed, r#"{"id":"cs_1","metadata":{"credits":"10","cred\u0069ts":"1000"}}"#),
        (completed, r#"{"id":"cs_1","metadata":{"colour":"a","colour":"a"}}"#),
        (completed, r#"{"id":"cs_1","payment_intent":{"id":"pi_1","id":"pi_2"}}"#),
        ("charge.refunded", r#"{"id":"ch_1","amount_refunded":1,"amount_refunded":2}"#),
        ("charge.refunded", r#"{"id":"ch_1","amount_refunded":1,"refunds":{"data":[],"data":[]}}"#),
        (
            "charge.refunded",
            r#"{"id":"ch_1","amount_refunded":1,
                "refunds":{"data":[{"id":"re_1","amount":1,"status":"failed","status":"succeeded"}]}}"#,
        ),
        (
            "charge.dispute.closed",
            r#"{"id":"du_1","amount":1,"status":"lost",
                "balance_transactions":[{"amount":-1,"amount":1,"currency":"eur"}]}"#,
        ),
    ] {
        assert_eq!(read(with_object(kind, object).as_bytes()), "duplicate_key", "{object}");
    }
    let two_objects = r#"{"id":"e","type":"a.b","created":1,"data":{"object":{},"object":{}}}"#;
    assert_eq!(read(two_objects.as_bytes()), "duplicate_key");
    let unread = with_object(completed, r#"{"id":"cs_1","later":1,"later":2}"#);
    assert_eq!(read(unread.as_bytes()), "read", "nobody reads it, so nobody can be fooled");
}

#[test]
fn half_characters_are_refused_where_they_are_read() {
    let completed = "checkout.session.completed";
    for (object, expected) in [
        (r#"{"id":"cs_1","metadata":{"credits":"\ud800"}}"#, "text_invalid"),
        (r#"{"id":"cs_1","metadata":{"credits":"\udc00"}}"#, "text_invalid"),
        (r#"{"id":"cs_1","metadata":{"\ud800":"10"}}"#, "text_invalid"),
        (r#"{"id":"cs_1","client_reference_id":"\ud83dx"}"#, "text_invalid"),
        (r#"{"id":"cs_1","status":"\ud83d\n"}"#, "text_invalid"),
        (r#"{"id":"cs_1","customer_details":{"name":"\ud800"}}"#, "read"),
        (r#"{"id":"cs_1","metadata":{"name":"\ud83d\ude00"}}"#, "read"),
        (r#"{"id":"cs_1","metadata":{"name":"\u0000"}}"#, "read"),
    ] {
        assert_eq!(read(with_object(completed, object).as_bytes()), expected, "{object}");
    }
}

#[test]
fn bytes_that_are_not_json_text() {
    let sample = std::str::from_utf8(SAMPLE).unwrap();
    for (name, body) in [
        ("BOM", ["\u{feff}".as_bytes(), SAMPLE].concat()),
        ("NUL at the end", [SAMPLE, b"\0"].concat()),
        ("NUL in a text", sample.replace("paid", "pa\0id").into_bytes()),
        ("raw newline in a text", sample.replace("paid", "pa\nid").into_bytes()),
        ("UTF-16", sample.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("Latin-1, not UTF-8", [&SAMPLE[..SAMPLE.len() - 2], b",\"\xE9\":1}"].concat()),
        ("two events", [SAMPLE, SAMPLE].concat()),
        ("NaN", sample.replace("25000", "NaN").into_bytes()),
        ("leading zero", sample.replace("25000", "025000").into_bytes()),
        ("plus sign", sample.replace("25000", "+25000").into_bytes()),
        ("hexadecimal", sample.replace("25000", "0x61A8").into_bytes()),
        ("comment", sample.replace("25000", "25000 // cents").into_bytes()),
    ] {
        assert_eq!(read(&body), "not_json", "{name}");
    }
}

#[test]
fn numbers_out_of_range_matter_only_where_they_are_read() {
    let huge = format!(r#""later":[1e400,-0,9223372036854775808,{}]"#, "9".repeat(100_000));
    let completed = "checkout.session.completed";
    assert_eq!(read(with_object(completed, &format!(r#"{{"id":"cs_1",{huge}}}"#)).as_bytes()), "read");
    for amount in ["1e400", "-0", "0.0", "2.5e4", "25000.0", "9223372036854775808", &"9".repeat(100_000)] {
        let object = format!(r#"{{"id":"cs_1","amount_total":{amount}}}"#);
        assert_eq!(read(with_object(completed, &object).as_bytes()), "amount_invalid", "{amount:.40}");
    }
}
