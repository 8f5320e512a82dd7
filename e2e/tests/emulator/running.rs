//! A running emulator, and requests to it without an SDK.

use std::net::SocketAddr;

use e2e::deployment::Deployment;
use e2e::http::{self, Answer, Request};
use e2e::process::Process;
use serde_json::Value;

/// An emulator: in memory and killed on drop, or the one that runs in `dev`.
pub(crate) struct Emulator {
    address: SocketAddr,
    _own: Option<(Process, Deployment)>,
}

impl Emulator {
    /// Starts an emulator with these arguments, and waits until it is ready.
    pub(crate) fn start(arguments: &str) -> Self {
        let folder = Deployment::empty();
        let command = format!("emulate --listen 127.0.0.1:0 {arguments}");
        let started = folder.start(command.trim_end()).wait_for(|process| {
            let screen = process.stdout();
            let (_, rest) = screen.lines().find(|line| line.starts_with("emulate"))?.split_once("http://")?;
            rest.split_whitespace().next()?.parse().ok()
        });
        let (process, address) = started.unwrap_or_else(|ended| panic!("the emulator ended early:\n{ended}"));
        Self { address, _own: Some((process, folder)) }
    }

    /// The emulator that listens at this address.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self { address, _own: None }
    }

    /// Its base URL, `http://127.0.0.1:…`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The API key that it accepts.
    pub(crate) fn api_key(&self) -> String {
        text(&self.control("GET", "state", "")["api_key"])
    }

    /// Sends a request to its control API, and returns the body.
    pub(crate) fn control(&self, method: &str, path: &str, body: &str) -> Value {
        let fields = [("content-type", "application/json")];
        let answer = self.send(method, &format!("/_emulator/{path}"), &fields, body);
        assert_eq!(answer.status, 200, "{method} /_emulator/{path}: {answer:?}");
        answer.json()
    }

    /// Sends a form to Stripe's API in an API version, and returns the body.
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

    /// Creates a session with this price in cents and more parameters.
    pub(crate) fn order(&self, cents: u32, terms: &str) -> Value {
        let form = format!(
            "mode=payment&success_url={}/&line_items[0][quantity]=1\
             &line_items[0][price_data][currency]=eur&line_items[0][price_data][unit_amount]={cents}\
             &line_items[0][price_data][product_data][name]=Credits{terms}",
            self.url()
        );
        self.stripe(NEWEST, "POST", "/v1/checkout/sessions", &form)
    }

    /// Buys something for twenty euros with a card; returns the session.
    pub(crate) fn buy(&self, terms: &str, card: &str) -> Value {
        let id = text(&self.order(2_000, terms)["id"]);
        self.control("POST", &format!("sessions/{id}/pay"), &format!(r#"{{"card":"{card}"}}"#));
        self.control("GET", "settled", "");
        self.session(&id)
    }

    /// Retrieves a session.
    pub(crate) fn session(&self, id: &str) -> Value {
        self.stripe(NEWEST, "GET", &format!("/v1/checkout/sessions/{id}"), "")
    }

    fn send(&self, method: &str, path: &str, fields: &[(&str, &str)], body: &str) -> Answer {
        http::send(self.address, Request { method, path, fields, body: body.as_bytes() })
    }
}

/// The text of a JSON string.
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a string")).to_owned()
}

/// The API version of the current SDKs.
pub(crate) const NEWEST: &str = "2026-10-28.endive";
