//! Refunds, disputes, intents and charges through the API.

use super::*;

#[tokio::test]
async fn refunds() {
    let account = Account::new();
    let (intent, charge) = account.paid("4242424242424242").await;
    let half = account
        .ok("POST /v1/refunds", &format!("payment_intent={intent}&amount=500&reason=duplicate&metadata[a]=b"))
        .await;
    assert_eq!(
        (&half["status"], &half["amount"], &half["charge"]),
        (&"succeeded".into(), &500.into(), &charge.as_str().into())
    );
    let line = "POST /v1/refunds";
    let cases = [
        (
            "amount=501",
            400,
            "",
            "Refund amount (501 EUR) is greater than unrefunded amount on charge (500 EUR)",
        ),
        ("amount=0", 400, "parameter_invalid_integer", "This value must be greater than or equal to 1."),
        ("amount=-5", 400, "parameter_invalid_integer", "This value must be greater than or equal to 1."),
        ("amount=1.5", 400, "parameter_invalid_integer", "Invalid integer: 1.5"),
        (
            "reason=whim",
            400,
            "",
            "Invalid reason: must be one of duplicate, fraudulent, or requested_by_customer",
        ),
        ("payment_intent=pi_0", 404, "resource_missing", "No such payment_intent: 'pi_0'"),
    ];
    for (more, status, code, message) in cases {
        let expected = (status, code.to_owned(), message.to_owned());
        assert_eq!(account.refused(line, &format!("charge={charge}&{more}")).await, expected, "{more}");
    }
    account.ok(line, &format!("charge={charge}")).await;
    let (status, code, _) = account.refused(line, &format!("charge={charge}")).await;
    assert_eq!((status, code.as_str()), (400, "charge_already_refunded"));
    assert_eq!(account.refused(line, "charge=ch_0").await.1, "resource_missing");
    assert_eq!(account.refused(line, "").await.1, "parameter_missing");
    let listed = account.ok(&format!("GET /v1/refunds?payment_intent={intent}"), "").await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
    assert_eq!(account.ok(&format!("GET /v1/charges/{charge}"), "").await["refunded"], true);
    let event_types = account.event_types();
    assert!(
        event_types.ends_with(&["refund.created", "charge.refunded"].map(str::to_owned)),
        "{event_types:?}"
    );
}

#[tokio::test]
async fn a_pending_refund_can_be_canceled() {
    let account = Account::new();
    let (_, charge) = account.paid("4000000000007726").await;
    let refund = account.ok("POST /v1/refunds", &format!("charge={charge}")).await;
    assert_eq!(refund["status"], "pending");
    let line = format!("POST /v1/refunds/{}/cancel", id(&refund));
    assert_eq!(account.ok(&line, "").await["status"], "canceled");
    assert_eq!(account.refused(&line, "").await.0, 400);
}

#[tokio::test]
async fn disputes() {
    let account = Account::new();
    let (intent, charge) = account.paid("4242424242424242").await;
    let dispute = account.ok(&format!("POST /_emulator/charges/{charge}/dispute"), "").await;
    let line = format!("POST /v1/disputes/{}", id(&dispute));
    assert_eq!((&dispute["status"], &dispute["reason"]), (&"needs_response".into(), &"fraudulent".into()));
    let (_, code, message) = account.refused("POST /v1/refunds", &format!("charge={charge}")).await;
    assert_eq!(code, "charge_disputed", "{message}");
    let draft = account.ok(&line, "evidence[customer_name]=A&submit=false&metadata[a]=b").await;
    assert_eq!(
        (&draft["status"], &draft["evidence"]["customer_name"]),
        (&"needs_response".into(), &"A".into())
    );
    assert_eq!(
        account.refused(&line, "evidence[nonsense]=A").await.2,
        "Received unknown parameter: evidence[nonsense]"
    );
    let won = account.ok(&line, "evidence[uncategorized_text]=winning_evidence").await;
    assert_eq!((&won["status"], &won["metadata"]["a"]), (&"won".into(), &"b".into()));
    assert_eq!(account.refused(&line, "evidence[uncategorized_text]=losing_evidence").await.0, 400);
    assert_eq!(account.refused(&format!("{line}/close"), "").await.0, 400);
    let listed = account.ok(&format!("GET /v1/disputes?payment_intent={intent}"), "").await;
    assert_eq!(listed["data"][0]["id"], dispute["id"]);

    let inquiry =
        account.ok(&format!("POST /_emulator/charges/{charge}/dispute"), "{\"kind\": \"inquiry\"}").await;
    assert_eq!(inquiry["status"], "warning_needs_response");
    let closed = account.ok(&format!("POST /v1/disputes/{}/close", id(&inquiry)), "").await;
    assert_eq!(closed["status"], "warning_closed");
}

