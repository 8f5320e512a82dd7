//! The control page and the control API are two surfaces of the same commands: both refuse the same input for
//! the same reason, and an accepted command has the same result on either.

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use emulator::act::checkout::{self, PayOutcome};
use emulator::act::control::{Misbehave, Pay, Payer, PaymentNumber};
use emulator::act::{dispute, endpoint};
use emulator::object::Misbehaviour;
use emulator::world::World;
use emulator::{Emulator, router};
use serde_json::Value;
use stripe::write::{ApiVersion, MethodType};
use tower::ServiceExt;

use crate::life::{add_endpoint, edit, hold, new_session, run, wanted};
use crate::receiver::{buy, options};

/// An account for the commands: a paid charge, a declined one, a pending debit, a closed dispute, three
/// sessions, a held endpoint, and events.
struct Account {
    emulator: Emulator,
    /// Ids by the name that the tables below give them.
    ids: Vec<(&'static str, String)>,
}

impl Account {
    fn new() -> Self {
        let emulator = Emulator::open(options()).expect("an account");
        let ids = emulator.with(fill);
        Self { emulator, ids }
    }

    /// The line with `{name}` replaced by the id.
    fn named(&self, line: &str) -> String {
        self.ids.iter().fold(line.to_owned(), |line, (name, id)| line.replace(&format!("{{{name}}}"), id))
    }

    fn saved(&self) -> Value {
        self.emulator.read(|world| serde_json::to_value(world).expect("JSON"))
    }

    async fn post(&self, path: &str, content_type: &str, body: &str) -> (u16, String) {
        let request = Request::post(self.named(path))
            .header(header::HOST, "127.0.0.1:1")
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::from(self.named(body)))
            .expect("a request");
        let response = router(&self.emulator).oneshot(request).await.expect("no error");
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        (status, String::from_utf8(bytes.to_vec()).expect("UTF-8"))
    }

    async fn page(&self, path: &str, form: &str) -> (u16, String) {
        self.post(path, "application/x-www-form-urlencoded", form).await
    }

    async fn api(&self, path: &str, json: &str) -> (u16, String) {
        self.post(path, "application/json", json).await
    }
}

fn fill(world: &mut World) -> Vec<(&'static str, String)> {
    add_endpoint(world, "we_1", "http://127.0.0.1:9/hook", ApiVersion::Endive);
    add_endpoint(world, "we_2", "http://127.0.0.1:9/other", ApiVersion::Endive);
    endpoint::enable(world, "we_2", false);
    let mut ids = Vec::new();
    for (name, number) in [
        ("paid", "4000000000000259"),
        ("declined", "4000000000000002"),
        ("pending", "AT611904300234573201"),
        ("other", "4242424242424242"),
    ] {
        buy(world, number);
        ids.push((name, world.charges().iter().next_back().expect("a charge").id.clone()));
    }
    let disputed = dispute::open(world, &ids[3].1, "fraudulent", false).expect("a dispute");
    assert!(dispute::close(world, &disputed));
    ids.push(("closed", disputed));
    ids.push(("open", new_session(world, 2_500, "eur")));
    let mut only_card = wanted(2_500, "eur");
    only_card.payment_method_types = vec![MethodType::Card];
    ids.push(("only_card", checkout::create(world, only_card, "http://127.0.0.1:1")));
    let complete = new_session(world, 2_500, "eur");
    let number = PaymentNumber::Card("4242424242424242".to_owned());
    let pay = Pay { session: complete.clone(), number, payer: Payer::default(), confirm: None };
    assert_eq!(run(world, pay), PayOutcome::Complete);
    ids.push(("complete", complete));
    ids.push(("event", world.events().iter().next().expect("an event").id.clone()));
    hold(world);
    ids
}

/// The text as HTML.
fn escaped(text: &str) -> String {
    text.replace('\'', "&#39;")
}

/// The path, the form for the page, the body for the API, and the reason that both give.
type Refused = (&'static str, &'static str, &'static str, &'static str);

