//! Purchases: one checkout for one `Idempotency-Key`, whatever fails on the way to Stripe and back.
//! `e2e` tests the real gateway.

mod fake_stripe;

use std::sync::Arc;

use emulator::scenario::Scenario;
use engine::Shop;
use ledger::Policy;
use serde_json::{Value, json};
use store::Mode;
use web::Limits;

use crate::deployment::{Deployment, ten_credits};
use crate::{OTHER, TENANT};
use fake_stripe::{FakeStripe, Reaction, TEN, buy, request, selling, shop};

#[tokio::test]
async fn a_repeated_purchase_gets_the_same_checkout() {
    let fake = FakeStripe::new([]);
    let (deployment, key) = selling(&fake).await;
    let listed = deployment.get("/api/credits/packages", &key).await.data();
    let ten = json!({ "package": "10_credits", "title": "Ten credits", "credits": 10, "price": 25_000,
        "currency": "eur" });
    assert_eq!(listed, json!([ten]));

    let first = buy(&deployment, &key, "order-1", TEN).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (201, ""));
    let bought = first.data();
    let id = bought["purchase_id"].as_str().unwrap();
    assert!(id.starts_with("purchase_") && id.len() == 41, "{bought}");
    let expected = json!({ "purchase_id": id, "checkout_url": "https://checkout.example/cs_live_1",
        "session_id": "cs_live_1", "package": "10_credits", "credits": 10,
        "expires_at": "2024-02-21T10:40:00Z" });
    assert_eq!(bought, expected);
    let (form, stripe_key) = fake.requests().remove(0);
    assert_eq!(stripe_key, format!("faireplace-{id}"));
    for pair in [
        "client_reference_id=".to_owned() + id,
        format!("metadata%5Btenant_id%5D={TENANT}"),
        format!("payment_intent_data%5Bmetadata%5D%5Btenant_id%5D={TENANT}"),
        "payment_intent_data%5Bmetadata%5D%5Bpackage%5D=10_credits".to_owned(),
        "payment_intent_data%5Bmetadata%5D%5Bcredits%5D=10".to_owned(),
    ] {
        assert!(form.split('&').any(|found| found == pair), "no {pair} in {form}");
    }

    let spaced = TEN.replace(',', " , ");
    let again = buy(&deployment, &key, "order-1", &spaced).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, "true"));
    assert_eq!((again.data(), fake.requests().len()), (bought, 1), "no second request to Stripe");
    let other = buy(&deployment, &key, "order-1", &TEN.replace("done", "elsewhere")).await;
    assert_eq!(other.summary().split(" This").next(), Some("409 IDEMPOTENCY_KEY_REUSED"));
    let second = buy(&deployment, &key, "order-2", TEN).await.data();
    assert_eq!((&second["session_id"], fake.requests().len()), (&"cs_live_2".into(), 2));

    // An earlier purchase gets its response even when nothing is for sale any more.
    let deployment = deployment.selling(Shop::default());
    assert_eq!(buy(&deployment, &key, "order-1", TEN).await.data(), expected);
}

