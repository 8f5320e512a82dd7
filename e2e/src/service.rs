//! A running service, and requests to it as Stripe, operators and tenants send them.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use stripe::Secret;
use stripe::signature::sign;

use crate::http::{Answer, Connection, Request, send};
use crate::process::{Ended, Process};

/// The default webhook signing secret.
pub const SECRET: &str = "whsec_4rTq8LzWc0NfYb2KsUe6HxJm1DvGpA9i";

/// A running service.
pub struct Service {
    /// Its address.
    pub address: SocketAddr,
    /// The operator key beside the database.
    pub operator_key: String,
    process: Process,
}

impl Service {
    /// Waits until a process that runs `serve` or `dev` is ready. `key` is the path of the operator key.
    ///
    /// # Panics
    /// If it ends before that.
    pub fn ready(process: Process, key: impl FnOnce() -> PathBuf) -> Self {
        let ready = process.wait_for(|process| {
            let (log, screen) = (process.stderr(), process.stdout());
            address(&log, "ready: ").or_else(|| address(&screen, "Ctrl-C"))
        });
        let (process, address) = ready.unwrap_or_else(|ended| panic!("the service ended early:\n{ended}"));
        let key = std::fs::read_to_string(key());
        Self { address, operator_key: key.expect("the service writes an operator key"), process }
    }

    /// Its base URL, `http://127.0.0.1:…`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its standard output so far.
    pub fn screen(&self) -> String {
        self.process.stdout()
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        self.process.stderr()
    }

    /// Stops reading its output, so that its pipes fill up.
    pub fn stop_reading(&self) {
        self.process.stop_reading();
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Maximum resident memory so far, in KiB (VmHWM in proc(5)).
    ///
    /// # Panics
    /// If there is no /proc.
    pub fn peak_memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("on Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("every process has it");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    /// Sends a JSON request, with a key if given, on a new connection.
    ///
    /// # Panics
    /// If there is no complete answer.
    pub fn ask(&self, method: &str, path: &str, key: Option<&str>, body: &str) -> Answer {
        let bearer = key.map(|key| format!("Bearer {key}")).unwrap_or_default();
        let fields = [("content-type", "application/json"), ("authorization", bearer.as_str())];
        let fields = if key.is_some() { &fields[..] } else { &fields[..1] };
        self.send(Request { method, path, fields, body: body.as_bytes() })
    }

    /// Posts a command with an `Idempotency-Key`, and otherwise with the header fields that `curl -d` sends.
    ///
    /// # Panics
    /// If there is no complete answer.
    pub fn command(&self, path: &str, key: &str, idempotency_key: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {key}");
        let fields = [
            ("authorization", bearer.as_str()),
            ("idempotency-key", idempotency_key),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.send(Request { method: "POST", path, fields: &fields, body: body.as_bytes() })
    }

    /// Sends a request on a new connection.
    ///
    /// # Panics
    /// If there is no complete answer.
    pub fn send(&self, request: Request<'_>) -> Answer {
        send(self.address, request)
    }

    /// Sends a GET request with the operator key, and returns the body.
    ///
    /// # Panics
    /// If the status is not 200.
    pub fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, Some(&self.operator_key), "");
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.body);
        answer.json()
    }

    /// Creates a service key, as the only registered person.
    ///
    /// # Panics
    /// If several people are registered.
    pub fn service_key(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("backend {}", COUNT.fetch_add(1, Ordering::Relaxed));
        let body = json!({ "name": name, "kind": "service", "reason": "for the tests", "alone": true });
        let answer = self.ask("POST", "/api/admin/keys", Some(&self.operator_key), &body.to_string());
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.json()["data"]["secret"].as_str().expect("the secret is shown on creation").to_owned()
    }

    /// A tenant's balance.
    pub fn balance(&self, tenant: &str) -> Value {
        self.get(&format!("/api/credits/balance?tenant_id={tenant}"))["data"].take()
    }

    /// Delivers an event with a valid signature, and returns the status.
    ///
    /// # Panics
    /// If there is no complete answer.
    pub fn deliver(&self, body: &str) -> u16 {
        self.deliver_signed(body, SECRET).status
    }

    /// Like [`Service::deliver`], signed with another secret.
    ///
    /// # Panics
    /// If there is no complete answer.
    pub fn deliver_signed(&self, body: &str, secret: &str) -> Answer {
        let answer =
            Connection::open(self.address).and_then(|mut connection| deliver(&mut connection, body, secret));
        answer.unwrap_or_else(|error| panic!("POST /webhooks/stripe: {error}"))
    }

    /// Waits until all acknowledged events are applied.
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
        panic!("events are still pending");
    }

    /// Kills it (SIGKILL).
    pub fn kill(self) -> Ended {
        self.process.kill()
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        self.process.terminate();
    }

    /// Waits until it ends.
    pub fn wait(self) -> Ended {
        self.process.wait()
    }

    /// Sends SIGTERM and waits until it ends.
    pub fn stop(self) -> Ended {
        self.terminate();
        self.process.wait()
    }
}

/// Delivers an event as Stripe does.
///
/// # Errors
/// If there is no complete answer.
///
/// # Panics
/// If `secret` is not a valid secret.
pub fn deliver(connection: &mut Connection, body: &str, secret: &str) -> io::Result<Answer> {
    let secret = Secret::parse(secret).expect("a valid secret");
    let signature = sign(body.as_bytes(), crate::now(), &[secret]);
    let fields = [("content-type", "application/json; charset=utf-8"), ("stripe-signature", &signature)];
    connection.send(Request {
        method: "POST",
        path: "/webhooks/stripe",
        fields: &fields,
        body: body.as_bytes(),
    })
}

/// The first address in `text`, if `text` contains `marker`.
fn address(text: &str, marker: &str) -> Option<SocketAddr> {
    let (_, rest) = text.split_once("http://").filter(|_| text.contains(marker))?;
    rest.split(|c: char| c != '.' && c != ':' && !c.is_ascii_digit()).next()?.parse().ok()
}
