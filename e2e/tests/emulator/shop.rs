//! What a newcomer does with `faireplace dev` and a browser: buys credits on the payment page, sees them arrive,
//! gives half of the money back, and loses a dispute.

use std::net::SocketAddr;
use std::process::Command;

use e2e::deployment::Deployment;
use e2e::process::Process;
use serde_json::Value;

use crate::running::{Emulator, NEWEST, text};

const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";

#[test]
fn bought_in_a_browser_half_refunded_and_the_rest_lost_to_a_dispute() {
    let deployment = Deployment::empty()
        .with("FAIREPLACE_LISTEN", "127.0.0.1:0")
        .with("FAIREPLACE_EMULATOR_LISTEN", "127.0.0.1:0");
    let service = deployment.dev();
    let emulator = Emulator::at(emulator_address(&service.screen()));
    let available = || {
        emulator.control("GET", "settled", "");
        service.settle();
        service.balance(TENANT)["available"].clone()
    };

    let bought = in_browser(&emulator, "4242424242424242");
    assert_eq!(available(), 10);
    let half = format!("payment_intent={}&amount=12500", text(&bought["payment_intent"]));
    emulator.stripe(NEWEST, "POST", "/v1/refunds", &half);
    assert_eq!(available(), 5);

    let disputed = in_browser(&emulator, "4000000000000259");
    emulator.control("POST", "advance", r#"{"seconds":60}"#);
    assert_eq!(available(), 5, "what the bank has taken is not there to be spent");
    let intent = text(&disputed["payment_intent"]);
    let disputes = emulator.stripe(NEWEST, "GET", &format!("/v1/disputes?payment_intent={intent}"), "");
    let dispute = format!("/v1/disputes/{}", text(&disputes["data"][0]["id"]));
    let evidence = "evidence[uncategorized_text]=losing_evidence&submit=true";
    let lost = emulator.stripe(NEWEST, "POST", &dispute, evidence);
    assert_eq!(lost["status"], "lost");
    assert_eq!(available(), 5);
    let balance = service.balance(TENANT);
    assert_eq!(balance["frozen"], 0, "nothing waits for a decision any more: {balance}");
}

/// Ten credits, bought by the tenant on the page; answers the session.
fn in_browser(emulator: &Emulator, card: &str) -> Value {
    let terms = format!("&metadata[tenant_id]={TENANT}&metadata[package]=10_credits&metadata[credits]=10");
    let session = emulator.order(25_000, &terms);
    let mut command = Command::new("node");
    command
        .arg(crate::script("node/pay.cjs"))
        .args([&text(&session["url"]), card])
        .env("NODE_PATH", e2e::tools().join("node/node_modules"));
    let ended = Process::start(command, format!("node pay.cjs {card}")).wait();
    assert_eq!(ended.code, Some(0), "{ended}");
    emulator.session(&text(&session["id"]))
}

/// The address that `dev` prints for the emulator.
fn emulator_address(screen: &str) -> SocketAddr {
    let line = screen.lines().find(|line| line.contains("emulat"));
    let address =
        line.and_then(|line| line.split_once("http://")?.1.split(['/', ' ', ',']).next()?.parse().ok());
    address.unwrap_or_else(|| panic!("no emulator on the screen:\n{screen}"))
}
