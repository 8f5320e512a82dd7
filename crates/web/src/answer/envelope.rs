//! The envelope of every API response, `{"data", "meta"}` or `{"error", "meta"}`: what handlers return, and
//! the body that is written from it once the request's id and the time are known. The layer in
//! `server::envelope` calls [`write_envelope`].

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::Frame;
use ledger::Timestamp;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use store::{PageRequest, RowPage};
use utoipa::ToSchema;
use uuid::Uuid;

use super::chunked::{ChunkSender, Stopped, chunked};
use super::problem::Problem;
use super::problem_kind::{ErrorType, ProblemKind};
use super::time::rfc3339;

const JSON: &str = "application/json";

/// A response with its data.
#[derive(ToSchema)]
pub(crate) struct Data<T> {
    data: T,
    /// Metadata of the response.
    #[schema(value_type = Meta)]
    meta: PhantomData<Meta>,
}

/// A response with one page of a list.
#[derive(ToSchema)]
pub(crate) struct PageOf<T> {
    data: Vec<T>,
    /// Metadata of the response.
    #[schema(value_type = PageMeta)]
    meta: PhantomData<PageMeta>,
    #[schema(ignore)]
    pagination: Pagination,
}

/// 201 with the object that was created.
pub(crate) struct CreatedData<T>(pub(crate) T);

/// 202 with the action that waits for a second person. No credits have moved.
pub(crate) struct AcceptedData<T>(pub(crate) T);

/// A response, and whether it is the response to an earlier request with the same `Idempotency-Key`.
pub(crate) struct Replayable<R> {
    pub(crate) response: R,
    pub(crate) replayed: bool,
}

impl<T> Data<T> {
    pub(crate) fn of(data: T) -> Self {
        Self { data, meta: PhantomData }
    }
}

impl<T> PageOf<T> {
    /// The rows of `found`, each shown by `view`. `page` is the requested page.
    pub(crate) fn of<R>(found: &RowPage<R>, page: PageRequest, view: impl FnMut(&R) -> T) -> Self {
        let (number, size) = (i64::from(page.number), i64::from(page.size));
        let pages = (found.total + size - 1) / size;
        let pagination = Pagination {
            current_page: number,
            per_page: size,
            total: found.total,
            total_pages: pages,
            has_next: number < pages,
            has_prev: number > 1,
        };
        Self { data: found.rows.iter().map(view).collect(), meta: PhantomData, pagination }
    }
}

impl<T: Serialize> IntoResponse for Data<T> {
    fn into_response(self) -> Response {
        success(StatusCode::OK, &self.data, None)
    }
}

impl<T: Serialize> IntoResponse for PageOf<T> {
    fn into_response(self) -> Response {
        success(StatusCode::OK, &self.data, Some(self.pagination))
    }
}

impl<T: Serialize> IntoResponse for CreatedData<T> {
    fn into_response(self) -> Response {
        success(StatusCode::CREATED, &self.0, None)
    }
}

impl<T: Serialize> IntoResponse for AcceptedData<T> {
    fn into_response(self) -> Response {
        success(StatusCode::ACCEPTED, &self.0, None)
    }
}

