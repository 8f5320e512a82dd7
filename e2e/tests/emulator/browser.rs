//! A real browser and the emulator: a page of another site can do nothing to it; the payment page and the
//! control page work.

use std::process::Command;

use e2e::process::{Ended, Process};
use serde_json::Value;

use crate::running::{Emulator, NEWEST, text};

/// Runs a script of `clients/node` to its end.
fn node(script: &str, words: &[&str]) -> Ended {
    let mut command = Command::new("node");
    command
        .arg(crate::script(&format!("node/{script}")))
        .args(words)
        .env("NODE_PATH", e2e::tools().join("node/node_modules"));
    let ended = Process::start(command, format!("node {script} {}", words.join(" "))).wait();
    println!("{ended}");
    assert_eq!(ended.code, Some(0), "{ended}");
    ended
}

/// An emulator with a stopped clock, so that nothing changes by itself.
fn emulator() -> Emulator {
    Emulator::start("--at 2026-11-24T00:00:00Z --seed 7")
}

/// Everything that a page of another site could have changed.
fn account(emulator: &Emulator) -> Vec<Value> {
    let lists = ["checkout/sessions", "payment_intents", "charges", "refunds", "disputes", "events"];
    let mut account = vec![emulator.control("GET", "state", "")];
    account.extend(lists.map(|noun| emulator.stripe(NEWEST, "GET", &format!("/v1/{noun}?limit=100"), "")));
    account
}

#[test]
fn a_page_of_another_site_can_change_and_read_nothing() {
    let emulator = emulator();
    let bought = emulator.buy("", "4242424242424242");
    let intent = text(&bought["payment_intent"]);
    let intent = emulator.stripe(NEWEST, "GET", &format!("/v1/payment_intents/{intent}"), "");
    let charge = text(&intent["latest_charge"]);
    let open = text(&emulator.order(2_000, "")["id"]);
    let before = account(&emulator);

    let output = node("hostile.cjs", &[&emulator.url(), &charge, &open]).stdout;
    let (requests, read) = output.split_once("read: ").expect("the script ends with this line");
    assert!(read.contains("does not know the host name"), "{read}");
    for hidden in [charge.as_str(), &open, "sk_test_emulator"] {
        assert!(!read.contains(hidden), "it read `{hidden}`: {read}");
    }
    for attack in [
        "POST /v1/refunds",
        "POST /_emulator/advance",
        "POST /_control/advance",
        &format!("POST /_control/charges/{charge}/refund"),
        &format!("POST /_emulator/charges/{charge}/dispute"),
        &format!("POST /c/pay/{open}"),
        "GET /v1/charges",
        &format!("GET /v1/charges/{charge}"),
        "GET /_control/copy.js",
        "GET /_emulator/state",
        "GET /",
    ] {
        let refused = format!("403 {attack}");
        assert!(requests.lines().any(|line| line == refused), "no `{refused}` in:\n{output}");
    }
    let answered: Vec<_> = requests.lines().filter(|line| !line.starts_with("403 ")).collect();
    assert!(answered.is_empty(), "not refused: {answered:?}");
    assert_eq!(account(&emulator), before);
}

#[test]
fn a_shop_on_another_port_can_open_the_payment_page_and_the_control_page_works() {
    for method in ["link", "form"] {
        let emulator = emulator();
        let ordered = emulator.order(2_000, "");
        node("visit.cjs", &[&emulator.url(), &text(&ordered["url"]), method, "4242424242424242"]);
        assert_eq!(emulator.session(&text(&ordered["id"]))["payment_status"], "paid", "{method}");
        let refunds = emulator.stripe(NEWEST, "GET", "/v1/refunds", "");
        assert_eq!(refunds["data"][0]["amount"], 1_000, "{method}: half of it, from the control page");
    }
}