#[tokio::test]
async fn an_invalid_purchase_leaves_the_key_unused() {
    let fake = FakeStripe::new([]);
    let (deployment, key) = selling(&fake).await;
    let with = |name: &str, value: Value| {
        let mut body: Value = serde_json::from_str(TEN).unwrap();
        body[name] = value;
        body.to_string()
    };
    let long = |length: usize| format!("https://a/{}", "x".repeat(length - 10));
    let rows = [
        ("{".to_owned(), 400, "BAD_REQUEST"),
        (with("colour", "red".into()), 400, "BAD_REQUEST"),
        (with("package", 10.into()), 400, "BAD_REQUEST"),
        (with("package", Value::Null), 400, "BAD_REQUEST"),
        (with("package", "11_credits".into()), 422, "PACKAGE_UNKNOWN"),
        (with("success_url", "".into()), 422, "VALIDATION_ERROR"),
        (with("success_url", "shop.example/done".into()), 422, "VALIDATION_ERROR"),
        (with("success_url", "//shop.example".into()), 422, "VALIDATION_ERROR"),
        (with("success_url", "javascript:alert(1)".into()), 422, "VALIDATION_ERROR"),
        (with("success_url", "https://".into()), 422, "VALIDATION_ERROR"),
        (with("success_url", "https://:443/".into()), 422, "VALIDATION_ERROR"),
        (with("success_url", "https://me@shop.example/".into()), 422, "VALIDATION_ERROR"),
        (with("success_url", "https://shop.example\\@evil/".into()), 422, "VALIDATION_ERROR"),
        (with("success_url", "https://shop.example/a b".into()), 422, "VALIDATION_ERROR"),
        (with("success_url", "https://shöp.example/".into()), 422, "VALIDATION_ERROR"),
        (with("success_url", "https://a/\n".into()), 422, "VALIDATION_ERROR"),
        (with("success_url", long(2049).into()), 422, "VALIDATION_ERROR"),
        (with("cancel_url", "ftp://a/".into()), 422, "VALIDATION_ERROR"),
        (with("customer_email", "nobody".into()), 422, "VALIDATION_ERROR"),
        (with("customer_email", "@a".into()), 422, "VALIDATION_ERROR"),
        (with("customer_email", "a b@c".into()), 422, "VALIDATION_ERROR"),
        (with("customer_email", format!("{}@a", "x".repeat(253)).into()), 422, "VALIDATION_ERROR"),
    ];
    for (body, status, kind) in rows {
        let answer = buy(&deployment, &key, "order-1", &body).await;
        let summary = answer.summary();
        assert!(summary.starts_with(&format!("{status} {kind} ")), "{body}: {summary}");
        assert_eq!(answer.header("idempotency-replayed"), "");
    }
    assert!(fake.requests().is_empty(), "none of them reached Stripe");
    let richest = json!({ "package": "10_credits", "success_url": long(2048), "customer_email": "a+b@c.example",
        "cancel_url": "http://localhost:8080/#/credits?x={CHECKOUT_SESSION_ID}" });
    assert_eq!(buy(&deployment, &key, "order-1", &richest.to_string()).await.status, 201);
}

#[tokio::test]
async fn missing_settings_are_named() {
    let fake = FakeStripe::new([]);
    let nothing_for_sale = || Shop { gateway: Some(fake.clone()), ..Shop::default() };
    for (shop, setting) in [(shop(None), "STRIPE_SECRET_KEY"), (nothing_for_sale(), "[[packages]]")] {
        let (deployment, key) = selling(&fake).await;
        let deployment = deployment.selling(shop);
        let summary = buy(&deployment, &key, "order-1", TEN).await.summary();
        assert!(
            summary.starts_with("503 PURCHASES_NOT_CONFIGURED") && summary.contains(setting),
            "{summary}"
        );
        let deployment = deployment.selling(self::shop(Some(fake.clone())));
        assert_eq!(
            buy(&deployment, &key, "order-1", TEN).await.status,
            201,
            "the Idempotency-Key is still unused"
        );
    }
}

#[tokio::test]
async fn a_refusal_by_stripe_is_quoted_and_frees_the_key() {
    let fake = FakeStripe::new([Reaction::Refuse("No such price: 'price_1'"), Reaction::OpenAt(24_000)]);
    let (deployment, key) = selling(&fake).await;
    let refused = buy(&deployment, &key, "order-1", TEN).await.summary();
    assert!(refused.starts_with("502 STRIPE_REFUSED") && refused.contains("'price_1'"), "{refused}");
    let wrong = buy(&deployment, &key, "order-1", TEN).await;
    assert!(wrong.summary().starts_with("503 PURCHASES_NOT_CONFIGURED"), "{}", wrong.summary());
    assert_eq!(wrong.json()["error"]["details"], json!({ "package": "10_credits", "expected": 25_000 }));
    let other = TEN.replace("done", "elsewhere");
    assert_eq!(buy(&deployment, &key, "order-1", &other).await.status, 201, "even with another body");
    let mut keys: Vec<_> = fake.requests().into_iter().map(|(_, key)| key).collect();
    keys.dedup();
    assert_eq!(keys.len(), 3, "Stripe stores its refusals, so each request needs a new key");
}

#[tokio::test]
async fn after_no_response_the_same_request_is_sent_again() {
    let fake = FakeStripe::new([Reaction::Unreachable, Reaction::Panic]);
    let (deployment, key) = selling(&fake).await;
    let unanswered = buy(&deployment, &key, "order-1", TEN).await.summary();
    assert!(unanswered.starts_with("502 STRIPE_UNREACHABLE"), "{unanswered}");
    assert!(unanswered.contains("retry with the same Idempotency-Key"), "{unanswered}");
    assert!(buy(&deployment, &key, "order-1", TEN).await.summary().starts_with("500 INTERNAL_ERROR"));
    let other = buy(&deployment, &key, "order-1", &TEN.replace("done", "elsewhere")).await;
    assert_eq!(other.status, 409, "the key still belongs to the first command");
    // The price list changes meanwhile: the request to Stripe stays the same.
    let mut dearer = shop(Some(fake.clone()));
    dearer.packages[0].price = ledger::Minor(26_000);
    let deployment = deployment.selling(dearer);
    assert_eq!(buy(&deployment, &key, "order-1", TEN).await.data()["session_id"], "cs_live_1");
    let requests = fake.requests();
    assert!(requests.len() == 3 && requests.iter().all(|one| *one == requests[0]), "{requests:?}");
}

