//! A running `faireplace emulate`, and how a program without an SDK speaks to it.

use std::net::SocketAddr;

use e2e::deployment::Deployment;
use e2e::http::{Answer, Connection, Request};
use e2e::process::Process;
use serde_json::Value;

/// An emulator in memory, on a port of its own; it ends with its owner.
pub(crate) struct Emulator {
    address: SocketAddr,
    _process: Process,
    _folder: Deployment,
}

impl Emulator {
    /// Starts one with these further words, and waits until it is ready.
    pub(crate) fn start(words: &str) -> Self {
        let folder = Deployment::empty();
        let command = format!("emulate --listen 127.0.0.1:0 {words}");
        let started = folder.start(command.trim_end()).wait_for(|process| {
            let screen = process.stdout();
            let (_, rest) = screen.lines().find(|line| line.starts_with("emulate"))?.split_once("http://")?;
            rest.split_whitespace().next()?.parse().ok()
        });
        let (process, address) = started.unwrap_or_else(|ended| panic!("it ended early:\n{ended}"));
        Self { address, _process: process, _folder: folder }
    }

    /// `http://127.0.0.1:…`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The one key that it accepts.
    pub(crate) fn api_key(&self) -> String {
        self.control("GET", "state", "")["api_key"].as_str().expect("a key is text").to_owned()
    }

    /// Its own controls.
    pub(crate) fn control(&self, method: &str, path: &str, body: &str) -> Value {
        let fields = [("content-type", "application/json")];
        let answer = self.send(method, &format!("/_emulator/{path}"), &fields, body);
        assert_eq!(answer.status, 200, "{method} /_emulator/{path}: {answer:?}");
        answer.json()
    }

    /// Stripe's API in an API version, with a form.
    pub(crate) fn stripe(&self, version: &str, method: &str, path: &str, form: &str) -> Value {
        let bearer = format!("Bearer {}", self.api_key());
        let fields = [
            ("authorization", bearer.as_str()),
            ("stripe-version", version),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let answer = self.send(method, path, &fields, form);
        assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
        answer.json()
    }

    /// A purchase of twenty euros with some more terms, paid with a card; answers the session.
    pub(crate) fn buy(&self, terms: &str, card: &str) -> Value {
        let form = format!(
            "mode=payment&success_url=http://127.0.0.1/&line_items[0][quantity]=1\
             &line_items[0][price_data][currency]=eur&line_items[0][price_data][unit_amount]=2000\
             &line_items[0][price_data][product_data][name]=Credits{terms}"
        );
        let session = self.stripe(NEWEST, "POST", "/v1/checkout/sessions", &form);
        let id = session["id"].as_str().expect("a session has an id");
        self.control("POST", &format!("sessions/{id}/pay"), &format!(r#"{{"card":"{card}"}}"#));
        self.control("GET", "settled", "");
        self.stripe(NEWEST, "GET", &format!("/v1/checkout/sessions/{id}"), "")
    }

    fn send(&self, method: &str, path: &str, fields: &[(&str, &str)], body: &str) -> Answer {
        let request = Request { method, path, fields, body: body.as_bytes() };
        let answer = Connection::open(self.address).and_then(|mut connection| connection.send(request));
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }
}

/// The API version of today's SDKs.
pub(crate) const NEWEST: &str = "2026-10-28.endive";
