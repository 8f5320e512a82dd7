//! The closed list of what can go wrong: one row each, with its name and its status. What a kind means for
//! the money and what to do is in docs/errors.md; the words of one answer are its handler's.

use axum::http::StatusCode;

use crate::schema::name_schemas;

macro_rules! problem_kinds {
    ($(#[doc = $meaning:literal] $variant:ident = $name:literal, $status:ident;)+) => {
        /// What can go wrong; each has its entry in docs/errors.md.
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

            /// The one with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == name)
            }

            /// The status it is answered with.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),+ }
            }
        }
    };
}

problem_kinds! {
    /// The request cannot be understood.
    BadRequest = "BAD_REQUEST", BAD_REQUEST;
    /// A command came without an `Idempotency-Key`.
    IdempotencyKeyMissing = "IDEMPOTENCY_KEY_MISSING", BAD_REQUEST;
    /// No key, or one that does not work.
    Unauthorized = "UNAUTHORIZED", UNAUTHORIZED;
    /// The key works, and may not do this.
    Forbidden = "FORBIDDEN", FORBIDDEN;
    /// It takes two people.
    SecondPersonRequired = "SECOND_PERSON_REQUIRED", FORBIDDEN;
    /// There is no such thing, or it is somebody else's.
    NotFound = "NOT_FOUND", NOT_FOUND;
    /// The route exists, for other methods.
    MethodNotAllowed = "METHOD_NOT_ALLOWED", METHOD_NOT_ALLOWED;
    /// The body was not complete in time.
    RequestTimeout = "REQUEST_TIMEOUT", REQUEST_TIMEOUT;
    /// The `Idempotency-Key` stands for another command.
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED", CONFLICT;
    /// The hold was captured or released already.
    HoldResolved = "HOLD_RESOLVED", CONFLICT;
    /// The hold's time is up.
    HoldExpired = "HOLD_EXPIRED", CONFLICT;
    /// Somebody has approved or rejected it already.
    AlreadyDecided = "ALREADY_DECIDED", CONFLICT;
    /// The clock is not in doubt.
    ClockNotInDoubt = "CLOCK_NOT_IN_DOUBT", CONFLICT;
    /// There is no restore to confirm.
    NoRestoreToConfirm = "NO_RESTORE_TO_CONFIRM", CONFLICT;
    /// Another number of items or keys was found than was expected.
    CountChanged = "COUNT_CHANGED", CONFLICT;
    /// The body is too large.
    PayloadTooLarge = "PAYLOAD_TOO_LARGE", PAYLOAD_TOO_LARGE;
    /// The path and its query are too long.
    UriTooLong = "URI_TOO_LONG", URI_TOO_LONG;
    /// The body is of a kind that is not taken.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", UNSUPPORTED_MEDIA_TYPE;
    /// The request is understood and one of its values is wrong.
    Validation = "VALIDATION_ERROR", UNPROCESSABLE_ENTITY;
    /// The tenant has not enough to spend, or owes something.
    InsufficientCredits = "INSUFFICIENT_CREDITS", UNPROCESSABLE_ENTITY;
    /// More is to be captured than is held.
    CaptureExceedsHold = "CAPTURE_EXCEEDS_HOLD", UNPROCESSABLE_ENTITY;
    /// The catalogue has no such package.
    PackageUnknown = "PACKAGE_UNKNOWN", UNPROCESSABLE_ENTITY;
    /// There is no such debt to write off.
    NoDebt = "NO_DEBT", UNPROCESSABLE_ENTITY;
    /// The tenant's requests of this hour are used up.
    RateLimitExceeded = "RATE_LIMIT_EXCEEDED", TOO_MANY_REQUESTS;
    /// The limit is reached.
    TooMany = "TOO_MANY", TOO_MANY_REQUESTS;
    /// A defect, or a database that cannot be read.
    Internal = "INTERNAL_ERROR", INTERNAL_SERVER_ERROR;
    /// Stripe answered, and said no.
    StripeRefused = "STRIPE_REFUSED", BAD_GATEWAY;
    /// Stripe did not answer.
    StripeUnreachable = "STRIPE_UNREACHABLE", BAD_GATEWAY;
    /// Not now; nothing was stored.
    Unavailable = "SERVICE_UNAVAILABLE", SERVICE_UNAVAILABLE;
    /// Deliveries cannot be stored.
    CannotStore = "CANNOT_STORE", SERVICE_UNAVAILABLE;
    /// It may or may not have been stored: ask again in the same way, and under the same Idempotency-Key.
    OutcomeUnknown = "OUTCOME_UNKNOWN", SERVICE_UNAVAILABLE;
    /// The database was restored from a backup, and no operator has confirmed it; nothing was stored.
    RestoreUnconfirmed = "RESTORE_UNCONFIRMED", SERVICE_UNAVAILABLE;
    /// This deployment sells nothing.
    PurchasesNotConfigured = "PURCHASES_NOT_CONFIGURED", SERVICE_UNAVAILABLE;
}

name_schemas! {
    /// The kind of an error.
    ErrorType: ProblemKind::ALL.iter().map(|kind| kind.as_str());
}
