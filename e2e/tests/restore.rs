//! Restoring backups with the real program: until an operator confirms the restore, events are stored and
//! nothing else changes; afterwards they are applied, once.

use std::fs;

use e2e::deployment::Deployment;
use e2e::sale::{TENANT, paid};
use e2e::service::Service;
use serde_json::{Value, json};

fn buy(service: &Service, reference: &str) {
    assert_eq!(service.deliver(&paid(reference)), 200, "{reference}");
}

/// Available and held credits.
fn balance(service: &Service) -> [i64; 2] {
    let balance = service.balance(TENANT);
    ["available", "held"].map(|name| balance[name].as_i64().expect("a number"))
}

fn health(service: &Service) -> Value {
    let health = service.get("/api/health")["data"].clone();
    json!([health["status"], health["reasons"], health["pending"]])
}

/// Waits until a condition is true; `what` describes it.
fn until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if condition() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("timeout: {what}");
}

fn spend(service: &Service, key: &str, name: &str) -> (u16, Value) {
    let path = format!("/api/credits/spend?tenant_id={TENANT}");
    let answer = service.command(&path, key, name, r#"{"credits":1}"#);
    (answer.status, answer.json()["error"]["type"].clone())
}

#[test]
fn a_restored_backup_continues_after_it_is_confirmed() {
    let deployment = Deployment::default();
    let service = deployment.serve();
    buy(&service, "first");
    service.settle();
    let (backend, lost) = (service.service_key(), service.service_key());
    let path = format!("/api/credits/holds?tenant_id={TENANT}");
    let hold = service.command(&path, &backend, "hold", r#"{"credits":4,"expires_in_seconds":3600}"#);
    assert_eq!(hold.status, 201, "{}", hold.body);
    deployment.done("backup monday.db");

    // After the backup: a second purchase, a captured hold, and a revoked key.
    buy(&service, "second");
    service.settle();
    let id = hold.json()["data"]["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/credits/holds/{id}/capture?tenant_id={TENANT}");
    assert_eq!(service.command(&path, &backend, "capture", "{}").status, 200);
    let keys = service.get("/api/admin/keys")["data"].clone();
    let rows = keys.as_array().expect("a list");
    let last = rows.iter().rfind(|row| row["kind"] == "service").expect("the key was created");
    let last = last["id"].as_str().expect("an id").to_owned();
    deployment.done(&format!("keys revoke {last}"));
    assert_eq!(spend(&service, &lost, "stolen").0, 401);
    assert_eq!(balance(&service), [16, 0]);

    let refused = deployment.run("restore monday.db");
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("stop that one"), "{refused}");
    service.stop();
    let screen = deployment.done("restore monday.db");
    assert!(screen.contains("faireplace.db is restored from monday.db"), "{screen}");
    assert!(screen.contains("1 key that was revoked or had expired works again"), "{screen}");
    assert!(screen.contains("faireplace restore --confirm --reason WHY"), "{screen}");

    let service = deployment.serve();
    assert!(service.log().contains("is not confirmed"), "{}", service.log());
    for _ in 0..2 {
        buy(&service, "third");
    }
    assert_unconfirmed(&deployment, &service, &backend, &last);
    // The same after a kill.
    service.kill();
    let service = deployment.serve();
    assert_unconfirmed(&deployment, &service, &backend, &last);
    confirming_needs_the_number_of_keys_that_work_again(&deployment, &last);
    deployment.done(&format!("keys revoke {last}"));
    assert_eq!(spend(&service, &lost, "stolen again").0, 401);

    let refused = deployment.run("restore --confirm");
    assert_eq!(refused.code, Some(2), "a reason is missing: {refused}");
    let words = ["restore", "--confirm", "--reason", "the disk failed"];
    let confirmed = deployment.start_words(&words).wait();
    assert_eq!(confirmed.code, Some(0), "{confirmed}");
    until("stored events are applied", || balance(&service) == [16, 4]);
    assert_eq!(health(&service), json!(["ok", [], 0]));
    assert_eq!(spend(&service, &backend, "frozen").0, 200, "the rejected answer was stored under its key");
    // An event that was acknowledged after the backup is sent again by hand.
    buy(&service, "second");
    until("the event is applied once", || balance(&service) == [25, 4]);
    assert!(deployment.done("report actions").contains("restore-confirm"));
    let action = confirmed
        .stdout
        .split_whitespace()
        .find(|word| word.starts_with("act_"))
        .expect("the id of the action is printed");
    assert!(
        deployment.done(&format!("actions show {action}")).contains("the restore of monday.db confirmed")
    );
    assert!(deployment.done("audit verify").contains("the books add up"));
    service.stop();
    // The same without a running service.
    deployment.done("restore monday.db");
    assert!(deployment.done("restore").contains("restore --confirm --keys 1 --reason WHY"));
    let words = [&words[..], &["--keys", "1"]].concat();
    let confirmed = deployment.start_words(&words).wait();
    assert_eq!(confirmed.code, Some(0), "{confirmed}");
    assert_eq!(balance(&deployment.serve()), [6, 4]);
}

/// Without the number of keys that work again, or with a wrong number, the keys are listed and the restore is
/// not confirmed.
fn confirming_needs_the_number_of_keys_that_work_again(deployment: &Deployment, key: &str) {
    let words = ["restore", "--confirm", "--reason", "the disk failed"];
    for (keys, message) in [
        (&[][..], "1 key works again, and nothing was confirmed"),
        (&["--keys", "3"], "1 of the backup's keys work again"),
    ] {
        let refused = deployment.start_words(&[&words[..], keys].concat()).wait();
        assert_eq!(refused.code, Some(1), "{refused}");
        assert!(refused.stderr.contains(message), "{refused}");
        assert!(refused.stdout.contains(&format!("faireplace keys revoke {key}")), "{refused}");
        assert!(deployment.done("restore").contains("not confirmed: no credits move"), "{refused}");
    }
}

fn assert_unconfirmed(deployment: &Deployment, service: &Service, backend: &str, revoked: &str) {
    assert_eq!(health(service), json!(["degraded", ["restore_unconfirmed"], 1]));
    assert_eq!(balance(service), [6, 4], "as in the backup");
    assert_eq!(spend(service, backend, "frozen"), (503, json!("RESTORE_UNCONFIRMED")));
    let screen = deployment.done("restore");
    assert!(screen.contains("stored since     1 event"), "{screen}");
    assert!(screen.contains(&format!("faireplace keys revoke {revoked}")), "{screen}");
    let doctor = deployment.run("doctor");
    assert_eq!(doctor.code, Some(1), "{doctor}");
    assert!(doctor.stdout.contains("restored from a backup"), "{doctor}");
}

#[test]
fn an_unusable_backup_changes_nothing() {
    let deployment = Deployment::default();
    let service = deployment.serve();
    buy(&service, "first");
    service.settle();
    deployment.done("backup good.db");
    service.stop();
    let good = fs::read(deployment.path("good.db")).expect("the backup exists");
    let mut torn = good.clone();
    let half = torn.len() / 2;
    torn[half..].fill(0xff);
    fs::write(deployment.path("torn.db"), torn).expect("the folder is writable");
    fs::write(deployment.path("short.db"), &good[..good.len() / 3]).expect("the folder is writable");
    fs::write(deployment.path("notes.txt"), "not a database").expect("the folder is writable");
    let before = fs::read(deployment.path("faireplace.db")).expect("the file exists");
    for (name, words) in [
        ("torn.db", "is damaged, so nothing was changed"),
        ("short.db", "is damaged, so nothing was changed"),
        ("notes.txt", "is not a database of this program, so nothing was changed"),
        ("nowhere.db", "cannot be restored, and nothing was changed"),
        ("faireplace.db", "is the database itself, so nothing was changed"),
    ] {
        let refused = deployment.run(&format!("restore {name}"));
        assert_eq!(refused.code, Some(1), "{refused}");
        assert!(refused.stderr.contains(words), "{refused}");
        assert!(fs::read(deployment.path("faireplace.db")).expect("the file exists") == before, "{refused}");
    }
    // A backup of the other mode.
    let refused = deployment.start_words_with(&["restore", "good.db"], "FAIREPLACE_MODE", "live").wait();
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("is of test mode, and this deployment is of live mode"), "{refused}");
    assert_eq!(balance(&deployment.serve()), [10, 0]);
}

