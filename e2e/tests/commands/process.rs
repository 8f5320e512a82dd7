//! The process: one to a database, files for nobody else, an orderly end under load.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use e2e::deployment::{Deployment, SECRET};
use e2e::http::Connection;
use e2e::service::deliver;
use stripe::write::event;

use crate::{TENANT, purchase};

#[test]
fn a_second_service_on_the_same_database_refuses() {
    let deployment = Deployment::default();
    let service = deployment.serve();
    for command in ["serve", "dev"] {
        let ended = deployment.run(command);
        assert_eq!(ended.code, Some(1), "{ended}");
        assert!(ended.stderr.starts_with("error: process "), "{ended}");
        assert!(ended.stderr.contains("serves faireplace.db at"), "{ended}");
        assert!(
            ended.stderr.contains(&format!("{}; stop that one", service.url())),
            "it says which:\n{ended}"
        );
    }
    // Also where both have the same port.
    let address = service.address.to_string();
    let deployment = deployment.with("FAIREPLACE_LISTEN", &address);
    let ended = deployment.run("serve");
    assert!(ended.stderr.contains("stop that one, or use another DATABASE_URL"), "{ended}");
    service.get("/api/health");
    // Killed, not stopped: the lock does not outlive its process.
    service.kill();
    deployment.serve();
}

#[test]
fn asked_to_end_as_soon_as_it_is_ready_it_ends_in_order() {
    let deployment = Deployment::default();
    for _ in 0..20 {
        let ended = deployment.serve().stop();
        assert_eq!(ended.code, Some(0), "{ended}");
    }
}

#[test]
fn a_taken_port_is_said_before_anything_is_touched() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let address = taken.local_addr().expect("it is bound").to_string();
    let deployment = Deployment::default().with("FAIREPLACE_LISTEN", &address);
    let ended = deployment.run("serve");
    assert_eq!(ended.code, Some(1), "{ended}");
    assert!(ended.stderr.contains(&format!("cannot listen on {address}")), "{ended}");
    assert!(ended.stderr.contains("FAIREPLACE_LISTEN=127.0.0.1:3001"), "it says what to do:\n{ended}");
    assert!(!deployment.path("faireplace.db").exists(), "{ended}");
}

#[test]
fn what_it_keeps_is_for_its_owner_only() {
    let deployment = Deployment::empty().with("FAIREPLACE_LISTEN", "127.0.0.1:0");
    let _service = deployment.dev();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(deployment.folder()).expect("our own folder") {
        let entry = entry.expect("our own folder");
        let mode = entry.metadata().expect("it was there just now").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?} has mode {mode:o}", entry.file_name());
        names.push(entry.file_name().into_string().expect("our own names"));
    }
    for suffix in ["", "-wal", "-shm", ".lock", ".operator-key", ".dev.json"] {
        let name = format!("faireplace.db{suffix}");
        assert!(names.contains(&name), "{name} is not among {names:?}");
    }
}

#[test]
fn asked_to_end_under_load_it_leaves_no_answer_half_and_forgets_none() {
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
        thread::sleep(Duration::from_millis(400));
        let ended = service.stop();
        assert_eq!(ended.code, Some(0), "{ended}");
    });
    let acknowledged = acknowledged.into_inner().expect("no deliverer panicked");
    println!("{} acknowledged before the end", acknowledged.len());
    assert!(acknowledged.len() > 50, "that was no load: {}", acknowledged.len());
    let service = deployment.serve();
    for id in &acknowledged {
        service.get(&format!("/api/admin/events/{id}"));
    }
    service.settle();
    assert!(deployment.done("audit verify").contains("the books add up"));
}

/// Delivers one event after the other, on a new connection when the old one closes, until none is taken.
fn deliver_until_refused(
    address: std::net::SocketAddr,
    deliverer: u32,
    acknowledged: &Mutex<Vec<String>>,
) -> std::io::Error {
    let mut connection = Connection::open(address);
    for number in 0.. {
        let sale = purchase(&format!("load{deliverer}_{number}"), TENANT, false);
        let event = event("checkout.session.completed", &sale, "once", None).expect("a known type");
        let answer = match &mut connection {
            Ok(connection) => deliver(connection, &event.body, SECRET),
            Err(_) => break,
        };
        match answer {
            Ok(answer) => {
                assert_eq!(answer.status, 200, "{answer:?}");
                acknowledged.lock().expect("no deliverer panicked").push(event.id);
            }
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return error,
            Err(_) => connection = Connection::open(address),
        }
    }
    connection.err().expect("it ends when no connection is taken")
}
