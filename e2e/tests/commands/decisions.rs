//! Commands that change something, with and without a running service.

use e2e::deployment::Deployment;
use emulator::scenario::Scenario;

use crate::{OTHER_TENANT, Past, TENANT};

fn with_and_without_service(check: impl Fn(&Past)) {
    for running in [true, false] {
        println!("with a service: {running}");
        check(&Past::new(running));
    }
}

fn assert_rejected(past: &Past, command: &str, expected: &str) {
    let ended = past.deployment.run(command);
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stderr.contains(expected), "`{expected}` is not in:\n{ended}");
}

#[test]
fn a_resolved_payment_is_granted_once_and_recorded_with_the_reason() {
    with_and_without_service(|past| {
        let deployment = &past.deployment;
        let resolve = format!("quarantine resolve 2 --tenant {TENANT} --credits 10 --reason");
        let words: Vec<_> = resolve.split(' ').chain(["asked by phone"]).collect();
        let ended = deployment.start_words(&words).wait();
        assert_eq!(ended.code, Some(0), "{ended}");
        assert!(ended.stdout.contains("resolved: granted"), "{ended}");
        let balance = deployment.done(&format!("balance {TENANT}"));
        assert!(balance.starts_with("15 available"), "10 more than the 5 before:\n{balance}");
        let history = deployment.done(&format!("history {TENANT} --json"));
        let by = "erin (key operator on this machine)";
        assert!(history.contains("asked by phone") && history.contains(by), "{history}");
        let item = deployment.done("quarantine show 2");
        assert!(item.contains(&format!("by {by}: asked by phone")), "{item}");
        assert_rejected(past, "quarantine resolve 2 --reason again", "closed already");

        // Replayed events change nothing.
        deployment.done("events replay evt_sale2_paid_checkout_session_completed");
        past.with_service(|service| {
            service.settle();
            assert_eq!(service.balance(TENANT)["available"], 15);
        });
        assert!(deployment.done("audit verify").contains("the books add up"));
    });
}

#[test]
fn a_dismissed_payment_grants_nothing_and_is_closed() {
    with_and_without_service(|past| {
        let deployment = &past.deployment;
        let output = deployment.done("quarantine dismiss 3 --reason spam");
        assert!(output.contains("dismissed: no credits granted"), "{output}");
        // Events can be dismissed, too.
        deployment.done("quarantine dismiss 4 --reason rehearsal");
        let open = deployment.done("quarantine list");
        assert!(open.contains("pi_sale2") && !open.contains("pi_sale3"), "{open}");
        assert!(!open.contains("wrong_mode"), "{open}");
        let all = deployment.done("quarantine list --all");
        assert_eq!(all.matches("dismissed").count(), 2, "{all}");
        assert_rejected(past, "quarantine dismiss 3 --reason again", "closed already");
        assert_rejected(past, "quarantine dismiss 4 --reason again", "closed already");
    });
}

#[test]
fn an_event_whose_cause_remains_stays_in_quarantine() {
    with_and_without_service(|past| {
        let output = "applied again, and it still needs a person: ";
        assert_rejected(past, "quarantine resolve 1 --reason retry", output);
        let open = past.deployment.done("quarantine list");
        assert!(open.contains("unreadable"), "{open}");
    });
}

#[test]
fn an_event_whose_cause_was_fixed_is_applied() {
    let account = ("FAIREPLACE_STRIPE_ACCOUNT", "acct_1A2b3C");
    let wrong = Deployment::default().with(account.0, account.1);
    let service = wrong.serve();
    let event = &Scenario::Purchase.events(&crate::ten_credits("sale9", TENANT, false))[3];
    assert_eq!(service.deliver(&event.body), 200);
    service.settle();
    assert!(wrong.done("quarantine list").contains(&event.id));
    service.stop();
    let output = wrong.without(account.0).done("quarantine resolve 1 --reason mended");
    assert_eq!(output, "applied again: granted\n");
}

#[test]
fn a_revoked_machine_key_is_reported_with_its_file() {
    let deployment = Deployment::default();
    let _service = deployment.serve();
    let list = deployment.done("keys list");
    let id = list.lines().find_map(|line| line.split(' ').find(|word| word.starts_with("key_")));
    deployment.done(&format!("keys revoke {}", id.expect("the machine's key")));
    let ended = deployment.run("events list");
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stderr.contains("faireplace.db.operator-key is no longer valid"), "{ended}");
}

