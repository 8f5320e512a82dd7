//! The official Stripe and Standard Webhooks libraries for Node and Python, as child processes that sign and
//! verify for the tests.
//!
//! Requests and answers are JSON, one per line, on standard input and output; the scripts are in `clients/`.

use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// Maximum time to wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A running client.
pub struct Client {
    /// Name of its language, for messages.
    pub name: &'static str,
    child: Child,
    requests: ChildStdin,
    answers: Receiver<String>,
}

/// A webhook delivery to verify, and the time to verify it at.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// The raw body.
    pub body: &'a [u8],
    /// The value of `Stripe-Signature`.
    pub header: &'a [u8],
    /// The endpoint's signing secret.
    pub secret: &'a str,
    /// Time of receipt in Unix seconds.
    pub now: i64,
}

/// A received notice. The fields are named as in Standard Webhooks.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The raw body.
    pub body: Vec<u8>,
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: String,
    /// `webhook-signature`.
    pub signature: String,
}

/// The value that a client returned, or name and message of the exception that it threw.
pub type Answer = Result<Value, String>;

impl Client {
    /// Starts the Node client.
    pub fn node() -> Self {
        let mut command = Command::new("node");
        command.arg(script("node/client.cjs")).env("NODE_PATH", crate::tools().join("node/node_modules"));
        Self::start("node", command)
    }

    /// Starts the Python client.
    pub fn python() -> Self {
        let mut command = Command::new(crate::tools().join("python/bin/python"));
        command.arg("-I").arg(script("python/client.py"));
        Self::start("python", command)
    }

    /// The `Stripe-Signature` header that the library generates for this body and time.
    pub fn sign(&mut self, body: &str, secret: &str, now: i64) -> String {
        let request = json!({ "verb": "sign", "body": hex(body.as_bytes()), "secret": secret, "now": now });
        let header = self.ask([request]).remove(0).expect("generating a header succeeds");
        header.as_str().expect("a header is text").to_owned()
    }

    /// Verifies and parses a delivery as a webhook handler would; returns the event's id.
    pub fn construct(&mut self, delivery: Delivery<'_>) -> Answer {
        self.ask([delivery.request("construct")]).remove(0)
    }

    /// Verifies many signatures without parsing the bodies.
    pub fn verify<'a>(&mut self, deliveries: impl IntoIterator<Item = Delivery<'a>>) -> Vec<Answer> {
        self.ask(deliveries.into_iter().map(|delivery| delivery.request("verify")))
    }

    /// Verifies a notice with the current time, as a receiver would; returns the payload.
    pub fn verify_notice(&mut self, notice: &Notice, secret: &str) -> Answer {
        self.ask([notice.request("verify_notice", secret)]).remove(0)
    }

    /// The signature that the library generates for a notice.
    pub fn sign_notice(&mut self, notice: &Notice, secret: &str) -> String {
        let signature = self.ask([notice.request("sign_notice", secret)]).remove(0);
        signature.expect("generating a signature succeeds").as_str().expect("a signature is text").to_owned()
    }

    fn start(name: &'static str, mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("the {name} client could not be started: {error}"));
        let requests = child.stdin.take().expect("piped just now");
        let lines = BufReader::new(child.stdout.take().expect("piped just now")).lines();
        let (sender, answers) = channel();
        // Reads in a thread, so that the child never blocks on its output while we write. Ends with the
        // child.
        thread::spawn(move || lines.map_while(Result::ok).all(|line| sender.send(line).is_ok()));
        Self { name, child, requests, answers }
    }

    fn ask(&mut self, requests: impl IntoIterator<Item = Value>) -> Vec<Answer> {
        let mut count = 0;
        for request in requests {
            writeln!(self.requests, "{request}")
                .unwrap_or_else(|error| panic!("the {} client does not read: {error}", self.name));
            count += 1;
        }
        (0..count).map(|_| self.answer()).collect()
    }

    fn answer(&self) -> Answer {
        let line = self.answers.recv_timeout(TIMEOUT);
        let line = line.unwrap_or_else(|error| panic!("no answer from the {} client: {error}", self.name));
        let mut answer: Value = serde_json::from_str(&line).expect("answers are JSON");
        match answer["refused"].as_str() {
            Some(reason) => Err(reason.to_owned()),
            None => Ok(answer["done"].take()),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Delivery<'_> {
    fn request(&self, verb: &str) -> Value {
        json!({
            "verb": verb,
            "body": hex(self.body),
            "header": hex(self.header),
            "secret": self.secret,
            "now": self.now,
            "tolerance": stripe::signature::TOLERANCE_SECONDS,
        })
    }
}

impl Notice {
    fn request(&self, verb: &str, secret: &str) -> Value {
        let Self { body, id, timestamp, signature } = self;
        let headers =
            json!({ "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature });
        json!({
            "verb": verb,
            "body": hex(body),
            "headers": headers,
            "secret": secret,
            "now": crate::now(),
        })
    }
}

fn script(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(path)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
