//! `dev` and `trigger`: what a newcomer sees first, and every scenario in any order and number of deliveries.
//!
//! Not here: whether the events look like Stripe's (`crates/emulator`).

use std::io::{Read, Write};

use e2e::deployment::Deployment;
use e2e::process::Ended;
use e2e::service::Service;

/// The sample payload of FairePlace's webhook guide, as it stands there.
const GUIDE: &str = include_str!("../../crates/stripe/tests/fixtures/guide-sample.json");
const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";
const STORIES: [&str; 8] = [
    "purchase",
    "partial-refund",
    "pending-refund",
    "failed-refund",
    "dispute-won",
    "dispute-lost",
    "async",
    "declined",
];
const SEEDS: u64 = 12;

/// `dev` in a fresh folder, on a port of its own.
fn dev() -> (Deployment, Service) {
    let deployment = Deployment::empty().with("FAIREPLACE_LISTEN", "127.0.0.1:0");
    let service = deployment.dev();
    (deployment, service)
}

/// `trigger --to` an endpoint: it sends the events itself, without the emulator of `dev`.
fn sent(service: &Service, arguments: &str) -> String {
    format!("trigger {arguments} --to {}/webhooks/stripe", service.url())
}

/// What stands behind the first `before` in `text`, to the end of its line.
fn after<'t>(text: &'t str, before: &str) -> &'t str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no `{before}` in:\n{text}"));
    rest.lines().next().unwrap_or_default()
}

#[test]
fn the_first_screen_shows_the_main_job_done_and_what_it_says_to_paste_works() {
    let (deployment, service) = dev();
    let screen = service.screen();
    println!("{screen}");
    assert!(screen.contains("balance 0 → 10 credits"), "{screen}");
    looks_like_stripe_listen(&screen, &service);
    assert_eq!(service.log(), "", "nothing is odd about a first start");

    let program = format!("  {} ", e2e::program().display());
    let pasted = |command: &str| format!("{command}{}", after(&screen, &format!("{program}{command}")));
    let told = deployment.done(&pasted("trigger"));
    assert!(told.starts_with("Sent by the emulator at http://127.0.0.1:"), "{told}");
    assert!(told.contains("  --> charge.refunded × 3 [evt_") && told.contains("as expected: 5"), "{told}");
    let history = deployment.done(&pasted("history"));
    assert!(history.contains("granted") && history.contains("revoked"), "{history}");

    // The two `curl`s, with the variables of the line above them.
    let key = after(&screen, "FAIREPLACE_KEY=");
    assert!(screen.contains(&format!("export FAIREPLACE_URL={} ", service.url())), "{screen}");
    let balance = after(&screen, "  curl -H \"Authorization: Bearer $FAIREPLACE_KEY\" $FAIREPLACE_URL");
    let answer = service.ask("GET", balance, Some(key), "");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["data"]["available"], 15, "{answer:?}");
    let spend = after(&screen, "       -d '");
    let (body, spend) = spend.split_once("' $FAIREPLACE_URL").expect("a body and an address");
    let command = after(&screen, "-H 'Idempotency-Key: ").trim_end_matches("' \\");
    for _ in 0..2 {
        let answer = service.command(spend, key, command, body);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["data"]["balance_after"]["available"], 14, "{answer:?}");
    }
    assert!(screen.contains(&format!("stripe listen --forward-to {}/webhooks/stripe", service.url())));

    let ended = service.stop();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert!(ended.stdout.ends_with("Stopped; all data is on disk.\n"), "{ended}");
    let again = deployment.dev();
    assert!(again.screen().contains("A demo tenant buys another 10_credits."), "{}", again.screen());
    assert!(again.screen().contains("balance 14 → 24 credits"), "{}", again.screen());
    assert_eq!(again.ask("GET", balance, Some(key), "").status, 200, "yesterday's key still works");
}

#[test]
fn a_first_purchase_that_the_settings_refuse_is_not_called_a_success() {
    let catalogue = "[[packages]]\nname = \"10_credits\"\ncredits = 10\nprice = 1\ncurrency = \"usd\"\n";
    let deployment =
        Deployment::empty().with("FAIREPLACE_LISTEN", "127.0.0.1:0").with_file("faireplace.toml", catalogue);
    let screen = deployment.dev().screen();
    assert!(screen.contains("✗ balance 0 → 0 credits") && screen.contains("quarantine list"), "{screen}");
    assert!(!screen.contains('✓'), "{screen}");
}