#[test]
fn a_backup_never_overwrites() {
    with_and_without_service(|past| {
        past.deployment.done("backup copy.db");
        let before = std::fs::read(past.deployment.path("copy.db")).expect("the backup exists");
        assert_rejected(past, "backup copy.db", "copy.db exists, and a backup never overwrites a file");
        assert_eq!(std::fs::read(past.deployment.path("copy.db")).ok(), Some(before));
        assert!(!past.deployment.path("copy.db.partial").exists());
    });
}

#[test]
fn a_replayed_event_changes_nothing() {
    with_and_without_service(|past| {
        let events = "evt_sale1_paid_checkout_session_completed evt_sale1_half_refunded_charge_refunded";
        let output = past.deployment.done(&format!("events replay {events}"));
        assert_eq!(output.matches(" will be applied again").count(), 2, "{output}");
        past.with_service(|service| {
            service.settle();
            assert_eq!(service.balance(TENANT)["available"], 5);
        });
        let history = past.deployment.done(&format!("history {TENANT}"));
        assert_eq!(history.lines().count(), 3, "a heading, granted, revoked:\n{history}");
    });
}

#[test]
fn a_key_works_until_it_is_revoked_and_sees_one_tenant() {
    with_and_without_service(|past| {
        let deployment = &past.deployment;
        let made = deployment.done(&format!("keys create product --tenant {TENANT} --json"));
        let made: serde_json::Value = serde_json::from_str(&made).expect("the output is JSON");
        let secret = made["data"]["secret"].as_str().expect("a secret");
        let id = made["data"]["key"]["id"].as_str().expect("an id");
        let shown = deployment.done("keys list");
        assert!(shown.contains(id) && shown.contains("credits:read"), "{shown}");
        assert!(!shown.contains(secret) && !deployment.done("keys list --json").contains(secret));

        past.with_service(|service| {
            let ask = |path: &str| service.ask("GET", path, Some(secret), "").status;
            assert_eq!(ask("/api/credits/balance"), 200);
            assert_eq!(ask(&format!("/api/credits/balance?tenant_id={OTHER_TENANT}")), 404);
            assert_eq!(ask("/api/admin/events"), 404, "admin routes are hidden from tenants");
        });
        let output = deployment.done(&format!("keys revoke {id}"));
        assert!(output.contains("it no longer works"), "{output}");
        past.with_service(|service| {
            assert_eq!(service.ask("GET", "/api/credits/balance", Some(secret), "").status, 401);
            assert_eq!(service.ask("GET", "/api/credits/balance", None, "").status, 401);
        });
        assert_rejected(past, &format!("keys revoke {id}"), "There is no such key that still works.");
    });
}

#[test]
fn an_operator_key_works_like_the_machines_key() {
    with_and_without_service(|past| {
        let made =
            past.deployment.done("keys create colleague --operator --expires 1 --alone --reason holidays");
        let secret = made.lines().next().expect("the first line is the secret");
        past.with_service(|service| {
            assert_eq!(service.ask("GET", "/api/admin/status", Some(secret), "").status, 200);
        });
    });
}

/// The first line of a command's output, which is a secret.
fn secret(deployment: &Deployment, command: &str) -> String {
    deployment.done(command).lines().next().expect("the first line is the secret").to_owned()
}

#[test]
fn two_people_may_give_more_than_one() {
    with_and_without_service(|past| {
        let deployment = &past.deployment;
        let give = format!("adjust give {TENANT} 5 --reason gift --once small");
        assert!(deployment.done(&give).contains("done: 5 credits given to"));
        assert!(deployment.done(&give).contains("done: 5 credits given to"), "the repeated command");
        let erin = secret(deployment, "keys create laptop --operator --alone --reason mine");
        let bob = secret(deployment, "people add bob --alone --reason second");
        let run_as = |key: &str, command: &str| {
            let words: Vec<_> = command.split(' ').collect();
            deployment.start_words_with(&words, "FAIREPLACE_OPERATOR_KEY", key).wait()
        };
        let large = format!("adjust give {TENANT} 101 --reason gift --once large");
        assert_rejected(past, &large, "This key acts for no registered person.");
        let waiting = run_as(&erin, &large);
        assert!(waiting.stdout.contains("Nothing has changed yet."), "{waiting}");
        let approve = waiting.stdout.lines().last().expect("a recommended command").trim().to_owned();
        let approve = approve.strip_prefix("faireplace ").expect("a command");
        let own = run_as(&erin, approve);
        assert!(own.code == Some(1) && own.stderr.contains("You requested this yourself"), "{own}");
        let eve = run_as(&erin, "people add eve --reason third");
        assert!(eve.stdout.contains("waiting: eve registered."), "{eve}");
        let done = run_as(&bob, approve);
        assert_eq!(done.code, Some(0), "{done}");
        assert!(done.stdout.contains("done: 101 credits given to"), "{done}");
        let balance = deployment.done(&format!("balance {TENANT}"));
        assert!(balance.starts_with("111 available"), "5 + 5 + 101:\n{balance}");
        let list = deployment.done("actions list");
        assert!(list.contains("done, bob") && list.contains("done alone"), "{list}");
        assert!(!list.contains(&bob));
        let report = deployment.done("report actions");
        assert!(report.contains("person-add") && report.contains("erin"), "{report}");
        assert!(deployment.done("audit verify").contains("the books add up"));
    });
}

