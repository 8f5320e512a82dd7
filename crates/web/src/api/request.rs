//! What every handler of the API begins with: who asks, in which request, and the page that is wanted.

use std::collections::HashMap;
use std::fmt::Display;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_json::json;
use store::{KeyHolder, PageRequest, Store};
use uuid::Uuid;

use crate::answer::{Meta, Problem, ProblemKind};
use crate::app::{App, Shared};
use crate::auth::{CREDITS_READ, CREDITS_WRITE, Caller, authorization, nobody_acts};
use crate::server::allowance::Taken;
use crate::server::headers::RequestId;
use crate::server::log::KeyName;

/// Rows on a page where the request does not say.
const PER_PAGE: u32 = 20;
/// The most rows on a page.
const MAX_PER_PAGE: u32 = 100;

/// One request, by anyone.
pub(crate) struct Request {
    pub(crate) app: Shared,
    pub(crate) meta: Meta,
    pub(crate) query: Query,
}

impl Request {
    pub(crate) fn store(&self) -> &Store {
        &self.app.store
    }

    /// The answer: `respond`'s, or the problem's.
    pub(crate) async fn answer<F: Future<Output = Result<Response, Problem>>>(
        self,
        respond: impl FnOnce(Request) -> F,
    ) -> Response {
        let meta = self.meta.clone();
        respond(self).await.unwrap_or_else(|problem| meta.error(&problem))
    }
}

impl FromRequestParts<Shared> for Request {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Response> {
        let meta = meta(parts, app);
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let query = query.map_err(|problem| meta.error(&problem))?;
        Ok(Self { app: app.clone(), meta, query })
    }
}

/// One request by whoever may read credits.
pub(crate) struct Reader {
    pub(crate) request: Request,
    pub(crate) caller: Caller,
}

impl FromRequestParts<Shared> for Reader {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Response> {
        let (request, caller) = authenticated(parts, app).await?;
        caller.require(CREDITS_READ).map_err(|problem| request.meta.error(&problem))?;
        Ok(Self { request, caller })
    }
}

/// One request by whoever may buy and spend: a tenant or a service.
pub(crate) struct Writer {
    pub(crate) request: Request,
    pub(crate) caller: Caller,
}

impl FromRequestParts<Shared> for Writer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Response> {
        let (request, caller) = authenticated(parts, app).await?;
        let may = caller.require(CREDITS_WRITE).and_then(|()| caller.may_spend());
        may.map_err(|problem| request.meta.error(&problem))?;
        Ok(Self { request, caller })
    }
}

/// One request by whoever may say where notices go: who may spend, and operators.
pub(crate) struct Manager {
    pub(crate) request: Request,
    pub(crate) caller: Caller,
}

impl FromRequestParts<Shared> for Manager {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Response> {
        let (request, caller) = authenticated(parts, app).await?;
        caller.require(CREDITS_WRITE).map_err(|problem| request.meta.error(&problem))?;
        acting(parts, &request, &caller).await?;
        Ok(Self { request, caller })
    }
}

/// One request by an operator. To everyone else the route does not exist.
pub(crate) struct Operator {
    pub(crate) request: Request,
    pub(crate) caller: Caller,
}

impl FromRequestParts<Shared> for Operator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Response> {
        let (request, caller) = authenticated(parts, app).await?;
        if !caller.is_operator() {
            return Err(request.meta.error(&Problem::no_route()));
        }
        acting(parts, &request, &caller).await?;
        Ok(Self { request, caller })
    }
}

/// Refuses the machine's key whatever changes something, while it could stand for several people.
async fn acting(parts: &Parts, request: &Request, caller: &Caller) -> Result<(), Response> {
    if parts.method.is_safe() || caller.key.holder != KeyHolder::Machine {
        return Ok(());
    }
    let people = request.store().people().await.map_err(|error| request.meta.error(&error.into()))?;
    match people.iter().filter(|person| person.removed_at.is_none()).count() {
        0 | 1 => Ok(()),
        _ => Err(request.meta.error(&nobody_acts())),
    }
}

/// One request that leads nowhere. With a tenant's key it counts like any other, so that what a tenant may
/// not see answers like what does not exist.
pub(crate) struct Stray(pub(crate) Request);

