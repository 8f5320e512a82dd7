//! The first steps of a new user with `faireplace dev` and a browser: buy credits on the page that the first
//! screen names, refund half, and lose a dispute.

use std::process::Command;

use e2e::deployment::Deployment;
use e2e::process::Process;

use crate::running::{Emulator, NEWEST, text};

const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";

#[test]
fn a_purchase_in_a_browser_a_partial_refund_and_a_lost_dispute() {
    let deployment = Deployment::empty().with("FAIREPLACE_LISTEN", "127.0.0.1:0");
    let service = deployment.dev();
    let screen = service.screen();
    let emulator = Emulator::at(after(&screen, "Stripe emulator at http://").parse().unwrap());
    let available = || {
        emulator.control("GET", "settled", "");
        service.settle();
        service.balance(TENANT)["available"].clone()
    };

    assert_eq!(available(), 10, "`dev` buys ten");
    let path = after(&screen, "/c/pay/");
    pay(&format!("{}/c/pay/{path}", emulator.url()), "4242424242424242");
    assert_eq!(available(), 20);
    let bought = emulator.session(path);
    let half = i64::midpoint(0, bought["amount_total"].as_i64().unwrap());
    let half = format!("payment_intent={}&amount={half}", text(&bought["payment_intent"]));
    emulator.stripe(NEWEST, "POST", "/v1/refunds", &half);
    assert_eq!(available(), 15);

    let terms = format!("&metadata[tenant_id]={TENANT}&metadata[package]=10_credits&metadata[credits]=10");
    let ordered = emulator.order(25_000, &terms);
    pay(&text(&ordered["url"]), "4000000000000259");
    emulator.control("POST", "advance", r#"{"seconds":60}"#);
    assert_eq!(available(), 15, "disputed credits are frozen");
    let disputed = emulator.session(&text(&ordered["id"]));
    let intent = text(&disputed["payment_intent"]);
    let disputes = emulator.stripe(NEWEST, "GET", &format!("/v1/disputes?payment_intent={intent}"), "");
    let dispute = format!("/v1/disputes/{}", text(&disputes["data"][0]["id"]));
    let evidence = "evidence[uncategorized_text]=losing_evidence&submit=true";
    let lost = emulator.stripe(NEWEST, "POST", &dispute, evidence);
    assert_eq!(lost["status"], "lost");
    assert_eq!(available(), 15);
    let balance = service.balance(TENANT);
    assert_eq!(balance["frozen"], 0, "the dispute is decided: {balance}");
}

/// Pays on the payment page in a browser.
fn pay(url: &str, card: &str) {
    let mut command = Command::new("node");
    command
        .arg(crate::script("node/pay.cjs"))
        .args([url, card])
        .env("NODE_PATH", e2e::tools().join("node/node_modules"));
    let ended = Process::start(command, format!("node pay.cjs {url} {card}")).wait();
    assert_eq!(ended.code, Some(0), "{ended}");
}

/// The text after the first `before` on the screen, to the end of its line.
fn after<'t>(screen: &'t str, before: &str) -> &'t str {
    let (_, rest) = screen.split_once(before).unwrap_or_else(|| panic!("no `{before}` in:\n{screen}"));
    rest.lines().next().unwrap_or_default()
}
