//! `listen` with two test servers on loopback: an events API that is unreachable, loses its events or returns
//! errors, and an endpoint that refuses events. `e2e` tests it with `emulate`.

mod servers;

use std::time::Duration;

use engine::Clock;
use stripe::Secret;

use super::{EventsApi, Listener, Pace, Selection, one_line, secret};
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::outgoing::Certificates;
use crate::sender::EventSender;
use servers::{Servers, eventually, tls_endpoint};

const SECRET: &str = "whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH";
const KEY: &str = "rk_test_51Kept0Secret";

/// The pace of the command, in milliseconds instead of seconds.
const PACE: Pace = Pace {
    poll: Duration::from_millis(5),
    first_wait: Duration::from_millis(5),
    longest_wait: Duration::from_millis(20),
    give_up_seconds: 60,
};

fn listener(api: &str, endpoint: &str, events: &[&str], certificates: Certificates) -> Listener {
    let clock = Clock::system();
    let secret = Secret::parse(SECRET).unwrap();
    let selection = Selection(events.iter().map(ToString::to_string).collect());
    Listener {
        api: EventsApi::new(api, KEY, selection.types(), true).unwrap(),
        sender: Some(EventSender::with(endpoint, secret, clock.clone(), certificates, |_| ()).unwrap()),
        selection,
        clock,
        pace: PACE,
        raw: false,
        say: |_| (),
        greeting: String::new(),
    }
}

/// Runs a listener until `test` has completed.
async fn while_listening(listener: Listener, test: impl Future<Output = ()>) {
    tokio::select! {
        failure = listener.run() => panic!("the listener ended: {failure}"),
        () = test => {}
    }
}

fn names(numbers: impl IntoIterator<Item = u32>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("evt_{number}")).collect()
}

#[tokio::test]
async fn a_refused_event_is_repeated_until_it_is_accepted_and_later_events_wait() {
    let servers = Servers::start();
    servers.create_events(3);
    servers.refuse("evt_5", &[500, 302, 429, 400]);
    servers.refuse("evt_253", &[503]);
    let listener = listener(&servers.url, &servers.endpoint(), &["*"], Certificates::Checked);
    while_listening(listener, async {
        eventually(|| !servers.requests().is_empty()).await;
        servers.create_events(250);
        eventually(|| servers.accepted().len() == 250).await;
    })
    .await;
    assert_eq!(servers.accepted(), names(4..=253), "each once, in order, none from before");
    let attempts = servers.attempts();
    let expected = [4, 5, 5, 5, 5].into_iter().chain(5..=253).chain([253]);
    assert_eq!(attempts.iter().map(|attempt| attempt.id.clone()).collect::<Vec<_>>(), names(expected));
    assert!(
        attempts.iter().all(|attempt| attempt.signed && attempt.body_as_listed),
        "signed, with the body from the list"
    );
    assert!(servers.requests().iter().all(|request| request.authorized), "every request has the key");
    let first = &servers.requests()[0];
    assert_eq!((first.query.as_str(), first.version.as_str()), ("limit=1", "2026-10-28.endive"));
}

#[tokio::test]
async fn events_are_not_lost_while_the_api_or_the_endpoint_is_unreachable() {
    let servers = Servers::reserve();
    let listener = listener(&servers.url, &servers.endpoint(), &["*"], Certificates::Checked);
    while_listening(listener, async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        servers.create_events(120);
        servers.serve();
        eventually(|| servers.accepted().len() == 120).await;
        for error in [(503, ""), (429, ""), (400, "true"), (409, "")] {
            servers.answer_next(error.0, error.1, "{}");
        }
        servers.answer_next(200, "", "<html>");
        servers.refuse("evt_121", &[500]);
        servers.create_events(2);
        eventually(|| servers.accepted().len() == 122).await;
    })
    .await;
    assert_eq!(servers.accepted(), names(1..=122));
}

#[tokio::test]
async fn a_reset_list_is_followed_from_its_beginning() {
    let servers = Servers::start();
    servers.create_events(2);
    let listener = listener(&servers.url, &servers.endpoint(), &["*"], Certificates::Checked);
    while_listening(listener, async {
        eventually(|| servers.requests().len() > 1).await;
        servers.delete_events();
        servers.create_events(3);
        eventually(|| servers.accepted().len() == 3).await;
    })
    .await;
    assert_eq!(servers.accepted(), names(3..=5));
}

#[tokio::test]
async fn only_the_wanted_types_are_sent() {
    // (wanted types, types in the request, events that arrive of: created, updated, created, updated)
    let rows: &[(&[&str], &str, &[u32])] = &[
        (&["refund.created"], "&types%5B%5D=refund.created", &[1, 3]),
        (&["refund.*"], "", &[1, 2, 3, 4]),
        (&["charge.refunded", "refund.up*"], "", &[2, 4]),
    ];
    for (wanted, requested, arrives) in rows {
        let servers = Servers::start();
        let listener = listener(&servers.url, &servers.endpoint(), wanted, Certificates::Checked);
        while_listening(listener, async {
            eventually(|| !servers.requests().is_empty()).await;
            servers.create_events(4);
            eventually(|| servers.accepted().len() == arrives.len()).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        })
        .await;
        assert_eq!(servers.accepted(), names(arrives.iter().copied()), "{wanted:?}");
        assert_eq!(servers.requests()[0].query, format!("limit=1{requested}"));
    }
    let many: Vec<String> = (0..21).map(|number| format!("charge.{number}")).collect();
    assert_eq!(Selection(many[..20].to_vec()).types().len(), 20);
    assert!(Selection(many).types().is_empty(), "more types than Stripe accepts: filtered here");
}