#[test]
fn a_rescued_database_is_restored_completely() {
    let deployment = Deployment::default();
    let service = deployment.serve();
    buy(&service, "first");
    service.settle();
    fs::remove_file(deployment.path("faireplace.db")).expect("the file exists");
    let ended = service.stop();
    assert_eq!(ended.code, Some(74), "{ended}");
    // Runs the command that the message recommends.
    let (_, rest) = ended.stderr.split_once("run `faireplace ").expect("a command is recommended");
    deployment.done(rest.split('`').next().expect("the quote is closed"));
    let service = deployment.serve();
    assert_eq!(balance(&service), [10, 0]);
    let words = ["restore", "--confirm", "--reason", "it was removed by mistake"];
    assert_eq!(deployment.start_words(&words).wait().code, Some(0));
    buy(&service, "second");
    service.settle();
    assert_eq!(balance(&service), [20, 0]);
}

/// The locks of a running service prevent a restore even if its lock file was deleted.
#[cfg(target_os = "linux")]
#[test]
fn a_database_in_use_is_not_replaced() {
    let deployment = Deployment::default();
    let service = deployment.serve();
    buy(&service, "first");
    deployment.done("backup copy.db");
    fs::remove_file(deployment.path("faireplace.db.lock")).expect("the file exists");
    let refused = deployment.run("restore copy.db");
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(refused.stderr.contains("is in use by another process"), "{refused}");
    buy(&service, "second");
    service.settle();
    assert_eq!(balance(&service), [20, 0]);
}

