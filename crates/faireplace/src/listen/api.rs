//! One question to the events API, Stripe's or an emulator's, and what its answer means for somebody who will
//! ask again. Not here: what to ask (`follow`), and how long to wait.

use std::fmt::Write;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header};
use bytes::Bytes;
use http_body_util::Full;
use serde::Deserialize;
use serde_json::value::RawValue;
use stripe::write::{ApiVersion, WrittenEvent};

use super::follow::{Ask, Page};
use crate::client::encoded;
use crate::failure::Failure;
use crate::outgoing::{self, Certificates, Limits, Outgoing, exchange};

/// Limits of an answer: a hundred events, each far larger than any known.
const LIMITS: Limits = Limits { bytes: 16 << 20, time: Duration::from_secs(30) };

/// Events on a page: Stripe's maximum (docs.stripe.com/api/pagination).
const PAGE: u32 = 100;

/// A way to the events of one account.
pub(crate) struct EventsApi {
    http: Outgoing,
    base: Uri,
    /// Without a `Debug`: the key is shown by nothing.
    key: String,
    /// What every question has in common.
    query: String,
    latest: bool,
}

/// What came of a question.
pub(crate) enum Answer {
    /// Events, and the API version in which they were asked for.
    Page { page: Page, version: Option<String> },
    /// The event from which we count is not known there.
    Forgotten,
    /// Nothing now, and why; it may work later.
    Later(String),
    /// No, and why; it will be no again.
    Refused(String),
}

impl EventsApi {
    /// The events of `types`, or of all types where that is empty, of the account of `key`. `latest` asks for
    /// them in the newest API version.
    ///
    /// # Errors
    /// When the address or the key cannot be used.
    pub(crate) fn new(base: &str, key: &str, types: &[String], latest: bool) -> Result<Self, Failure> {
        let base = base.trim_end_matches('/');
        let address: Uri = base.parse().map_err(|_| no_base())?;
        let plain = match (address.scheme_str(), address.host()) {
            (Some("http"), Some(_)) => true,
            (Some("https"), Some(_)) => false,
            _ => return Err(no_base()),
        };
        if address.query().is_some() || address.authority().is_some_and(|host| host.as_str().contains('@')) {
            return Err(no_base());
        }
        // The emulator's key opens nothing, so it may be sent anywhere.
        if plain && key != emulator::API_KEY && !outgoing::is_this_machine(&address) {
            return Err(Failure::configuration(
                "STRIPE_SECRET_KEY would travel unencrypted: use https in --api-base or STRIPE_API_BASE",
            ));
        }
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::configuration("STRIPE_SECRET_KEY must be a key, such as sk_test_…"));
        }
        let query = types.iter().fold(String::new(), |mut query, name| {
            // Writing to a String cannot fail.
            let _ = write!(query, "&types%5B%5D={}", encoded(name));
            query
        });
        let http = outgoing::way_to(&address, Certificates::Checked)?;
        Ok(Self { http, base: address, key: key.to_owned(), query, latest })
    }

    /// The address as a person reads it.
    pub(crate) fn shown(&self) -> String {
        self.base.to_string().trim_end_matches('/').to_owned()
    }

    /// Whether it is on this machine, where asking often costs nothing.
    pub(crate) fn is_near(&self) -> bool {
        outgoing::is_this_machine(&self.base)
    }

    /// Asks.
    pub(crate) async fn ask(&self, ask: &Ask) -> Answer {
        match self.request(ask).await {
            Ok(answer) => self.read(ask, answer.status(), answer.headers(), answer.body()),
            Err(error) => Answer::Later(error),
        }
    }

    async fn request(&self, ask: &Ask) -> Result<Response<Bytes>, String> {
        let cursor = match ask {
            Ask::Newest => "?limit=1".to_owned(),
            Ask::Latest => format!("?limit={PAGE}"),
            Ask::After(id) => format!("?limit={PAGE}&ending_before={}", encoded(id)),
            Ask::Before(id) => format!("?limit={PAGE}&starting_after={}", encoded(id)),
        };
        let mut key = HeaderValue::try_from(format!("Bearer {}", self.key)).map_err(|e| e.to_string())?;
        key.set_sensitive(true);
        let mut request = Request::get(format!("{}/v1/events{cursor}{}", self.shown(), self.query))
            .header(header::AUTHORIZATION, key)
            .header(header::USER_AGENT, concat!("faireplace/", env!("CARGO_PKG_VERSION")));
        if self.latest {
            request = request.header("stripe-version", ApiVersion::default().as_str());
        }
        let request = request.body(Full::default()).map_err(|error| error.to_string())?;
        exchange(&self.http, request, LIMITS).await.map_err(|error| {
            let start = error.is_connect() && self.is_near();
            let start = if start { "; `faireplace emulate` starts an emulator" } else { "" };
            format!("{}{start}", error.describe(&self.shown()))
        })
    }

    fn read(&self, ask: &Ask, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Answer {
        let word = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if status.is_success() {
            let version = word("stripe-version").map(str::to_owned);
            return match page(body) {
                Ok(page) => Answer::Page { page, version },
                Err(error) => Answer::Later(format!("{} answered no list of events: {error}", self.shown())),
            };
        }
        let error = serde_json::from_slice::<ErrorBody>(body).map(|body| body.error).unwrap_or_default();
        if error.code.as_deref() == Some("resource_missing") && matches!(ask, Ask::After(_) | Ask::Before(_))
        {
            return Answer::Forgotten;
        }
        // Stripe does not repeat keys in full; whatever else answers here might.
        let message = error.message.unwrap_or_default().replace(&self.key, "sk_…");
        let reason = format!("{} answered {} {message}", self.shown(), status.as_u16());
        // What Stripe's own clients try again, and 429, which they leave to the caller
        // (docs.stripe.com/error-low-level). A server's fault is asked about again whatever it says of this
        // request: the next poll is another one.
        let later = word("stripe-should-retry") == Some("true")
            || matches!(status.as_u16(), 408 | 409 | 425 | 429)
            || status.is_server_error();
        if later { Answer::Later(reason) } else { Answer::Refused(reason) }
    }
}

fn no_base() -> Failure {
    Failure::configuration("the API's address must be like https://api.stripe.com or http://127.0.0.1:12111")
}

#[derive(Deserialize)]
struct ListBody {
    data: Vec<Box<RawValue>>,
    has_more: bool,
}

#[derive(Deserialize)]
struct EventHead {
    id: String,
    #[serde(rename = "type")]
    type_name: String,
    created: i64,
}

#[derive(Default, Deserialize)]
struct ErrorBody {
    error: ErrorDetail,
}

#[derive(Default, Deserialize)]
struct ErrorDetail {
    code: Option<String>,
    message: Option<String>,
}

/// The events' own bytes are kept: what is signed and sent is what was listed.
fn page(body: &[u8]) -> Result<Page, serde_json::Error> {
    let list: ListBody = serde_json::from_slice(body)?;
    let event = |raw: &RawValue| {
        let EventHead { id, type_name, created } = serde_json::from_str(raw.get())?;
        Ok(WrittenEvent { id, type_name, created, body: raw.get().to_owned() })
    };
    let events = list.data.iter().map(|raw| event(raw)).collect::<Result<_, _>>()?;
    Ok(Page { events, has_more: list.has_more })
}
