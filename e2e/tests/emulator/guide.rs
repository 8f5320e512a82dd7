//! The handlers of FairePlace's webhook guide (`bench/peers`) receive the emulator's events: Express with its
//! raw body, and Flask behind gunicorn.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::process::Process;

use crate::running::{Emulator, NEWEST, text};

/// Metadata as in the guide; also on the charge, because its handlers read it there for refunds.
const METADATA: &str = "&metadata[tenant_id]=550e8400-e29b-41d4-a716-446655440000&metadata[credits]=10\
    &payment_intent_data[metadata][tenant_id]=550e8400-e29b-41d4-a716-446655440000";

#[test]
fn the_guides_handler_in_node_receives_a_purchase_and_its_refund() {
    let tools = e2e::tools().join("guide-node");
    let handler = tools.join("handler.mjs");
    // Node looks for packages in the folder of the file that imports them.
    std::fs::copy(peer("node/handler.mjs"), &handler).unwrap();
    let mut command = Command::new("node");
    let port = free_port();
    command.arg(handler).env("PORT", port.to_string());
    check_deliveries(command, port);
}

#[test]
fn the_guides_handler_in_python_receives_a_purchase_and_its_refund() {
    let mut command = Command::new(e2e::tools().join("guide-python/bin/gunicorn"));
    let port = free_port();
    command
        .args(["--no-control-socket", "--bind", &format!("127.0.0.1:{port}"), "--pythonpath"])
        .arg(peer("python"))
        .arg("handler:app")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    check_deliveries(command, port);
}

/// Checks that every event of a purchase and a partial refund is delivered once and answered with 200.
fn check_deliveries(mut command: Command, port: u16) {
    let emulator = Emulator::start("");
    let form = format!("url=http://127.0.0.1:{port}/webhooks/stripe&enabled_events[0]=*");
    let endpoint = emulator.stripe(NEWEST, "POST", "/v1/webhook_endpoints", &form);
    command.env("STRIPE_WEBHOOK_SECRET", text(&endpoint["secret"]));
    let handler = Process::start(command, "the guide's handler".to_owned());
    let listening = handler.wait_for(|_| TcpStream::connect(("127.0.0.1", port)).ok());
    let (_handler, _) = listening.unwrap_or_else(|ended| panic!("the handler ended early:\n{ended}"));

    let session = emulator.buy(METADATA, "4242424242424242");
    let refund = format!("payment_intent={}&amount=1000", text(&session["payment_intent"]));
    emulator.stripe(NEWEST, "POST", "/v1/refunds", &refund);
    emulator.control("GET", "settled", "");

    let answer = emulator.control("GET", "deliveries?limit=100", "");
    let deliveries = answer["data"].as_array().unwrap();
    for delivery in deliveries {
        let attempts = delivery["attempts"].as_array().unwrap();
        let answers: Vec<_> = attempts.iter().map(|attempt| attempt["status"].as_u64()).collect();
        assert_eq!(answers, [Some(200)], "{delivery:#}");
    }
    for wanted in ["checkout.session.completed", "charge.succeeded", "charge.refunded"] {
        assert!(deliveries.iter().any(|delivery| delivery["type"] == wanted), "no {wanted}: {answer:#}");
    }
}

fn peer(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../bench/peers").join(path)
}

/// A free port. The guide's handlers cannot choose one themselves.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap().port()
}
