//! The process: one per database, private files, orderly shutdown under load.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use e2e::deployment::{Deployment, SECRET};
use e2e::http::Connection;
use e2e::service::deliver;
use emulator::scenario::event;

use crate::{TENANT, ten_credits};

#[test]
fn a_second_service_on_the_same_database_does_not_start() {
    let deployment = Deployment::default();
    let service = deployment.serve();
    for command in ["serve", "dev"] {
        let ended = deployment.run(command);
        assert_eq!(ended.code, Some(1), "{ended}");
        assert!(ended.stderr.starts_with("error: process "), "{ended}");
        assert!(ended.stderr.contains("serves faireplace.db at"), "{ended}");
        assert!(
            ended.stderr.contains(&format!("{}; stop that one", service.url())),
            "the URL of the first one:\n{ended}"
        );
    }
    // The same if both use the same port.
    let address = service.address.to_string();
    let deployment = deployment.with("FAIREPLACE_LISTEN", &address);
    let ended = deployment.run("serve");
    assert!(ended.stderr.contains("stop that one, or use another DATABASE_URL"), "{ended}");
    service.get("/api/health");
    // A kill releases the lock, too.
    service.kill();
    deployment.serve();
}

#[test]
fn a_stop_right_after_the_start_is_orderly() {
    let deployment = Deployment::default();
    for _ in 0..20 {
        let ended = deployment.serve().stop();
        assert_eq!(ended.code, Some(0), "{ended}");
    }
}

#[test]
fn a_port_in_use_is_reported_before_any_file_is_created() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let address = taken.local_addr().expect("it is bound").to_string();
    let deployment = Deployment::default().with("FAIREPLACE_LISTEN", &address);
    let ended = deployment.run("serve");
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stderr.contains(&format!("cannot listen on {address}")), "{ended}");
    assert!(ended.stderr.contains("FAIREPLACE_LISTEN=127.0.0.1:3001"), "a recommendation:\n{ended}");
    assert!(!deployment.path("faireplace.db").exists(), "{ended}");
}

#[test]
fn files_are_readable_by_their_owner_only() {
    let deployment = Deployment::empty().with("FAIREPLACE_LISTEN", "127.0.0.1:0");
    let _service = deployment.dev();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(deployment.folder()).expect("the folder is readable") {
        let entry = entry.expect("the folder is readable");
        let mode = entry.metadata().expect("the file exists").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?} has mode {mode:o}", entry.file_name());
        names.push(entry.file_name().into_string().expect("the name is UTF-8"));
    }
    for suffix in ["", "-wal", "-shm", ".lock", ".operator-key", ".dev.json"] {
        let name = format!("faireplace.db{suffix}");
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
}

#[test]
fn a_stop_under_load_completes_all_answers_and_keeps_all_events() {
    let deployment = Deployment::default();
    let service = deployment.serve();
    let acknowledged = Mutex::new(Vec::new());
    let address = service.address;
    thread::scope(|scope| {
        for deliverer in 0..8 {
            let acknowledged = &acknowledged;
            scope.spawn(move || {
                let ended = deliver_until_refused(address, deliverer, acknowledged);
                assert_ne!(ended.kind(), ErrorKind::UnexpectedEof, "{ended}");
            });
        }
        // Stops in the middle of the load, however slow this machine is.
        for _ in 0..3000 {
            if acknowledged.lock().expect("not poisoned").len() > 50 {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let ended = service.stop();
        assert_eq!(ended.code, Some(0), "{ended}");
    });
    let acknowledged = acknowledged.into_inner().expect("not poisoned");
    println!("{} events acknowledged before the stop", acknowledged.len());
    assert!(acknowledged.len() > 50, "not enough load: {}", acknowledged.len());
    let service = deployment.serve();
    for id in &acknowledged {
        service.get(&format!("/api/admin/events/{id}"));
    }
    service.settle();
    assert!(deployment.done("audit verify").contains("the books add up"));
}

/// Delivers one event after the other, and reconnects if necessary, until no connection is accepted. Returns
/// the last error.
fn deliver_until_refused(
    address: std::net::SocketAddr,
    deliverer: u32,
    acknowledged: &Mutex<Vec<String>>,
) -> std::io::Error {
    let mut connection = Connection::open(address);
    for number in 0.. {
        let sale = ten_credits(&format!("load{deliverer}_{number}"), TENANT, false);
        let event = event("checkout.session.completed", &sale, "once", None).expect("the type exists");
        let answer = match &mut connection {
            Ok(connection) => deliver(connection, &event.body, SECRET),
            Err(_) => break,
        };
        match answer {
            Ok(answer) => {
                assert_eq!(answer.status, 200, "{answer:?}");
                acknowledged.lock().expect("not poisoned").push(event.id);
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return error,
            Err(_) => connection = Connection::open(address),
        }
    }
    connection.err().expect("the loop ends without a connection")
}
