//! The running service, as its clients see it: Stripe delivers events to it, operators and tenants ask it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use stripe::Secret;
use stripe::signature::sign;

use crate::deployment::{Deployment, SECRET};
use crate::http::{Answer, Connection, Request};
use crate::process::{Ended, Process};

/// A service that answers.
pub struct Service {
    /// Where it listens.
    pub address: SocketAddr,
    /// The operator's key of this machine.
    pub operator_key: String,
    process: Process,
}

impl Service {
    /// Waits until a process that runs `serve` or `dev` is ready.
    ///
    /// # Panics
    /// When it ends instead.
    pub fn ready(deployment: &Deployment, process: Process) -> Self {
        Self::ready_with(process, || deployment.path("faireplace.db.operator-key"))
    }

    /// As [`Service::ready`], where the operator's key is elsewhere.
    ///
    /// # Panics
    /// When it ends instead.
    pub fn ready_with(process: Process, key: impl FnOnce() -> PathBuf) -> Self {
        let ready = process.wait_for(|process| {
            let (log, screen) = (process.stderr(), process.stdout());
            address(&log, "ready: ").or_else(|| address(&screen, "Ctrl-C"))
        });
        let (process, address) = ready.unwrap_or_else(|ended| panic!("it ended early:\n{ended}"));
        let key = std::fs::read_to_string(key());
        Self { address, operator_key: key.expect("it keeps one beside its database"), process }
    }

    /// `http://127.0.0.1:…`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it has printed to standard output so far.
    pub fn screen(&self) -> String {
        self.process.stdout()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.process.stderr()
    }

    /// From now on nobody reads what it logs.
    pub fn stop_reading(&self) {
        self.process.stop_reading();
    }

    /// Its process's id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The most memory that it has had resident so far, in KiB (proc(5), VmHWM).
    ///
    /// # Panics
    /// When there is no /proc.
    pub fn peak_memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("on Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("every process has it");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Asks with a key; one connection for one request.
    ///
    /// # Panics
    /// When no answer comes.
    pub fn ask(&self, method: &str, path: &str, key: Option<&str>, body: &str) -> Answer {
        let bearer = key.map(|key| format!("Bearer {key}")).unwrap_or_default();
        let fields = [("content-type", "application/json"), ("authorization", bearer.as_str())];
        let fields = if key.is_some() { &fields[..] } else { &fields[..1] };
        self.send(Request { method, path, fields, body: body.as_bytes() })
    }

    /// Posts a command under an `Idempotency-Key`, with the header fields that `curl -d` would send.
    ///
    /// # Panics
    /// When no answer comes.
    pub fn command(&self, path: &str, key: &str, idempotency_key: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {key}");
        let fields = [
            ("authorization", bearer.as_str()),
            ("idempotency-key", idempotency_key),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.send(Request { method: "POST", path, fields: &fields, body: body.as_bytes() })
    }

    fn send(&self, request: Request<'_>) -> Answer {
        let answer = Connection::open(self.address).and_then(|mut connection| connection.send(request));
        answer.unwrap_or_else(|error| panic!("{} {}: {error}", request.method, request.path))
    }

    /// Asks as the operator; answers the whole body.
    ///
    /// # Panics
    /// When the answer is not 200.
    pub fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, Some(&self.operator_key), "");
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.body);
        answer.json()
    }

    /// A new key for a backend that spends for every tenant, created by the only registered person.
    ///
    /// # Panics
    /// When there are several.
    pub fn service_key(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("backend {}", COUNT.fetch_add(1, Ordering::Relaxed));
        let body = json!({ "name": name, "kind": "service", "reason": "for the tests", "alone": true });
        let answer = self.ask("POST", "/api/admin/keys", Some(&self.operator_key), &body.to_string());
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["data"]["secret"].as_str().expect("shown this once").to_owned()
    }

    /// A tenant's balance.
    pub fn balance(&self, tenant: &str) -> Value {
        self.get(&format!("/api/credits/balance?tenant_id={tenant}"))["data"].take()
    }

    /// Delivers a body with Stripe's signature of this moment; answers the status.
    ///
    /// # Panics
    /// When no answer comes.
    pub fn deliver(&self, body: &str) -> u16 {
        self.deliver_signed(body, SECRET).status
    }

    /// As [`Service::deliver`], signed with another secret.
    ///
    /// # Panics
    /// When no answer comes.
    pub fn deliver_signed(&self, body: &str, secret: &str) -> Answer {
        let answer = Connection::open(self.address).and_then(|mut it| deliver(&mut it, body, secret));
        answer.unwrap_or_else(|error| panic!("POST /webhooks/stripe: {error}"))
    }

    /// Waits until everything that was acknowledged is applied.
    ///
    /// # Panics
    /// After half a minute.
    pub fn settle(&self) {
        for _ in 0..3000 {
            if self.get("/api/health")["data"]["pending"] == 0 {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        panic!("events still wait to be applied");
    }

    /// Kills it where it stands.
    pub fn kill(self) -> Ended {
        self.process.kill()
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        self.process.terminate();
    }

    /// Waits until it ends by itself.
    pub fn wait(self) -> Ended {
        self.process.wait()
    }

    /// Asks it to end, and waits until it has.
    pub fn stop(self) -> Ended {
        self.terminate();
        self.process.wait()
    }
}

/// Delivers an event as Stripe does.
///
/// # Errors
/// When no whole answer comes.
///
/// # Panics
/// When `secret` cannot be one.
pub fn deliver(connection: &mut Connection, body: &str, secret: &str) -> io::Result<Answer> {
    let secret = Secret::parse(secret).expect("tests sign with secrets");
    let signature = sign(body.as_bytes(), crate::now(), &[secret]);
    let fields = [("content-type", "application/json; charset=utf-8"), ("stripe-signature", &signature)];
    connection.send(Request {
        method: "POST",
        path: "/webhooks/stripe",
        fields: &fields,
        body: body.as_bytes(),
    })
}

/// The first address in `text`, once `text` holds `sign`.
fn address(text: &str, sign: &str) -> Option<SocketAddr> {
    let (_, rest) = text.split_once("http://").filter(|_| text.contains(sign))?;
    rest.split(|c: char| c != '.' && c != ':' && !c.is_ascii_digit()).next()?.parse().ok()
}
