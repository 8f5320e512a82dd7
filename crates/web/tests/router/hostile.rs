//! Signed events that cannot be trusted or cannot be read: each is acknowledged, stored byte for byte, shown
//! in quarantine with its reason, and moves no credits (design section 6, Webhook).

use std::collections::BTreeMap;

use ledger::{Credits, Minor, PackageTerms, Policy};
use serde_json::{Value, json};
use store::Mode;
use web::Limits;

use crate::deployment::Deployment;
use crate::{OTHER, TENANT};

/// A catalogue with one package: ten credits for 250 euros.
fn policy() -> Policy {
    let package = PackageTerms { credits: Credits(10), price: Minor(25_000), currency: "eur".into() };
    Policy { catalogue: Some(BTreeMap::from([("10_credits".into(), package)])), ..Policy::default() }
}

/// The guide's sale with new ids, and with the fields of the event, the session and the metadata patched.
fn sale(number: usize, event: &Value, session: &Value, metadata: &Value) -> String {
    let patched = |mut base: Value, patch: &Value| {
        for (key, value) in patch.as_object().expect("a patch is an object") {
            base[key] = value.clone();
        }
        base
    };
    let metadata =
        patched(json!({ "tenant_id": TENANT, "package": "10_credits", "credits": "10" }), metadata);
    let paid = json!({
        "id": format!("cs_{number}"), "payment_status": "paid", "amount_total": 25_000, "currency": "eur",
        "metadata": metadata,
    });
    let sold = json!({
        "id": format!("evt_{number}"), "type": "checkout.session.completed", "created": 1_708_425_600,
        "data": { "object": patched(paid, session) },
    });
    patched(sold, event).to_string()
}

/// Delivers each body, which must open one quarantine item with its reason and change nothing else.
async fn check(deployment: &Deployment, rows: &[(&str, String, &str)]) {
    let mut open = deployment.look("/api/admin/quarantine").await.as_array().unwrap().len();
    for (name, body, reason) in rows {
        deployment.learn(body.clone()).await;
        let items = deployment.look("/api/admin/quarantine?per_page=100").await;
        let items = items.as_array().unwrap();
        open += 1;
        assert_eq!(items.len(), open, "{name}: not exactly one new item: {items:?}");
        assert_eq!(items[0]["reason"], *reason, "{name}: {}", items[0]);
        let detail = items[0]["detail"].as_str().unwrap();
        assert!(detail.contains("Nothing was granted"), "{name}: {detail}");
        assert!(!detail.contains(TENANT), "{name}: the detail quotes the body: {detail}");
        let newest = &deployment.look("/api/admin/events?per_page=1").await[0];
        assert_eq!(newest["outcome"], "quarantined", "{name}: {newest}");
        let id = newest["id"].as_str().unwrap();
        let shown = deployment.look(&format!("/api/admin/events/{id}")).await;
        assert_eq!(shown["body"], **body, "{name}: the stored body differs");
        assert_eq!(deployment.available(TENANT).await, 0, "{name}");
    }
    deployment.check_books().await;
}

#[tokio::test]
async fn a_sale_with_invalid_terms_is_quarantined() {
    let none = json!({});
    let mut rows: Vec<(&str, Value, Value, &str)> = Vec::new();
    let credits = |text: &str| json!({ "credits": text });
    for text in ["10.5", "-3", "", "0", "010", "+10", " 10", "10 ", "1e1", "ten", "0x0a", "١٠", "10\u{0}"] {
        rows.push((text, none.clone(), credits(text), "credits_invalid"));
    }
    let tenant = |text: &str| json!({ "tenant_id": text });
    for text in ["", "acme", "550e8400e29b41d4a716446655440000", "{550e8400-e29b-41d4-a716-446655440000}"] {
        rows.push((text, none.clone(), tenant(text), "tenant_invalid"));
    }
    rows.extend([
        ("beyond 64 bits", none.clone(), credits("9999999999999999999"), "credits_invalid"),
        ("beyond a sale", none.clone(), credits("1000000001"), "credits_invalid"),
        ("not the catalogue's", none.clone(), credits("11"), "credits_mismatch"),
        ("no tenant", none.clone(), json!({ "tenant_id": null }), "unreadable"),
        ("unknown package", none.clone(), json!({ "package": "free" }), "package_unknown"),
        ("unknown currency", json!({ "currency": "usd" }), none.clone(), "currency_mismatch"),
        ("not a currency code", json!({ "currency": "euros" }), none.clone(), "currency_invalid"),
        ("cheaper", json!({ "amount_total": 1 }), none.clone(), "price_mismatch"),
        (
            "for nothing",
            json!({ "payment_status": "no_payment_required", "amount_total": 0 }),
            none.clone(),
            "price_mismatch",
        ),
        ("cheaper before tax", json!({ "amount_subtotal": 24_999 }), none.clone(), "price_mismatch"),
        ("half paid", json!({ "payment_status": "partly_paid" }), none.clone(), "payment_status_unknown"),
        ("no status", json!({ "payment_status": null }), none.clone(), "payment_status_unknown"),
    ]);
    let deployment = Deployment::with(Mode::Live, policy(), Limits::default()).await;
    let rows: Vec<_> = (0..)
        .zip(&rows)
        .map(|(number, (name, session, metadata, reason))| {
            (*name, sale(number, &none, session, metadata), *reason)
        })
        .collect();
    check(&deployment, &rows).await;
    // A valid sale is still granted afterwards.
    deployment.learn(sale(1_000, &none, &none, &none)).await;
    assert_eq!(deployment.available(TENANT).await, 10);
}

