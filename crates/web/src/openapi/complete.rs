//! The common parts of operations: permissions, the errors that every operation of its kind may return, the
//! headers of responses, and examples in their envelope.

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

/// The name of the security scheme.
const KEY: &str = "key";

/// The headers of every response, where requests are limited.
const ALLOWANCE: [(&str, &str); 3] = [
    (
        "X-RateLimit-Limit",
        "Requests per hour that all keys of a tenant share. Service and operator keys are not counted.",
    ),
    ("X-RateLimit-Remaining", "Requests left in the current hour."),
    ("X-RateLimit-Reset", "When the count is reset, in Unix seconds."),
];

/// Completes the document.
pub(super) fn complete(document: &mut OpenApi) {
    let mut components = document.components.take().unwrap_or_default();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("fp_…")
        .description(Some("An API key, created with `faireplace keys create`."));
    components.add_security_scheme(KEY, SecurityScheme::Http(bearer.build()));
    for kind in ProblemKind::ALL {
        components.responses.insert(kind.as_str().to_owned(), problem(&[*kind]).into());
    }
    let known = json!(components);
    for (path, item) in &mut document.paths.paths {
        let operations = [
            (HttpMethod::Get, &mut item.get),
            (HttpMethod::Post, &mut item.post),
            (HttpMethod::Delete, &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                finish(operation, &method, path, &known);
            }
        }
    }
    document.components = Some(components);
}

/// Who may call an operation.
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
    // Every request has a target.
    kinds.push(ProblemKind::UriTooLong);
    if operation.request_body.is_some() {
        kinds.push(ProblemKind::RequestTimeout);
    }
    // The webhook has responses of its own.
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

/// An optional body is left out, not null.
fn optional_body(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        if let RefOr::T(content) = content
            && let Some(RefOr::T(Schema::OneOf(either))) = &mut content.schema
        {
            content.schema = either.items.iter().find(|item| matches!(item, RefOr::Ref(_))).cloned();
            body.required = Some(Required::False);
        }
    }
}

/// The problems that the operation names in the description of a response: `HOLD_EXPIRED, …`.
fn particular(operation: &Operation) -> Vec<ProblemKind> {
    let answers = operation.responses.responses.values();
    let descriptions = answers.filter_map(|answer| match answer {
        RefOr::T(response) => Some(response.description.as_str()),
        RefOr::Ref(_) => None,
    });
    descriptions.flat_map(|text| text.split(", ")).filter_map(ProblemKind::from_name).collect()
}

/// The problems that every operation of this kind may return.
fn usual(operation: &Operation, access: Access) -> Vec<ProblemKind> {
    let has = |place: &ParameterIn, name: &str| {
        let parameters = operation.parameters.as_deref().unwrap_or_default();
        parameters.iter().any(|one| match one {
            RefOr::T(one) => one.parameter_in == *place && (name.is_empty() || one.name == name),
            RefOr::Ref(_) => false,
        })
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
        // An operation with such a key moves credits.
        kinds.push(ProblemKind::RestoreUnconfirmed);
    }
    if operation.request_body.is_some() {
        kinds.push(ProblemKind::PayloadTooLarge);
    }
    kinds
}

/// The response for these problems, which share a status.
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
        response = response.header("Retry-After", number("Seconds until the next request is accepted."));
    }
    for (name, text) in ALLOWANCE {
        response = response.header(name, number(text));
    }
    response.build()
}

/// Adds to a success a description, an example in its envelope, and the headers.
fn success(response: &mut Response, components: &Value) {
    let mut schema = None;
    for content in response.content.values_mut() {
        let RefOr::T(content) = content else { continue };
        schema = schema.or_else(|| content.schema.as_ref().map(|schema| json!(schema)));
        let example = content.schema.as_ref().map(|schema| example::of(&json!(schema), components));
        content.example = content.example.take().or(example);
    }
    if response.description.is_empty() {
        let words = schema.and_then(|schema| example::words(&schema, components));
        response.description = words.unwrap_or_else(|| "Done.".to_owned());
    }
    for (name, text) in ALLOWANCE {
        response.headers.insert(name.to_owned(), number(text).into());
    }
}

fn number(text: &str) -> utoipa::openapi::Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::Integer)))
        .description(Some(text))
        .build()
}

fn meta() -> Value {
    json!({ "request_id": "019c0a1b-2c3d-7e4f-8a9b-0c1d2e3f4a5b", "timestamp": "2026-11-23T12:00:02Z" })
}
