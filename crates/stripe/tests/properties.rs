//! Properties over random input: nothing panics, and only signed bodies verify.

use proptest::collection::vec;
use proptest::prelude::*;
use stripe::signature::{Verified, sign, verify};
use stripe::{Envelope, Object, ReadFault, Secret};

const FIXTURES: &[&[u8]] = &[
    include_bytes!("fixtures/guide-sample.json"),
    include_bytes!("fixtures/thin.json"),
    include_bytes!("fixtures/charge.2017-04-06.json"),
    include_bytes!("fixtures/checkout_session.2026-10-28.endive.json"),
    include_bytes!("fixtures/dispute.2026-10-28.endive.json"),
    include_bytes!("fixtures/refund.2026-10-28.endive.json"),
];

fn secrets(count: usize) -> Vec<Secret> {
    (0..count).map(|number| Secret::parse(&format!("whsec_secret_{number}")).unwrap()).collect()
}

fn read(body: &[u8]) -> Result<Option<Object>, ReadFault> {
    match Envelope::parse(body)? {
        Envelope::Snapshot(event) => event.object().map(Some),
        Envelope::Thin(_) => Ok(None),
    }
}

/// Some bytes with a few of them overwritten, each at a position taken modulo the length.
fn overwrite(bytes: &[u8], changes: &[(usize, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (position, byte) in changes {
        let length = bytes.len();
        bytes[position % length] = *byte;
    }
    bytes
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in vec(any::<u8>(), 0..512)) {
        let _ = read(&body);
    }

    #[test]
    fn any_json_like_text_is_read_or_refused(body in r#"[\[\]{}",:0-9eE.\\u\-a-z ]{0,200}"#) {
        let _ = read(body.as_bytes());
    }

    #[test]
    fn a_damaged_event_is_read_or_refused(
        fixture in 0..FIXTURES.len(),
        changes in vec((any::<usize>(), any::<u8>()), 1..8),
    ) {
        let _ = read(&overwrite(FIXTURES[fixture], &changes));
    }

    #[test]
    fn what_is_signed_verifies(
        body in vec(any::<u8>(), 0..512),
        timestamp in 0..1_000_000_000_000_i64,
        skew in -300..=300_i64,
        count in 1..=5_usize,
        known in 0..5_usize,
    ) {
        let secrets = secrets(count);
        let header = sign(&body, timestamp, &secrets);
        // The receiver may know any one of the sender's secrets.
        let one = &secrets[known % count..][..1];
        let verified = verify(&body, Some(header.as_bytes()), one, timestamp + skew, 300);
        prop_assert_eq!(verified, Ok(Verified { timestamp, secret_index: 0 }));
    }

    #[test]
    fn the_secret_that_signed_is_named(signer in 0..5_usize) {
        let secrets = secrets(5);
        let header = sign(b"{}", 7, &secrets[signer..=signer]);
        let verified = verify(b"{}", Some(header.as_bytes()), &secrets, 7, 0);
        prop_assert_eq!(verified, Ok(Verified { timestamp: 7, secret_index: signer }));
    }

    #[test]
    fn no_header_made_from_a_good_one_fits_another_body(
        body in vec(any::<u8>(), 1..128),
        body_changes in vec((any::<usize>(), any::<u8>()), 1..4),
        header_changes in vec((any::<usize>(), any::<u8>()), 0..8),
        repeats in 1..3_usize,
    ) {
        let secrets = secrets(2);
        let other = overwrite(&body, &body_changes);
        prop_assume!(other != body);
        let header = overwrite(sign(&body, 1_700_000_000, &secrets).as_bytes(), &header_changes);
        let header = vec![header; repeats].join(&b","[..]);
        prop_assert!(verify(&other, Some(&header), &secrets, 1_700_000_000, i64::MAX).is_err());
    }

    #[test]
    fn no_other_secret_verifies(body in vec(any::<u8>(), 0..128), timestamp in 0..1_000_000_000_000_i64) {
        let secrets = secrets(3);
        let header = sign(&body, timestamp, &secrets[..2]);
        prop_assert!(verify(&body, Some(header.as_bytes()), &secrets[2..], timestamp, i64::MAX).is_err());
    }

    #[test]
    fn any_header_is_refused(header in vec(any::<u8>(), 0..600), listed in "[tv01=, a-f]{0,200}") {
        for header in [header.as_slice(), listed.as_bytes()] {
            prop_assert!(verify(b"body", Some(header), &secrets(1), 0, i64::MAX).is_err());
        }
    }
}
