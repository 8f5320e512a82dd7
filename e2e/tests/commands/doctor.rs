//! `doctor` fails on whatever keeps `serve` from starting, and leaves everything as it was.
//!
//! Not here: mistakes in the settings (`configuration`).

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use e2e::deployment::Deployment;

/// The names of a deployment's files, without those that SQLite makes beside an open database.
fn files(deployment: &Deployment) -> BTreeSet<String> {
    let entries = fs::read_dir(deployment.folder()).expect("our own folder").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm")).collect()
}

/// `doctor` fails and says this, `serve` does not start either, and no file was made.
fn fails(deployment: &Deployment, expected: &str) {
    let before = files(deployment);
    let ended = deployment.run("doctor");
    assert_eq!(ended.code, Some(1), "{ended}");
    let failed = ended.stdout.lines().find(|line| line.starts_with('✗')).unwrap_or_default();
    assert!(failed.contains(expected), "no `✗ … {expected}` in:\n{ended}");
    assert!(ended.stderr.contains("checks failed"), "{ended}");
    assert_eq!(files(deployment), before, "doctor touched the folder");
    let served = deployment.run("serve");
    assert!(served.code.is_some_and(|code| code != 0), "it starts all the same: {served}");
}

#[test]
fn it_passes_before_the_first_start_and_beside_a_service_on_its_port() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a free port");
    let deployment = Deployment::default().with("FAIREPLACE_LISTEN", &free.to_string());
    let said = deployment.done("doctor");
    assert!(said.contains("there is no database at faireplace.db yet") && !said.contains('✗'), "{said}");
    assert!(files(&deployment).is_empty());
    let service = deployment.serve();
    assert!(deployment.done("doctor").contains("✓ a service runs at"));
    service.stop();
    deployment.done("doctor");
}

#[test]
fn a_port_that_another_program_has() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = other.local_addr().expect("it is bound").to_string();
    let deployment = Deployment::default().with("FAIREPLACE_LISTEN", &address);
    fails(&deployment, &format!("cannot listen on {address}"));
    // An address that this machine does not have.
    fails(
        &Deployment::default().with("FAIREPLACE_LISTEN", "192.0.2.1:3000"),
        "cannot listen on 192.0.2.1:3000",
    );
}

#[test]
fn a_database_that_another_process_has() {
    let deployment = Deployment::default();
    deployment.serve().stop();
    let lock = File::options().write(true).open(deployment.path("faireplace.db.lock")).expect("it stays");
    lock.lock().expect("nobody has it");
    // As a command does, which says no name.
    lock.set_len(0).expect("it is ours");
    fails(&deployment, "is in use by another process");
    drop(lock);
    deployment.done("doctor");
}

#[test]
fn a_database_of_the_other_mode_whether_named_or_by_default() {
    let deployment = Deployment::default();
    deployment.serve().stop();
    let deployment = deployment.with("FAIREPLACE_MODE", "live");
    fails(&deployment, "belongs to test mode and this deployment runs in live mode");
    fails(&deployment.without("FAIREPLACE_MODE"), "`serve` needs FAIREPLACE_MODE=test");
}

#[test]
fn a_file_that_is_no_database_of_ours() {
    let text = "a shopping list, and no database at all\n".repeat(100);
    let deployment = Deployment::default().with_file("faireplace.db", &text);
    fails(&deployment, "faireplace.db holds no ledger");
    assert_eq!(fs::read_to_string(deployment.path("faireplace.db")).ok(), Some(text));
}

/// What is left of a database that was taken away, and of a restore that was interrupted: with no database at
/// the path, with an empty one, and with one that looks whole.
#[test]
fn a_database_that_waits_for_a_restore() {
    for database in [None, Some(""), Some("whole")] {
        for (suffix, expected) in [
            (".rescued-20261124T080000Z", "Run `faireplace restore faireplace.db.rescued-20261124T080000Z`"),
            (".must-restore", "faireplace.db.must-restore says what happened"),
            (".restoring", "a restore was interrupted"),
            ("-wal", "faireplace.db-wal holds writes of a database that is missing"),
        ] {
            // A finished copy beside a whole database was not moved yet, and a whole database has its log.
            if database == Some("whole") && matches!(suffix, ".restoring" | "-wal") {
                continue;
            }
            let deployment = Deployment::default();
            let service = deployment.serve();
            // The log of a process that was killed has commits in it.
            service.kill();
            let path = deployment.path("faireplace.db");
            if suffix != "-wal" {
                fs::write(deployment.path(&format!("faireplace.db{suffix}")), "").expect("our own folder");
                let _ = fs::remove_file(deployment.path("faireplace.db-wal"));
            }
            match database {
                None => fs::remove_file(&path).expect("it is there"),
                Some("") => fs::write(&path, "").expect("our own folder"),
                Some(_) => {}
            }
            fails(&deployment, expected);
            assert_eq!(deployment.run("serve").code, Some(78), "{suffix} beside {database:?}");
            assert_eq!(path.exists(), database.is_some(), "{suffix} beside {database:?}");
            if suffix == "-wal" {
                assert!(deployment.path("faireplace.db-wal").exists(), "beside {database:?}");
            }
        }
    }
}

#[test]
fn files_and_folders_that_this_user_may_not_use() {
    let deployment = Deployment::default();
    deployment.serve().stop();
    let path = deployment.path("faireplace.db");
    fs::set_permissions(&path, Permissions::from_mode(0o000)).expect("it is ours");
    if File::open(&path).is_ok() {
        // The superuser may read everything.
        return;
    }
    fails(&deployment, "this user may not read and write faireplace.db");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("it is ours");
    fs::set_permissions(deployment.folder(), Permissions::from_mode(0o500)).expect("it is ours");
    fails(&deployment, "this user may not write in .");
    fs::set_permissions(deployment.folder(), Permissions::from_mode(0o700)).expect("it is ours");
}