#[tokio::test]
async fn concurrent_requests_wait_for_the_same_response() {
    let fake = FakeStripe::new([Reaction::Hang]);
    let (deployment, key) = selling(&fake).await;
    let (deployment, key) = (Arc::new(deployment), Arc::new(key));
    let send = |body: &'static str| {
        let (deployment, key) = (deployment.clone(), key.clone());
        tokio::spawn(async move { buy(&deployment, &key, "order-1", body).await })
    };
    let together: Vec<_> = (0..8).map(|_| send(TEN)).collect();
    while fake.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    let other = buy(&deployment, &key, "order-1", &TEN.replace("done", "elsewhere")).await;
    assert_eq!(other.status, 409, "refused without waiting");
    fake.released.add_permits(1);
    for one in together {
        assert_eq!(one.await.unwrap().data()["session_id"], "cs_live_1");
    }
    assert_eq!(fake.requests().len(), 1, "one request to Stripe");
}

#[tokio::test]
async fn a_client_that_disconnects_stops_nothing() {
    let fake = FakeStripe::new([Reaction::Hang]);
    let (deployment, key) = selling(&fake).await;
    {
        let gone = deployment.send_raw(request(&key, "order-1", TEN));
        tokio::pin!(gone);
        while fake.requests().is_empty() {
            tokio::select! {
                _ = &mut gone => panic!("Stripe hangs"),
                () = tokio::task::yield_now() => {}
            }
        }
    }
    fake.released.add_permits(1);
    let bought = buy(&deployment, &key, "order-1", TEN).await.data();
    assert_eq!((&bought["session_id"], fake.requests().len()), (&"cs_live_1".into(), 1));
}

/// With `known_tenants_only`, an unknown tenant's payment would be quarantined, so none may be started.
#[tokio::test]
async fn with_known_tenants_only_a_service_buys_for_known_tenants() {
    for (known_tenants_only, expected) in [(true, "404 NOT_FOUND"), (false, "201")] {
        let policy = Policy { known_tenants_only, ..Policy::default() };
        let deployment = Deployment::with(Mode::Live, policy, Limits::default()).await;
        let deployment = deployment.selling(shop(Some(FakeStripe::new([]))));
        let service = deployment.service().await;
        let buys = async |command| {
            let mut named = request(&service, command, TEN);
            *named.uri_mut() = format!("/api/credits/purchase?tenant_id={TENANT}").parse().unwrap();
            deployment.send(named).await
        };
        let answer = buys("k").await;
        assert!(answer.summary().starts_with(expected), "{}", answer.summary());
        let tenant = deployment.get(&format!("/api/admin/tenants/{TENANT}"), &deployment.operator).await;
        assert_eq!(tenant.status, 404, "starting a purchase creates no tenant");
        deployment.reader(TENANT).await;
        assert_eq!(
            buys("k").await.status,
            201,
            "the tenant has a key now; the Idempotency-Key is unused or replayed"
        );
    }
}

#[tokio::test]
async fn only_tenants_and_services_with_write_access_buy() {
    let fake = FakeStripe::new([]);
    let (deployment, key) = selling(&fake).await;
    let reader = deployment.key(TENANT, store::Access::Read, None).await.1;
    let writer = deployment.key(OTHER, store::Access::Write, None).await.1;
    assert_eq!(buy(&deployment, &reader, "k", TEN).await.status, 403);
    let service = deployment.service().await;
    assert_eq!(buy(&deployment, &service, "k", TEN).await.status, 422);
    assert_eq!(buy(&deployment, &deployment.operator, "k", TEN).await.status, 403);
    let mine = buy(&deployment, &key, "k", TEN).await.data();
    let theirs = buy(&deployment, &writer, "k", TEN).await.data();
    assert_ne!(mine["session_id"], theirs["session_id"], "one key, two tenants, two commands");
    let mut named = request(&service, "k", TEN);
    *named.uri_mut() = format!("/api/credits/purchase?tenant_id={TENANT}").parse().unwrap();
    let by_service = deployment.send(named).await.data();
    assert_ne!(mine["session_id"], by_service["session_id"], "the service's command is not the tenant's");
    let no_key = deployment.request("POST".parse().unwrap(), "/api/credits/purchase", Some(&key), TEN).await;
    assert!(no_key.summary().starts_with("400 IDEMPOTENCY_KEY_MISSING"), "{}", no_key.summary());
}

