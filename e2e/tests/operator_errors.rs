//! Mistakes of operators with the database file. Nothing is acknowledged into a file that is lost, and the
//! program reports what happened and what to do.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use e2e::deployment::Deployment;
use e2e::process::Ended;
use e2e::sale::{TENANT, paid};
use e2e::service::Service;

fn buy(service: &Service, reference: &str) -> u16 {
    service.deliver(&paid(reference))
}

/// A service with two acknowledged purchases.
fn serving() -> (Deployment, Service) {
    let deployment = Deployment::default();
    let service = deployment.serve();
    for reference in ["first", "second"] {
        assert_eq!(buy(&service, reference), 200);
    }
    service.settle();
    (deployment, service)
}

/// Checks that the next delivery is not acknowledged and ends the service.
fn ends_at_next_delivery(service: Service) -> Ended {
    assert_eq!(buy(&service, "third"), 503);
    let ended = service.wait();
    assert_eq!(ended.code, Some(74), "{ended}");
    assert!(!ended.stderr.contains("everything that was acknowledged is on disk"), "{ended}");
    ended
}

/// The rescued copy of the database, after checking that it has everything that was acknowledged.
fn rescued(deployment: &Deployment, ended: &Ended) -> PathBuf {
    let names = fs::read_dir(deployment.folder())
        .expect("the folder is readable")
        .map(|entry| entry.expect("the folder is readable"));
    let copies: Vec<_> = names.filter(|e| e.file_name().to_string_lossy().contains(".rescued-")).collect();
    let [copy] = &copies[..] else { panic!("{} rescued copies\n{ended}", copies.len()) };
    let name = copy.file_name().into_string().expect("the name is UTF-8");
    assert!(ended.stderr.contains(&format!("`faireplace restore {name}`")), "{ended}");
    assert_eq!(balance_in(deployment, &name), 20);
    copy.path()
}

fn balance_in(deployment: &Deployment, database: &str) -> i64 {
    let url = format!("sqlite:{database}");
    let words = ["balance", TENANT, "--json"];
    let ended = deployment.start_words_with(&words, "DATABASE_URL", &url).wait();
    assert_eq!(ended.code, Some(0), "{ended}");
    let answer: serde_json::Value = serde_json::from_str(&ended.stdout).expect("the output is JSON");
    answer["data"]["available"].as_i64().unwrap_or_else(|| panic!("{answer}"))
}

#[test]
fn a_backup_copied_over_the_database_beside_its_old_log_is_refused() {
    let (deployment, service) = serving();
    deployment.done("backup copy.db");
    assert_eq!(buy(&service, "third"), 200);
    service.kill();
    fs::copy(deployment.path("copy.db"), deployment.path("faireplace.db")).expect("both files exist");
    let files = || ["", "-wal"].map(|end| fs::read(deployment.path(&format!("faireplace.db{end}"))).unwrap());
    let before = files();
    for command in ["serve", "balance 550e8400-e29b-41d4-a716-446655440000", "backup another.db"] {
        let ended = deployment.run(command);
        assert_eq!(ended.code, Some(78), "{ended}");
        assert!(ended.stderr.contains("faireplace.db-wal does not belong to faireplace.db"), "{ended}");
        assert!(ended.stderr.contains("Nothing was changed"), "{ended}");
        assert!(files() == before, "{ended}");
    }
    for end in ["-wal", "-shm"] {
        // There is no `-shm` file if nothing was opened.
        let _ = fs::rename(deployment.path(&format!("faireplace.db{end}")), deployment.path(&end[1..]));
    }
    assert_eq!(deployment.serve().balance(TENANT)["available"], 20);
}

#[test]
fn a_killed_service_restarts_with_everything() {
    let (deployment, service) = serving();
    service.kill();
    assert_eq!(deployment.serve().balance(TENANT)["available"], 20);
}

#[test]
fn a_database_removed_in_use_accepts_nothing_more() {
    let (deployment, service) = serving();
    fs::remove_file(deployment.path("faireplace.db")).expect("the file exists");
    let ended = ends_at_next_delivery(service);
    assert!(ended.stderr.contains("faireplace.db was removed or replaced while it was in use"), "{ended}");
    rescued(&deployment, &ended);
    // An automatic restart must not create an empty database.
    let again = deployment.run("serve");
    assert_eq!(again.code, Some(78), "{again}");
    assert!(!deployment.path("faireplace.db").exists(), "{again}");
}

