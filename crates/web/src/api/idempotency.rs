//! The `Idempotency-Key` of a command, and the fingerprint of what it asked: the same key with the same
//! content gets the same answer for ever, with other content it is refused.
//! Not here: where the two are kept with their answer. That is the store's, in the commit of the command.

#[cfg(test)]
mod tests;

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::request::Parts;
use axum::response::Response;
use ledger::TenantId;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::answer::{Problem, ProblemKind};

/// The header that a client names its command with.
const HEADER: &str = "idempotency-key";
/// Characters that it may have.
const MAX_LENGTH: usize = 255;

/// The name that the client gave this command, if it gave one that can be used.
pub(crate) struct IdempotencyKeyHeader(Result<String, Problem>);

impl IdempotencyKeyHeader {
    /// The name. Asked for by everything but a dry run, which pins nothing.
    ///
    /// # Errors
    /// 400 when there is none, 422 when it cannot be used.
    pub(crate) fn required(self) -> Result<String, Problem> {
        self.0
    }

    /// The name, and none for a dry run.
    ///
    /// # Errors
    /// As [`Self::required`], unless it is one.
    pub(crate) fn unless(self, dry_run: bool) -> Result<Option<String>, Problem> {
        if dry_run { Ok(None) } else { self.required().map(Some) }
    }
}

/// Says in an answer's head whether it was made for an earlier request of the same name.
pub(crate) fn marked(mut response: Response, replayed: bool) -> Response {
    if replayed {
        response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    }
    response
}

impl IntoParams for IdempotencyKeyHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![described(Required::True)]
    }
}

/// The header, where a dry run does without it.
pub(crate) enum UnlessDryRun {}

impl IntoParams for UnlessDryRun {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![described(Required::False)]
    }
}

fn described(required: Required) -> Parameter {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(MAX_LENGTH))
        .pattern(Some("^[!-~]+$"));
    let header = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some(
            "Names this command: sent again under the same name it is not done again, and gets the same \
                 answer for ever, with `Idempotency-Replayed: true`. Only a dry run needs none.",
        ))
        .schema(Some(schema))
        .example(Some(json!("lease-2041-signature")));
    header.build()
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKeyHeader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let mut sent = parts.headers.get_all(HEADER).iter().map(|value| value.as_bytes());
        let (first, second) = (sent.next(), sent.next());
        Ok(Self(match (first, second) {
            (None, _) => Err(missing()),
            (Some(bytes), None) => read(bytes),
            (Some(_), Some(_)) => Err(unusable()),
        }))
    }
}

fn read(bytes: &[u8]) -> Result<String, Problem> {
    if bytes.is_empty() || bytes.len() > MAX_LENGTH || !bytes.iter().all(u8::is_ascii_graphic) {
        return Err(unusable());
    }
    Ok(bytes.iter().copied().map(char::from).collect())
}

fn missing() -> Problem {
    Problem::new(
        ProblemKind::IdempotencyKeyMissing,
        "This needs an `Idempotency-Key` header that names this command, such as a random UUID, so that it \
         can be sent again without being done twice. Nothing was changed.",
    )
}

fn unusable() -> Problem {
    Problem::value("Idempotency-Key", "sent once, as 1 to 255 visible ASCII characters")
}

/// What a command asked, as 32 bytes: `action` is its name, `values` are what was read from the request, with
/// defaults filled in and without what was drawn for it (ids, the time).
///
/// It is kept for ever, so it must not change with a release: fields count by name and not by their order,
/// and one that is null counts like one that is not there, so that a later release may add some.
pub(crate) fn fingerprint(action: &str, tenant: TenantId, values: &impl Serialize) -> [u8; 32] {
    // `serde_json` keeps the keys of an object sorted.
    Sha256::digest(without_nulls(json!([action, tenant, values])).to_string()).into()
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}
