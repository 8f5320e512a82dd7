//! Stripe's error object (docs.stripe.com/api/errors), with Stripe's own messages where they are known, so
//! that the error handling of a program can be tested.
//!
//! The messages come from docs.stripe.com/error-codes, and from responses in public issue threads and test
//! suites; where none was found the message is ours.

use std::borrow::Cow;
use std::fmt;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use stripe::write::{ApiVersion, pretty};

/// `error.type`: the four values that exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorType {
    /// The request is invalid, or cannot be executed in the current state.
    InvalidRequest,
    /// The card was declined.
    Card,
    /// The server failed.
    Api,
    /// The idempotency key cannot be used for this request.
    Idempotency,
}

impl ErrorType {
    /// The value of `error.type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request_error",
            Self::Card => "card_error",
            Self::Api => "api_error",
            Self::Idempotency => "idempotency_error",
        }
    }
}

/// One error, ready to be rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StripeError(Box<Body>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Body {
    status: StatusCode,
    kind: ErrorType,
    code: Option<Cow<'static, str>>,
    message: String,
    param: Option<String>,
    decline_code: Option<String>,
    charge: Option<String>,
    payment_intent: Option<Value>,
    before_execution: bool,
}

/// Building an error.
impl StripeError {
    /// An error of this type.
    #[must_use]
    pub fn new(status: StatusCode, kind: ErrorType, message: impl Into<String>) -> Self {
        Self(Box::new(Body {
            status,
            kind,
            code: None,
            message: message.into(),
            param: None,
            decline_code: None,
            charge: None,
            payment_intent: None,
            before_execution: false,
        }))
    }

    /// 400, `invalid_request_error`.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorType::InvalidRequest, message)
    }

    /// Sets `error.code` (docs.stripe.com/error-codes).
    #[must_use]
    pub fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// Sets `error.param`: the invalid parameter, as the client wrote it (`line_items[0][price]`).
    #[must_use]
    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.0.param = Some(param.into());
        self
    }

    /// Sets `error.charge`.
    #[must_use]
    pub fn charge(mut self, charge: impl Into<String>) -> Self {
        self.0.charge = Some(charge.into());
        self
    }

    /// Sets `error.payment_intent`, which Stripe renders in full for a declined card.
    #[must_use]
    pub fn payment_intent(mut self, payment_intent: Value) -> Self {
        self.0.payment_intent = Some(payment_intent);
        self
    }

    /// Marks an error found before execution began. Stripe does not store such a response under the
    /// idempotency key (docs.stripe.com/api/idempotent_requests).
    #[must_use]
    pub fn without_execution(mut self) -> Self {
        self.0.before_execution = true;
        self
    }
}

/// Reading an error.
impl StripeError {
    /// Whether execution had not begun, so that the corrected request may use the same idempotency key.
    #[must_use]
    pub fn before_execution(&self) -> bool {
        self.0.before_execution
    }

    /// The status, and `{"error": {…}}`. Like Stripe's, it has no fields without a value.
    #[must_use]
    pub fn render(&self) -> (StatusCode, Value) {
        let body = &*self.0;
        let mut error = Map::new();
        let mut put = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                error.insert(name.to_owned(), value.into());
            }
        };
        put("charge", body.charge.as_deref());
        put("code", body.code.as_deref());
        put("decline_code", body.decline_code.as_deref());
        put("doc_url", self.doc_url().as_deref());
        put("message", Some(&body.message));
        put("param", body.param.as_deref());
        put("type", Some(body.kind.as_str()));
        if let Some(payment_intent) = &body.payment_intent {
            error.insert("payment_intent".to_owned(), payment_intent.clone());
        }
        (body.status, Value::Object(Map::from_iter([("error".to_owned(), Value::Object(error))])))
    }

    /// Stripe links its page of error codes from request and card errors that have a code.
    fn doc_url(&self) -> Option<String> {
        match self.0.kind {
            ErrorType::InvalidRequest | ErrorType::Card => {
                let code = self.0.code.as_ref()?;
                Some(format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-")))
            }
            ErrorType::Api | ErrorType::Idempotency => None,
        }
    }
}

