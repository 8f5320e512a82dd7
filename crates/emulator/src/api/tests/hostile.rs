//! Invalid input on every route: refused with Stripe's error object, without a panic and without a change.

use super::super::ROUTES;
use super::*;

/// Every route, with an id that does not exist.
fn lines() -> impl Iterator<Item = String> {
    ROUTES.iter().map(|route| {
        let names =
            [(super::super::GET, "GET"), (super::super::POST, "POST"), (super::super::DELETE, "DELETE")];
        let method = names.into_iter().find(|(method, _)| *method == route.0).unwrap().1;
        format!("{method} /v1{}", route.1.replace("{id}", "no_such_thing"))
    })
}

#[tokio::test]
async fn invalid_parameters_are_refused_on_every_route() {
    let account = Account::new();
    account.paid("4242424242424242").await;
    let nonsense = [
        "nonsense=1",
        "limit=ten",
        "metadata=x",
        "metadata[a][b]=c",
        "expand=x",
        "expand[]=a.b.c.d.e",
        "a[b=1",
        "=",
        "%00=%00",
        "%ff%fe=%ff",
        "created=tomorrow&starting_after=x&ending_before=y",
        "amount=999999999999999999999999&quantity=-1&currency=%F0%9F%92%B6",
        "line_items[0][quantity]=1&line_items[x]=2",
        "enabled_events[]=&url=&name=&charge=&mode=",
    ];
    for line in lines() {
        for form in nonsense {
            let (status, _, message) = account.refused(&line, form).await;
            assert!((400..500).contains(&status) && !message.is_empty(), "{line} {form}: {status} {message}");
        }
    }
}

#[tokio::test]
async fn unusual_ids_are_not_found() {
    let account = Account::new();
    for id in ["%00", "%F0%9F%92%B6", "..%2F..", "a%20b", &"x".repeat(5_000), "'%22%3E"] {
        for noun in ["charges", "products", "checkout/sessions", "events", "webhook_endpoints"] {
            let answer = account.call(&format!("GET /v1/{noun}/{id}"), "", &[]).await;
            assert_eq!(
                (answer.status, answer.body["error"]["code"].as_str()),
                (404, Some("resource_missing")),
                "{id}"
            );
            let message = answer.body["error"]["message"].as_str().unwrap();
            assert!(message.len() < 1_000, "{message}");
        }
    }
    let undecodable = account.call("GET /v1/charges/%ff", "", &[]).await;
    assert_eq!(undecodable.status, 404);
}
