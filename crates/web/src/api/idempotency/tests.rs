//! Valid values of `Idempotency-Key`, and which commands have the same fingerprint.

use axum::http::Request;
use ledger::chain::hex;

use super::*;

const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";
const OTHER: &str = "650e8400-e29b-41d4-a716-446655440000";

async fn key(sent: &[&[u8]]) -> String {
    let mut request = Request::builder();
    for value in sent {
        request = request.header(HEADER, *value);
    }
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let Ok(key) = IdempotencyKeyHeader::from_request_parts(&mut parts, &()).await;
    key.required().unwrap_or_else(|problem| problem.kind().as_str().to_owned())
}

#[tokio::test]
async fn what_a_key_may_be() {
    let (longest, longer) = ([b'k'; 255], [b'k'; 256]);
    let longest_text = "k".repeat(255);
    let cases: &[(&[&[u8]], &str)] = &[
        (&[], "IDEMPOTENCY_KEY_MISSING"),
        (&[b"order-1"], "order-1"),
        (&[b"!\"~"], "!\"~"),
        (&[&longest], &longest_text),
        (&[&longer], "VALIDATION_ERROR"),
        (&[b""], "VALIDATION_ERROR"),
        (&[b"two words"], "VALIDATION_ERROR"),
        (&[b"tab\tbed"], "VALIDATION_ERROR"),
        (&["schlüssel".as_bytes()], "VALIDATION_ERROR"),
        (&[b"\xff"], "VALIDATION_ERROR"),
        (&[b"one", b"two"], "VALIDATION_ERROR"),
        (&[b"one", b"one"], "VALIDATION_ERROR"),
    ];
    for (sent, expected) in cases {
        assert_eq!(key(sent).await, *expected, "{sent:?}");
    }
}

#[test]
fn what_makes_another_command() {
    let tenant = |text| TenantId::parse(text).unwrap();
    let of = |action, who, values: Value| fingerprint(action, tenant(who), &values);
    let first = of("spend", TENANT, json!({ "credits": 3, "reference": "lease" }));
    let same = [
        of("spend", TENANT, json!({ "reference": "lease", "credits": 3 })),
        of("spend", TENANT, json!({ "credits": 3, "reference": "lease", "later": null })),
    ];
    let others = [
        of("hold", TENANT, json!({ "credits": 3, "reference": "lease" })),
        of("spend", OTHER, json!({ "credits": 3, "reference": "lease" })),
        of("spend", TENANT, json!({ "credits": 4, "reference": "lease" })),
        of("spend", TENANT, json!({ "credits": 3 })),
        of("spend", TENANT, json!({ "credits": 3, "reference": "lease", "dry": false })),
    ];
    assert!(same.iter().all(|one| *one == first));
    assert!(others.iter().all(|one| *one != first));
}

/// It is stored for ever: when this fails, retries of commands from before would be refused.
#[test]
fn a_fingerprint_is_for_ever() {
    #[derive(Serialize)]
    struct Spend {
        reference: Option<&'static str>,
        credits: i64,
    }
    let found = fingerprint(
        "spend",
        TenantId::parse(TENANT).unwrap(),
        &Spend { reference: Some("lease"), credits: 3 },
    );
    let text = format!(r#"["spend","{TENANT}",{{"credits":3,"reference":"lease"}}]"#);
    assert_eq!(hex(&found), hex(&Sha256::digest(text)));
}
