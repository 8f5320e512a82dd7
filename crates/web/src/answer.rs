//! The shape of every API answer, FairePlace's own: `{"data", "meta"}` or `{"error", "meta"}` (design
//! section 6). Each error says what happened, what it means, and what to do.

mod pieces;
mod problem_kind;

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::Clock;
use jiff::Timestamp as Moment;
use ledger::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use store::{PageRequest, StoreError};
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) use pieces::{Arriving, Pieces, Stopped, stream};
pub use problem_kind::ProblemKind;

use crate::schema::ErrorType;

/// What every answer says about itself.
#[derive(Clone, Debug)]
pub struct Meta {
    /// The request's id, also in `x-request-id`.
    pub request_id: Uuid,
    /// When it was answered.
    pub at: Timestamp,
}

/// Why a request was refused, from a closed list, for the log. An extension of the answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RefusalReason(pub(crate) &'static str);

impl Meta {
    /// The answer's own facts.
    pub fn new(request_id: Uuid, clock: &Clock) -> Self {
        Self { request_id, at: clock.now() }
    }

    /// 200 with one thing.
    pub fn data(&self, data: impl Serialize) -> Response {
        self.respond(StatusCode::OK, data)
    }

    /// 201 with the thing that was made.
    pub fn created(&self, data: impl Serialize) -> Response {
        self.respond(StatusCode::CREATED, data)
    }

    /// 202 with the thing that waits: nothing has moved yet, and somebody else must act.
    pub fn accepted(&self, data: impl Serialize) -> Response {
        self.respond(StatusCode::ACCEPTED, data)
    }

    /// 200 with one page of things.
    pub fn page<T: Serialize>(&self, data: Vec<T>, page: PageRequest, total: i64) -> Response {
        let (number, size) = (i64::from(page.number), i64::from(page.size));
        let pages = (total + size - 1) / size;
        let pagination = Pagination {
            current_page: number,
            per_page: size,
            total,
            total_pages: pages,
            has_next: number < pages,
            has_prev: number > 1,
        };
        let meta = PageMeta { meta: self.view(), pagination };
        (StatusCode::OK, Json(PageOf { data, meta })).into_response()
    }

    fn respond(&self, status: StatusCode, data: impl Serialize) -> Response {
        (status, Json(Data { data, meta: self.view() })).into_response()
    }

    /// The whole of a success as text, for an answer that is sent in pieces.
    pub(crate) fn text(&self, data: impl Serialize) -> Result<String, Problem> {
        let unwritable = |_| Problem::new(ProblemKind::Internal, "The answer could not be written.");
        serde_json::to_string(&Data { data, meta: self.view() }).map_err(unwritable)
    }

    /// What an answer in pieces says about itself, as text.
    pub(crate) fn own_text(&self) -> String {
        // Text can always be written.
        serde_json::to_string(&self.view()).unwrap_or_default()
    }

    /// The answer to something that went wrong.
    pub fn error(&self, problem: &Problem) -> Response {
        let status = problem.kind.status();
        let error = Fault {
            code: status.as_u16(),
            kind: problem.kind.as_str(),
            message: problem.message.clone(),
            details: problem.details.clone(),
        };
        let mut response = (status, Json(Failure { error, meta: self.view() })).into_response();
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 15.5.2: it names the scheme that would be taken.
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(RefusalReason(problem.kind.as_str()));
        response
    }

    fn view(&self) -> MetaView {
        MetaView { request_id: self.request_id, timestamp: rfc3339(self.at) }
    }
}

/// A success: one thing.
#[derive(Serialize, ToSchema)]
pub(crate) struct Data<T> {
    data: T,
    meta: MetaView,
}

/// A success: one page of things.
#[derive(Serialize, ToSchema)]
pub(crate) struct PageOf<T> {
    data: Vec<T>,
    meta: PageMeta,
}

/// What an answer says about itself.
#[derive(Serialize, ToSchema)]
#[schema(as = Meta, example = json!({
    "request_id": "019c0a1b-2c3d-7e4f-8a9b-0c1d2e3f4a5b", "timestamp": "2026-11-23T12:00:02Z" }))]
