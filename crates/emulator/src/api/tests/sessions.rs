//! Checkout sessions: amounts, metadata, and refused requests.

use super::*;

#[tokio::test]
async fn a_session_looks_like_stripes() {
    let account = Account::new();
    let more = "&metadata[tenant]=t1&payment_intent_data[metadata][order]=7&client_reference_id=c1\
                &customer_email=a@b.c&cancel_url=https://shop.example/&locale=de&allow_promotion_codes=true";
    let id = account.session_with(more).await;
    let session = account.ok(&format!("GET /v1/checkout/sessions/{id}"), "").await;
    let expected = [
        ("amount_total", 1000.into()),
        ("status", "open".into()),
        ("payment_status", "unpaid".into()),
        ("payment_intent", Value::Null),
        ("client_reference_id", "c1".into()),
        ("customer_email", "a@b.c".into()),
        ("expires_at", (NOW + 86_400).into()),
        ("url", format!("http://127.0.0.1:12111/c/pay/{id}").into()),
    ];
    for (name, value) in expected {
        assert_eq!(session[name], value, "{name}");
    }
    let items = account.ok(&format!("GET /v1/checkout/sessions/{id}/line_items"), "").await;
    assert_eq!(
        (&items["data"][0]["description"], &items["data"][0]["price"]["active"]),
        (&"Ten credits".into(), &false.into())
    );
    assert_eq!(
        account.event_types(),
        ["product.created", "price.created"],
        "Stripe has no event for a new session"
    );

    let body = "{\"card\": \"4242 4242 4242 4242\"}";
    let paid = account.ok(&format!("POST /_emulator/sessions/{id}/pay"), body).await;
    assert_eq!((&paid["status"], &paid["payment_status"]), (&"complete".into(), &"paid".into()));
    let intent = account.ok("GET /v1/payment_intents?expand[]=data.latest_charge", "").await;
    assert_eq!(intent["data"][0]["metadata"], serde_json::json!({"order": "7"}));
    assert_eq!(intent["data"][0]["latest_charge"]["metadata"], serde_json::json!({"order": "7"}));
    let listed =
        account.ok("GET /v1/checkout/sessions?status=complete&customer_details[email]=a@b.c", "").await;
    assert_eq!(listed["data"][0]["id"], id.as_str());
}

#[tokio::test]
async fn line_items_keep_their_order_and_their_sum() {
    let account = Account::new();
    account.ok("POST /v1/products", "id=p&name=P").await;
    let price = id(&account.ok("POST /v1/prices", "product=p&currency=eur&unit_amount=250").await);
    let form = format!(
        "mode=payment&success_url=https://shop.example&automatic_tax[enabled]=true\
         &line_items[0][price]={price}&line_items[0][quantity]=4\
         &line_items[1][price_data][product]=p&line_items[1][price_data][currency]=eur\
         &line_items[1][price_data][unit_amount]=1200&line_items[1][price_data][tax_behavior]=inclusive\
         &line_items[1][quantity]=1&expand[]=line_items"
    );
    let session = account.ok("POST /v1/checkout/sessions", &form).await;
    let quantities: Vec<_> =
        session["line_items"]["data"].as_array().unwrap().iter().map(|i| &i["quantity"]).collect();
    assert_eq!(quantities, [4, 1]);
    // 1000 and 20 % on top; 1200 with 200 of tax in it.
    assert_eq!((&session["currency"], &session["amount_total"]), (&"eur".into(), &2400.into()));
    assert_eq!(session["total_details"]["amount_tax"], 400);
    let listed =
        account.ok(&format!("GET /v1/checkout/sessions/{}/line_items?limit=1", id(&session)), "").await;
    assert_eq!((&listed["data"][0]["quantity"], &listed["has_more"]), (&4.into(), &true.into()));
}

#[tokio::test]
async fn an_open_session_can_be_expired_once() {
    let account = Account::new();
    let id = account.session().await;
    let line = format!("POST /v1/checkout/sessions/{id}/expire");
    let expired = account.ok(&line, "").await;
    assert_eq!((&expired["status"], &expired["url"]), (&"expired".into(), &Value::Null));
    assert_eq!(account.event_types().last().unwrap(), "checkout.session.expired");
    let (status, _, message) = account.refused(&line, "").await;
    assert_eq!(status, 400);
    assert!(
        message.starts_with("Only Checkout Sessions with a status in [\"open\"] can be expired."),
        "{message}"
    );
    let pay = format!("POST /_emulator/sessions/{id}/pay");
    assert_eq!(account.refused(&pay, "{\"card\": \"4242424242424242\"}").await.0, 400);
}