/// `*` stands for `_control` or `_emulator`.
const REFUSED: &[Refused] = &[
    (
        "/*/advance",
        "seconds=4294967296",
        r#"{"seconds":4294967296}"#,
        "seconds must be between 0 and 4294967295.",
    ),
    ("/*/advance", "amount=49711&unit=days", r#"{"seconds":4295030400}"#, "seconds must be between 0 and"),
    ("/*/charges/ch_none/dispute", "kind=dispute", r#"{"kind":"dispute"}"#, "No such charge: 'ch_none'"),
    (
        "/*/charges/ch_none/dispute",
        "kind=fraud_warning",
        r#"{"kind":"fraud_warning"}"#,
        "No such charge: 'ch_none'",
    ),
    ("/*/charges/{declined}/dispute", "kind=dispute", r#"{"kind":"dispute"}"#, "took no money"),
    ("/*/charges/{declined}/dispute", "kind=inquiry", r#"{"kind":"inquiry"}"#, "took no money"),
    ("/*/charges/{pending}/dispute", "kind=fraud_warning", r#"{"kind":"fraud_warning"}"#, "took no money"),
    ("/*/charges/{paid}/dispute", "kind=theft", r#"{"kind":"theft"}"#, "unknown variant `theft`"),
    ("/*/endpoints/we_none/misbehave", "twin=1", r#"{"twin":1}"#, "No such webhook_endpoint: 'we_none'"),
    (
        "/*/endpoints/we_none/rotate",
        "grace_period_seconds=1",
        r#"{"grace_period_seconds":1}"#,
        "No such webhook_endpoint",
    ),
    ("/*/endpoints/we_none/hold", "", "", "No such webhook_endpoint: 'we_none'"),
    ("/*/endpoints/we_none/release", "times=1", r#"{"times":1}"#, "No such webhook_endpoint: 'we_none'"),
    ("/*/endpoints/we_none/enable", "", "", "No such webhook_endpoint: 'we_none'"),
    (
        "/*/endpoints/we_1/misbehave",
        "duplicate=101",
        r#"{"duplicate":101}"#,
        "duplicate must be between 0 and 100.",
    ),
    ("/*/endpoints/we_1/misbehave", "twin=101", r#"{"twin":101}"#, "twin must be between 0 and 100."),
    ("/*/endpoints/we_1/misbehave", "never=255", r#"{"never":255}"#, "never must be between 0 and 100."),
    (
        "/*/endpoints/we_1/misbehave",
        "simultaneous=101",
        r#"{"simultaneous":101}"#,
        "simultaneous must be between",
    ),
    (
        "/*/endpoints/we_1/misbehave",
        "lost_answer=101",
        r#"{"lost_answer":101}"#,
        "lost_answer must be between",
    ),
    (
        "/*/endpoints/we_1/misbehave",
        "disorder_seconds=86401",
        r#"{"disorder_seconds":86401}"#,
        "disorder_seconds must be between 0 and 86400.",
    ),
    (
        "/*/endpoints/we_1/misbehave",
        "burst=10001",
        r#"{"burst":10001}"#,
        "burst must be between 0 and 10000.",
    ),
    (
        "/*/endpoints/we_1/misbehave",
        "clock_skew_seconds=-86401",
        r#"{"clock_skew_seconds":-86401}"#,
        "clock_skew_seconds must be between -86400 and 86400.",
    ),
    ("/*/endpoints/we_1/misbehave", "nonsense=1", r#"{"nonsense":1}"#, "unknown field `nonsense`"),
    (
        "/*/endpoints/we_1/rotate",
        "grace_period_seconds=86401",
        r#"{"grace_period_seconds":86401}"#,
        "grace_period_seconds must be between 0 and 86400.",
    ),
    ("/*/endpoints/we_1/release", "times=0", r#"{"times":0}"#, "times must be between 1 and 10."),
    ("/*/endpoints/we_1/release", "times=11", r#"{"times":11}"#, "times must be between 1 and 10."),
    ("/*/endpoints/we_1/release", "times=1&many=1", r#"{"times":1,"many":1}"#, "unknown field `many`"),
    ("/*/events/evt_none/resend", "", "", "No such event: 'evt_none'"),
    ("/*/events/{event}/resend", "endpoint=we_none", r#"{"endpoint":"we_none"}"#, "No such webhook_endpoint"),
];

#[tokio::test]
async fn both_surfaces_refuse_the_same_input_for_the_same_reason() {
    let account = Account::new();
    let before = account.saved();
    for (path, form, json, reason) in REFUSED {
        let (page, api) = (path.replace('*', "_control"), path.replace('*', "_emulator"));
        let (status, shown) = account.page(&page, form).await;
        assert!((400..500).contains(&status), "{page} {form}: {status}");
        assert!(shown.contains(&escaped(reason)), "{page} {form} does not say {reason}");
        let (status, text) = account.api(&api, json).await;
        assert!((400..500).contains(&status), "{api} {json}: {status}");
        assert!(text.contains(reason), "{api} {json} does not say {reason}: {text}");
        assert_eq!(account.saved(), before, "{path} {form} was refused and changed something");
    }
}

/// The session, the form for its payment page, the body for the API, and the reason that both give.
const NOT_PAID: &[Refused] = &[
    (
        "{only_card}",
        "debit=AT611904300234573201",
        r#"{"iban":"AT611904300234573201"}"#,
        "This checkout does not take that payment method.",
    ),
    (
        "{only_card}",
        "method=sepa_debit&iban=DE00",
        r#"{"iban":"DE00"}"#,
        "This checkout does not take that payment method.",
    ),
    ("{open}", "card=1234", r#"{"card":"1234"}"#, "Your card number is incorrect."),
    ("{open}", "card=4111111111111111", r#"{"card":"4111111111111111"}"#, "used a non test card"),
    (
        "{open}",
        "card=AT611904300234573201",
        r#"{"card":"AT611904300234573201"}"#,
        "Your card number is incorrect.",
    ),
    ("{open}", "debit=DE00", r#"{"iban":"DE00"}"#, "Your IBAN is invalid."),
    ("{open}", "debit=DE89370400440532013001", r#"{"iban":"DE89370400440532013001"}"#, "IBAN"),
];

#[tokio::test]
async fn both_surfaces_refuse_the_same_payments() {
    let account = Account::new();
    let before = account.saved();
    for (session, form, json, reason) in NOT_PAID {
        let (status, shown) = account.page(&format!("/c/pay/{session}"), form).await;
        assert_eq!(status, 422, "{form}: {shown}");
        assert!(shown.contains(reason), "{form} does not say {reason}");
        let (status, text) = account.api(&format!("/_emulator/sessions/{session}/pay"), json).await;
        assert!((400..500).contains(&status) && text.contains(reason), "{json}: {status} {text}");
    }
    // The page shows whether a session is closed or does not exist, so its form redirects to it.
    for (session, status, code) in [("{complete}", 303, "not open any more"), ("cs_none", 303, "No such")] {
        let paid = account.page(&format!("/c/pay/{session}"), "card=4242424242424242").await;
        assert_eq!(paid.0, status);
        let body = r#"{"card":"4242424242424242"}"#;
        let (status, text) = account.api(&format!("/_emulator/sessions/{session}/pay"), body).await;
        assert!((400..500).contains(&status) && text.contains(code), "{session}: {status} {text}");
    }
    assert_eq!(account.saved(), before, "a refused command changed the account");
}

/// The path, the form for the page, and the body for the API.
const ACCEPTED: &[(&str, &str, &str)] = &[
    ("/*/advance", "seconds=60", r#"{"seconds":60}"#),
    ("/*/advance", "amount=2&unit=minutes", r#"{"seconds":120}"#),
    ("/*/charges/{other}/dispute", "kind=inquiry", r#"{"kind":"inquiry"}"#),
    ("/*/charges/{other}/dispute", "kind=dispute", "{}"),
    ("/*/charges/{other}/dispute", "kind=fraud_warning", r#"{"kind":"fraud_warning"}"#),
    ("/*/objects/{paid}/hasten", "", ""),
    ("/*/endpoints/we_1/misbehave", "", "{}"),
    // This schedules the end of the burst for deliveries that are already waiting.
    (
        "/*/endpoints/we_1/misbehave",
        "burst=50&seed=18446744073709551615",
        r#"{"burst":50,"seed":18446744073709551615}"#,
    ),
    (
        "/*/endpoints/we_1/misbehave",
        "clock_skew_seconds=-86400&duplicate=100&disorder_seconds=86400",
        r#"{"clock_skew_seconds":-86400,"duplicate":100,"disorder_seconds":86400}"#,
    ),
    ("/*/endpoints/we_1/rotate", "grace_period_seconds=86400", r#"{"grace_period_seconds":86400}"#),
    ("/*/endpoints/we_1/hold", "", ""),
    ("/*/endpoints/we_1/release", "shuffle=7&times=10", r#"{"shuffle":7,"times":10}"#),
    ("/*/endpoints/we_1/release", "shuffle=&times=1", "{}"),
    ("/*/endpoints/we_2/enable", "", ""),
    ("/*/events/{event}/resend", "", ""),
    ("/*/events/{event}/resend", "endpoint=we_1", r#"{"endpoint":"we_1"}"#),
];

#[tokio::test]
async fn the_same_command_on_either_surface_has_the_same_result() {
    for (path, form, json) in ACCEPTED {
        let (one, other) = (Account::new(), Account::new());
        let before = one.saved();
        assert_eq!(other.saved(), before);
        let (status, shown) = one.page(&path.replace('*', "_control"), form).await;
        assert_eq!(status, 303, "{path} {form}: {shown}");
        let (status, text) = other.api(&path.replace('*', "_emulator"), json).await;
        assert_eq!(status, 200, "{path} {json}: {text}");
        let (one, other) = (one.saved(), other.saved());
        assert!(one == other, "{path} {form} and {json} differ");
        let changes_nothing = path.ends_with("/hold") || (path.ends_with("/misbehave") && json == &"{}");
        assert_eq!(one == before, changes_nothing, "{path} {form}");
    }
}

#[tokio::test]
async fn the_same_payment_on_either_surface_has_the_same_result() {
    let by_card = ("card=4242424242424242", r#"{"card":"4242424242424242""#, "US");
    let by_debit = ("debit=AT611904300234573201", r#"{"iban":"AT61 1904 3002 3457 3201""#, "AT");
    for (form, json, country) in [by_card, by_debit] {
        for shops_email in [None, Some("given@shop.example")] {
            let (one, other) = (Account::new(), Account::new());
            for account in [&one, &other] {
                account.emulator.with(|world| {
                    edit(world, |saved| {
                        for session in saved["sessions"].as_array_mut().expect("a list") {
                            session["customer_email"] = shops_email.into();
                        }
                    });
                });
            }
            let long = "x".repeat(600);
            let form = format!("{form}&name={long}&email=typed%40example.com");
            let (status, shown) = one.page("/c/pay/{open}", &form).await;
            assert_eq!(status, 303, "{shown}");
            let json =
                format!(r#"{json},"name":"{long}","email":"typed@example.com","country":"{country}"}}"#);
            let (status, text) = other.api("/_emulator/sessions/{open}/pay", &json).await;
            assert_eq!(status, 200, "{text}");
            assert!(one.saved() == other.saved(), "{form} and {json} differ");
            let session = one.named("{open}");
            let payer = one.emulator.read(|world| world.sessions().get(&session)?.customer_details.clone());
            let payer = payer.expect("customer details");
            assert_eq!(payer.email.as_deref(), shops_email.or(Some("typed@example.com")));
            assert_eq!(payer.name.map(|name| name.len()), Some(500));
        }
    }
}

#[tokio::test]
async fn buttons_without_a_control_route_are_checked_too() {
    let account = Account::new();
    let before = account.saved();
    for (path, form, reason) in [
        ("/_control/sessions/cs_none/expire", "", "No such checkout.session: 'cs_none'"),
        ("/_control/sessions/{complete}/expire", "", "not open any more"),
        ("/_control/disputes/du_none/close", "outcome=win", "No such dispute: 'du_none'"),
        ("/_control/disputes/{closed}/close", "outcome=win", "already closed"),
        ("/_control/disputes/{closed}/close", "outcome=close", "already closed"),
        ("/_control/charges/ch_none/refund", "part=all", "No such charge: 'ch_none'"),
        ("/_control/charges/{declined}/refund", "part=half", "took no money"),
        ("/_control/charges/{pending}/refund", "part=all", "took no money"),
        ("/_control/charges/{other}/refund", "part=all", "customer's bank has taken that money back"),
    ] {
        let (status, shown) = account.page(path, form).await;
        assert_eq!(status, 409, "{path} {form}");
        assert!(shown.contains(&escaped(reason)), "{path} {form} does not say {reason}");
    }
    assert_eq!(account.saved(), before, "a refused command changed the account");
}

#[test]
fn a_seed_of_any_size_is_accepted() {
    let mut world = crate::life::world(ApiVersion::Endive);
    let misbehaviour = Misbehaviour { seed: u64::MAX, ..Misbehaviour::default() };
    run(&mut world, Misbehave { endpoint: "we_1".to_owned(), misbehaviour });
}
