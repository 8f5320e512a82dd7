//! Notices, judged by the official libraries of Standard Webhooks from npm and PyPI: a real service sends
//! them to a real receiver, and what the libraries say is what counts.
//!
//! Not here: when a notice is sent, and how often (`crates/engine`); the guide's own receivers (`guides`).

use e2e::clients::{Client, Notice};
use e2e::receiver::{Receiver, Request};
use serde_json::json;

use crate::world::{TENANT, World};

#[test]
fn the_official_libraries_accept_what_was_sent_and_nothing_else() {
    let (world, receiver) = (World::start(), Receiver::start());
    let (_, secret) = world.endpoint(&receiver.url());
    let sent = spent(&world, &receiver);
    for mut client in [Client::node(), Client::python()] {
        let payload =
            client.verify_notice(&sent, &secret).unwrap_or_else(|why| panic!("{}: {why}", client.name));
        assert_eq!(payload["type"], "credits.spent", "{payload}");
        assert_eq!(payload["data"]["tenant_id"], TENANT, "{payload}");
        assert_eq!(sent.signature, client.sign_notice(&sent, &secret), "{} signs as we do", client.name);

        let mut changed = sent.clone();
        let last = changed.body.len() - 2;
        changed.body[last] ^= 1;
        refuses(&mut client, &changed, &secret, "matching signature");
        refuses(
            &mut client,
            &Notice { id: "msg_0".to_owned(), ..sent.clone() },
            &secret,
            "matching signature",
        );
        refuses(&mut client, &sent, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "matching signature");
        let mut old = Notice { timestamp: (e2e::now() - 360).to_string(), ..sent.clone() };
        old.signature = client.sign_notice(&old, &secret);
        refuses(&mut client, &old, &secret, "too old");
    }
    world.assert_sound();
}

#[test]
fn while_a_secret_is_rolled_both_verify_and_afterwards_only_the_new_one() {
    let (world, receiver) = (World::start(), Receiver::start());
    let (endpoint, first) = world.endpoint(&receiver.url());
    let roll = |hours: u32| {
        let path = format!("/api/webhook-endpoints/{endpoint}/roll");
        world.tenant_post(&path, &json!({ "overlap_hours": hours }))["secret"].as_str().unwrap().to_owned()
    };
    let second = roll(1);
    let overlapping = spent(&world, &receiver);
    let third = roll(0);
    let afterwards = spent(&world, &receiver);
    for mut client in [Client::node(), Client::python()] {
        for secret in [&first, &second] {
            let verified = client.verify_notice(&overlapping, secret);
            assert!(verified.is_ok(), "{}: {verified:?}", client.name);
        }
        refuses(&mut client, &afterwards, &first, "matching signature");
        refuses(&mut client, &afterwards, &second, "matching signature");
        let verified = client.verify_notice(&afterwards, &third);
        assert!(verified.is_ok(), "{}: {verified:?}", client.name);
    }
}

fn refuses(client: &mut Client, notice: &Notice, secret: &str, why: &str) {
    let said = client.verify_notice(notice, secret).expect_err("it is not what was sent");
    assert!(said.contains("WebhookVerificationError") && said.contains(why), "{}: {said}", client.name);
}

/// Spends a credit; answers the notice of it, which is the first that comes.
fn spent(world: &World, receiver: &Receiver) -> Notice {
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