/// A killed restore leaves the old database, the new one, or a state in which no service starts.
#[test]
fn a_killed_restore_loses_nothing_and_can_be_repeated() {
    let suffixes =
        [".restore-check.partial", ".restore-check", ".restore-check-wal", ".restoring", ".replaced-"];
    for (round, suffix) in suffixes.iter().cycle().take(15).enumerate() {
        let deployment = Deployment::default();
        let service = deployment.serve();
        deployment.done("backup copy.db");
        buy(&service, "first");
        service.settle();
        // Killed, so that its last commits are only in the write-ahead log.
        service.kill();
        let running = deployment.start("restore copy.db");
        let names = || {
            let names = fs::read_dir(deployment.folder()).expect("our own folder").filter_map(Result::ok);
            names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        let name = format!("faireplace.db{suffix}");
        let killed = running.wait_for(|_| names().iter().any(|found| found.starts_with(&name)).then_some(()));
        let ended = killed.map_or_else(|ended| ended, |(running, ())| running.kill());
        let exists = deployment.path("faireplace.db").exists();
        if !exists {
            let refused = deployment.run("serve");
            assert_eq!(refused.code, Some(78), "round {round}, {:?}: {ended}\n{refused}", names());
        } else if !names().iter().any(|name| name.contains(".replaced-")) {
            let balance = deployment.done(&format!("balance {TENANT} --json"));
            assert!(balance.contains("\"available\": 10"), "round {round}, {:?}: {balance}", names());
        }
        deployment.done("restore copy.db");
        let mut replaced = names();
        replaced.retain(|name| name.contains(".replaced-") && name.ends_with('Z'));
        let is_complete = |name: &String| {
            let (words, url) = (["balance", TENANT, "--json"], format!("sqlite:{name}"));
            let ended = deployment.start_words_with(&words, "DATABASE_URL", &url).wait();
            ended.stdout.contains("\"available\": 10")
        };
        assert!(replaced.iter().any(is_complete), "round {round}, {:?}: {ended}", names());
        let left = names().into_iter().filter(|name| name.contains(".restor")).collect::<Vec<_>>();
        assert!(left.is_empty(), "round {round}: {left:?}");
    }
}