/// Neither many small adjustments nor a quarantine item can exceed the limit of one person.
#[test]
fn the_limit_of_one_person_holds_on_every_path() {
    with_and_without_service(|past| {
        let give = |number: u32| {
            past.deployment.run(&format!("adjust give {TENANT} 49 --reason part --once part-{number}"))
        };
        let done = (0..20).filter(|number| give(*number).code == Some(0)).count();
        assert_eq!(done, 2, "98 of 100 credits");
        let grant = format!("quarantine resolve 2 --tenant {TENANT} --credits 1000000 --reason goodwill");
        assert_rejected(past, &grant, "This needs a second person, and nobody else is registered.");
        let alone = past.deployment.done(&format!("{grant} --alone"));
        assert!(alone.contains("gave 1000000 credits"), "{alone}");
        let report = past.deployment.done("report actions");
        assert!(report.contains("quarantine-resolve"), "{report}");
    });
}

#[test]
fn lost_people_are_replaced_while_the_service_is_stopped() {
    let past = Past::new(true);
    let recover = "keys recover --lost erin --name frank --reason lost";
    assert_rejected(&past, recover, "stop that one");
    let past = Past { service: None, ..Past::new(false) };
    let deployment = &past.deployment;
    assert_rejected(
        &past,
        "keys recover --lost grace --name frank --reason lost",
        "no such registered person",
    );
    let frank = secret(deployment, recover);
    let people = deployment.done("people list");
    assert!(people.contains("frank") && !people.contains("erin"), "{people}");
    assert!(deployment.done("people list --all").contains("erin"));
    let report = deployment.done("report actions");
    assert!(report.contains("frank") && report.contains("recovery"), "{report}");
    let words = ["adjust", "give", TENANT, "5", "--reason", "gift"];
    let done = deployment.start_words_with(&words, "FAIREPLACE_OPERATOR_KEY", &frank).wait();
    assert_eq!(done.code, Some(0), "{done}");
    assert!(deployment.done("actions list").contains("frank"));
}

#[test]
fn operators_cannot_spend_and_service_keys_cannot_administer() {
    let past = Past::new(true);
    let backend = secret(&past.deployment, "keys create backend --service --alone --reason shop");
    past.with_service(|service| {
        let spend = format!("/api/credits/spend?tenant_id={TENANT}");
        let body = r#"{"credits":1}"#;
        let operator = service.command(&spend, &service.operator_key, "k", body);
        assert_eq!(operator.status, 403, "{operator:?}");
        assert!(operator.body.contains("a service key"), "{operator:?}");
        assert_eq!(service.command(&spend, &backend, "k", body).status, 200);
        for (method, path) in
            [("GET", "status"), ("GET", "actions"), ("POST", "adjustments"), ("POST", "keys")]
        {
            let answer = service.ask(method, &format!("/api/admin/{path}"), Some(&backend), "{}");
            assert_eq!(answer.status, 404, "{answer:?}");
        }
    });
}

#[test]
fn a_new_machine_key_is_created_after_the_old_one_was_rotated() {
    let past = Past::new(false);
    let deployment = &past.deployment;
    let rotate = |hours: u32| {
        let keys: serde_json::Value = serde_json::from_str(&deployment.done("keys list --json")).unwrap();
        let rows = keys["data"].as_array().unwrap();
        let ours = rows.iter().rfind(|key| key["name"] == "operator on this machine").unwrap();
        let id = ours["id"].as_str().unwrap();
        deployment.done(&format!("keys rotate {id} --grace-period {hours}"));
    };
    rotate(0);
    assert!(deployment.done("keys list").contains("operator on this machine"), "without a running service");
    rotate(0);
    let service = deployment.serve();
    assert!(deployment.done(&format!("balance {TENANT}")).contains("available"), "with a running service");
    assert_eq!(service.stop().code, Some(0));
}
