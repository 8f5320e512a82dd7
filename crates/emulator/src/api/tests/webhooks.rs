//! Webhook endpoints and events through the API.

use super::*;

#[tokio::test]
async fn an_endpoint_returns_its_secret_once() {
    let account = Account::new();
    let form = "url=http://127.0.0.1:1/hook&enabled_events[]=charge.refunded&enabled_events[]=charge.failed\
                &api_version=2025-03-31.basil&metadata[a]=b&description=mine";
    let made = account.ok("POST /v1/webhook_endpoints", form).await;
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    let line = format!("/v1/webhook_endpoints/{}", id(&made));
    let shown = account.ok(&format!("GET {line}"), "").await;
    assert!(shown.get("secret").is_none());
    assert_eq!((&shown["status"], &shown["api_version"]), (&"enabled".into(), &"2025-03-31.basil".into()));
    let update = "disabled=true&enabled_events[]=*&url=http://localhost:2&description=";
    let changed = account.ok(&format!("POST {line}"), update).await;
    assert_eq!(
        (&changed["status"], &changed["enabled_events"][0], &changed["url"], &changed["description"]),
        (&"disabled".into(), &"*".into(), &"http://localhost:2".into(), &Value::Null)
    );
    assert_eq!(account.ok(&format!("POST {line}"), "disabled=false").await["status"], "enabled");
    let list = account.ok("GET /v1/webhook_endpoints", "").await;
    assert_eq!((list["data"].as_array().unwrap().len(), list["data"][0].get("secret")), (1, None));
    assert_eq!(account.ok(&format!("DELETE {line}"), "").await["deleted"], true);
    assert_eq!(account.refused(&format!("GET {line}"), "").await.1, "resource_missing");
}

#[tokio::test]
async fn deliveries_to_a_deleted_endpoint_stop() {
    let account = Account::new();
    let form = "url=http://127.0.0.1:1/hook&enabled_events[]=charge.succeeded";
    let endpoint = id(&account.ok("POST /v1/webhook_endpoints", form).await);
    account.paid("4242424242424242").await;
    // A request executes the tasks that are due: the delivery joins the endpoint's queue.
    account.ok("GET /v1/events", "").await;
    account.ok(&format!("DELETE /v1/webhook_endpoints/{endpoint}"), "").await;
    let states = account.emulator.with(|world| world.deliveries().map(|sent| sent.state).collect::<Vec<_>>());
    assert_eq!(states, [crate::world::DeliveryState::Stopped]);
}

#[tokio::test]
async fn invalid_endpoints_are_refused() {
    let account = Account::new();
    let line = "POST /v1/webhook_endpoints";
    let cases = [
        ("enabled_events[]=*", "parameter_missing"),
        ("url=http://a.b", "parameter_missing"),
        ("url=a.b&enabled_events[]=*", "url_invalid"),
        ("url=ftp://a.b&enabled_events[]=*", "url_invalid"),
        ("url=http://&enabled_events[]=*", "url_invalid"),
        ("url=http://a b&enabled_events[]=*", "url_invalid"),
        ("url=http://a.b&enabled_events[]=nonsense", ""),
        ("url=http://a.b&enabled_events[]=charge.*", ""),
        ("url=http://a.b&enabled_events=*", ""),
        ("url=http://a.b&enabled_events[]=*&api_version=1999-01-01", ""),
        ("url=http://a.b&enabled_events[]=*&secret=whsec_mine", "parameter_unknown"),
    ];
    for (form, code) in cases {
        let given = account.refused(line, form).await;
        assert_eq!((given.0, given.1.as_str()), (400, code), "{form}: {}", given.2);
    }
    for _ in 0..16 {
        account.ok(line, "url=http://a.b&enabled_events[]=*").await;
    }
    assert!(account.refused(line, "url=http://a.b&enabled_events[]=*").await.2.contains("maximum of 16"));
}

#[tokio::test]
async fn events_are_listed_by_type_time_and_delivery() {
    let account = Account::new();
    account
        .ok("POST /v1/webhook_endpoints", "url=http://127.0.0.1:1&enabled_events[]=charge.succeeded")
        .await;
    account.paid("4242424242424242").await;
    let types = async |query: &str| -> Vec<String> {
        let list = account.ok(&format!("GET /v1/events{query}"), "").await;
        let data = list["data"].as_array().unwrap().iter();
        data.map(|event| event["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(types("?type=checkout.session.completed").await, ["checkout.session.completed"]);
    let both = "?types[]=charge.succeeded&types[]=payment_intent.succeeded";
    assert_eq!(types(both).await, ["payment_intent.succeeded", "charge.succeeded"]);
    assert_eq!(types("?type=payment_intent.*").await.len(), 2);
    assert_eq!(types("?delivery_success=false").await, ["charge.succeeded"]);
    assert!(!types("?delivery_success=true").await.contains(&"charge.succeeded".to_owned()));
    assert!(types(&format!("?created[lt]={NOW}")).await.is_empty());
    assert_eq!(types(&format!("?created={NOW}&limit=100")).await.len(), account.event_types().len());

    let newest = account.ok("GET /v1/events?limit=1", "").await["data"][0].clone();
    assert_eq!(account.ok(&format!("GET /v1/events/{}", id(&newest)), "").await, newest);
    assert_eq!(account.ok(&format!("POST /v1/events/{}/retry", id(&newest)), "").await["id"], newest["id"]);
    let wrong = format!("POST /v1/events/{}/retry", id(&newest));
    assert_eq!(account.refused(&wrong, "webhook_endpoint=we_0").await.1, "resource_missing");
    assert_eq!(account.refused("GET /v1/events?type=a.b&types[]=c.d", "").await.0, 400);
    let many = "types[]=a.b&".repeat(21);
    assert_eq!(account.refused(&format!("GET /v1/events?{many}"), "").await.0, 400);
}
