//! The description of the API, OpenAPI 3.1. The operations come from the attributes of the handlers that
//! `routes` lists; their common parts are added here. docs/openapi.json and docs/routes.md are generated from
//! it.

mod complete;
mod example;
mod page;
mod table;

use std::sync::LazyLock;

use utoipa::OpenApi;

pub(crate) use page::STYLE;

/// The document, created on first use.
pub(crate) type LazyDocument = &'static LazyLock<Document>;

/// The description of the API in three forms.
#[derive(Debug)]
pub struct Document {
    /// For programs: docs/openapi.json, byte for byte.
    pub json: String,
    /// For people: one HTML page without script.
    pub page: String,
    /// One line per route: docs/routes.md.
    pub table: String,
}

impl Document {
    /// Completes the description of these operations.
    pub(crate) fn of(mut document: utoipa::openapi::OpenApi) -> Self {
        complete::complete(&mut document);
        // All keys are strings, so serialisation cannot fail.
        let json = document.to_pretty_json().unwrap_or_default() + "\n";
        let value = serde_json::to_value(&document).unwrap_or_default();
        Self { page: page::page(&value), table: table::table(&value), json }
    }
}

/// The description without operations.
pub(crate) fn common() -> utoipa::openapi::OpenApi {
    Common::openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(title = "FairePlace", description = INTRODUCTION),
    components(schemas(crate::answer::ErrorEnvelope, crate::api::ReportFormat)),
    tags(
        (name = "Credits", description = "A tenant's credits and their history."),
        (name = "Spending", description = "Spend credits now, or hold them for a later spend."),
        (name = "Payments", description = "Payments at Stripe, and the status of each."),
        (name = "Notices", description = "Changes of credits, as signed webhooks or as a stream."),
        (name = "Service", description = "Public routes that need no key."),
        (name = "Operation", description = "For operators: the state of the service."),
        (name = "Events", description = "For operators: events received from Stripe."),
        (name = "Quarantine", description = "For operators: payments and events that need a decision."),
        (name = "Tenants", description = "For operators: tenants and their settings."),
        (name = "Adjustments", description = "For operators: grant, remove and forgive credits by hand."),
        (name = "Actions", description = "For operators: what operators did, and what awaits approval."),
        (name = "People", description = "For operators: the registered operators."),
        (name = "Reports", description = "For operators: reports for finance."),
        (name = "Keys", description = "For operators: API keys."),
        (name = "Stripe", description = "Receives events from Stripe."),
    ),
)]
struct Common;

const INTRODUCTION: &str = "\
Exact prepaid credits for every tenant, bought through Stripe.

Send an API key with each request: `Authorization: Bearer fp_…`. A tenant key acts for its tenant. A \
service key spends and sells for any tenant, which it specifies with `?tenant_id=`. An operator key belongs \
to a person who administers the service: it can read everything, and each change is recorded as an action of \
that person. Actions above a limit need the approval of a second person. An object of another tenant returns \
404, like an object that does not exist.

Amounts of money are whole numbers in the currency's minor unit, credits are whole numbers, and times are \
RFC 3339 in UTC. Unknown fields and query parameters are rejected. A request whose head cannot be parsed \
receives 400 or 431 without a body.

All keys of a tenant share one hourly limit of requests. Every response, including errors, shows it in \
`X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset`; requests above it receive 429. \
Requests without a tenant key are not counted; the headers show the full limit.";
