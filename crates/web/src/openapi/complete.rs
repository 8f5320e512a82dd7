//! What operations have in common, so that none of them has to say it: who may ask, the answers that every
//! operation of its kind may give, the headers of answers, and examples in their envelope.
//! Not here: what is particular to one operation.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, ParameterIn};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Required};

use super::example;
use crate::answer::ProblemKind;
use crate::auth::{CREDITS_READ, CREDITS_WRITE, OPERATOR};

/// The name of the one way to say who asks.
const KEY: &str = "key";

/// What every answer says of the tenant's hour; where there is no limit, none.
const ALLOWANCE: [(&str, &str); 3] = [
    (
        "X-RateLimit-Limit",
        "Requests that all keys of a tenant may make in an hour. Operators' are not counted.",
    ),
    ("X-RateLimit-Remaining", "How many of them are left."),
    ("X-RateLimit-Reset", "When the next hour may begin, in Unix seconds."),
];

/// Adds it.
pub(super) fn complete(document: &mut OpenApi) {
    let mut components = document.components.take().unwrap_or_default();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("fp_…")
        .description(Some("An API key, as `faireplace keys create` makes it."));
    components.add_security_scheme(KEY, SecurityScheme::Http(bearer.build()));
    for kind in ProblemKind::ALL {
        components.responses.insert(kind.as_str().to_owned(), problem(&[*kind]).into());
    }
    let known = json!(components);
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in [(HttpMethod::Get, &mut item.get), (HttpMethod::Post, &mut item.post)] {
            if let Some(operation) = operation {
                finish(operation, &method, path, &known);
            }
        }
    }
    document.components = Some(components);
}

/// Who may ask.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Anyone,
    Tenant,
    Operator,
}

fn finish(operation: &mut Operation, method: &HttpMethod, path: &str, components: &Value) {
    let access = match (&operation.security, path.starts_with("/api/admin/")) {
        (Some(_), _) => Access::Anyone,
        (None, true) => Access::Operator,
        (None, false) => Access::Tenant,
    };
    let permission = match (access, method) {
        (Access::Anyone, _) => None,
        (Access::Operator, _) => Some(OPERATOR),
        (Access::Tenant, HttpMethod::Get) => Some(CREDITS_READ),
        (Access::Tenant, _) => Some(CREDITS_WRITE),
    };
    let required = permission.map(|name| SecurityRequirement::new(KEY, [name]));
    operation.security = Some(required.into_iter().collect());
    optional_body(operation);
    let mut kinds = particular(operation);
    // Whatever is asked may be cut short on its way here.
    kinds.push(ProblemKind::UriTooLong);
    if operation.request_body.is_some() {
        kinds.push(ProblemKind::RequestTimeout);
    }
    // The webhook has answers of its own, all others.
    if path.starts_with("/api/") {
        kinds.extend(usual(operation, access));
    }
    let mut by_status: BTreeMap<u16, Vec<ProblemKind>> = BTreeMap::new();
    kinds.sort_by_key(|kind| ProblemKind::ALL.iter().position(|one| one == kind));
    kinds.dedup();
    for kind in kinds {
        by_status.entry(kind.status().as_u16()).or_default().push(kind);
    }
    let responses = &mut operation.responses.responses;
    for response in responses.values_mut() {
        if let RefOr::T(response) = response {
            success(response, components);
        }
    }
    for (status, kinds) in by_status {
        let answer = match kinds.as_slice() {
            [one] => Ref::from_response_name(one.as_str()).into(),
            several => problem(several).into(),
        };
        responses.insert(status.to_string(), answer);
    }
}

/// A body that may be left out is left out, and not null.
fn optional_body(operation: &mut Operation) {
    let Some(body) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        if let Some(RefOr::T(Schema::OneOf(either))) = &mut content.schema {
            content.schema = either.items.pop();
            body.required = Some(Required::False);
        }
    }
}