#[tokio::test]
async fn intents_and_charges() {
    let account = Account::new();
    let (intent, charge) = account.paid("4242424242424242").await;
    let line = format!("POST /v1/payment_intents/{intent}");
    let changed = account.ok(&line, "metadata[late]=1&description=x").await;
    assert_eq!((&changed["metadata"]["late"], &changed["description"]), (&"1".into(), &"x".into()));
    let (status, code, _) = account.refused(&format!("{line}/cancel"), "").await;
    assert_eq!((status, code.as_str()), (400, "payment_intent_unexpected_state"));
    assert!(account.refused(&line, "amount=1").await.2.starts_with("Stripe has the parameter amount"));
    let edited = account.ok(&format!("POST /v1/charges/{charge}"), "metadata[late]=2").await;
    assert_eq!(
        edited["metadata"],
        serde_json::json!({"late": "2"}),
        "a later change of the intent does not change the charge"
    );
    assert_eq!(account.event_types().last().unwrap(), "charge.updated");
    let listed = account.ok(&format!("GET /v1/charges?payment_intent={intent}"), "").await;
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);

    let session = account.session().await;
    let pay = format!("POST /_emulator/sessions/{session}/pay");
    let declined = account.call(&pay, "{\"card\": \"4000000000000002\"}", &[]).await;
    assert_eq!(
        (declined.status, declined.body["error"]["decline_code"].as_str()),
        (402, Some("generic_decline"))
    );
    let open = account.ok("GET /v1/payment_intents?limit=1", "").await;
    let line = format!("POST /v1/payment_intents/{}/cancel", id(&open["data"][0]));
    assert!(account.refused(&line, "").await.2.contains("Expire the Checkout Session instead"));
}

#[tokio::test]
async fn an_intent_without_checkout() {
    let account = Account::new();
    let line = "POST /v1/payment_intents";
    let form = "amount=1000&currency=eur&confirm=true&payment_method=";
    let cases = [
        ("pm_card_visa", 200, "succeeded"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", 402, "card_declined"),
        ("pm_card_chargeDeclinedExpiredCard", 402, "expired_card"),
        ("pm_card_authenticationRequired", 200, "requires_action"),
        ("pm_card_nonsense", 404, "resource_missing"),
        ("pm_1", 404, "resource_missing"),
    ];
    for (method, status, expected) in cases {
        let answer = account.call(line, &format!("{form}{method}"), &[]).await;
        assert_eq!(answer.status, status, "{method}: {}", answer.body);
        let given = if status == 200 { &answer.body["status"] } else { &answer.body["error"]["code"] };
        assert_eq!(given, expected, "{method}");
        if status == 402 {
            let failed = &answer.body["error"]["payment_intent"];
            assert_eq!(failed["status"], "requires_payment_method");
            assert_eq!(failed["latest_charge"], answer.body["error"]["charge"]);
        }
    }
    let open = account
        .ok(line, "amount=1000&currency=eur&metadata[a]=b&automatic_payment_methods[enabled]=true")
        .await;
    let confirm = format!("{line}/{}/confirm", id(&open));
    assert_eq!(account.refused(&confirm, "").await.1, "payment_intent_unexpected_state");
    let paid = account.ok(&confirm, "payment_method=pm_card_visa&expand[]=latest_charge").await;
    assert_eq!(
        (&paid["status"], &paid["latest_charge"]["metadata"]["a"]),
        (&"succeeded".into(), &"b".into())
    );
    let again = account.refused(&confirm, "payment_method=pm_card_visa").await;
    assert_eq!(again.1, "payment_intent_unexpected_state");
    let wrong = [
        "amount=0&currency=eur",
        "amount=-1&currency=eur",
        "amount=10&currency=eur",
        "currency=eur",
        "amount=1000",
    ];
    for form in wrong {
        assert_eq!(account.refused(line, form).await.0, 400, "{form}");
    }
    let manual = account.refused(line, "amount=1000&currency=eur&capture_method=manual").await;
    assert!(manual.2.contains("does not support it"), "{}", manual.2);
}