/// One line out, one line back, as `stripe listen` prints them.
fn looks_like_stripe_listen(screen: &str, service: &Service) {
    let (mut sent, mut answered) = (Vec::new(), Vec::new());
    for line in screen.lines().filter(|line| line.starts_with("20")) {
        let (stamp, rest) = line.split_at("2026-01-01 00:00:00".len());
        assert!(stamp.bytes().all(|b| b.is_ascii_digit() || b"- :".contains(&b)), "{line}");
        let back = format!("  <--  [200] POST {}/webhooks/stripe [", service.url());
        match (rest.strip_prefix("   --> "), rest.strip_prefix(&back)) {
            (Some(out), None) => {
                let (kind, id) = out.split_once(" [").unwrap_or_else(|| panic!("{line}"));
                assert!(id.starts_with("evt_") && kind.contains('.'), "{line}");
                sent.push(id);
            }
            (None, Some(id)) => answered.push(id),
            _ => panic!("neither sent nor answered: {line}"),
        }
    }
    assert!(!sent.is_empty() && sent == answered, "every event is answered:\n{screen}");
}

#[test]
fn every_story_ends_as_expected_in_any_order_and_however_often_it_is_told() {
    let (deployment, service) = dev();
    for story in STORIES {
        for seed in 0..SEEDS {
            let told = deployment.done(&format!("trigger --story {story} --times 3 --shuffle --seed {seed}"));
            assert!(told.contains("✓ as expected: "), "{told}");
        }
    }
    // The same without the emulator of `dev`.
    for story in STORIES {
        let told = deployment.done(&sent(&service, &format!("--story {story} --times 3 --shuffle")));
        assert!(told.contains("✓ as expected: "), "{told}");
    }
    // From the first screen, and 13 of each: 10 + 5 + 0 + 10 + 10 + 0 + 10 + 0.
    let expected = 10 + 13 * 45;
    assert_eq!(service.balance(TENANT)["available"], expected);
    let audit = deployment.done("audit verify");
    assert!(audit.contains("the books add up"), "{audit}");
}

/// Half of 140.00 is 2.5 of 5 credits: 2 or 3 are taken back, as the deployment rounds.
#[test]
fn a_partial_refund_ends_as_the_rounding_of_the_deployment_says() {
    for (rounding, left) in [("floor", 3), ("ceil", 2)] {
        let deployment = Deployment::empty()
            .with("FAIREPLACE_LISTEN", "127.0.0.1:0")
            .with("FAIREPLACE_REFUND_ROUNDING", rounding);
        let service = deployment.dev();
        let story = "--story partial-refund --package 5_credits";
        for command in [format!("trigger {story}"), sent(&service, story)] {
            let told = deployment.done(&command);
            assert!(told.contains(&format!("worth {left} spendable credits")), "{rounding}: {told}");
            assert!(told.contains(&format!("✓ as expected: {left}")), "{rounding}: {told}");
        }
    }
}

/// The expected result is not taken from the service: a wrong one is reported.
#[test]
fn a_result_that_is_not_the_expected_one_is_reported() {
    let (deployment, service) = dev();
    let paid = deployment.done(&sent(&service, "--story purchase --payment once"));
    assert!(paid.contains("✓ as expected: 10"), "{paid}");
    let refunded = deployment.done(&sent(&service, "charge.refunded --payment once --amount 12500"));
    assert!(refunded.contains("worth 5 spendable credits"), "{refunded}");
    let ended = deployment.run(&sent(&service, "--story purchase --payment once"));
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stdout.contains("✗ expected 10"), "{ended}");
}

#[test]
fn the_same_seed_tells_in_the_same_order_and_another_in_another() {
    let (deployment, service) = dev();
    let order = |seed: u32| {
        let arguments = format!("--story dispute-won --payment same --shuffle --seed {seed}");
        let told = deployment.done(&sent(&service, &arguments));
        let sent = |line: &str| Some(line.split_once("--> ")?.1.to_owned());
        told.lines().filter_map(sent).collect::<Vec<_>>()
    };
    assert_eq!(order(1), order(1));
    assert_ne!(order(1), order(2));
}

