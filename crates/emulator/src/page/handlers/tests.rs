//! The pages through their router, as a browser uses them: payments, and the buttons of the control page.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use stripe::write::{ApiVersion, Session};
use tower::ServiceExt;

use crate::act::checkout::NewCheckoutSession;
use crate::act::endpoint::NewWebhookEndpoint;
use crate::object::{LineItem, MetadataMap, Price};
use crate::world::Outcome;
use crate::{API_KEY, Emulator, Options, act};

/// 24 November 2026, 02:15:04.
const NOW_MS: i64 = 1_795_486_504_000;
const HOSTILE: &str = "<script>alert(1)</script>\"'\u{202e}";

fn emulator() -> Emulator {
    let options = Options {
        url: "http://127.0.0.1:12111".to_owned(),
        api_key: API_KEY.to_owned(),
        seed: 1,
        still_at_ms: Some(NOW_MS),
        file: None,
        attempt_timeout: Duration::from_secs(1),
        wall: Arc::new(|| NOW_MS),
        watcher: Arc::new(|_, _| ()),
    };
    Emulator::open(options).unwrap()
}

fn session(emulator: &Emulator) -> String {
    let price = Price {
        id: "price_1".to_owned(),
        created: 0,
        active: true,
        currency: "eur".to_owned(),
        unit_amount: 4_901,
        product: "prod_1".to_owned(),
        tax_inclusive: true,
        nickname: None,
        lookup_key: None,
        metadata: MetadataMap::new(),
    };
    let item = LineItem {
        id: "li_1".to_owned(),
        description: HOSTILE.to_owned(),
        quantity: 1,
        price,
        amount_subtotal: 4_901,
        amount_tax: 0,
        amount_total: 4_901,
    };
    let new = NewCheckoutSession {
        success_url: Some("https://shop.example/danke schön?id={CHECKOUT_SESSION_ID}".to_owned()),
        cancel_url: Some("javascript:alert(1)".to_owned()),
        ..NewCheckoutSession::new(vec![item], "eur")
    };
    emulator.with(|world| act::checkout::create(world, new, "http://127.0.0.1:12111"))
}

struct Answer {
    status: StatusCode,
    location: Option<String>,
    text: String,
}

async fn ask(emulator: &Emulator, request: Request<Body>) -> Answer {
    let router: Router = crate::router(emulator);
    let answer = router.oneshot(request).await.unwrap();
    let location = answer.headers().get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned());
    let status = answer.status();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    Answer { status, location, text: String::from_utf8(bytes.to_vec()).unwrap() }
}

async fn get(emulator: &Emulator, path: &str) -> Answer {
    let request = Request::get(path).header(header::HOST, "127.0.0.1:12111");
    ask(emulator, request.body(Body::empty()).unwrap()).await
}

async fn post(emulator: &Emulator, path: &str, form: &str) -> Answer {
    let request = Request::post(path)
        .header(header::HOST, "127.0.0.1:12111")
        .header(header::ORIGIN, "http://127.0.0.1:12111")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    ask(emulator, request.body(Body::from(form.to_owned())).unwrap()).await
}

fn statuses(emulator: &Emulator, id: &str) -> (&'static str, &'static str) {
    emulator.with(|world| {
        let session: &Session = world.sessions.get(id).unwrap();
        (session.status.name(), session.payment_status.name())
    })
}

/// The types of all events, oldest first.
fn events(emulator: &Emulator) -> Vec<String> {
    emulator.with(|world| world.events.iter().map(|event| event.type_name.clone()).collect())
}