#[tokio::test]
async fn an_event_that_is_refused_for_days_is_skipped() {
    let servers = Servers::start();
    servers.refuse("evt_1", &[500; 1000]);
    let listener = listener(&servers.url, &servers.endpoint(), &["*"], Certificates::Checked);
    let pace = Pace { give_up_seconds: 0, ..PACE };
    while_listening(Listener { pace, ..listener }, async {
        eventually(|| !servers.requests().is_empty()).await;
        servers.create_events(2);
        eventually(|| !servers.accepted().is_empty()).await;
    })
    .await;
    assert_eq!(servers.accepted(), names([2]));
}

#[tokio::test]
async fn a_rejected_key_ends_the_listener_and_is_not_shown() {
    let servers = Servers::start();
    let body = format!(r#"{{"error":{{"message":"Invalid API Key provided: {KEY}"}}}}"#);
    servers.answer_next(401, "", &body);
    let listener = listener(&servers.url, &servers.endpoint(), &["*"], Certificates::Checked);
    let failure = listener.run().await.to_string();
    assert!(failure.contains(" answered 401 Invalid API Key provided: sk_…"), "{failure}");
    assert!(!failure.contains(KEY), "{failure}");
}

#[test]
fn a_key_is_only_sent_encrypted_or_to_this_machine() {
    // (address, key, whether they are accepted)
    for (base, key, good) in [
        ("https://api.stripe.com", KEY, true),
        ("https://proxy.test/stripe/", KEY, true),
        ("http://127.0.0.1:12111", KEY, true),
        ("http://[::1]:12111", KEY, true),
        ("http://localhost:12111/", KEY, true),
        ("http://emulator:12111", "sk_test_emulator", true),
        ("http://emulator:12111", KEY, false),
        ("http://api.stripe.com", KEY, false),
        ("http://127.0.0.1.example.com", KEY, false),
        ("https://user:password@proxy.test", KEY, false),
        ("https://api.stripe.com", "", false),
        ("https://api.stripe.com", "rk_test_51Kept0Secret\r\nHost: x", false),
        ("api.stripe.com", KEY, false),
        ("file:///etc/passwd", KEY, false),
    ] {
        let made: Result<EventsApi, Failure> = EventsApi::new(base, key, &[], false);
        assert_eq!(made.is_ok(), good, "{base} {key}");
        let shown = made.err().map(|failure| failure.to_string()).unwrap_or_default();
        assert!(!shown.contains("Kept0"), "{shown}");
    }
}

#[tokio::test]
async fn the_certificate_of_an_endpoint_is_checked_by_default() {
    for (certificates, accepted) in [(Certificates::Checked, 0), (Certificates::Unchecked, 2)] {
        let servers = Servers::start();
        let endpoint = tls_endpoint(&servers).await;
        let listener = listener(&servers.url, &endpoint, &["*"], certificates);
        while_listening(listener, async {
            eventually(|| !servers.requests().is_empty()).await;
            servers.create_events(2);
            tokio::time::sleep(Duration::from_millis(300)).await;
        })
        .await;
        assert_eq!(servers.accepted().len(), accepted, "{certificates:?}");
    }
}

#[test]
fn the_waits_double_up_to_half_a_minute() {
    let api = EventsApi::new("https://api.stripe.com", KEY, &[], false).unwrap();
    let pace = Pace::towards(&api);
    let waits: Vec<u64> = (1..=8).map(|failures| pace.wait(failures).as_secs()).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);
    assert_eq!(pace.wait(u32::MAX).as_secs(), 30);
}

#[test]
fn an_event_is_shown_on_one_line_with_unchanged_strings() {
    let json = "{\n  \"a\": \"b \\\" c\\\\\",\r\n\t\"d\" : [ 1, 2.0 ],\n \"é \": null\n}";
    assert_eq!(one_line(json), r#"{"a":"b \" c\\","d":[1,2.0],"é ":null}"#);
}

#[test]
fn a_secret_is_created_once_and_readable_by_its_owner_only() {
    let folder = std::env::temp_dir().join(format!("faireplace-listen-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let database = format!("sqlite:{}", folder.join("books.db").display());
    let mut environment = Environment::default();
    environment.0.insert("DATABASE_URL".to_owned(), database);
    let find = |environment: &Environment| {
        let origin = secret::find(&Config::load(environment).unwrap()).unwrap();
        (origin.secret().expose().to_owned(), origin.greeting())
    };
    let (made, greeting) = find(&environment);
    assert_eq!(made.len(), "whsec_".len() + 64);
    assert_eq!(greeting, format!("Your webhook signing secret is {made}"));
    assert_eq!(find(&environment).0, made, "the same secret every time");
    let path = folder.join("books.db.listen-secret");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    environment.0.insert("STRIPE_WEBHOOK_SECRET".to_owned(), format!("{SECRET},whsec_0123456789abcdef"));
    let (named, greeting) = find(&environment);
    assert_eq!(named, SECRET, "the first of the list");
    assert!(!greeting.contains(SECRET), "an endpoint's own secret is not shown");
    std::fs::remove_dir_all(&folder).unwrap();
}
