//! `doctor` fails for everything that prevents `serve` from starting, and changes nothing. Mistakes in the
//! settings are tested in `configuration`.

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use e2e::deployment::Deployment;

/// The names of a deployment's files, except those that SQLite creates beside an open database.
fn files(deployment: &Deployment) -> BTreeSet<String> {
    let entries = fs::read_dir(deployment.folder()).expect("the folder is usable").flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm")).collect()
}

/// Checks that `doctor` fails with this message, that `serve` does not start either, and that no file is
/// created.
fn assert_fails(deployment: &Deployment, expected: &str) {
    let before = files(deployment);
    let ended = deployment.run("doctor");
    assert_eq!(ended.code, Some(1), "{ended}");
    let failed = ended.stdout.lines().find(|line| line.starts_with('✗')).unwrap_or_default();
    assert!(failed.contains(expected), "no `✗ … {expected}` in:\n{ended}");
    assert!(ended.stderr.contains("checks failed"), "{ended}");
    assert_eq!(files(deployment), before, "doctor created files");
    let served = deployment.run("serve");
    assert!(served.code.is_some_and(|code| code != 0), "serve started: {served}");
}

#[test]
fn doctor_passes_before_the_first_start_and_beside_a_running_service() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a free port");
    let deployment = Deployment::default().with("FAIREPLACE_LISTEN", &free.to_string());
    let output = deployment.done("doctor");
    assert!(
        output.contains("there is no database at faireplace.db yet") && !output.contains('✗'),
        "{output}"
    );
    assert!(files(&deployment).is_empty());
    let service = deployment.serve();
    assert!(deployment.done("doctor").contains("✓ a service runs at"));
    service.stop();
    deployment.done("doctor");
}

#[test]
fn a_port_of_another_program_fails() {
    let other = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = other.local_addr().expect("it is bound").to_string();
    let deployment = Deployment::default().with("FAIREPLACE_LISTEN", &address);
    assert_fails(&deployment, &format!("cannot listen on {address}"));
    // An address that this machine does not have.
    assert_fails(
        &Deployment::default().with("FAIREPLACE_LISTEN", "192.0.2.1:3000"),
        "cannot listen on 192.0.2.1:3000",
    );
}

#[test]
fn a_database_of_another_process_fails() {
    let deployment = Deployment::default();
    deployment.serve().stop();
    let lock = File::options()
        .write(true)
        .open(deployment.path("faireplace.db.lock"))
        .expect("the lock file remains");
    lock.lock().expect("the lock is free");
    // An empty lock file, as a command leaves it.
    lock.set_len(0).expect("the file is ours");
    assert_fails(&deployment, "is in use by another process");
    drop(lock);
    deployment.done("doctor");
}

#[test]
fn a_database_of_the_other_mode_fails() {
    let deployment = Deployment::default();
    deployment.serve().stop();
    let deployment = deployment.with("FAIREPLACE_MODE", "live");
    assert_fails(&deployment, "belongs to test mode and this deployment runs in live mode");
    assert_fails(&deployment.without("FAIREPLACE_MODE"), "`serve` needs FAIREPLACE_MODE=test");
}

#[test]
fn a_foreign_file_fails() {
    let text = "a shopping list, and no database at all\n".repeat(100);
    let deployment = Deployment::default().with_file("faireplace.db", &text);
    assert_fails(&deployment, "faireplace.db holds no ledger");
    assert_eq!(fs::read_to_string(deployment.path("faireplace.db")).ok(), Some(text));
}

/// Leftovers of a removed database and of an interrupted restore, beside no database, an empty one and a
/// complete one.
#[test]
fn a_database_that_needs_a_restore_fails() {
    for database in [None, Some(""), Some("complete")] {
        for (suffix, expected) in [
            (".rescued-20261124T080000Z", "Run `faireplace restore faireplace.db.rescued-20261124T080000Z`"),
            (".must-restore", "faireplace.db.must-restore says what happened"),
            (".restoring", "a restore was interrupted"),
            ("-wal", "faireplace.db-wal holds writes of a database that is missing"),
        ] {
            // Beside a complete database, a finished copy and a write-ahead log are normal.
            if database == Some("complete") && matches!(suffix, ".restoring" | "-wal") {
                continue;
            }
            let deployment = Deployment::default();
            let service = deployment.serve();
            // Killed, so that the write-ahead log has commits.
            service.kill();
            let path = deployment.path("faireplace.db");
            if suffix != "-wal" {
                fs::write(deployment.path(&format!("faireplace.db{suffix}")), "")
                    .expect("the folder is usable");
                let _ = fs::remove_file(deployment.path("faireplace.db-wal"));
            }
            match database {
                None => fs::remove_file(&path).expect("the file exists"),
                Some("") => fs::write(&path, "").expect("the folder is usable"),
                Some(_) => {}
            }
            assert_fails(&deployment, expected);
            assert_eq!(deployment.run("serve").code, Some(78), "{suffix} beside {database:?}");
            assert_eq!(path.exists(), database.is_some(), "{suffix} beside {database:?}");
            if suffix == "-wal" {
                assert!(deployment.path("faireplace.db-wal").exists(), "beside {database:?}");
            }
        }
    }
}

#[test]
fn missing_permissions_fail() {
    let deployment = Deployment::default();
    deployment.serve().stop();
    let path = deployment.path("faireplace.db");
    fs::set_permissions(&path, Permissions::from_mode(0o000)).expect("the file is ours");
    if File::open(&path).is_ok() {
        // We are root, for whom permissions do not count.
        return;
    }
    assert_fails(&deployment, "this user cannot read and write faireplace.db");
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("the file is ours");
    fs::set_permissions(deployment.folder(), Permissions::from_mode(0o500)).expect("the file is ours");
    assert_fails(&deployment, "this user cannot write in .");
    fs::set_permissions(deployment.folder(), Permissions::from_mode(0o700)).expect("the file is ours");
}