#[tokio::test]
async fn a_card_in_the_form_pays_and_redirects_to_the_shop() {
    let emulator = emulator();
    let id = session(&emulator);
    let path = format!("/c/pay/{id}");
    let page = get(&emulator, &path).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("€49.01") && page.text.contains("name=\"number\""));
    assert!(!page.text.contains("<script") && page.text.contains("&#60;script"));
    assert!(!page.text.contains("javascript:"), "a link that runs script");

    let form =
        "method=card&number=4242+4242+4242+4242&exp=12%2F34&cvc=123&name=Ada+L&email=ada%40example.com";
    let paid = post(&emulator, &path, form).await;
    assert_eq!(paid.status, StatusCode::SEE_OTHER);
    assert_eq!(paid.location.unwrap(), format!("https://shop.example/danke%20sch%C3%B6n?id={id}"));
    assert_eq!(statuses(&emulator, &id), ("complete", "paid"));
    let details = emulator.with(|world| world.sessions.get(&id).unwrap().customer_details.clone()).unwrap();
    assert_eq!((details.name.as_deref(), details.email.as_deref()), (Some("Ada L"), Some("ada@example.com")));
    assert!(get(&emulator, &path).await.text.contains("This checkout is complete"));
    assert_eq!(post(&emulator, &path, form).await.location.unwrap(), path, "paid once");
}

#[tokio::test]
async fn mistakes_emit_no_event_and_declines_leave_the_session_open() {
    let emulator = emulator();
    let id = session(&emulator);
    let path = format!("/c/pay/{id}");
    for (form, status, message) in [
        ("", 422, "Your card number is incomplete."),
        ("number=4242424242424242&exp=10/26&cvc=123", 422, "expiration date is in the past"),
        ("number=4111111111111111&exp=10/36&cvc=123", 422, "used a non test card"),
        ("method=sepa_debit&iban=DE00", 422, "Your IBAN is invalid."),
        ("challenge=maybe", 422, "complete or fail"),
    ] {
        let answer = post(&emulator, &path, form).await;
        assert_eq!((answer.status.as_u16(), answer.text.contains(message)), (status, true), "{form}");
    }
    assert_eq!(events(&emulator), Vec::<String>::new());
    let answer = post(&emulator, &path, "card=4000000000009995&name=%3Cb%3E").await;
    assert_eq!(answer.status, StatusCode::PAYMENT_REQUIRED);
    assert!(answer.text.contains("Your card has insufficient funds.") && answer.text.contains("&#60;b&#62;"));
    assert_eq!(statuses(&emulator, &id), ("open", "unpaid"));
    assert!(events(&emulator).contains(&"charge.failed".to_owned()));
}

#[tokio::test]
async fn three_d_secure_precedes_the_payment() {
    let emulator = emulator();
    let path = format!("/c/pay/{}", session(&emulator));
    let challenge = post(&emulator, &path, "card=4000002500003155&email=ada%40example.com").await;
    assert!(challenge.text.contains("Complete authentication") && challenge.text.contains("ada@example.com"));
    let failed = post(&emulator, &path, "challenge=fail").await;
    assert_eq!(failed.status, StatusCode::PAYMENT_REQUIRED);
    assert!(failed.text.contains("We are unable to authenticate your payment method"));
    post(&emulator, &path, "card=4000002500003155").await;
    assert_eq!(post(&emulator, &path, "challenge=complete").await.status, StatusCode::SEE_OTHER);
    assert!(get(&emulator, &path).await.text.contains("Paid"));
}

#[tokio::test]
async fn a_debit_is_processing_until_it_clears() {
    for (iban, end) in [("AT611904300234573201", "Paid"), ("AT861904300235473202", "The bank declined")] {
        let emulator = emulator();
        let path = format!("/c/pay/{}", session(&emulator));
        post(&emulator, &path, &format!("debit={iban}")).await;
        assert!(get(&emulator, &path).await.text.contains("is being processed"));
        assert!(get(&emulator, "/").await.text.contains("Bank answers now"));
        assert_eq!(post(&emulator, "/_control/advance", "amount=5&unit=days").await.status.as_u16(), 303);
        assert!(get(&emulator, &path).await.text.contains(end));
    }
}