/// The problems that the operation itself names, in the description of an answer: `HOLD_EXPIRED, …`.
fn particular(operation: &Operation) -> Vec<ProblemKind> {
    let answers = operation.responses.responses.values();
    let descriptions = answers.filter_map(|answer| match answer {
        RefOr::T(response) => Some(response.description.as_str()),
        RefOr::Ref(_) => None,
    });
    descriptions.flat_map(|text| text.split(", ")).filter_map(ProblemKind::from_name).collect()
}

/// The problems that every operation like this one has.
fn usual(operation: &Operation, access: Access) -> Vec<ProblemKind> {
    let has = |place: &ParameterIn, name: &str| {
        let parameters = operation.parameters.as_deref().unwrap_or_default();
        parameters.iter().any(|one| one.parameter_in == *place && (name.is_empty() || one.name == name))
    };
    let mut kinds = vec![
        ProblemKind::BadRequest,
        ProblemKind::Internal,
        ProblemKind::Unavailable,
        ProblemKind::OutcomeUnknown,
    ];
    match access {
        Access::Anyone => {}
        Access::Tenant => {
            kinds.extend([ProblemKind::Unauthorized, ProblemKind::Forbidden, ProblemKind::Validation]);
            kinds.push(ProblemKind::RateLimitExceeded);
        }
        Access::Operator => {
            kinds.extend([ProblemKind::Unauthorized, ProblemKind::NotFound, ProblemKind::Validation]);
        }
    }
    if has(&ParameterIn::Path, "") || has(&ParameterIn::Query, "tenant_id") {
        kinds.push(ProblemKind::NotFound);
    }
    if has(&ParameterIn::Header, "Idempotency-Key") {
        kinds.extend([ProblemKind::IdempotencyKeyMissing, ProblemKind::IdempotencyKeyReused]);
        // What has such a key moves credits.
        kinds.push(ProblemKind::RestoreUnconfirmed);
    }
    if operation.request_body.is_some() {
        kinds.push(ProblemKind::PayloadTooLarge);
    }
    kinds
}

/// An answer for these problems, which share a status.
fn problem(kinds: &[ProblemKind]) -> Response {
    let lines: Vec<_> = kinds.iter().map(|kind| format!("`{}`: {}", kind.as_str(), kind.meaning())).collect();
    let example = |kind: &ProblemKind| {
        json!({
            "error": {
                "code": kind.status().as_u16(), "type": kind.as_str(), "message": kind.meaning(),
                "details": null,
            },
            "meta": meta(),
        })
    };
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Failure")))
        .example(kinds.first().map(example));
    let mut response =
        ResponseBuilder::new().description(lines.join("\n\n")).content("application/json", content.build());
    if kinds.contains(&ProblemKind::RateLimitExceeded) {
        response = response.header("Retry-After", number("Seconds until the next request is taken."));
    }
    for (name, text) in ALLOWANCE {
        response = response.header(name, number(text));
    }
    response.build()
}

/// What every success has: words, an example in its envelope, and what is left of the tenant's hour.
fn success(response: &mut Response, components: &Value) {
    for content in response.content.values_mut() {
        let example = content.schema.as_ref().map(|schema| example::of(&json!(schema), components));
        content.example = content.example.take().or(example);
    }
    if response.description.is_empty() {
        let schema = response.content.values().find_map(|content| content.schema.as_ref());
        let words = schema.and_then(|schema| example::words(&json!(schema), components));
        response.description = words.unwrap_or_else(|| "Done.".to_owned());
    }
    for (name, text) in ALLOWANCE {
        response.headers.insert(name.to_owned(), number(text));
    }
}

fn number(text: &str) -> utoipa::openapi::Header {
    HeaderBuilder::new()
        .schema(ObjectBuilder::new().schema_type(Type::Integer))
        .description(Some(text))
        .build()
}

fn meta() -> Value {
    json!({ "request_id": "019c0a1b-2c3d-7e4f-8a9b-0c1d2e3f4a5b", "timestamp": "2026-11-23T12:00:02Z" })
}