#[tokio::test]
async fn a_sale_with_a_missing_or_unknown_tenant_is_quarantined() {
    let policy = Policy { known_tenants_only: true, ..Policy::default() };
    let deployment = Deployment::with(Mode::Live, policy, Limits::default()).await;
    let sold =
        |number, metadata: Value| sale(number, &json!({}), &json!({ "metadata": metadata }), &json!({}));
    let rows = [
        ("no tenant", sold(1, json!({ "package": "10_credits", "credits": "10" })), "tenant_missing"),
        ("unknown", sold(2, json!({ "tenant_id": TENANT, "credits": "10" })), "tenant_unknown"),
    ];
    check(&deployment, &rows).await;
    deployment.reader(OTHER).await;
    deployment.learn(sold(3, json!({ "tenant_id": OTHER, "credits": "10" }))).await;
    assert_eq!(deployment.available(OTHER).await, 10, "known by its key");
    deployment.learn(sold(4, json!({ "tenant_id": OTHER, "package": "10_credits" }))).await;
    let open = deployment.look("/api/admin/quarantine").await;
    assert_eq!(open[0]["reason"], "credits_missing");
}

#[tokio::test]
async fn an_unreadable_or_foreign_event_is_quarantined() {
    let none = json!({});
    let session = |number, patch: Value| sale(number, &none, &patch, &none);
    let event = |number, patch: Value| sale(number, &patch, &none, &none);
    let replaced = |number, from: &str, to: &str| {
        let body = sale(number, &none, &none, &none);
        assert!(body.contains(from), "{body}");
        body.replacen(from, to, 1)
    };
    let deep = |opening: &str| opening.repeat(100_000);
    let thin = json!({ "id": "evt_thin", "object": "v2.core.event", "type": "v1.charge.refunded", "created": "2026-11-20T09:15:30Z" });
    let rows = [
        ("an amount as a float", session(1, json!({ "amount_total": 25000.0 })), "unreadable"),
        ("a negative amount", session(2, json!({ "amount_total": -25_000 })), "unreadable"),
        ("an amount beyond 64 bits", replaced(3, "25000", "9223372036854775808"), "unreadable"),
        ("an amount with an exponent", replaced(4, "25000", "25e3"), "unreadable"),
        ("an amount as text", session(5, json!({ "amount_total": "25000" })), "unreadable"),
        ("credits as a number", sale(6, &none, &none, &json!({ "credits": 10 })), "unreadable"),
        (
            "two amounts",
            replaced(7, "\"amount_total\":25000", "\"amount_total\":25000,\"amount_total\":25000"),
            "unreadable",
        ),
        (
            "two tenants",
            replaced(8, "\"credits\"", "\"tenant_id\":\"650e8400-e29b-41d4-a716-446655440000\",\"credits\""),
            "unreadable",
        ),
        ("two ids", replaced(9, "\"id\":\"evt_9\"", "\"id\":\"evt_9\",\"id\":\"evt_10\""), "unreadable"),
        ("half a surrogate pair in a tenant", replaced(11, TENANT, r"\ud800"), "unreadable"),
        (
            "half a surrogate pair in a key",
            replaced(12, "\"credits\"", r#""\udfff":"1","credits""#),
            "unreadable",
        ),
        ("nothing", String::new(), "unreadable"),
        ("no JSON", "hello".into(), "unreadable"),
        ("an array", "[]".into(), "unreadable"),
        ("brackets", deep("["), "unreadable"),
        ("braces", deep("{\"a\":"), "unreadable"),
        ("brackets where metadata is", session(13, json!({ "metadata": [[[[]]]] })), "unreadable"),
        ("a test event at a live deployment", event(14, json!({ "livemode": false })), "wrong_mode"),
        ("of a connected account", event(15, json!({ "account": "acct_1" })), "foreign_account"),
        ("a thin event", thin.to_string(), "thin_event"),
        ("not an event", event(16, json!({ "object": "charge" })), "unreadable"),
    ];
    let deployment = Deployment::new().await;
    check(&deployment, &rows).await;
    let events = deployment.look("/api/admin/status").await;
    assert_eq!(
        (&events["events"], &events["pending"]),
        (&rows.len().into(), &0.into()),
        "all events are kept"
    );

    // Invalid values in fields that are not read do no harm.
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (number, extra) in (100..).zip([nested.as_str(), r#""\ud800""#, "1e999999", "-0.5"]) {
        let known = deployment.available(TENANT).await;
        let extended = format!("\"note\":{extra},\"note\":1,\"amount_total\"");
        deployment.learn(replaced(number, "\"amount_total\"", &extended)).await;
        assert_eq!(deployment.available(TENANT).await, known + 10, "{}", &extra[..extra.len().min(20)]);
    }
}

#[tokio::test]
async fn a_body_that_is_not_utf8_is_kept_too() {
    let deployment = Deployment::new().await;
    deployment.learn(b"{\"id\":\"\xff\xfe\"}".to_vec()).await;
    let item = &deployment.look("/api/admin/quarantine").await[0];
    assert_eq!(item["reason"], "unreadable");
    let id = item["event"].as_str().unwrap();
    assert!(id.starts_with("unreadable_"), "{id}");
    let shown = deployment.look(&format!("/api/admin/events/{id}")).await;
    assert_eq!(shown["body"], "{\"id\":\"\u{fffd}\u{fffd}\"}", "with replacement characters");
}