/// Errors about parameters.
impl StripeError {
    /// An unknown parameter.
    #[must_use]
    pub fn unknown_parameter(param: &str) -> Self {
        let message = format!("Received unknown parameter: {param}");
        Self::invalid(message).code("parameter_unknown").param(param).without_execution()
    }

    /// A missing parameter.
    #[must_use]
    pub fn missing_parameter(param: &str) -> Self {
        let message = format!("Missing required param: {param}.");
        Self::invalid(message).code("parameter_missing").param(param).without_execution()
    }

    /// An empty parameter that cannot be unset.
    #[must_use]
    pub fn empty_parameter(param: &str) -> Self {
        let message = format!(
            "You passed an empty string for '{param}'. We assume empty values are an attempt to unset a \
             field; however '{param}' cannot be unset. You should remove '{param}' from your request or \
             supply a non-empty value."
        );
        Self::invalid(message).code("parameter_invalid_empty").param(param).without_execution()
    }

    /// A parameter of the wrong type: `Invalid integer: abc`. `expected` is Stripe's word for the type.
    #[must_use]
    pub fn wrong_type(param: &str, expected: &'static str, given: &str) -> Self {
        let error =
            Self::invalid(format!("Invalid {expected}: {}", excerpt(given))).param(param).without_execution();
        match expected {
            "integer" => error.code("parameter_invalid_integer"),
            _ => error,
        }
    }

    /// A text that is not one of the allowed ones.
    #[must_use]
    pub fn not_one_of(param: &str, allowed: &[&str]) -> Self {
        let list = match allowed {
            [] => String::new(),
            [only] => (*only).to_owned(),
            [first, second] => format!("{first} or {second}"),
            [most @ .., last] => format!("{}, or {last}", most.join(", ")),
        };
        Self::invalid(format!("Invalid {param}: must be one of {list}")).param(param).without_execution()
    }

    /// A text that is too long.
    #[must_use]
    pub fn too_long(param: &str, given: &str, most: usize) -> Self {
        let message = format!("Invalid string: {}; must be at most {most} characters", excerpt(given));
        Self::invalid(message).param(param).without_execution()
    }

    /// An integer below its minimum.
    #[must_use]
    pub fn below(param: &str, least: i64) -> Self {
        let message = format!("This value must be greater than or equal to {least}.");
        Self::invalid(message).code("parameter_invalid_integer").param(param).without_execution()
    }

    /// Parameters that exclude each other; `error.param` is the first.
    #[must_use]
    pub fn exclusive(params: &[&str]) -> Self {
        let message = format!("You may only specify one of these parameters: {}.", params.join(", "));
        Self::invalid(message).param(*params.first().unwrap_or(&"")).without_execution()
    }

    /// An amount below the minimum charge.
    #[must_use]
    pub fn amount_too_small(param: &str, least: i64, currency: &str) -> Self {
        let message = format!("Amount must be at least {least} in the smallest unit of {currency}.");
        Self::invalid(message).code("amount_too_small").param(param)
    }

    /// An amount above the maximum.
    #[must_use]
    pub fn amount_too_large(param: &str, most: i64, currency: &str) -> Self {
        let message = format!("Amount must be no more than {most} in the smallest unit of {currency}.");
        Self::invalid(message).code("amount_too_large").param(param)
    }

    /// A parameter of Stripe's that the emulator does not support.
    #[must_use]
    pub fn not_emulated(param: &str) -> Self {
        let message = format!("Stripe has the parameter {param}; FairePlace's emulator does not support it.");
        Self::invalid(message).param(param).without_execution()
    }

    /// A body or query that cannot be parsed, or is too large.
    #[must_use]
    pub fn unreadable(why: &str) -> Self {
        Self::invalid(format!("The parameters cannot be read: {why}")).without_execution()
    }
}

/// Errors about objects, routes and keys.
impl StripeError {
    /// 404: an object that does not exist. `noun` is Stripe's word (`checkout.session`); `param` is the
    /// parameter with its id (`id` for the URL).
    #[must_use]
    pub fn no_such(noun: &str, id: &str, param: &str) -> Self {
        let message = format!("No such {noun}: '{}'", excerpt(id));
        Self::new(StatusCode::NOT_FOUND, ErrorType::InvalidRequest, message)
            .code("resource_missing")
            .param(param)
    }

