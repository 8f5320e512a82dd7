//! What a notice looks like outside, against the vector that the libraries of Standard Webhooks share, and
//! against their own crate.

use ledger::{TenantId, Timestamp};
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use store::{NoticeRow, SigningSecret};
use uuid::Uuid;

use super::{new_secret, render, sign};
use crate::clock::Clock;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";

fn secret(text: &str) -> SigningSecret {
    SigningSecret(text.to_owned())
}

#[test]
fn signatures_are_those_of_the_specification() {
    let other = "whsec_plJ3nmyCDGBKInavdOK15jsl";
    let (first, second) = (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v1,3Q7B9pz3SlC1/gG4UJ269Qj4TLRRQk5tdhkvlUuj234=",
    );
    for (secrets, expected) in [
        (vec![SECRET], first.to_owned()),
        // The prefix is for people.
        (vec![&SECRET[6..]], first.to_owned()),
        (vec![SECRET, other], format!("{first} {second}")),
        (vec![other, SECRET], format!("{second} {first}")),
        (vec![], String::new()),
    ] {
        let secrets: Vec<_> = secrets.into_iter().map(secret).collect();
        let signed = sign(&secrets, ID, 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, Ok(expected));
    }
    sign(&[secret(SECRET), secret("whsec_no base64")], ID, 0, "{}").expect_err("not with half of them");
}

fn notice(data: &str) -> NoticeRow {
    NoticeRow {
        seq: 7,
        id: ID.to_owned(),
        tenant: TenantId(Uuid::from_u128(1)),
        kind: "credits.granted".to_owned(),
        at: Timestamp(1_708_425_600_250_000),
        data: data.to_owned(),
    }
}

#[test]
fn a_body_says_what_happened_when_and_in_which_order() {
    for (stored, data) in [
        (r#"{"credits": 10}"#, json!({ "credits": 10, "sequence": 7 })),
        (r#"{"sequence": 1}"#, json!({ "sequence": 7 })),
    ] {
        let body: Value = serde_json::from_str(&render(&notice(stored)).unwrap()).unwrap();
        let expected =
            json!({ "type": "credits.granted", "timestamp": "2024-02-20T10:40:00.25Z", "data": data });
        assert_eq!(body, expected, "{stored}");
    }
    for stored in ["3", "nothing", "", "[]"] {
        render(&notice(stored)).expect_err(stored);
    }
    let far = NoticeRow { at: Timestamp(i64::MAX), ..notice("{}") };
    render(&far).expect_err("there is no such moment");
    assert_eq!(render(&notice("{}")), render(&notice("{}")), "the same bytes in every attempt");
}

/// The official crate reads the machine's clock, so this signs for this moment.
#[test]
fn the_official_crate_verifies_what_is_signed_and_nothing_else() {
    let (old, new) = (new_secret([1; 32]), new_secret([255; 32]));
    let now = Clock::system().now().seconds();
    let body = render(&notice(r#"{"reference": "Straße €"}"#)).unwrap();
    let check = |with: &SigningSecret, signature: &str, timestamp: i64, body: &str| {
        let mut headers = http::HeaderMap::new();
        headers.insert("webhook-id", ID.parse().unwrap());
        headers.insert("webhook-timestamp", timestamp.into());
        headers.insert("webhook-signature", signature.parse().unwrap());
        Webhook::new(with.expose()).unwrap().verify(body.as_bytes(), &headers).is_ok()
    };
    let both = sign(&[new.clone(), old.clone()], ID, now, &body).unwrap();
    let only_new = sign(std::slice::from_ref(&new), ID, now, &body).unwrap();
    for (with, signature, timestamp, body, expected) in [
        (&new, &both, now, body.as_str(), true),
        (&old, &both, now, &body, true),
        (&new, &only_new, now, &body, true),
        (&old, &only_new, now, &body, false),
        (&new, &both, now + 1, &body, false),
        (&new, &both, now, "{}", false),
        (&new, &sign(std::slice::from_ref(&new), ID, now - 600, &body).unwrap(), now - 600, &body, false),
    ] {
        assert_eq!(check(with, signature, timestamp, body), expected, "{signature} at {timestamp}");
    }
}

#[test]
fn a_secret_has_32_bytes_and_is_not_shown_by_accident() {
    let made = new_secret([0; 32]);
    assert_eq!(made.expose(), "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    assert_eq!(format!("{made:?}"), "SigningSecret");
}