#[test]
fn every_event_of_the_list_is_accepted() {
    let (deployment, service) = dev();
    let list = deployment.done("trigger --list");
    let (stories, events) = list.split_once("events\n").expect("two parts");
    assert!(STORIES.iter().all(|story| stories.contains(story)), "{list}");
    assert!(events.lines().count() >= 30, "{list}");
    for event in events.lines().map(str::trim) {
        let told = deployment.done(&sent(&service, event));
        looks_like_stripe_listen(&told, &service);
        assert!(told.contains(&format!("   --> {event} [evt_")), "{told}");
    }
    // And once more by the emulator, as far as it can make them come about.
    for event in events.lines().map(str::trim) {
        let told = deployment.done(&format!("trigger {event}"));
        assert!(told.contains(&format!("--> {event} [evt_")), "{told}");
    }
    assert_eq!(service.get("/api/admin/status")["data"]["quarantined"], 0);
}

#[test]
fn what_is_made_up_agrees_with_the_packages_that_dev_sells() {
    let (deployment, service) = dev();
    let mut expected = 10;
    // The list price, with tax on top, and with a discount; each package; and somebody else.
    for (words, credits) in [
        ("--amount 25000", 10),
        ("--amount 29750", 10),
        ("--amount 12500", 10),
        ("--package 1_credit", 1),
        ("--package 5_credits", 5),
        ("--package 25_credits", 25),
        ("--package 50_credits", 50),
        ("--tenant 650e8400-e29b-41d4-a716-446655440000", 0),
    ] {
        for event in ["checkout.session.completed", "checkout.session.async_payment_succeeded"] {
            let told = deployment.done(&sent(&service, &format!("{event} {words}")));
            assert!(told.contains(": paid, worth "), "{words}: {told}");
            expected += credits;
        }
        deployment.done(&format!("trigger checkout.session.completed {words}"));
        expected += credits;
    }
    let dev = std::fs::read_to_string(deployment.path("faireplace.db.dev.json")).expect("dev keeps it");
    let dev: serde_json::Value = serde_json::from_str(&dev).expect("JSON");
    let secret = dev["webhook_secret"].as_str().expect("a secret");
    assert_eq!(service.deliver_signed(GUIDE, secret).status, 200, "the sample of the guide");
    service.settle();
    assert_eq!(service.balance(TENANT)["available"], expected + 10);
    assert_eq!(service.get("/api/admin/status")["data"]["quarantined"], 0);
}

#[test]
fn partial_refunds_add_up_whichever_is_heard_of_first() {
    let (deployment, service) = dev();
    // 250.00 for 10 credits; Stripe says how much was refunded so far. 140.00 of it is 5 credits and a part.
    for (payment, refunds) in [("r1", ["7000", "14000"]), ("r2", ["14000", "7000"])] {
        let told =
            deployment.done(&sent(&service, &format!("checkout.session.completed --payment {payment}")));
        assert!(told.contains(": paid, worth 10 spendable credits"), "{told}");
        let told = deployment.done(&sent(&service, &format!("charge.succeeded --payment {payment}")));
        assert!(told.contains(": final, worth 10 spendable credits"), "{told}");
        for (refunded, worth) in refunds.iter().zip([if payment == "r1" { 8 } else { 5 }, 5]) {
            let refund = format!("charge.refunded --payment {payment} --amount {refunded}");
            let told = deployment.done(&sent(&service, &refund));
            let expected = format!("payment pi_{payment}: partly_refunded, worth {worth} spendable credits");
            assert!(told.contains(&expected), "{expected}, not:\n{told}");
        }
        let told = deployment.done(&sent(&service, &format!("charge.refunded --payment {payment}")));
        assert!(told.contains(": refunded, worth 0 spendable credits"), "{told}");
    }
}

#[test]
fn the_same_word_is_the_same_payment_at_the_emulator() {
    let (deployment, _service) = dev();
    let tell = |command: &str| deployment.done(&format!("trigger {command} --payment r1"));
    assert!(tell("checkout.session.completed").contains(": final, worth 10 spendable credits"));
    // 250.00 for 10 credits: 70.00 is 2 credits and a part.
    assert!(tell("charge.refunded --amount 7000").contains(": partly_refunded, worth 8 spendable credits"));
    assert!(tell("charge.refunded --amount 7000").contains(": partly_refunded, worth 5 spendable credits"));
    assert!(tell("charge.dispute.closed").contains(": dispute_lost, worth 0 spendable credits"));
    let refused = deployment.run("trigger charge.refunded --payment r1");
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("the emulator answered 400"), "{refused}");
}

