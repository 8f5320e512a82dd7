//! The closed list of error kinds, one row each, with its name and its status. docs/errors.md says what a
//! kind means for the money and what to do. Handlers write the message of each response.

use axum::http::StatusCode;

use crate::schema::name_schemas;

macro_rules! problem_kinds {
    ($(#[doc = $meaning:literal] $variant:ident = $name:literal, $status:ident;)+) => {
        /// The kind of an error. Each has an entry in docs/errors.md.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ProblemKind { $(#[doc = $meaning] $variant,)+ }

        impl ProblemKind {
            /// Every kind, by status.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// Its machine name: `error.type`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// What happened, in one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning.trim_ascii()),+ }
            }

            /// The kind with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == name)
            }

            /// The HTTP status of the response.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),+ }
            }
        }
    };
}

problem_kinds! {
    /// The request cannot be parsed.
    BadRequest = "BAD_REQUEST", BAD_REQUEST;
    /// The `Idempotency-Key` header is missing.
    IdempotencyKeyMissing = "IDEMPOTENCY_KEY_MISSING", BAD_REQUEST;
    /// The API key is missing or does not work.
    Unauthorized = "UNAUTHORIZED", UNAUTHORIZED;
    /// The key works but does not allow this request.
    Forbidden = "FORBIDDEN", FORBIDDEN;
    /// The approval of a second person is required.
    SecondPersonRequired = "SECOND_PERSON_REQUIRED", FORBIDDEN;
    /// The object does not exist, or it belongs to another tenant.
    NotFound = "NOT_FOUND", NOT_FOUND;
    /// The route does not support this method.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", METHOD_NOT_ALLOWED;
    /// The body was not complete in time.
    RequestTimeout = "REQUEST_TIMEOUT", REQUEST_TIMEOUT;
    /// The `Idempotency-Key` was already used for a different command.
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED", CONFLICT;
    /// The hold was already captured or released.
    HoldResolved = "HOLD_RESOLVED", CONFLICT;
    /// The hold has expired.
    HoldExpired = "HOLD_EXPIRED", CONFLICT;
    /// The action was already approved or rejected.
    AlreadyDecided = "ALREADY_DECIDED", CONFLICT;
    /// The clock is not in doubt.
    ClockNotInDoubt = "CLOCK_NOT_IN_DOUBT", CONFLICT;
    /// There is no restore to confirm.
    NoRestoreToConfirm = "NO_RESTORE_TO_CONFIRM", CONFLICT;
    /// The number of items or keys differs from the expected number.
    CountChanged = "COUNT_CHANGED", CONFLICT;
    /// The body is too large.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", PAYLOAD_TOO_LARGE;
    /// The path and query are too long.
    UriTooLong = "URI_TOO_LONG", URI_TOO_LONG;
    /// The type or encoding of the body is not supported.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", UNSUPPORTED_MEDIA_TYPE;
    /// The request was parsed, but a value is not valid.
    Validation = "VALIDATION_ERROR", UNPROCESSABLE_ENTITY;
    /// The tenant does not have enough credits, or is in debt.
    InsufficientCredits = "INSUFFICIENT_CREDITS", UNPROCESSABLE_ENTITY;
    /// The capture is for more credits than the hold has.
    CaptureExceedsHold = "CAPTURE_EXCEEDS_HOLD", UNPROCESSABLE_ENTITY;
    /// The catalogue has no package with this name.
    PackageUnknown = "PACKAGE_UNKNOWN", UNPROCESSABLE_ENTITY;
    /// The tenant has no debt, or less than the write-off.
    NoDebt = "NO_DEBT", UNPROCESSABLE_ENTITY;
    /// The tenant has used up its requests for this hour.
    RateLimitExceeded = "RATE_LIMIT_EXCEEDED", TOO_MANY_REQUESTS;
    /// The limit is reached.
    TooMany = "TOO_MANY", TOO_MANY_REQUESTS;
    /// The program has a defect, or the database cannot be read.
    Internal = "INTERNAL_ERROR", INTERNAL_SERVER_ERROR;
    /// Stripe answered with an error.
    StripeRefused = "STRIPE_REFUSED", BAD_GATEWAY;
    /// Stripe could not be reached, or did not answer in time.
    StripeUnreachable = "STRIPE_UNREACHABLE", BAD_GATEWAY;
    /// The service cannot handle the request at the moment; nothing was stored.
    Unavailable = "SERVICE_UNAVAILABLE", SERVICE_UNAVAILABLE;
    /// Deliveries cannot be stored.
    CannotStore = "CANNOT_STORE", SERVICE_UNAVAILABLE;
    /// It is not known whether the write reached the disk: retry with the same `Idempotency-Key`.
    OutcomeUnknown = "OUTCOME_UNKNOWN", SERVICE_UNAVAILABLE;
    /// The database was restored from a backup, and no operator has confirmed it; nothing was stored.
    RestoreUnconfirmed = "RESTORE_UNCONFIRMED", SERVICE_UNAVAILABLE;
    /// This deployment is not configured to sell packages.
    PurchasesNotConfigured = "PURCHASES_NOT_CONFIGURED", SERVICE_UNAVAILABLE;
}

name_schemas! {
    /// The kind of an error.
    ErrorType: ProblemKind::ALL.iter().map(|kind| kind.as_str());
}
