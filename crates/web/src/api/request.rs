//! The inputs of the API's handlers: the caller, the query string, the page, and the body.

use std::collections::HashMap;
use std::fmt::Display;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use ledger::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_json::json;
use store::{KeyHolder, PageRequest, Store};

use crate::answer::{Problem, ProblemKind};
use crate::app::{App, Shared};
use crate::auth::{CREDITS_READ, CREDITS_WRITE, Caller, authorization, nobody_acts};
use crate::server::allowance::RequestAllowance;
use crate::server::log::RequestKeyName;

/// Rows per page by default.
const PER_PAGE: u32 = 20;
/// The most rows per page.
const MAX_PER_PAGE: u32 = 100;

/// A request from anyone.
pub(crate) struct Request {
    pub(crate) app: Shared,
    /// When it was received.
    pub(crate) now: Timestamp,
    pub(crate) query: Query,
}

impl Request {
    pub(crate) fn store(&self) -> &Store {
        &self.app.store
    }

    fn of(parts: &Parts, app: &Shared, now: Timestamp) -> Result<Self, Problem> {
        let query = Query::parse(parts.uri.query().unwrap_or_default())?;
        Ok(Self { app: app.clone(), now, query })
    }
}

impl FromRequestParts<Shared> for Request {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        Self::of(parts, app, app.clock.now())
    }
}

/// A request with a key that may read credits.
pub(crate) struct CreditsReader {
    pub(crate) request: Request,
    pub(crate) caller: Caller,
}

impl FromRequestParts<Shared> for CreditsReader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let (request, caller) = authenticated(parts, app).await?;
        caller.require(CREDITS_READ)?;
        Ok(Self { request, caller })
    }
}

/// A request with a key that may buy and spend: a tenant key or a service key.
pub(crate) struct CreditsWriter {
    pub(crate) request: Request,
    pub(crate) caller: Caller,
}

impl FromRequestParts<Shared> for CreditsWriter {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let (request, caller) = authenticated(parts, app).await?;
        caller.require(CREDITS_WRITE)?;
        caller.may_spend()?;
        Ok(Self { request, caller })
    }
}

/// A request with a key that may manage webhook endpoints: one that may write credits, or an operator key.
pub(crate) struct EndpointManager {
    pub(crate) request: Request,
    pub(crate) caller: Caller,
}

impl FromRequestParts<Shared> for EndpointManager {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let (request, caller) = authenticated(parts, app).await?;
        caller.require(CREDITS_WRITE)?;
        refuse_ambiguous_machine_key(parts, &request, &caller).await?;
        Ok(Self { request, caller })
    }
}

/// A request with an operator key. For every other key the route does not exist.
pub(crate) struct Operator {
    pub(crate) request: Request,
    pub(crate) caller: Caller,
}

impl FromRequestParts<Shared> for Operator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let (request, caller) = authenticated(parts, app).await?;
        if !caller.is_operator() {
            return Err(Problem::no_route());
        }
        refuse_ambiguous_machine_key(parts, &request, &caller).await?;
        Ok(Self { request, caller })
    }
}

/// The machine's key acts for the only registered person. While several are registered, it only reads.
async fn refuse_ambiguous_machine_key(
    parts: &Parts,
    request: &Request,
    caller: &Caller,
) -> Result<(), Problem> {
    if parts.method.is_safe() || caller.key.holder != KeyHolder::Machine {
        return Ok(());
    }
    let people = request.store().people().await?;
    match people.iter().filter(|person| person.removed_at.is_none()).count() {
        0 | 1 => Ok(()),
        _ => Err(nobody_acts()),
    }
}

/// A request that no handler takes. With a tenant key it counts against the rate limit like any other, so
/// that hidden routes and missing routes look the same.
pub(crate) struct Unmatched;

impl FromRequestParts<Shared> for Unmatched {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        match authenticated(parts, app).await {
            Err(problem) if problem.kind() == ProblemKind::RateLimitExceeded => Err(problem),
            Ok(_) => Ok(Self),
            Err(_) => Request::from_request_parts(parts, app).await.map(|_| Self),
        }
    }
}

async fn authenticated(parts: &mut Parts, app: &Shared) -> Result<(Request, Caller), Problem> {
    let now = app.clock.now();
    let caller = Caller::authenticate(authorization(&parts.headers), &app.store, now).await?;
    if let Some(name) = parts.extensions.get::<RequestKeyName>() {
        name.set(&caller.key.name);
    }
    count_request(parts, app, &caller)?;
    Ok((Request::of(parts, app, now)?, caller))
}

/// Counts the request against the tenant's hourly limit. Service keys and operator keys are not counted.
fn count_request(parts: &Parts, app: &App, caller: &Caller) -> Result<(), Problem> {
    let Some(tenant) = caller.key.tenant() else { return Ok(()) };
    let taken = parts.extensions.get::<RequestAllowance>().cloned().unwrap_or_default();
    let Some(allowance) = taken.get_or_take(|| app.limiter.take(tenant, &app.clock)) else { return Ok(()) };
    let Some(seconds) = allowance.refused_for else { return Ok(()) };
    let limit = allowance.limit;
    let message = format!(
        "The tenant's {limit} requests of this hour are used up. Nothing was changed; ask again in \
         {seconds} seconds."
    );
    let details = json!({ "limit": limit, "retry_after": seconds });
    Err(Problem::new(ProblemKind::RateLimitExceeded, message).with_details(details))
}

