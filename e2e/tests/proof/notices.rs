//! Notices of a real service, verified by the official Standard Webhooks libraries from npm and PyPI. When
//! notices are sent is tested in `crates/engine`, the guide's receivers in `guides`.

use e2e::clients::{Client, Notice};
use e2e::receiver::{Receiver, Request};
use serde_json::json;

use crate::world::{TENANT, World};

#[test]
fn the_official_libraries_accept_original_notices_only() {
    let (world, receiver) = (World::start(), Receiver::start());
    let (_, secret) = world.endpoint(&receiver.url());
    let sent = spend(&world, &receiver);
    for mut client in [Client::node(), Client::python()] {
        let payload =
            client.verify_notice(&sent, &secret).unwrap_or_else(|why| panic!("{}: {why}", client.name));
        assert_eq!(payload["type"], "credits.spent", "{payload}");
        assert_eq!(payload["data"]["tenant_id"], TENANT, "{payload}");
        assert_eq!(sent.signature, client.sign_notice(&sent, &secret), "{} signs differently", client.name);

        let mut changed = sent.clone();
        let last = changed.body.len() - 2;
        changed.body[last] ^= 1;
        assert_rejected(&mut client, &changed, &secret, "matching signature");
        assert_rejected(
            &mut client,
            &Notice { id: "msg_0".to_owned(), ..sent.clone() },
            &secret,
            "matching signature",
        );
        assert_rejected(&mut client, &sent, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "matching signature");
        let mut old = Notice { timestamp: (e2e::now() - 360).to_string(), ..sent.clone() };
        old.signature = client.sign_notice(&old, &secret);
        assert_rejected(&mut client, &old, &secret, "too old");
    }
    world.assert_sound();
}

#[test]
fn both_secrets_verify_during_a_rotation_and_only_the_new_one_afterwards() {
    let (world, receiver) = (World::start(), Receiver::start());
    let (endpoint, first) = world.endpoint(&receiver.url());
    let rotate = |hours: u32| {
        let path = format!("/api/webhook-endpoints/{endpoint}/rotate");
        let rotated = world.tenant_post(&path, &json!({ "grace_period_hours": hours }));
        rotated["secret"].as_str().unwrap().to_owned()
    };
    let second = rotate(1);
    let overlapping = spend(&world, &receiver);
    let third = rotate(0);
    let afterwards = spend(&world, &receiver);
    for mut client in [Client::node(), Client::python()] {
        for secret in [&first, &second] {
            let verified = client.verify_notice(&overlapping, secret);
            assert!(verified.is_ok(), "{}: {verified:?}", client.name);
        }
        assert_rejected(&mut client, &afterwards, &first, "matching signature");
        assert_rejected(&mut client, &afterwards, &second, "matching signature");
        let verified = client.verify_notice(&afterwards, &third);
        assert!(verified.is_ok(), "{}: {verified:?}", client.name);
    }
}

fn assert_rejected(client: &mut Client, notice: &Notice, secret: &str, why: &str) {
    let error = client.verify_notice(notice, secret).expect_err("the notice was changed");
    assert!(error.contains("WebhookVerificationError") && error.contains(why), "{}: {error}", client.name);
}

/// Spends a credit; returns the notice about it.
fn spend(world: &World, receiver: &Receiver) -> Notice {
    world.tenant_post("/api/credits/spend", &json!({ "credits": 1, "reference": "crédit ≠ 点数" }));
    let request = receiver.next();
    let field = |name: &str| Request::field(&request, name).to_owned();
    assert_eq!(field("content-type"), "application/json");
    Notice {
        id: field("webhook-id"),
        timestamp: field("webhook-timestamp"),
        signature: field("webhook-signature"),
        body: request.body.clone(),
    }
}
