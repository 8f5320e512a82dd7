//! Stripe's error object (docs.stripe.com/api/errors): what a refused request is answered with, in Stripe's
//! own words where they are known, so that a program's handling of errors can be rehearsed.
//!
//! Not here: which request is refused. Sources of the wordings: docs.stripe.com/error-codes, answers recorded
//! in public issue threads and test suites; where none was found the sentence is ours.

use std::borrow::Cow;
use std::fmt;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use stripe::write::{ApiVersion, pretty};

/// `error.type`: the four that exist on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorType {
    /// The request is wrong, or asks for something that cannot be.
    InvalidRequest,
    /// The card was declined.
    Card,
    /// The server failed.
    Api,
    /// The idempotency key cannot be used for this.
    Idempotency,
}

impl ErrorType {
    /// As it stands in `error.type`.
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

/// One refusal, ready to be rendered.
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

/// Building one.
impl StripeError {
    /// A refusal of this kind.
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

    /// 400, `invalid_request_error`: what was asked for cannot be done.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorType::InvalidRequest, message)
    }

    /// With `error.code` (docs.stripe.com/error-codes).
    #[must_use]
    pub fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// With `error.param`: the parameter that is wrong, as the client wrote it (`line_items[0][price]`).
    #[must_use]
    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.0.param = Some(param.into());
        self
    }

    /// With the charge that the refusal is about.
    #[must_use]
    pub fn charge(mut self, charge: impl Into<String>) -> Self {
        self.0.charge = Some(charge.into());
        self
    }

    /// With the payment intent, rendered in full as Stripe does for a declined card.
    #[must_use]
    pub fn payment_intent(mut self, payment_intent: Value) -> Self {
        self.0.payment_intent = Some(payment_intent);
        self
    }

    /// A fault found while reading the request: Stripe keeps no such answer under an idempotency key
    /// (docs.stripe.com/api/idempotent_requests), because nothing had begun.
    #[must_use]
    pub fn before_anything(mut self) -> Self {
        self.0.before_execution = true;
        self
    }
}

/// Looking at one.
impl StripeError {
    /// Whether nothing had begun when the request was refused, so that the same idempotency key may be used
    /// for the corrected request.
    #[must_use]
    pub fn before_execution(&self) -> bool {
        self.0.before_execution
    }

    /// The status, and `{"error": {…}}`. Fields without a value are left out, as Stripe leaves them out.
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

    /// Stripe links its page of error codes from coded faults of the request and of the card.
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

/// Parameters.
impl StripeError {
    /// A parameter that the emulator does not know there.
    #[must_use]
    pub fn unknown_parameter(param: &str) -> Self {
        let message = format!("Received unknown parameter: {param}");
        Self::invalid(message).code("parameter_unknown").param(param).before_anything()
    }

    /// A parameter that must be there and is not.
    #[must_use]
    pub fn missing_parameter(param: &str) -> Self {
        let message = format!("Missing required param: {param}.");
        Self::invalid(message).code("parameter_missing").param(param).before_anything()
    }

    /// A parameter that was set to nothing and cannot be unset.
    #[must_use]
    pub fn empty_parameter(param: &str) -> Self {
        let message = format!(
            "You passed an empty string for '{param}'. We assume empty values are an attempt to unset a \
             field; however '{param}' cannot be unset. You should remove '{param}' from your request or \
             supply a non-empty value."
        );
        Self::invalid(message).code("parameter_invalid_empty").param(param).before_anything()
    }

    /// A parameter of the wrong type: `Invalid integer: abc`. `expected` is Stripe's word for the type.
    #[must_use]
    pub fn wrong_type(param: &str, expected: &'static str, given: &str) -> Self {
        let fault =
            Self::invalid(format!("Invalid {expected}: {}", excerpt(given))).param(param).before_anything();
        match expected {
            "integer" => fault.code("parameter_invalid_integer"),
            _ => fault,
        }
    }

    /// A text that is none of those which are taken there.
    #[must_use]
    pub fn not_one_of(param: &str, allowed: &[&str]) -> Self {
        let list = match allowed {
            [] => String::new(),
            [only] => (*only).to_owned(),
            [first, second] => format!("{first} or {second}"),
            [most @ .., last] => format!("{}, or {last}", most.join(", ")),
        };
        Self::invalid(format!("Invalid {param}: must be one of {list}")).param(param).before_anything()
    }

    /// A text with too many characters.
    #[must_use]
    pub fn too_long(param: &str, given: &str, most: usize) -> Self {
        let message = format!("Invalid string: {}; must be at most {most} characters", excerpt(given));
        Self::invalid(message).param(param).before_anything()
    }

    /// An integer below the least that is taken there.
    #[must_use]
    pub fn below(param: &str, least: i64) -> Self {
        let message = format!("This value must be greater than or equal to {least}.");
        Self::invalid(message).code("parameter_invalid_integer").param(param).before_anything()
    }

    /// Parameters that exclude one another; `error.param` is the first.
    #[must_use]
    pub fn exclusive(params: &[&str]) -> Self {
        let message = format!("You may only specify one of these parameters: {}.", params.join(", "));
        Self::invalid(message).param(*params.first().unwrap_or(&"")).before_anything()
    }

