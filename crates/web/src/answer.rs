//! The shape of every API answer, FairePlace's own: `{"data", "meta"}` or `{"error", "meta"}` (design
//! section 6). Each error says what happened, what it means, and what to do.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine::Clock;
use jiff::Timestamp as Moment;
use ledger::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use store::{Page, StoreError};
use uuid::Uuid;

/// What every answer says about itself.
#[derive(Clone, Debug)]
pub struct Meta {
    /// The request's id, also in `x-request-id`.
    pub request_id: Uuid,
    /// When it was answered.
    pub at: Timestamp,
}

impl Meta {
    /// The answer's own facts.
    pub fn new(request_id: Uuid, clock: &Clock) -> Self {
        Self { request_id, at: clock.now() }
    }

    /// 200 with one thing.
    pub fn data(&self, data: impl Serialize) -> Response {
        self.respond(StatusCode::OK, &data, None)
    }

    /// 201 with the thing that was made.
    pub fn created(&self, data: impl Serialize) -> Response {
        self.respond(StatusCode::CREATED, &data, None)
    }

    /// 200 with one page of things.
    pub fn page(&self, data: impl Serialize, page: Page, total: i64) -> Response {
        let (number, size) = (i64::from(page.number), i64::from(page.size));
        let pages = (total + size - 1) / size;
        let pagination = json!({
            "current_page": number, "per_page": size, "total": total, "total_pages": pages,
            "has_next": number < pages, "has_prev": number > 1,
        });
        self.respond(StatusCode::OK, &data, Some(pagination))
    }

    fn respond(&self, status: StatusCode, data: &impl Serialize, pagination: Option<Value>) -> Response {
        let mut meta = self.json();
        if let Some(pagination) = pagination {
            meta["pagination"] = pagination;
        }
        (status, Json(json!({ "data": data, "meta": meta }))).into_response()
    }

    /// The answer to something that went wrong.
    pub fn error(&self, problem: &Problem) -> Response {
        let (status, kind) = (problem.kind.status(), problem.kind.as_str());
        let error = json!({
            "code": status.as_u16(), "type": kind, "message": problem.message, "details": problem.details,
        });
        let mut response = (status, Json(json!({ "error": error, "meta": self.json() }))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110, section 15.5.2: it names the scheme that would be taken.
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }

    fn json(&self) -> Value {
        json!({ "request_id": self.request_id, "timestamp": rfc3339(self.at) })
    }
}

/// The closed list of what can go wrong; each has its entry in docs/errors.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The request cannot be understood.
    BadRequest,
    /// No key, or one that does not work.
    Unauthorized,
    /// The key works, and may not do this.
    Forbidden,
    /// There is no such thing, or it is somebody else's.
    NotFound,
    /// The route exists, for other methods.
    MethodNotAllowed,
    /// The body is too large.
    PayloadTooLarge,
    /// The body is of a kind that is not taken.
    UnsupportedMediaType,
    /// The request is understood and one of its values is wrong.
    Validation,
    /// A defect, or a database that cannot be read.
    Internal,
    /// Not now; nothing was stored.
    Unavailable,
}

impl ProblemKind {
    /// Every kind.
    pub const ALL: &[Self] = &[
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::Validation,
        Self::Internal,
        Self::Unavailable,
    ];

    /// Its machine name: `error.type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BAD_REQUEST",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::Validation => "VALIDATION_ERROR",
            Self::Internal => "INTERNAL_ERROR",
            Self::Unavailable => "SERVICE_UNAVAILABLE",
        }
    }

    /// The status it is answered with.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Validation => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
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

    /// A value is wrong: which, and what it should be.
    pub fn value(field: &str, expected: &str) -> Self {
        Self {
            kind: ProblemKind::Validation,
            message: format!("{field} must be {expected}. Nothing was changed."),
            details: json!({ "field": field, "expected": expected }),
        }
    }

    /// There is no such thing, or it is somebody else's: the two look the same.
    pub fn not_found(what: &str) -> Self {
        Self::new(ProblemKind::NotFound, format!("There is no such {what}."))
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
            StoreError::Unknown(_) => Self::new(
                ProblemKind::Unavailable,
                "The write may or may not have been stored. Look before you try again.",
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
