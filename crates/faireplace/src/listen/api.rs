//! One request to the events API of Stripe or of the emulator, and what its response means for polling.

use std::fmt::Write;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header};
use bytes::Bytes;
use http_body_util::Full;
use serde::Deserialize;
use serde_json::value::RawValue;
use stripe::write::{ApiVersion, WrittenEvent};

use super::follow::{Ask, EventsPage};
use crate::client::encoded;
use crate::failure::Failure;
use crate::outgoing::{self, Certificates, Outgoing, ResponseLimits, exchange};

/// Limits of an answer: a hundred events, each far larger than any known.
const LIMITS: ResponseLimits = ResponseLimits { bytes: 16 << 20, time: Duration::from_secs(30) };

/// Events on a page: Stripe's maximum (docs.stripe.com/api/pagination).
const PAGE: u32 = 100;

/// A client of the events of one account.
pub(crate) struct EventsApi {
    http: Outgoing,
    base: Uri,
    /// No `Debug`, so that the key cannot be printed.
    key: String,
    /// The query parameters of every request.
    query: String,
    latest: bool,
}

/// The result of a request.
pub(crate) enum EventsAnswer {
    /// Events, and the API version of the request.
    EventsPage { page: EventsPage, version: Option<String> },
    /// The API does not know the event that we continue from.
    Forgotten,
    /// A temporary failure, with the reason.
    Later(String),
    /// A permanent refusal, with the reason.
    Refused(String),
}

impl EventsApi {
    /// A client of the events of `types` (empty: all) of the account of `key`. `latest` requests the newest
    /// API version.
    ///
    /// # Errors
    /// When the URL or the key is not valid.
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
        // The emulator's key is public, so it may be sent unencrypted.
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

    /// The URL for people.
    pub(crate) fn shown(&self) -> String {
        self.base.to_string().trim_end_matches('/').to_owned()
    }

    /// Whether it is on this machine, where polling is cheap.
    pub(crate) fn is_near(&self) -> bool {
        outgoing::is_this_machine(&self.base)
    }

    /// Sends the request.
    pub(crate) async fn ask(&self, ask: &Ask) -> EventsAnswer {
        match self.request(ask).await {
            Ok(answer) => self.read(ask, answer.status(), answer.headers(), answer.body()),
            Err(error) => EventsAnswer::Later(error),
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

    fn read(&self, ask: &Ask, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> EventsAnswer {
        let word = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if status.is_success() {
            let version = word("stripe-version").map(str::to_owned);
            return match page(body) {
                Ok(page) => EventsAnswer::EventsPage { page, version },
                Err(error) => {
                    EventsAnswer::Later(format!("{} answered no list of events: {error}", self.shown()))
                }
            };
        }
        let error = serde_json::from_slice::<ErrorBody>(body).map(|body| body.error).unwrap_or_default();
        if error.code.as_deref() == Some("resource_missing") && matches!(ask, Ask::After(_) | Ask::Before(_))
        {
            return EventsAnswer::Forgotten;
        }
        // Stripe never repeats a key in full, but another server might.
        let message = error.message.unwrap_or_default().replace(&self.key, "sk_…");
        let reason = format!("{} answered {} {message}", self.shown(), status.as_u16());
        // What Stripe's own clients retry, and 429, which they leave to the caller
        // (docs.stripe.com/error-low-level). Server errors are always retried: the next poll is a new
        // request.
        let later = word("stripe-should-retry") == Some("true")
            || matches!(status.as_u16(), 408 | 409 | 425 | 429)
            || status.is_server_error();
        if later { EventsAnswer::Later(reason) } else { EventsAnswer::Refused(reason) }
    }
}

fn no_base() -> Failure {
    Failure::configuration("the API's URL must be like https://api.stripe.com or http://127.0.0.1:12111")
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

/// Keeps the events' bytes: the listed bytes are signed and sent.
fn page(body: &[u8]) -> Result<EventsPage, serde_json::Error> {
    let list: ListBody = serde_json::from_slice(body)?;
    let event = |raw: &RawValue| {
        let EventHead { id, type_name, created } = serde_json::from_str(raw.get())?;
        Ok(WrittenEvent { id, type_name, created, body: raw.get().to_owned() })
    };
    let events = list.data.iter().map(|raw| event(raw)).collect::<Result<_, _>>()?;
    Ok(EventsPage { events, has_more: list.has_more })
}