struct MetaView {
    /// Also in `x-request-id`, and in the service's log.
    request_id: Uuid,
    /// When it was answered.
    #[schema(format = DateTime)]
    timestamp: String,
}

/// What a page says about itself.
#[derive(Serialize, ToSchema)]
struct PageMeta {
    #[serde(flatten)]
    meta: MetaView,
    pagination: Pagination,
}

/// Where a page stands among the others.
#[derive(Serialize, ToSchema)]
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

/// Something went wrong.
#[derive(Serialize, ToSchema)]
pub(crate) struct Failure {
    error: Fault,
    meta: MetaView,
}

/// What went wrong; `faireplace explain TYPE` says more.
#[derive(Serialize, ToSchema)]
#[schema(as = Error)]
struct Fault {
    /// The status of the answer.
    code: u16,
    #[serde(rename = "type")]
    #[schema(value_type = ErrorType)]
    kind: &'static str,
    /// What happened, what it means for the money, what to do. For people: it may change with any release.
    message: String,
    /// For programs: depends on the type; null where there is nothing to say.
    details: Value,
}

/// Something went wrong, in words for whoever asked.
#[derive(Clone, Debug)]
pub struct Problem {
    kind: ProblemKind,
    message: String,
    details: Value,
}

impl Problem {
    /// A problem of this kind. `message` says what happened, what it means, and what to do.
    pub fn new(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: Value::Null }
    }

    /// What kind of problem it is.
    pub fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// A value is wrong: which, and what it should be.
    pub fn value(field: &str, expected: &str) -> Self {
        Self {
            kind: ProblemKind::Validation,
            message: format!("{field} must be {expected}. Nothing was changed."),
            details: json!({ "field": field, "expected": expected }),
        }
    }

    /// The same problem, with what a program needs to know of it: numbers and names, not sentences.
    #[must_use]
    pub fn with_details(self, details: Value) -> Self {
        Self { details, ..self }
    }

    /// There is no such thing, or it is somebody else's: the two look the same.
    pub fn not_found(what: &str) -> Self {
        Self::new(ProblemKind::NotFound, format!("There is no such {what}."))
    }

    /// There is no such route, or it is not for this key: the two look the same.
    pub fn no_route() -> Self {
        let message = "There is no such route; GET /docs shows all of them. Nothing was changed.";
        Self::new(ProblemKind::NotFound, message)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy => {
                Self::new(ProblemKind::Unavailable, "The database is busy. Nothing was changed; try again.")
            }
            StoreError::Closed => Self::new(
                ProblemKind::Unavailable,
                "The database takes no more writes. Nothing was changed; the service must be restarted.",
            ),
            StoreError::Unknown(_) | StoreError::FileChanged(_) => Self::new(
                ProblemKind::OutcomeUnknown,
                "The write may or may not have been stored. With an Idempotency-Key, ask again under the \
                 same one: it is done once. Without one, look before you try again.",
            ),
            StoreError::RestoreUnconfirmed => Self::new(
                ProblemKind::RestoreUnconfirmed,
                "The database was restored from a backup, and no operator has confirmed it yet: until then \
                 no credits move. Nothing was changed, and nothing is stored under the Idempotency-Key; ask \
                 again later. Operators look with `faireplace restore`, and confirm with `faireplace restore \
                 --confirm --reason WHY`.",
            ),
            StoreError::Refused(_) | StoreError::Corrupt(_) => {
                tracing::error!(%error, "the database could not answer");
                Self::new(
                    ProblemKind::Internal,
                    "The database could not answer; the log says why. Nothing was changed.",
                )
            }
        }
    }
}

/// A moment as people and programs write it.
pub fn rfc3339(at: Timestamp) -> String {
    // Moments beyond the year 9999 cannot be written; none is stored.
    Moment::from_microsecond(at.0).map(|moment| moment.to_string()).unwrap_or_default()
}