#[tokio::test]
async fn invalid_sessions_are_refused() {
    let account = Account::new();
    account.ok("POST /v1/products", "id=p&name=P").await;
    let off = id(&account.ok("POST /v1/prices", "product=p&currency=eur&unit_amount=500&active=false").await);
    let usd = id(&account.ok("POST /v1/prices", "product=p&currency=usd&unit_amount=500").await);
    let line = "&line_items[1][quantity]=1&line_items[1][price]=";
    let cases = [
        ("&mode=subscription".to_owned(), 400, "", "FairePlace's emulator supports mode=payment only."),
        ("&mode=gift".to_owned(), 400, "", "Invalid mode: must be one of payment, setup, or subscription"),
        ("&ui_mode=embedded".to_owned(), 400, "", "FairePlace's emulator supports ui_mode=hosted_page only."),
        ("&success_url=done.html".to_owned(), 400, "url_invalid", "Not a valid URL"),
        ("&success_url=javascript:alert(1)".to_owned(), 400, "url_invalid", "Not a valid URL"),
        ("&line_items[0][quantity]=0".to_owned(), 400, "parameter_invalid_integer", ""),
        ("&line_items[0][quantity]=-3".to_owned(), 400, "parameter_invalid_integer", ""),
        ("&line_items[0][quantity]=999999".to_owned(), 400, "amount_too_large", ""),
        ("&line_items[0][quantity]=9223372036854775807".to_owned(), 400, "parameter_invalid_integer", ""),
        ("&line_items[0][price_data][unit_amount]=10".to_owned(), 400, "amount_too_small", ""),
        (format!("{line}price_0"), 404, "resource_missing", "No such price: 'price_0'"),
        (format!("{line}{off}"), 400, "", ""),
        (format!("{line}{usd}"), 400, "", "All line items must have the same currency in payment mode."),
        (
            "&line_items[0][colour]=red".to_owned(),
            400,
            "parameter_unknown",
            "Received unknown parameter: line_items[0][colour]",
        ),
        (
            "&line_items[0][price]=price_0".to_owned(),
            400,
            "",
            "You may only specify one of these parameters: line_items[0][price], line_items[0][price_data].",
        ),
        ("&customer=cus_0".to_owned(), 404, "resource_missing", "No such customer: 'cus_0'"),
        (
            "&customer=cus_0&customer_email=a@b.c".to_owned(),
            400,
            "",
            "You may only specify one of these parameters: customer, customer_email.",
        ),
        ("&customer_email=a".to_owned(), 400, "email_invalid", "Invalid email address: a"),
        (
            format!("&expires_at={}", NOW + 60),
            400,
            "",
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
        ),
        (
            format!("&expires_at={}", NOW + 90_000),
            400,
            "",
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
        ),
        ("&expires_at=-9223372036854775808".to_owned(), 400, "", ""),
        ("&payment_method_types[]=card".to_owned(), 400, "payment_method_types_no_longer_supported", ""),
        (
            "&allowed_payment_method_types[]=paypal".to_owned(),
            400,
            "",
            "FairePlace's emulator supports card and sepa_debit, not paypal.",
        ),
        (
            "&discounts[0][coupon]=x".to_owned(),
            400,
            "",
            "Stripe has the parameter discounts; FairePlace's emulator does not support it.",
        ),
        (format!("&client_reference_id={}", "x".repeat(201)), 400, "", ""),
        ("&automatic_tax[enabled]=maybe".to_owned(), 400, "", "Invalid boolean: maybe"),
        (format!("&metadata[k]={}", "x".repeat(501)), 400, "", ""),
    ];
    for (more, status, code, message) in cases {
        let given = account.refused("POST /v1/checkout/sessions", &format!("{SESSION}{more}")).await;
        assert_eq!((given.0, given.1.as_str()), (status, code), "{more}: {}", given.2);
        assert!(message.is_empty() || given.2 == message, "{more}: {}", given.2);
    }
    for form in ["", "mode=payment", "mode=payment&success_url=https://a.b"] {
        assert_eq!(
            account.refused("POST /v1/checkout/sessions", form).await.1,
            "parameter_missing",
            "{form}"
        );
    }
    let items: String =
        (0..101).map(|i| format!("&line_items[{i}][price]=x&line_items[{i}][quantity]=1")).collect();
    let form = format!("mode=payment&success_url=https://a.b{items}");
    assert_eq!(
        account.refused("POST /v1/checkout/sessions", &form).await.2,
        "A session has at most 100 line items."
    );
}

#[tokio::test]
async fn payment_methods_depend_on_the_version() {
    let account = Account::new();
    let form = format!("{SESSION}&payment_method_types[]=sepa_debit");
    let headers = [("stripe-version", "2025-03-31.basil")];
    let answer = account.call("POST /v1/checkout/sessions", &form, &headers).await;
    assert_eq!(answer.body["payment_method_types"], serde_json::json!(["sepa_debit"]), "{}", answer.body);
    let allowed = account
        .ok("POST /v1/checkout/sessions", &format!("{SESSION}&allowed_payment_method_types[]=card"))
        .await;
    assert_eq!(allowed["payment_method_types"], serde_json::json!(["card"]));
}