#[test]
fn health_reports_a_removed_database_without_deliveries() {
    let (deployment, service) = serving();
    fs::remove_file(deployment.path("faireplace.db")).expect("the file exists");
    // Health caches its result for up to a second.
    thread::sleep(Duration::from_secs(1));
    let health = service.ask("GET", "/api/health", None, "");
    assert_eq!(health.status, 503, "{}", health.body);
    assert!(health.body.contains("database_closed"), "{}", health.body);
    let ended = service.wait();
    assert_eq!(ended.code, Some(74), "{ended}");
    rescued(&deployment, &ended);
}

#[test]
fn a_database_replaced_in_use_accepts_nothing_more() {
    let (deployment, service) = serving();
    let other = Deployment::default();
    other.serve().stop();
    fs::copy(other.path("faireplace.db"), deployment.path("other.db")).expect("both files exist");
    fs::rename(deployment.path("other.db"), deployment.path("faireplace.db")).expect("both files exist");
    let ended = ends_at_next_delivery(service);
    rescued(&deployment, &ended);
}

#[test]
fn a_write_ahead_log_removed_in_use_loses_nothing() {
    let (deployment, service) = serving();
    fs::remove_file(deployment.path("faireplace.db-wal")).expect("the file exists");
    let ended = ends_at_next_delivery(service);
    assert!(ended.stderr.contains("faireplace.db-wal was removed or replaced"), "{ended}");
    assert!(ended.stderr.contains("Everything that was acknowledged before is in faireplace.db"), "{ended}");
    let service = deployment.serve();
    service.settle();
    // The third purchase may be stored: it was written, but not acknowledged.
    assert!(service.balance(TENANT)["available"].as_i64() >= Some(20), "{ended}");
}

#[test]
fn a_stop_after_the_database_was_removed_reports_the_failure() {
    let (deployment, service) = serving();
    fs::remove_file(deployment.path("faireplace.db")).expect("the file exists");
    let ended = service.stop();
    assert_eq!(ended.code, Some(74), "{ended}");
    assert!(!ended.stderr.contains("everything that was acknowledged is on disk"), "{ended}");
    rescued(&deployment, &ended);
}

#[test]
fn a_symbolic_link_in_place_of_the_database_is_detected() {
    let (deployment, service) = serving();
    fs::rename(deployment.path("faireplace.db"), deployment.path("moved.db")).expect("the file exists");
    std::os::unix::fs::symlink("moved.db", deployment.path("faireplace.db")).expect("the folder is readable");
    let ended = ends_at_next_delivery(service);
    rescued(&deployment, &ended);
}

#[test]
fn a_write_ahead_log_replaced_by_its_copy_loses_nothing() {
    let (deployment, service) = serving();
    fs::copy(deployment.path("faireplace.db-wal"), deployment.path("w")).expect("the file exists");
    fs::rename(deployment.path("w"), deployment.path("faireplace.db-wal")).expect("both files exist");
    let ended = ends_at_next_delivery(service);
    assert!(ended.stderr.contains("Everything that was acknowledged before is in faireplace.db"), "{ended}");
    let service = deployment.serve();
    service.settle();
    assert!(service.balance(TENANT)["available"].as_i64() >= Some(20), "{ended}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_second_service_is_rejected_without_the_lock_file() {
    let (deployment, service) = serving();
    fs::remove_file(deployment.path("faireplace.db.lock")).expect("the file exists");
    let ended = deployment.run("serve");
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stderr.contains("is in use by another process (whose lock file is missing)"), "{ended}");
    assert_eq!(buy(&service, "third"), 200);
    service.settle();
    assert_eq!(service.balance(TENANT)["available"], 30);
}

#[test]
fn a_database_with_a_second_hard_link_is_rejected() {
    let (deployment, service) = serving();
    fs::hard_link(deployment.path("faireplace.db"), deployment.path("second.db")).expect("both files exist");
    let ended = deployment.start_words_with(&["serve"], "DATABASE_URL", "sqlite:second.db").wait();
    assert_eq!(ended.code, Some(78), "{ended}");
    assert!(ended.stderr.contains("second.db has 2 names (hard links)"), "{ended}");
    fs::remove_file(deployment.path("second.db")).expect("the file exists");
    assert_eq!(buy(&service, "third"), 200);
}

#[test]
fn a_partial_file_of_an_interrupted_backup_is_replaced() {
    let (deployment, _service) = serving();
    fs::write(deployment.path("copy.db.partial"), "half a database").expect("our own folder takes files");
    deployment.done("backup copy.db");
    assert!(!deployment.path("copy.db.partial").exists());
    assert_eq!(balance_in(&deployment, "copy.db"), 20);
}
