//! The `Idempotency-Key` of a command, and the fingerprint of its request: the same key with the same request
//! always gets the same response, with another request it is refused. The store writes both with the
//! response, in the commit of the command.

#[cfg(test)]
mod tests;

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use ledger::TenantId;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::answer::{Problem, ProblemKind};

const HEADER: &str = "idempotency-key";
/// Characters that a key may have.
const MAX_LENGTH: usize = 255;

/// The `Idempotency-Key` of a request, if there is a valid one.
pub(crate) struct IdempotencyKeyHeader(Result<String, Problem>);

impl IdempotencyKeyHeader {
    /// The key. Required for everything but a dry run.
    ///
    /// 400 if it is missing, 422 if it is invalid.
    pub(crate) fn required(self) -> Result<String, Problem> {
        self.0
    }

    /// The key, or None for a dry run.
    ///
    /// As [`Self::required`], except for a dry run.
    pub(crate) fn unless(self, dry_run: bool) -> Result<Option<String>, Problem> {
        if dry_run { Ok(None) } else { self.required().map(Some) }
    }
}

impl IntoParams for IdempotencyKeyHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![described(Required::True)]
    }
}

/// Documentation of the header, where a dry run does not need it.
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
            "Identifies this command. A repeated request with the same key is not executed again: it returns \
             the first response, with `Idempotency-Replayed: true`. A dry run needs no key.",
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
        "This needs an `Idempotency-Key` header, such as a random UUID, so that it can be repeated without \
         being executed twice. Nothing was changed.",
    )
}

fn unusable() -> Problem {
    Problem::value("Idempotency-Key", "sent once, as 1 to 255 visible ASCII characters")
}

/// The fingerprint of a request: `action` is the name of the command, `values` are the values of the request,
/// with defaults and without generated values (ids, the time).
///
/// It is stored for ever, so it must not change with a release: the order of fields does not matter, and a
/// field that is null counts as missing, so that a later release can add fields.
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
