//! What every route of Stripe's API has in common: authentication, body size, version, idempotency, headers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;
use stripe::write::{ApiVersion, pretty};

use super::call::{Call, resolve};
use super::{Route, nouns};
use crate::emulator::Emulator;
use crate::object::RequestReference;
use crate::wire::error::ErrorType;
use crate::wire::expand::Expansion;
use crate::wire::idempotency::{Begun, Fingerprint, Idempotency, MAX_KEY_CHARACTERS, StoredAnswer};
use crate::wire::{Params, StripeError, form};

/// The state that all requests share.
pub(super) struct Api {
    emulator: Emulator,
    keys: Mutex<Idempotency>,
    /// The number of requests so far. Ids of objects do not depend on it, so polling does not change them.
    requests: AtomicU64,
}

impl Api {
    pub(super) fn new(emulator: Emulator) -> Self {
        Self { emulator, keys: Mutex::default(), requests: AtomicU64::new(0) }
    }

    fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("req_{:014}", number.saturating_add(1))
    }

    fn keys(&self) -> MutexGuard<'_, Idempotency> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Responds to a route that the emulator does not have.
pub(super) async fn unknown(api: Arc<Api>, request: Request) -> Response {
    let outcome =
        authorised(&api, request.headers()).and_then(|()| version(request.headers())).and_then(|_| {
            Err(StripeError::unknown_url(request.method().as_str(), request.uri().path(), &nouns()))
        });
    match outcome {
        Ok(never) => never,
        Err(error) => ApiResponse::refused(&api, &error).into_response(request.headers()),
    }
}

/// Responds to a route of `ROUTES`.
pub(super) async fn answer(
    api: Arc<Api>,
    route: &'static Route,
    path: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let id = path.ok().and_then(|params| params.iter().next().map(|(_, value)| value.to_owned()));
    let asked = ApiRequest { route, id: id.unwrap_or_default(), method: &head.method, path: head.uri.path() };
    // `/v1/customers/search` looks like a customer with the id `search`.
    if asked.id == "search" {
        return unknown(api, Request::from_parts(head, body)).await;
    }
    let reply = match read(&api, &head.headers, head.uri.query(), body).await {
        Ok((params, version)) => asked.decide(&api, &head.headers, params, version),
        Err(error) => ApiResponse::refused(&api, &error),
    };
    reply.into_response(&head.headers)
}

/// Checks and reads a request as far as that is the same on every route.
async fn read(
    api: &Api,
    headers: &HeaderMap,
    query: Option<&str>,
    body: Body,
) -> Result<(Params, ApiVersion), StripeError> {
    authorised(api, headers)?;
    let version = version(headers)?;
    let too_large = |_| {
        let message = format!("The request body is larger than {} bytes.", form::MAX_BYTES);
        StripeError::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorType::InvalidRequest, message)
            .without_execution()
    };
    let body = to_bytes(body, form::MAX_BYTES).await.map_err(too_large)?;
    let form = headers.get(header::CONTENT_TYPE).is_none_or(|kind| {
        kind.as_bytes().to_ascii_lowercase().starts_with(b"application/x-www-form-urlencoded")
    });
    if !body.is_empty() && !form {
        return Err(StripeError::unreadable(
            "check that your POST content type is application/x-www-form-urlencoded.",
        ));
    }
    let both = [query.unwrap_or_default().as_bytes(), &body].join(&b'&');
    Ok((Params::parse(&both)?, version))
}

/// Checks the API key, sent as `Bearer` or as the user of `Basic`.
fn authorised(api: &Api, headers: &HeaderMap) -> Result<(), StripeError> {
    let given = headers.get(header::AUTHORIZATION).ok_or_else(StripeError::no_key)?;
    let given = given.to_str().map_err(|_| StripeError::wrong_key(""))?;
    let (scheme, credentials) = given.split_once(' ').ok_or_else(StripeError::no_key)?;
    let key = if scheme.eq_ignore_ascii_case("bearer") {
        credentials.trim().to_owned()
    } else if scheme.eq_ignore_ascii_case("basic") {
        basic_user(credentials.trim()).unwrap_or_default()
    } else {
        return Err(StripeError::no_key());
    };
    match key.as_str() {
        "" => Err(StripeError::no_key()),
        key if key == api.emulator.options().api_key => Ok(()),
        key => Err(StripeError::wrong_key(key)),
    }
}

/// The user of `user:password` in base64 (RFC 7617), with or without padding; `None` if it cannot be decoded.
fn basic_user(encoded: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD_NO_PAD.decode(encoded.trim_end_matches('=')).ok()?).ok()?;
    Some(text.split(':').next().unwrap_or_default().to_owned())
}

/// The version of the response: the newest, without a header.
fn version(headers: &HeaderMap) -> Result<ApiVersion, StripeError> {
    let Some(given) = headers.get("stripe-version") else { return Ok(ApiVersion::default()) };
    let text = given.to_str().unwrap_or_default();
    ApiVersion::parse_nearest(text).ok_or_else(|| StripeError::unknown_version(text))
}

