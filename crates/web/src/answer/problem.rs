//! An error response: what happened, what it means for the money, and what to do. The list of kinds is in
//! `problem_kind`.

use serde_json::{Value, json};
use store::StoreError;

use super::problem_kind::ProblemKind;

/// An error response.
#[derive(Clone, Debug)]
pub struct Problem {
    pub(super) kind: ProblemKind,
    pub(super) message: String,
    pub(super) details: Value,
    pub(super) replayed: bool,
}

impl Problem {
    /// A problem of this kind. `message` says what happened, what it means, and what to do.
    pub fn new(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: Value::Null, replayed: false }
    }

    /// Its kind.
    pub fn kind(&self) -> ProblemKind {
        self.kind
    }

    /// 422: the value of `field` is invalid. `expected` describes the valid values.
    pub fn value(field: &str, expected: &str) -> Self {
        Self {
            kind: ProblemKind::Validation,
            message: format!("{field} must be {expected}. Nothing was changed."),
            details: json!({ "field": field, "expected": expected }),
            replayed: false,
        }
    }

    /// The same problem with `details` for programs: numbers and names, no sentences.
    #[must_use]
    pub fn with_details(self, details: Value) -> Self {
        Self { details, ..self }
    }

    /// The same problem, marked as the response to an earlier request with the same `Idempotency-Key`.
    #[must_use]
    pub(crate) fn replayed(self, replayed: bool) -> Self {
        Self { replayed, ..self }
    }

    /// 404: the object does not exist, or it belongs to another tenant. Both have the same response.
    pub fn not_found(what: &str) -> Self {
        Self::new(ProblemKind::NotFound, format!("There is no such {what}."))
    }

    /// 404: the route does not exist, or this key may not use it. Both have the same response.
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
