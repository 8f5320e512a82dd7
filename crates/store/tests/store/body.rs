//! Event bodies: packing is lossless, typical bodies become small, and damage is detected.

use emulator::scenario::{Sale, Scenario, event, event_names, metadata};
use sha2::{Digest, Sha256};
use store::body::{MAX_BODY_BYTES, pack, unpack};
use stripe::write::{ApiVersion, WrittenEvent};

/// Every event of every scenario and of every type, in every version of Stripe's API.
fn typical() -> Vec<WrittenEvent> {
    let tenant = "7f3c2f6e-6a0e-4a57-9a9e-0d6f6c5f9b11";
    let sale = |api_version| Sale {
        reference: "1QkYgT2eZvKYlo2CaBcDeFgH".to_owned(),
        metadata: metadata([("tenant_id", tenant), ("package", "100_credits"), ("credits", "100")]),
        description: "100 credits".to_owned(),
        amount: 12_345,
        currency: "usd".to_owned(),
        created: 1_795_123_456,
        livemode: false,
        api_version,
    };
    let events = |sale: &Sale| -> Vec<WrittenEvent> {
        let scenarios = Scenario::ALL.iter().flat_map(|scenario| scenario.events(sale));
        let types = event_names().iter().map(|name| event(name, sale, "n1", None).unwrap());
        scenarios.chain(types).collect()
    };
    ApiVersion::ALL.into_iter().flat_map(|version| events(&sale(version))).collect()
}

/// Deterministic bytes without a pattern.
fn noise(length: usize) -> Vec<u8> {
    (0_u64..).flat_map(|block| Sha256::digest(block.to_le_bytes())).take(length).collect()
}

#[test]
fn every_typical_body_is_restored_byte_for_byte() {
    for event in typical() {
        let back =
            unpack(&pack(event.body.as_bytes())).unwrap_or_else(|error| panic!("{}: {error}", event.id));
        assert_eq!(String::from_utf8(back).unwrap(), event.body, "{}", event.id);
    }
}

#[test]
fn any_other_body_is_restored_too() {
    let bodies = [
        ("nothing", Vec::new()),
        ("one byte", vec![0]),
        ("a packed body", pack(typical()[0].body.as_bytes())),
        ("noise", noise(5000)),
        ("the maximum size, blank", vec![b' '; MAX_BODY_BYTES]),
        ("the maximum size, noise", noise(MAX_BODY_BYTES)),
    ];
    for (name, body) in bodies {
        let packed = pack(&body);
        assert!(packed.len() <= body.len() + 1, "{name}: {} bytes took {}", body.len(), packed.len());
        assert!(unpack(&packed).unwrap() == body, "{name} came back changed");
    }
}

#[test]
fn a_typical_body_shrinks_to_less_than_a_third() {
    for event in typical() {
        let (packed, whole) = (pack(event.body.as_bytes()).len(), event.body.len());
        assert!(packed * 3 < whole, "{} of {whole} bytes takes {packed}", event.type_name);
    }
}

#[test]
fn a_damaged_body_is_an_error() {
    let packed = pack(typical()[3].body.as_bytes());
    let mut damaged: Vec<(String, Vec<u8>)> =
        vec![("longer by a byte".to_owned(), [&packed[..], &[0]].concat())];
    damaged.extend((0..packed.len()).map(|length| (format!("cut to {length}"), packed[..length].to_vec())));
    for bit in 0..packed.len() * 8 {
        let mut copy = packed.clone();
        copy[bit / 8] ^= 1 << (bit % 8);
        damaged.push((format!("bit {bit} flipped"), copy));
    }
    let whole = unpack(&packed).unwrap();
    for (damage, bytes) in damaged {
        match unpack(&bytes) {
            Err(error) => assert!(error.to_string().contains("an event body"), "{damage}: {error}"),
            // The mark of an uncompressed body was flipped, or a bit that zstd ignores.
            Ok(body) => assert!(body == bytes[1..] || body == whole, "{damage}: read as another body"),
        }
    }
}

/// Stored bodies can only be read with the sample that they were compressed against. If this fails, the
/// sample was changed: restore it, and add a new one beside it.
#[test]
fn the_released_sample_never_changes() {
    let sample = include_bytes!("../../src/body.dict");
    assert!(sample.len() <= 24 * 1024, "{} bytes", sample.len());
    let hash = ledger::chain::hex(&Sha256::digest(sample));
    assert_eq!(hash, "72e270b057d651828cee68f33ce2cf11aee2e4d59401df2826dfad69b033b20b");
}