#[test]
fn what_the_emulator_does_not_send_is_no_success() {
    let (deployment, service) = dev();
    let screen = service.screen();
    let address = after(&screen, "Stripe emulator at http://").parse().expect("an address");
    let url = format!("{}/webhooks/stripe", service.url());
    let ask = |method: &str, path: &str, body: &str| {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer sk_test_emulator\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        );
        let mut stream = std::net::TcpStream::connect::<std::net::SocketAddr>(address).expect("it listens");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    };
    let listed = ask("GET", "/v1/webhook_endpoints", "");
    assert!(listed.contains(&url), "{listed}");
    let (_, id) = listed.split_once("\"id\": \"").expect("an endpoint");
    let id = id.split('"').next().expect("its id");
    let answer = ask("POST", &format!("/v1/webhook_endpoints/{id}"), "disabled=true");
    assert!(answer.contains("\"status\": \"disabled\""), "{answer}");
    let ended = deployment.run("trigger --story purchase");
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stderr.contains("its endpoint is disabled"), "{ended}");
}

#[test]
fn what_cannot_be_triggered_says_why() {
    let (deployment, service) = dev();
    let check = |command: &str, code: i32, expected: &str| {
        let ended: Ended = deployment.run(command);
        assert_eq!(ended.code, Some(code), "{ended}");
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains(expected), "`{expected}` is not in:\n{ended}");
    };
    check("trigger charge.refundd", 1, "near it are charge.refunded");
    check("trigger --story nope", 1, "there are purchase, partial-refund");
    check("trigger charge.refunded --package 3_credits", 1, "there are 1_credit");
    check("trigger charge.refunded --tenant me", 2, "a UUID");
    check("trigger charge.refunded --payment a/b", 1, "letters, digits and underscores");
    check("trigger charge.refunded --to ftp://x/y", 1, "plain http");
    check("trigger charge.refunded --to http://127.0.0.1:1/", 1, "[ERROR] Failed to POST: nothing listens");
    // What the report names can be asked for.
    let declined = deployment.done(&sent(&service, "--story declined --payment no1"));
    assert!(declined.contains("payment cs_test_no1: "), "{declined}");
    let url = service.url();
    let own = deployment.done(&format!("trigger --story purchase --to {url}/webhooks/stripe"));
    assert!(own.contains("as expected: 10"), "{own}");
    check("trigger", 2, "<EVENT>");
    check("trigger charge.refunded --times 0", 2, "--times");
    check("trigger charge.refunded --seed 1", 2, "--shuffle");
    check("trigger charge.refunded --story async", 2, "cannot be used with");
    let elsewhere = Deployment::empty().run("trigger charge.refunded");
    assert_eq!(elsewhere.code, Some(78), "{elsewhere}");
    assert!(elsewhere.stderr.contains("there is no secret to sign with"), "{elsewhere}");
}

#[test]
fn a_live_deployment_books_nothing_made_up_unless_it_is_told_to() {
    let deployment = Deployment::default().without("FAIREPLACE_MODE");
    let service = deployment.serve();
    let story = "trigger --story purchase";
    for deployment in [&deployment, &Deployment::default().with("FAIREPLACE_MODE", "live")] {
        let ended = deployment.run(story);
        assert_eq!(ended.code, Some(1), "{ended}");
        assert!(ended.stderr.contains("would book real credits: nothing was sent"), "{ended}");
        assert!(ended.stderr.contains("--live") && ended.stdout.is_empty(), "{ended}");
    }
    assert_eq!(service.get("/api/admin/status")["data"]["events"], 0);

    // From a folder that knows nothing of it, it is sent test events, and those wait for a person.
    let elsewhere = Deployment::default().without("FAIREPLACE_MODE");
    let to = format!("--to {}/webhooks/stripe", service.url());
    elsewhere.done(&format!("{story} {to}"));
    service.settle();
    assert_eq!(service.balance(TENANT)["available"], 0);
    let told = deployment.done(&format!("{story} --live --payment real"));
    assert!(told.contains("worth 10 spendable credits"), "{told}");
    assert_eq!(service.balance(TENANT)["available"], 10);
}