impl FromRequestParts<Shared> for Stray {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Response> {
        match authenticated(parts, app).await {
            Ok((request, _)) => Ok(Self(request)),
            Err(refused) if refused.status() == StatusCode::TOO_MANY_REQUESTS => Err(refused),
            Err(_) => Request::from_request_parts(parts, app).await.map(Self),
        }
    }
}

async fn authenticated(parts: &mut Parts, app: &Shared) -> Result<(Request, Caller), Response> {
    let meta = meta(parts, app);
    let caller = Caller::authenticate(authorization(&parts.headers), &app.store, meta.at).await;
    let caller = caller.map_err(|problem| meta.error(&problem))?;
    if let Some(name) = parts.extensions.get::<KeyName>() {
        name.set(&caller.key.name);
    }
    allowed(parts, app, &caller).map_err(|problem| meta.error(&problem))?;
    Ok((Request::from_request_parts(parts, app).await?, caller))
}

fn meta(parts: &Parts, app: &App) -> Meta {
    let id = parts.extensions.get::<RequestId>().map_or(Uuid::nil(), |id| id.0);
    Meta::new(id, &app.clock)
}

/// Takes the request off the tenant's hour. Services and operators are not counted.
fn allowed(parts: &Parts, app: &App, caller: &Caller) -> Result<(), Problem> {
    let Some(tenant) = caller.key.tenant() else { return Ok(()) };
    let taken = parts.extensions.get::<Taken>().cloned().unwrap_or_default();
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

/// The object that the path names. It is taken last, so that who may not ask learns nothing from it.
pub(crate) struct Id(pub(crate) String);

impl FromRequestParts<Shared> for Id {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Response> {
        match Path::<String>::from_request_parts(parts, app).await {
            Ok(Path(id)) => Ok(Self(id)),
            // Escapes that make no text name nothing.
            Err(_) => {
                let request = Request::from_request_parts(parts, app).await?;
                Err(request.meta.error(&Problem::no_route()))
            }
        }
    }
}

/// The objects that the path names, the outer one first. Taken last, like [`Id`].
pub(crate) struct Ids<const N: usize>(pub(crate) [String; N]);

impl<const N: usize> FromRequestParts<Shared> for Ids<N> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Response> {
        let named = Path::<Vec<String>>::from_request_parts(parts, app).await.ok();
        match named.and_then(|Path(ids)| ids.try_into().ok()) {
            Some(ids) => Ok(Self(ids)),
            None => {
                let request = Request::from_request_parts(parts, app).await?;
                Err(request.meta.error(&Problem::no_route()))
            }
        }
    }
}

/// The query string: each key once.
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

    /// `true` or `false`; false where nothing is said.
    pub(crate) fn flag(&self, key: &str) -> Result<bool, Problem> {
        match self.get(key) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Problem::value(key, "true or false")),
        }
    }

    /// One of a closed list, by its name; none where nothing is said.
    pub(crate) fn one_of<T: Copy>(
        &self,
        key: &str,
        all: &[T],
        name: fn(T) -> &'static str,
    ) -> Result<Option<T>, Problem> {
        let Some(asked) = self.get(key) else { return Ok(None) };
        let found = all.iter().copied().find(|one| name(*one) == asked);
        let names = || all.iter().map(|one| name(*one)).collect::<Vec<_>>().join(", ");
        found.map(Some).ok_or_else(|| Problem::value(key, &format!("one of {}", names())))
    }

    /// Refuses what the route does not know, so that a misspelt filter never shows everything.
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

/// The page that is wanted: `page`, `per_page` and `sort` by `created_at`, newest first by default.
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

/// A body as it was received, or why it was not.
pub(crate) type Received = Result<Bytes, BytesRejection>;

/// Reads a JSON body.
pub(crate) fn body<T: DeserializeOwned>(request: &Request, received: Received) -> Result<T, Problem> {
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
    // serde would take the elements of an array for the fields, in their order.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(unread(&"it must be an object, not an array"));
    }
    if bytes.is_empty() {
        return Err(unread(&"it is empty, and must be a JSON object"));
    }
    serde_json::from_slice(&bytes).map_err(|error| match error.classify() {
        // It is JSON, and serde says which of its fields is wrong.
        Category::Data => unread(&error),
        Category::Syntax | Category::Eof | Category::Io => unread(&format!("it is not JSON: {error}")),
    })
}

/// A body that may be left out.
pub(crate) fn or_nothing(received: Received) -> Received {
    received.map(|bytes| if bytes.is_empty() { Bytes::from_static(b"{}") } else { bytes })
}
