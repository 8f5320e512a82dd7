//! The control API: payments, the clock, disputes, and misbehaviour.

use serde_json::json;

use super::*;

#[tokio::test]
async fn other_sites_may_not_use_the_control_api() {
    let account = Account::new();
    let cases = [
        (("host", "evil.example"), ("accept", "*/*"), 403),
        (("host", "127.0.0.1:12111"), ("origin", "https://evil.example"), 403),
        (("host", "127.0.0.1:12111"), ("origin", "http://127.0.0.1:12111"), 200),
    ];
    for (host, other, status) in cases {
        let request = Request::get("/_emulator/state").header(host.0, host.1).header(other.0, other.1);
        assert_eq!(
            account.send(request.body(Body::empty()).unwrap()).await.status,
            status,
            "{host:?} {other:?}"
        );
    }
}

#[tokio::test]
async fn state_and_clock() {
    let account = Account::new();
    let state = account.ok("GET /_emulator/state", "").await;
    assert_eq!((&state["now"], &state["frozen"], &state["seed"]), (&NOW.into(), &true.into(), &1.into()));
    assert_eq!((&state["api_key"], &state["quiet"]), (&"sk_test_emulator".into(), &true.into()));
    let session = account.session().await;
    let advanced = account.ok("POST /_emulator/advance", "{\"seconds\": 86400}").await;
    assert_eq!((&advanced["now"], &advanced["ran"]), (&(NOW + 86_400).into(), &1.into()));
    let expired = account.ok(&format!("GET /v1/checkout/sessions/{session}"), "").await;
    assert_eq!(expired["status"], "expired");
    assert_eq!(account.ok("GET /_emulator/settled", "").await, json!({"settled": true}));
    for body in
        ["", "{}", "{\"seconds\": -1}", "{\"seconds\": 1.5}", "{\"seconds\": 99999999999}", "[", "{\"s\": 1}"]
    {
        assert_eq!(account.refused("POST /_emulator/advance", body).await.0, 400, "{body}");
    }
}

#[tokio::test]
async fn payments_by_instrument() {
    let account = Account::new();
    let cases = [
        ("{\"card\": \"4242424242424242\"}", 200, "paid"),
        ("{\"card\": \"4000002500003155\"}", 200, "paid"),
        ("{\"iban\": \"AT61 1904 3002 3457 3201\"}", 200, "unpaid"),
        (
            "{\"card\": \"4000002500003155\", \"confirm\": false}",
            402,
            "payment_intent_authentication_failure",
        ),
        ("{\"card\": \"4000008400001629\"}", 402, "card_declined"),
        ("{\"card\": \"4000000000009995\"}", 402, "card_declined"),
        ("{\"card\": \"1234\"}", 402, "incorrect_number"),
        ("{}", 400, "parameter_missing"),
        ("{\"card\": \"4242424242424242\", \"iban\": \"AT1\"}", 400, ""),
        ("{\"card\": 4242}", 400, ""),
    ];
    for (body, status, expected) in cases {
        let session = account.session().await;
        let answer = account.call(&format!("POST /_emulator/sessions/{session}/pay"), body, &[]).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        let given = match status {
            200 => &answer.body["payment_status"],
            _ => &answer.body["error"]["code"],
        };
        assert_eq!(given.as_str().unwrap_or_default(), expected, "{body}: {}", answer.body);
    }
    let none = account.refused("POST /_emulator/sessions/cs_0/pay", "{\"card\": \"4242424242424242\"}").await;
    assert_eq!(none.1, "resource_missing");
}

#[tokio::test]
async fn disputes_fraud_warnings_and_settlement() {
    let account = Account::new();
    let (_, charge) = account.paid("4242424242424242").await;
    let line = format!("POST /_emulator/charges/{charge}/dispute");
    let warning = account.ok(&line, "{\"kind\": \"fraud_warning\"}").await;
    assert_eq!(warning["object"], "radar.early_fraud_warning");
    assert_eq!(account.refused(&line, "{\"kind\": \"theft\"}").await.0, 400);
    assert_eq!(account.refused("POST /_emulator/charges/ch_0/dispute", "").await.0, 404);
    let ran = account.ok(&format!("POST /_emulator/objects/{charge}/hasten"), "").await;
    assert_eq!(ran, json!({"ran": 1}));
    let settled = account.ok(&format!("GET /v1/charges/{charge}"), "").await;
    assert!(settled["balance_transaction"].is_string());
}

#[tokio::test]
async fn endpoints_and_deliveries() {
    let account = Account::new();
    let made = account
        .ok("POST /v1/webhook_endpoints", "url=http://127.0.0.1:1&enabled_events[]=customer.created")
        .await;
    let line = format!("POST /_emulator/endpoints/{}", id(&made));
    let knobs = "{\"seed\": 7, \"duplicate\": 100, \"clock_skew_seconds\": -30}";
    let endpoint = account.ok(&format!("{line}/misbehave"), knobs).await;
    assert_eq!(
        (&endpoint["misbehaviour"]["duplicate"], &endpoint["misbehaviour"]["twin"]),
        (&100.into(), &0.into())
    );
    for wrong in ["{\"duplicate\": 101}", "{\"duplicate\": -1}", "{\"nonsense\": 1}"] {
        assert_eq!(account.refused(&format!("{line}/misbehave"), wrong).await.0, 400, "{wrong}");
    }
    assert_eq!(account.ok(&format!("{line}/hold"), "").await["held"], true);
    account.ok("POST /v1/customers", "name=A").await;
    let deliveries = account.ok(&format!("GET /_emulator/deliveries?endpoint={}", id(&made)), "").await;
    let delivery = &deliveries["data"][0];
    assert_eq!((&delivery["type"], &delivery["state"]), (&"customer.created".into(), &"waiting".into()));
    assert_eq!(account.ok(&format!("{line}/release"), "{\"times\": 2, \"shuffle\": 3}").await["held"], false);
    assert_eq!(account.refused(&format!("{line}/release"), "{\"times\": 0}").await.0, 400);
    let event = delivery["event"].as_str().unwrap();
    let resent = account.ok(&format!("POST /_emulator/events/{event}/resend"), "").await;
    assert_eq!(resent, json!({"deliveries": 1}));
    let secret = account.ok(&format!("{line}/rotate"), "{\"grace_period_seconds\": 60}").await;
    assert_ne!(secret["secret"], made["secret"]);
    assert_eq!(account.refused(&format!("{line}/rotate"), "{\"grace_period_seconds\": 86401}").await.0, 400);
    assert_eq!(account.ok(&format!("{line}/enable"), "").await["status"], "enabled");
    for verb in ["misbehave", "rotate", "hold", "release", "enable"] {
        assert_eq!(
            account.refused(&format!("POST /_emulator/endpoints/we_0/{verb}"), "").await.0,
            404,
            "{verb}"
        );
    }
    assert_eq!(account.refused("POST /_emulator/events/evt_0/resend", "").await.0, 404);
}