#[tokio::test]
async fn the_page_waits_until_the_shop_accepts_the_event() {
    let emulator = emulator();
    let endpoint = emulator.with(endpoint);
    let path = format!("/c/pay/{}", session(&emulator));
    let paying = tokio::spawn({
        let emulator = emulator.clone();
        async move { post(&emulator, &path, "card=4242424242424242").await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!paying.is_finished(), "nobody has accepted the event yet");
    emulator.with(|world| {
        while let Some(dispatch) = world.dispatch(&endpoint, 0) {
            let accepted = Outcome::Answered { status: 200, excerpt: String::new() };
            world.record(&dispatch, accepted, 0);
        }
    });
    let answer = tokio::time::timeout(Duration::from_secs(5), paying).await.unwrap().unwrap();
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_page_does_not_wait_for_held_deliveries() {
    let emulator = emulator();
    let endpoint = emulator.with(endpoint);
    emulator.with(|world| world.endpoints.get_mut(&endpoint).unwrap().held = true);
    let path = format!("/c/pay/{}", session(&emulator));
    let paid = post(&emulator, &path, "card=4242424242424242");
    let answer = tokio::time::timeout(Duration::from_secs(5), paid).await.expect("the page waits");
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

fn endpoint(world: &mut crate::world::World) -> String {
    let new = NewWebhookEndpoint {
        url: "http://127.0.0.1:9/hook".to_owned(),
        enabled_events: vec!["*".to_owned()],
        api_version: ApiVersion::Basil,
        description: None,
        metadata: MetadataMap::new(),
        secret: Some("whsec_0123456789abcdef0123456789abcdef".to_owned()),
    };
    act::endpoint::create(world, new)
}

#[tokio::test]
async fn every_button_executes_its_command() {
    let emulator = emulator();
    let path = format!("/c/pay/{}", session(&emulator));
    post(&emulator, &path, "card=4242424242424242").await;
    let charge = emulator.with(|world| world.charges.iter().next().unwrap().id.clone());

    let refund = format!("/_control/charges/{charge}/refund");
    assert_eq!(post(&emulator, &refund, "part=half").await.location.unwrap(), "/#charges");
    assert_eq!(emulator.with(|world| world.charges.get(&charge).unwrap().amount_refunded), 2_451);
    let dispute = format!("/_control/charges/{charge}/dispute");
    for (kind, back) in [("inquiry", "/#disputes"), ("dispute", "/#disputes"), ("fraud_warning", "/#events")]
    {
        assert_eq!(post(&emulator, &dispute, &format!("kind={kind}")).await.location.unwrap(), back);
    }
    let disputes: Vec<String> =
        emulator.with(|world| world.disputes.iter().map(|dispute| dispute.id.clone()).collect());
    let status = |id: &str| emulator.with(|world| world.disputes.get(id).unwrap().status.name());
    for (id, outcome, then) in [
        (&disputes[0], "lose", "needs_response"),
        (&disputes[0], "win", "won"),
        (&disputes[1], "close", "lost"),
    ] {
        let (path, form) = (format!("/_control/disputes/{id}/close"), format!("outcome={outcome}"));
        assert_eq!(post(&emulator, &path, &form).await.status, StatusCode::SEE_OTHER);
        assert_eq!(status(id), then, "{outcome}");
    }
    let types = events(&emulator);
    for wanted in ["charge.refunded", "charge.dispute.closed", "radar.early_fraud_warning.created"] {
        assert!(types.contains(&wanted.to_owned()), "{wanted} in {types:?}");
    }
    let page = get(&emulator, "/").await.text;
    assert!(page.contains("€24.51 refunded") && page.contains("radar.early_fraud_warning.created"));
    let event = emulator.with(|world| world.events.iter().next().unwrap().id.clone());
    let shown = get(&emulator, &format!("/_control/events/{event}")).await;
    assert!(shown.text.contains("&#34;object&#34;: &#34;event&#34;"), "{}", shown.text);
}

#[tokio::test]
async fn an_endpoint_is_held_given_a_secret_and_made_to_misbehave() {
    let emulator = emulator();
    let id = emulator.with(endpoint);
    let at = |what: &str| format!("/_control/endpoints/{id}/{what}");
    let knobs = "seed=7&duplicate=100&twin=0&never=0&simultaneous=5&lost_answer=0&disorder_seconds=60&burst=0&\
                 clock_skew_seconds=-30";
    for (what, form) in [("misbehave", knobs), ("hold", ""), ("rotate", "grace_period_seconds=3600")] {
        assert_eq!(post(&emulator, &at(what), form).await.status, StatusCode::SEE_OTHER, "{what}");
    }
    emulator.with(|world| {
        let endpoint = world.endpoints.get(&id).unwrap();
        let behaviour = endpoint.misbehaviour;
        assert_eq!((behaviour.duplicate, behaviour.clock_skew_seconds, behaviour.seed), (100, -30, 7));
        assert!(endpoint.held && endpoint.secrets.len() == 2);
        world.endpoints.get_mut(&id).unwrap().enabled = false;
    });
    let page = get(&emulator, "/").await.text;
    assert!(page.contains("misbehaving") && page.contains("disabled") && page.contains("held"));
    post(&emulator, &at("enable"), "").await;
    assert_eq!(post(&emulator, &at("release"), "shuffle=&times=2").await.status, StatusCode::SEE_OTHER);
    assert!(emulator.with(|world| world.endpoints.get(&id).is_some_and(|e| e.enabled && !e.held)));
    assert_eq!(post(&emulator, &at("misbehave"), "duplicate=101").await.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn the_page_shows_why_a_command_was_refused() {
    let emulator = emulator();
    let path = format!("/c/pay/{}", session(&emulator));
    post(&emulator, &path, "card=4000000000000002").await;
    let charge = emulator.with(|world| world.charges.iter().next().unwrap().id.clone());
    for (path, form, message) in [
        (format!("/_control/charges/{charge}/refund"), "part=all", "took no money"),
        (format!("/_control/charges/{charge}/dispute"), "kind=dispute", "nothing to dispute"),
        ("/_control/charges/ch_none/refund".to_owned(), "part=all", "No such charge: &#39;ch_none&#39;"),
        ("/_control/disputes/du_none/close".to_owned(), "outcome=win", "No such dispute"),
        ("/_control/objects/re_none/hasten".to_owned(), "", "Nothing is scheduled"),
        ("/_control/endpoints/we_none/hold".to_owned(), "", "No such webhook_endpoint"),
        ("/_control/events/evt_none/resend".to_owned(), "", "No such event"),
        ("/_control/advance".to_owned(), "amount=4000000000&unit=days", "seconds must be between 0"),
    ] {
        let answer = post(&emulator, &path, form).await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{path}");
        assert!(answer.text.contains(message), "{path}");
    }
    for (path, form, message) in [
        ("/_control/advance", "amount=4&unit=years", "unknown variant"),
        ("/_control/advance", "amount=-4&unit=days", "invalid digit"),
        ("/_control/advance", "", "how far to advance"),
        ("/_control/charges/ch_1/refund", "part=third", "unknown variant"),
        ("/_control/endpoints/we_1/release", "shuffle=abc&times=1", "A seed is a whole number"),
        ("/_control/endpoints/we_1/release", "shuffle=", "missing field"),
        ("/_control/endpoints/we_1/misbehave", "nonsense=1", "unknown field"),
    ] {
        let answer = post(&emulator, path, form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path} {form}");
        assert!(answer.text.contains(message) && answer.text.contains("role=\"status\""), "{path} {form}");
    }
    for path in ["/c/pay/cs_test_none", "/_control/events/evt_none"] {
        assert_eq!(get(&emulator, path).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn another_site_can_neither_read_nor_pay() {
    let emulator = emulator();
    let id = session(&emulator);
    let path = format!("/c/pay/{id}");
    let foreign = Request::post(&path)
        .header(header::HOST, "127.0.0.1:12111")
        .header(header::ORIGIN, "https://evil.example")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from("card=4242424242424242"))
        .unwrap();
    assert_eq!(ask(&emulator, foreign).await.status, StatusCode::FORBIDDEN);
    let from_shop = Request::get(&path)
        .header(header::HOST, "127.0.0.1:12111")
        .header(header::ORIGIN, "null")
        .body(Body::empty())
        .unwrap();
    assert_eq!(ask(&emulator, from_shop).await.status, StatusCode::OK, "a shop's redirect leads here");
    let foreign_host = Request::get("/").header(header::HOST, "evil.example").body(Body::empty()).unwrap();
    let answer = ask(&emulator, foreign_host).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(!answer.text.contains(API_KEY));
    assert_eq!(statuses(&emulator, &id), ("open", "unpaid"));
}