    /// 404: a URL that the emulator does not have. `has` lists the nouns that it has.
    #[must_use]
    pub fn unknown_url(method: &str, path: &str, has: &str) -> Self {
        let message = format!(
            "Unrecognized request URL ({method}: {}). FairePlace's emulator does not have it; it has: {has}.",
            excerpt(path)
        );
        Self::new(StatusCode::NOT_FOUND, ErrorType::InvalidRequest, message).without_execution()
    }

    /// A version that is malformed, or older than the oldest supported one.
    #[must_use]
    pub fn unknown_version(version: &str) -> Self {
        let [oldest, ..] = ApiVersion::ALL;
        Self::invalid(format!(
            "Invalid Stripe API version: {}. FairePlace's emulator supports {} and later versions.",
            excerpt(version),
            oldest.as_str()
        ))
        .without_execution()
    }

    /// 401: a missing key.
    #[must_use]
    pub fn no_key() -> Self {
        let message = "You did not provide an API key. You need to provide your API key in the Authorization \
                       header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See \
                       https://stripe.com/docs/api#authentication for details.";
        Self::new(StatusCode::UNAUTHORIZED, ErrorType::InvalidRequest, message).without_execution()
    }

    /// 401: a wrong key. The message shows as much of it as Stripe does: its kind and its last four
    /// characters.
    #[must_use]
    pub fn wrong_key(key: &str) -> Self {
        let mut message = format!("Invalid API Key provided: {}", redacted(key));
        if key.contains("_live_") {
            message.push_str(
                ". This is FairePlace's emulator: it does not accept live keys, and should never receive one",
            );
        }
        Self::new(StatusCode::UNAUTHORIZED, ErrorType::InvalidRequest, message).without_execution()
    }

    /// 400: an idempotency key that was used for another request.
    #[must_use]
    pub fn idempotency_mismatch(key: &str) -> Self {
        let message = format!(
            "Keys for idempotent requests can only be used with the same parameters they were first used \
             with. Try using a key other than '{key}' if you meant to execute a different request."
        );
        Self::new(StatusCode::BAD_REQUEST, ErrorType::Idempotency, message).without_execution()
    }

    /// 409: an idempotency key whose first request is still executing.
    #[must_use]
    pub fn idempotency_key_in_use(key: &str) -> Self {
        let message = format!(
            "There is currently another in-progress request using this Idempotent Key (that probably \
             means you submitted twice, and the other request is still going through): {key}. Please try \
             again later."
        );
        Self::new(StatusCode::CONFLICT, ErrorType::Idempotency, message)
            .code("idempotency_key_in_use")
            .without_execution()
    }

    /// 402: the card was declined (docs.stripe.com/declines).
    #[must_use]
    pub fn card(code: String, decline_code: Option<String>, message: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::PAYMENT_REQUIRED, ErrorType::Card, message).code(code);
        error.0.decline_code = decline_code;
        error
    }
}

impl fmt::Display for StripeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for StripeError {}

impl IntoResponse for StripeError {
    fn into_response(self) -> Response {
        let (status, body) = self.render();
        (status, [("content-type", "application/json")], pretty(&body)).into_response()
    }
}

/// The client's text, cut for use in a message.
fn excerpt(given: &str) -> Cow<'_, str> {
    const MAX_CHARACTERS: usize = 200;
    match given.char_indices().nth(MAX_CHARACTERS) {
        None => Cow::Borrowed(given),
        Some((end, _)) => Cow::Owned(format!("{}...", &given[..end])),
    }
}

/// `sk_test_****abcd`: enough to recognise a key, too little to use it.
fn redacted(key: &str) -> String {
    const KINDS: [&str; 6] = ["sk_test_", "rk_test_", "pk_test_", "sk_live_", "rk_live_", "pk_live_"];
    const SHOWN: usize = 4;
    let kind = KINDS.into_iter().find(|kind| key.starts_with(kind)).unwrap_or("");
    let rest: Vec<char> = key[kind.len()..].chars().collect();
    let end: String = match rest.len().checked_sub(SHOWN) {
        Some(hidden) if hidden >= SHOWN => rest[hidden..].iter().collect(),
        _ => String::new(),
    };
    format!("{kind}****{end}")
}

#[cfg(test)]
mod tests;