#[tokio::test]
async fn a_checkout_is_a_pending_payment_until_the_first_event() {
    let fake = FakeStripe::new([Reaction::Open("cs_live_r")]);
    let (deployment, key) = selling(&fake).await;
    let bought = buy(&deployment, &key, "order-1", TEN).await.data();
    let id = bought["purchase_id"].as_str().unwrap();
    let opened = "checkout was opened by POST /api/credits/purchase: 10 credits for 25000 minor units of eur, before tax";
    let shown = async |name: &str| deployment.get(&format!("/api/payments/{name}"), &key).await.data();
    for name in [id, "cs_live_r"] {
        let payment = shown(name).await;
        assert_eq!(
            (&payment["status"], &payment["amount_paid"]),
            (&"pending".into(), &0.into()),
            "{payment}"
        );
        assert_eq!(payment["purchase"]["checkout_url"], bought["checkout_url"]);
        assert_eq!(payment["timeline"][0]["text"], opened);
        assert_eq!(payment["summary"], "Nothing has been paid; the checkout is open.");
    }
    let stranger = deployment.reader(OTHER).await;
    for name in [id, "cs_live_r"] {
        let hidden = deployment.get(&format!("/api/payments/{name}"), &stranger).await;
        let missing = deployment.get("/api/payments/cs_missing", &stranger).await;
        assert_eq!((hidden.status, hidden.stable()), (404, missing.stable()), "{name}");
    }

    let mut statuses = Vec::new();
    for event in Scenario::PartialRefund.events(&ten_credits()) {
        deployment.learn(event.body).await;
        deployment.pass(1);
        let payment = shown(id).await;
        assert_eq!(
            (&payment["timeline"][0]["text"], &payment["purchase"]["id"]),
            (&opened.into(), &id.into())
        );
        statuses.push(payment["status"].as_str().unwrap().to_owned());
    }
    statuses.dedup();
    assert_eq!(statuses, ["pending", "final", "partly_refunded"]);
    let payment = shown(id).await;
    assert_eq!(payment["purchase"]["checkout_url"], Value::Null, "it is paid");
    let summary = "In minor units of eur, 25000 was paid; 12500 of 25000 was refunded or lost in a dispute; \
                   it bought 10 credits; 5 of 10 credits were taken back.";
    assert_eq!(payment["summary"], summary);
    assert_eq!(deployment.get("/api/payments/cs_live_r", &key).await.data(), payment);
}

#[tokio::test]
async fn a_payment_is_pending_then_paid_then_final() {
    let fake = FakeStripe::new([Reaction::Open("cs_live_r")]);
    let (deployment, key) = selling(&fake).await;
    buy(&deployment, &key, "order-1", TEN).await.data();
    let standing = async || {
        let payment = deployment.get("/api/payments/cs_live_r", &key).await.data();
        format!("{}: {}", payment["status"].as_str().unwrap(), payment["summary"].as_str().unwrap())
    };
    let mut found = vec![standing().await];
    for wanted in ["checkout.session.completed", "charge.succeeded"] {
        let events = Scenario::Purchase.events(&ten_credits());
        let event = events.into_iter().find(|event| event.type_name == wanted).unwrap();
        deployment.learn(event.body).await;
        found.push(standing().await);
    }
    let bought = "In minor units of eur, 25000 was paid; it bought 10 credits.";
    let expected = [
        "pending: Nothing has been paid; the checkout is open.".to_owned(),
        format!("paid: {bought}"),
        format!("final: {bought}"),
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn an_expired_checkout_has_no_url() {
    let fake = FakeStripe::new([]);
    let (deployment, key) = selling(&fake).await;
    let bought = buy(&deployment, &key, "order-1", TEN).await.data();
    deployment.pass(100_000);
    let path = format!("/api/payments/{}", bought["session_id"].as_str().unwrap());
    let payment = deployment.get(&path, &key).await.data();
    assert_eq!((&payment["status"], &payment["purchase"]["checkout_url"]), (&"pending".into(), &Value::Null));
    assert_eq!(payment["summary"], "Nothing has been paid, and the checkout has expired.");
    let again = buy(&deployment, &key, "order-1", TEN).await.data();
    assert_eq!(again, bought, "the stored response");
}