impl<R: IntoResponse> IntoResponse for Replayable<R> {
    fn into_response(self) -> Response {
        let mut response = self.response.into_response();
        if self.replayed {
            mark_replayed(&mut response);
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.kind.status();
        let mut response = status.into_response();
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 15.5.2: the scheme that would be accepted.
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.replayed {
            mark_replayed(&mut response);
        }
        response.extensions_mut().insert(RefusalReason(self.kind.as_str()));
        response.extensions_mut().insert(Payload::Error(self));
        response
    }
}

fn mark_replayed(response: &mut Response) {
    response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
}

/// 200 with `data` as JSON, chunk by chunk.
pub(crate) fn chunked_data<F>(produce: impl FnOnce(ChunkSender) -> F) -> Response
where
    F: Future<Output = Result<(), Stopped>> + Send + 'static,
{
    let mut response = chunked(JSON, produce);
    response.extensions_mut().insert(Payload::Chunked);
    response
}

/// The content of the body to write. An extension of the response.
#[derive(Clone)]
enum Payload {
    Data {
        data: Box<RawValue>,
        pagination: Option<Pagination>,
    },
    /// The body so far is `data`.
    Chunked,
    Error(Problem),
}

/// Why a request was refused, from a closed list, for the log. An extension of the response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RefusalReason(pub(crate) &'static str);

fn success(status: StatusCode, data: &impl Serialize, pagination: Option<Pagination>) -> Response {
    match to_raw_value(data) {
        Ok(data) => {
            let mut response = status.into_response();
            response.extensions_mut().insert(Payload::Data { data, pagination });
            response
        }
        Err(error) => {
            tracing::error!(%error, "a response could not be serialised");
            Problem::new(ProblemKind::Internal, "The response could not be serialised; the log says why.")
                .into_response()
        }
    }
}

/// Writes the body of a response that is made of [`Data`], a [`Problem`] or their like. Every other response
/// (CSV, a stream of events, the webhook's fixed bodies) stays as it is.
pub(crate) fn write_envelope(mut response: Response, request_id: Uuid, at: Timestamp) -> Response {
    let Some(payload) = response.extensions_mut().remove::<Payload>() else { return response };
    let meta = Meta { request_id, timestamp: rfc3339(at) };
    let body = match payload {
        Payload::Data { data, pagination: None } => json(&Success { data: &data, meta }),
        Payload::Data { data, pagination: Some(pagination) } => {
            json(&Success { data: &data, meta: PageMeta { meta, pagination } })
        }
        Payload::Chunked => {
            let end = format!(",\"meta\":{}}}", text(&meta));
            let data = std::mem::take(response.body_mut());
            let (start, end) = (Bytes::from_static(b"{\"data\":"), Bytes::from(end));
            Body::new(ChunkedEnvelope { start: Some(start), data, end: Some(end) })
        }
        Payload::Error(problem) => {
            let error = ErrorView {
                code: problem.kind.status().as_u16(),
                kind: problem.kind.as_str(),
                message: problem.message,
                details: problem.details,
            };
            json(&ErrorEnvelope { error, meta })
        }
    };
    *response.body_mut() = body;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}

fn json(envelope: &impl Serialize) -> Body {
    Body::from(text(envelope))
}

/// For values of text and numbers only, whose serialisation cannot fail.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The body of a chunked response: the chunks of `data` within the envelope. After a chunk that failed
/// nothing follows.
struct ChunkedEnvelope {
    start: Option<Bytes>,
    data: Body,
    end: Option<Bytes>,
}

impl HttpBody for ChunkedEnvelope {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Some(start) = self.start.take() {
            return Poll::Ready(Some(Ok(Frame::data(start))));
        }
        match Pin::new(&mut self.data).poll_frame(context) {
            Poll::Ready(None) => Poll::Ready(self.end.take().map(|end| Ok(Frame::data(end)))),
            Poll::Ready(Some(Err(error))) => {
                self.end = None;
                Poll::Ready(Some(Err(error)))
            }
            frame => frame,
        }
    }
}

#[derive(Serialize)]
struct Success<'a, M> {
    data: &'a RawValue,
    meta: M,
}

/// Metadata of a response.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "request_id": "019c0a1b-2c3d-7e4f-8a9b-0c1d2e3f4a5b", "timestamp": "2026-11-23T12:00:02Z" }))]
struct Meta {
    /// Also in `x-request-id`, and in the service's log.
    request_id: Uuid,
    /// When the response was created.
    #[schema(format = DateTime)]
    timestamp: String,
}

/// Metadata of a page of a list.
#[derive(Serialize, ToSchema)]
struct PageMeta {
    #[serde(flatten)]
    meta: Meta,
    pagination: Pagination,
}

/// The position of a page in its list.
#[derive(Clone, Serialize, ToSchema)]
#[schema(example = json!({ "current_page": 1, "per_page": 20, "total": 1, "total_pages": 1,
    "has_next": false, "has_prev": false }))]
struct Pagination {
    current_page: i64,
    per_page: i64,
    /// Rows on all pages.
    total: i64,
    total_pages: i64,
    has_next: bool,
    has_prev: bool,
}

/// The body of every error.
#[derive(Serialize, ToSchema)]
#[schema(as = Failure)]
pub(crate) struct ErrorEnvelope {
    error: ErrorView,
    meta: Meta,
}

/// What went wrong. For details, run `faireplace explain TYPE`.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
struct ErrorView {
    /// The HTTP status.
    code: u16,
    #[serde(rename = "type")]
    #[schema(value_type = ErrorType)]
    kind: &'static str,
    /// What happened, what it means for the money, and what to do. For people only: it may change in any
    /// release.
    message: String,
    /// Details for programs. The fields depend on the type; null if there are none.
    details: Value,
}