/// The `{id}` of the path. Extracted last, so that a client without access learns nothing from it.
pub(crate) struct PathId(pub(crate) String);

impl FromRequestParts<Shared> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        // An escape sequence that is not UTF-8 names nothing.
        let Ok(Path(id)) = Path::from_request_parts(parts, app).await else {
            return Err(Problem::no_route());
        };
        Ok(Self(id))
    }
}

/// The ids of the path, the outer one first. Extracted last, like [`PathId`].
pub(crate) struct PathIds<const N: usize>(pub(crate) [String; N]);

impl<const N: usize> FromRequestParts<Shared> for PathIds<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let path = Path::<Vec<String>>::from_request_parts(parts, app).await.ok();
        path.and_then(|Path(ids)| ids.try_into().ok()).map(Self).ok_or_else(Problem::no_route)
    }
}

/// The query string. Each key may occur once.
pub(crate) struct Query(HashMap<String, String>);

impl Query {
    fn parse(text: &str) -> Result<Self, Problem> {
        let unreadable = || Problem::new(ProblemKind::BadRequest, "The query string cannot be read.");
        let uri: axum::http::Uri = format!("/?{text}").parse().map_err(|_| unreadable())?;
        let axum::extract::Query(pairs) =
            axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri).map_err(|_| unreadable())?;
        let mut values = HashMap::new();
        for (key, value) in pairs {
            if values.insert(key.clone(), value).is_some() {
                return Err(Problem::new(
                    ProblemKind::BadRequest,
                    format!("The query string names {} twice.", key.escape_debug()),
                ));
            }
        }
        Ok(Self(values))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// `true` or `false`; false by default.
    pub(crate) fn flag(&self, key: &str) -> Result<bool, Problem> {
        match self.get(key) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Problem::value(key, "true or false")),
        }
    }

    /// One of a closed list, by its name; none by default.
    pub(crate) fn one_of<T: Copy>(
        &self,
        key: &str,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let found = all.iter().copied().find(|one| name(*one) == value);
        let names = || all.iter().map(|one| name(*one)).collect::<Vec<_>>().join(", ");
        found.map(Some).ok_or_else(|| Problem::value(key, &format!("one of {}", names())))
    }

    /// Refuses parameters that the route does not know, so that a misspelt filter never lists everything.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        let Some(key) = self.0.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
        let takes = match known {
            [] => "it takes no parameters".to_owned(),
            known => format!("it knows {}", known.join(", ")),
        };
        let message =
            format!("This route does not know {}; {takes}. Nothing was changed.", key.escape_debug());
        Err(Problem::new(ProblemKind::Validation, message))
    }
}

/// The requested page: `page`, `per_page` and `sort` by `created_at`, newest first by default.
pub(crate) fn page(query: &Query) -> Result<PageRequest, Problem> {
    let number = |key: &str, default: u32, max: u32| match query.get(key) {
        None => Ok(default),
        Some(text) => match text.parse() {
            Ok(number) if (1..=max).contains(&number) => Ok(number),
            _ => Err(Problem::value(key, &format!("a number from 1 to {max}"))),
        },
    };
    let ascending = match query.get("sort") {
        None | Some("-created_at") => false,
        Some("created_at") => true,
        Some(_) => return Err(Problem::value("sort", "created_at or -created_at")),
    };
    Ok(PageRequest {
        number: number("page", 1, 1_000_000)?,
        size: number("per_page", PER_PAGE, MAX_PER_PAGE)?,
        ascending,
    })
}

/// The bytes of a body, or why they could not be received.
pub(crate) type ReceivedBody = Result<Bytes, BytesRejection>;

/// Reads a JSON body.
pub(crate) fn body<T: DeserializeOwned>(request: &Request, received: ReceivedBody) -> Result<T, Problem> {
    let bytes = received.map_err(|fault| {
        if fault.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let limit = request.app.limits.api_body_bytes;
            let message = format!("A body may have {limit} bytes. Nothing was changed.");
            return Problem::new(ProblemKind::PayloadTooLarge, message);
        }
        Problem::new(ProblemKind::BadRequest, "The body could not be received. Nothing was changed.")
    })?;
    let unread = |why: &dyn Display| {
        let message = format!("The body cannot be read: {why}. Nothing was changed.");
        Problem::new(ProblemKind::BadRequest, message)
    };
    // serde would read an array as the fields in their order.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(unread(&"it must be an object, not an array"));
    }
    if bytes.is_empty() {
        return Err(unread(&"it is empty, and must be a JSON object"));
    }
    serde_json::from_slice(&bytes).map_err(|error| match error.classify() {
        // serde names the field that is wrong.
        Category::Data => unread(&error),
        Category::Syntax | Category::Eof | Category::Io => unread(&format!("it is not JSON: {error}")),
    })
}

/// A body that is optional: none counts as `{}`.
pub(crate) fn or_nothing(received: ReceivedBody) -> ReceivedBody {
    received.map(|bytes| if bytes.is_empty() { Bytes::from_static(b"{}") } else { bytes })
}