/// A request to a known route.
struct ApiRequest<'a> {
    route: &'static Route,
    id: String,
    method: &'a Method,
    path: &'a str,
}

impl ApiRequest<'_> {
    /// Responds, and executes only once for each idempotency key.
    fn decide(self, api: &Api, headers: &HeaderMap, params: Params, version: ApiVersion) -> ApiResponse {
        let key = match idempotency_key(headers, self.method) {
            Ok(key) => key,
            Err(error) => return ApiResponse::refused(api, &error),
        };
        let Some(key) = key else { return self.act(api, params, version, None).0 };
        let fingerprint = Fingerprint::of(self.method.as_str(), self.path, &params);
        let now_ms = api.emulator.with(|world| world.now_ms());
        match api.keys().begin(&key, fingerprint, now_ms) {
            Begun::Fresh => {}
            Begun::Replay(answer) => return ApiResponse::again(api, answer),
            Begun::Mismatch => return ApiResponse::refused(api, &StripeError::idempotency_mismatch(&key)),
            Begun::InFlight => return ApiResponse::refused(api, &StripeError::idempotency_key_in_use(&key)),
        }
        let (reply, keep) = self.act(api, params, version, Some(&key));
        if keep {
            api.keys().finish(&key, reply.answer.clone(), now_ms);
        } else {
            api.keys().forget(&key);
        }
        reply
    }

    /// Executes the request. The flag says whether to keep the response under the idempotency key.
    fn act(self, api: &Api, params: Params, version: ApiVersion, key: Option<&str>) -> (ApiResponse, bool) {
        let request_id = api.request_id();
        let request = RequestReference { id: request_id.clone(), idempotency_key: key.map(str::to_owned) };
        let &(_, _, shape, handler) = self.route;
        let result = api.emulator.with(|world| {
            world.on_behalf_of(Some(request));
            let mut params = params;
            let answer = Expansion::read(&mut params, shape).and_then(|expansion| {
                let mut call = Call {
                    world: &mut *world,
                    params,
                    id: self.id,
                    version,
                    account_version: ApiVersion::default(),
                    site: &api.emulator.options().url,
                };
                let mut answer = handler(&mut call)?;
                expansion.apply(&mut answer, |wanted| resolve(world, version, wanted));
                Ok(answer)
            });
            world.on_behalf_of(None);
            answer
        });
        match result {
            Ok(answer) => (ApiResponse::new(StatusCode::OK, &answer, request_id), true),
            Err(error) => {
                let (status, body) = error.render();
                (ApiResponse::new(status, &body, request_id), !error.before_execution())
            }
        }
    }
}

/// The `Idempotency-Key` of a POST. The other methods are idempotent already.
fn idempotency_key(headers: &HeaderMap, method: &Method) -> Result<Option<String>, StripeError> {
    let Some(key) = headers.get("idempotency-key").filter(|_| method == Method::POST) else {
        return Ok(None);
    };
    let key = key
        .to_str()
        .map_err(|_| StripeError::invalid("The idempotency key is not text.").without_execution())?;
    if key.len() > MAX_KEY_CHARACTERS {
        return Err(StripeError::invalid(format!(
            "Idempotency keys can have up to {MAX_KEY_CHARACTERS} characters, but you passed in one of {}.",
            key.len()
        ))
        .without_execution());
    }
    Ok(Some(key.to_owned()).filter(|key| !key.is_empty()))
}

/// A response and its request ids.
struct ApiResponse {
    answer: StoredAnswer,
    request_id: String,
    /// The id of the original request, when this is a replay.
    original: Option<String>,
}

impl ApiResponse {
    fn new(status: StatusCode, body: &Value, request_id: String) -> Self {
        let body = pretty(body).into_bytes();
        let answer = StoredAnswer { status: status.as_u16(), body, request_id: request_id.clone() };
        Self { answer, request_id, original: None }
    }

    fn refused(api: &Api, error: &StripeError) -> Self {
        let (status, body) = error.render();
        Self::new(status, &body, api.request_id())
    }

    fn again(api: &Api, answer: StoredAnswer) -> Self {
        Self { request_id: api.request_id(), original: Some(answer.request_id.clone()), answer }
    }

    /// Adds the headers that the SDKs read.
    fn into_response(self, asked: &HeaderMap) -> Response {
        let mut response = Response::new(Body::from(self.answer.body));
        // A stored status was valid when it was stored.
        *response.status_mut() = StatusCode::from_u16(self.answer.status).unwrap_or(StatusCode::OK);
        let headers = response.headers_mut();
        let mut put = |name, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        put("content-type", "application/json");
        put("cache-control", "no-cache, no-store");
        put("request-id", &self.request_id);
        put("stripe-version", version(asked).unwrap_or_default().as_str());
        if let Some(original) = &self.original {
            put("idempotent-replayed", "true");
            put("original-request", original);
        }
        if self.answer.status == StatusCode::UNAUTHORIZED.as_u16() {
            put("www-authenticate", "Basic realm=\"Stripe\"");
        }
        if let Some(key) = asked.get("idempotency-key") {
            headers.insert("idempotency-key", key.clone());
        }
        response
    }
}

#[cfg(test)]
mod tests;
