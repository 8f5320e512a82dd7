//! Full and failing disks: unstored events are not acknowledged, and health reports the failure.
//!
//! The full disk is a tmpfs, mounted in its own namespaces (unshare(1)), so that no root is needed. The
//! failing disk is simulated with libfiu (Debian's fiu-utils), which makes system calls of the running
//! service fail.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use e2e::deployment::{Deployment, SECRET};
use e2e::sale::{TENANT, paid};
use e2e::service::Service;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

/// A purchase of ten credits, with an event of about 20 KB.
fn large(number: u32) -> String {
    let mut event: Value = serde_json::from_str(&paid(&format!("sale{number}"))).expect("an event is JSON");
    event["data"]["object"]["description"] = json!(noise(number));
    event.to_string()
}

/// Text that does not compress.
fn noise(seed: u32) -> String {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed.into());
    (0..2_500).map(|_| format!("{:08x}", random.next_u32())).collect()
}

fn health(service: &Service) -> (u16, String) {
    let answer = service.ask("GET", "/api/health", None, "");
    (answer.status, answer.body)
}

#[test]
fn a_full_disk_stops_acknowledgements_until_there_is_room_again() {
    let deployment = Deployment::default();
    let disk = deployment.path("disk");
    fs::create_dir(&disk).expect("the folder is writable");
    let script = format!(
        "mount -t tmpfs -o size=8m none disk && DATABASE_URL=sqlite:disk/faireplace.db exec {} serve",
        e2e::program().display()
    );
    let words = ["--user", "--map-root-user", "--mount", "--", "sh", "-c", &script];
    let process = deployment.start_program("unshare", &words);
    // The mounted folder, which only the service's namespace has.
    let inside = format!("/proc/{}/root{}", process.id(), disk.display());
    let service = Service::ready(process, || format!("{inside}/faireplace.db.operator-key").into());
    assert_eq!(service.deliver(&large(0)), 200);
    assert_eq!(health(&service).0, 200);
    let ballast = format!("{inside}/ballast");
    let filled = Command::new("dd").args(["if=/dev/zero", &format!("of={ballast}"), "bs=64k"]).output();
    assert!(!filled.expect("`dd` is installed").status.success(), "the disk did not fill up");
    let mut acknowledged = 1;
    let mut refused = 0;
    for number in 1..400 {
        match service.deliver(&large(number)) {
            200 => acknowledged += 1,
            503 => refused += 1,
            other => panic!("delivery {number}: {other}"),
        }
        if refused == 3 {
            break;
        }
    }
    assert_eq!(refused, 3, "the disk is full, but deliveries are accepted");
    // Health caches its result for up to a second.
    thread::sleep(Duration::from_secs(1));
    let (status, body) = health(&service);
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("CANNOT_STORE") && body.contains("writes_failing"), "{body}");
    fs::remove_file(&ballast).expect("the file exists");
    for number in 400..403 {
        assert_eq!(service.deliver(&large(number)), 200, "there is room, but deliveries are rejected");
        acknowledged += 1;
    }
    thread::sleep(Duration::from_secs(1));
    assert_eq!(health(&service).0, 200);
    service.settle();
    assert_eq!(service.balance(TENANT)["available"], 10 * acknowledged);
    let ended = service.stop();
    assert_eq!(ended.code, Some(0), "{ended}");
}

#[test]
fn a_failed_sync_stops_acknowledgements_and_ends_the_service() {
    for fault in ["posix/io/sync/fsync", "posix/io/rw/pwrite"] {
        let deployment = Deployment::default();
        let program = e2e::program().display().to_string();
        let process = deployment.start_program("fiu-run", &["-x", "-f", "fiu", &program, "serve"]);
        let service = deployment.ready(process);
        assert_eq!(service.deliver(&large(1)), 200);
        service.settle();
        let control = deployment.path("fiu");
        let named = format!("enable name={fault},failinfo=5");
        let id = service.id().to_string();
        let output = Command::new("fiu-ctrl").arg("-f").arg(&control).args(["-c", &named, &id]).output();
        let output = String::from_utf8_lossy(&output.expect("fiu-utils is installed").stdout).into_owned();
        assert_eq!(output, "", "{fault}");
        let answer = service.deliver_signed(&large(2), SECRET);
        assert_eq!(answer.status, 503, "{fault}: {}", answer.body);
        let ended = service.wait();
        assert_eq!(ended.code, Some(74), "{fault}: {ended}");
        assert!(ended.stderr.contains("the disk failed"), "{fault}: {ended}");
        let service = deployment.serve();
        assert_eq!(service.deliver(&large(2)), 200, "{fault}: the repeated delivery");
        service.settle();
        assert_eq!(service.balance(TENANT)["available"], 20, "{fault}");
    }
}