    /// An amount that is too small to be charged.
    #[must_use]
    pub fn amount_too_small(param: &str, least: i64, currency: &str) -> Self {
        let message = format!("Amount must be at least {least} in the smallest unit of {currency}.");
        Self::invalid(message).code("amount_too_small").param(param)
    }

    /// An amount that is larger than what there is.
    #[must_use]
    pub fn amount_too_large(param: &str, most: i64, currency: &str) -> Self {
        let message = format!("Amount must be no more than {most} in the smallest unit of {currency}.");
        Self::invalid(message).code("amount_too_large").param(param)
    }

    /// A parameter that Stripe has and the emulator does not play.
    #[must_use]
    pub fn not_emulated(param: &str) -> Self {
        let message = format!("Stripe has the parameter {param}; FairePlace's emulator does not play it.");
        Self::invalid(message).param(param).before_anything()
    }

    /// A body or query that is not form parameters, or has more of them than are read.
    #[must_use]
    pub fn unreadable(why: &str) -> Self {
        Self::invalid(format!("The parameters cannot be read: {why}")).before_anything()
    }
}

/// Objects, routes, keys.
impl StripeError {
    /// 404: the object that was named is not there. `noun` is Stripe's word (`checkout.session`), `param`
    /// where it was named (`id` when in the URL).
    #[must_use]
    pub fn no_such(noun: &str, id: &str, param: &str) -> Self {
        let message = format!("No such {noun}: '{}'", excerpt(id));
        Self::new(StatusCode::NOT_FOUND, ErrorType::InvalidRequest, message)
            .code("resource_missing")
            .param(param)
    }

    /// 404: Stripe may have this URL, the emulator does not. `has` names what it does have.
    #[must_use]
    pub fn unknown_url(method: &str, path: &str, has: &str) -> Self {
        let message = format!(
            "Unrecognized request URL ({method}: {}). FairePlace's emulator does not have it; it has: {has}.",
            excerpt(path)
        );
        Self::new(StatusCode::NOT_FOUND, ErrorType::InvalidRequest, message).before_anything()
    }

    /// A version that is none, or is older than those that can be written.
    #[must_use]
    pub fn unknown_version(version: &str) -> Self {
        let [oldest, ..] = ApiVersion::ALL;
        Self::invalid(format!(
            "Invalid Stripe API version: {}. FairePlace's emulator plays {} and later ones.",
            excerpt(version),
            oldest.as_str()
        ))
        .before_anything()
    }

    /// 401: no key.
    #[must_use]
    pub fn no_key() -> Self {
        let message = "You did not provide an API key. You need to provide your API key in the Authorization \
                       header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See \
                       https://stripe.com/docs/api#authentication for details.";
        Self::new(StatusCode::UNAUTHORIZED, ErrorType::InvalidRequest, message).before_anything()
    }

    /// 401: another key than the emulator's. Shows no more of it than Stripe does: its kind and its last four
    /// characters.
    #[must_use]
    pub fn wrong_key(key: &str) -> Self {
        let mut message = format!("Invalid API Key provided: {}", redacted(key));
        if key.contains("_live_") {
            message
                .push_str(". This is FairePlace's emulator: it takes no live key, and should never see one");
        }
        Self::new(StatusCode::UNAUTHORIZED, ErrorType::InvalidRequest, message).before_anything()
    }

    /// 400: the same idempotency key for another request.
    #[must_use]
    pub fn idempotency_mismatch(key: &str) -> Self {
        let message = format!(
            "Keys for idempotent requests can only be used with the same parameters they were first used \
             with. Try using a key other than '{key}' if you meant to execute a different request."
        );
        Self::new(StatusCode::BAD_REQUEST, ErrorType::Idempotency, message).before_anything()
    }

    /// 409: the first request with this idempotency key has not been answered yet.
    #[must_use]
    pub fn idempotency_key_in_use(key: &str) -> Self {
        let message = format!(
            "There is currently another in-progress request using this Idempotent Key (that probably \
             means you submitted twice, and the other request is still going through): {key}. Please try \
             again later."
        );
        Self::new(StatusCode::CONFLICT, ErrorType::Idempotency, message)
            .code("idempotency_key_in_use")
            .before_anything()
    }

    /// 402: the card was declined (docs.stripe.com/declines).
    #[must_use]
    pub fn card(code: String, decline_code: Option<String>, message: impl Into<String>) -> Self {
        let mut fault = Self::new(StatusCode::PAYMENT_REQUIRED, ErrorType::Card, message).code(code);
        fault.0.decline_code = decline_code;
        fault
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

/// What a client wrote, short enough for a message.
fn excerpt(given: &str) -> Cow<'_, str> {
    const MAX_CHARACTERS: usize = 200;
    match given.char_indices().nth(MAX_CHARACTERS) {
        None => Cow::Borrowed(given),
        Some((end, _)) => Cow::Owned(format!("{}...", &given[..end])),
    }
}

/// `sk_test_****abcd`: enough to recognise one's own key, too little to use it.
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
