//! A disk that is full or broken: nothing is acknowledged that was not stored, and health says so.
//!
//! Full: a file system in memory, mounted in namespaces of its own (unshare(1)), so that no root is needed.
//! Broken: libfiu makes system calls of the running service fail (Debian's fiu-utils).

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use e2e::deployment::{Deployment, SECRET};
use e2e::sale::{TENANT, paid};
use e2e::service::Service;
use serde_json::{Value, json};

/// A purchase of ten credits, with an event of about 20 KB.
fn large(number: u32) -> String {
    let mut event: Value = serde_json::from_str(&paid(&format!("sale{number}"))).expect("it is JSON");
    event["data"]["object"]["description"] = json!(noise(number));
    event.to_string()
}

/// Text that does not compress.
fn noise(seed: u32) -> String {
    let mut state = u64::from(seed) + 1;
    let next = |state: &mut u64| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:08x}", *state >> 32)
    };
    (0..2_500).map(|_| next(&mut state)).collect()
}

fn health(service: &Service) -> (u16, String) {
    let answer = service.ask("GET", "/api/health", None, "");
    (answer.status, answer.body)
}

#[test]
fn on_a_full_disk_nothing_is_acknowledged_and_health_says_so_until_there_is_room() {
    let deployment = Deployment::default();
    let disk = deployment.path("disk");
    fs::create_dir(&disk).expect("our own folder takes folders");
    let script = format!(
        "mount -t tmpfs -o size=8m none disk && DATABASE_URL=sqlite:disk/faireplace.db exec {} serve",
        e2e::program().display()
    );
    let words = ["--user", "--map-root-user", "--mount", "--", "sh", "-c", &script];
    let process = deployment.start_program("unshare", &words);
    // The folder as the service sees it.
    let inside = format!("/proc/{}/root{}", process.id(), disk.display());
    let service = Service::ready_with(process, || format!("{inside}/faireplace.db.operator-key").into());
    assert_eq!(service.deliver(&large(0)), 200);
    assert_eq!(health(&service).0, 200);
    let ballast = format!("{inside}/ballast");
    let filled = Command::new("dd").args(["if=/dev/zero", &format!("of={ballast}"), "bs=64k"]).output();
    assert!(!filled.expect("every system has dd").status.success(), "the disk did not fill up");
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
    assert_eq!(refused, 3, "the disk is full and takes everything");
    // What health found out a second ago may still count.
    thread::sleep(Duration::from_secs(1));
    let (status, body) = health(&service);
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("CANNOT_STORE") && body.contains("writes_failing"), "{body}");
    fs::remove_file(&ballast).expect("it is there");
    for number in 400..403 {
        assert_eq!(service.deliver(&large(number)), 200, "there is room again");
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
fn when_a_sync_fails_nothing_is_acknowledged_any_more_and_the_service_ends() {
    for fault in ["posix/io/sync/fsync", "posix/io/rw/pwrite"] {
        let deployment = Deployment::default();
        let program = e2e::program().display().to_string();
        let process = deployment.start_program("fiu-run", &["-x", "-f", "fiu", &program, "serve"]);
        let service = Service::ready(&deployment, process);
        assert_eq!(service.deliver(&large(1)), 200);
        service.settle();
        let control = deployment.path("fiu");
        let named = format!("enable name={fault},failinfo=5");
        let id = service.id().to_string();
        let told = Command::new("fiu-ctrl").arg("-f").arg(&control).args(["-c", &named, &id]).output();
        let told = String::from_utf8_lossy(&told.expect("fiu-utils is installed").stdout).into_owned();
        assert_eq!(told, "", "{fault}");
        let answer = service.deliver_signed(&large(2), SECRET);
        assert_eq!(answer.status, 503, "{fault}: {}", answer.body);
        let ended = service.wait();
        assert_eq!(ended.code, Some(74), "{fault}: {ended}");
        assert!(ended.stderr.contains("the disk failed"), "{fault}: {ended}");
        let service = deployment.serve();
        assert_eq!(service.deliver(&large(2)), 200, "{fault}: Stripe sends it again");
        service.settle();
        assert_eq!(service.balance(TENANT)["available"], 20, "{fault}");
    }
}
