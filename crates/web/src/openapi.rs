//! The description of the API, OpenAPI 3.1, made from the handlers' own attributes and types: one list of
//! operations, and what they have in common. docs/openapi.json is what it makes.
//! Not here: any operation. Each is described where it is handled, in `#[utoipa::path]`.

mod complete;
mod example;
mod page;

use std::sync::LazyLock;

use utoipa::OpenApi;

use crate::api::admin::{
    actions, adjustments, audit, clock, events, keys, people, quarantine, reports, restore, status, tenants,
};
use crate::api::{credits, description, health, payments, stream, webhook_endpoints};
use crate::webhook;

pub(crate) use page::STYLE;

/// Every operation, noun by noun.
#[derive(OpenApi)]
#[openapi(
    info(title = "FairePlace", description = INTRODUCTION),
    paths(
        health::show,
        credits::balance,
        credits::transactions,
        credits::lots,
        credits::spend::create,
        credits::holds::list,
        credits::holds::create,
        credits::holds::show,
        credits::holds::capture,
        credits::holds::release,
        credits::packages::list,
        credits::purchase::create,
        credits::statement::show,
        payments::list,
        payments::show,
        webhook_endpoints::list,
        webhook_endpoints::create,
        webhook_endpoints::show,
        webhook_endpoints::delete,
        webhook_endpoints::roll,
        webhook_endpoints::enable,
        webhook_endpoints::deliveries,
        webhook_endpoints::resend,
        stream::follow,
        status::show,
        audit::show,
        clock::show,
        clock::confirm,
        restore::show,
        restore::confirm,
        events::list,
        events::show,
        events::replay,
        quarantine::list,
        quarantine::show,
        quarantine::decide::resolve,
        quarantine::decide::dismiss,
        quarantine::decide::resolve_all,
        quarantine::decide::dismiss_all,
        tenants::list,
        tenants::show,
        tenants::set,
        actions::list,
        actions::show,
        actions::approve,
        actions::reject,
        adjustments::create,
        adjustments::write_off,
        reports::liability,
        reports::unrelated::unrelated,
        reports::actions::actions,
        people::list,
        people::add,
        people::remove,
        keys::list,
        keys::create,
        keys::revoke,
        keys::rotate,
        webhook::receive,
        description::json,
        description::page,
    ),
    components(schemas(crate::answer::Failure, crate::api::credits::statement::Format)),
    tags(
        (name = "Credits", description = "What a tenant has, and how it came to be."),
        (name = "Spending", description = "Credits for what happens now, and for what may yet happen."),
        (name = "Payments", description = "What was bought, and where each payment stands."),
        (name = "Notices", description = "Other systems are told what happened: signed, or as a stream."),
        (name = "Service", description = "Open to everyone."),
        (name = "Operation", description = "For operators: how the service is doing."),
        (name = "Events", description = "For operators: what Stripe sent, and what became of it."),
        (name = "Quarantine", description = "For operators: what needs a person, and the person's word."),
        (name = "Tenants", description = "For operators: who has credits here."),
        (name = "Adjustments", description = "For operators: credits given, taken and forgiven by hand."),
        (name = "Actions", description = "For operators: what they did, and what waits for a second person."),
        (name = "People", description = "For operators: who they are."),
        (name = "Reports", description = "For operators: what finance needs."),
        (name = "Keys", description = "For operators: who may ask."),
        (name = "Stripe", description = "Where Stripe sends its events."),
    ),
)]
struct Document;

const INTRODUCTION: &str = "\
Exact prepaid credits for every tenant, bought through Stripe.

A key stands in the header of each request: `Authorization: Bearer fp_…`. A tenant's key acts on its tenant. \
A service key spends and sells for any tenant, which it names with `?tenant_id=`. An operator key \
administers: it reads everything, and what it does is an action of its person, which above a limit waits for \
a second one. What belongs to another tenant looks exactly like what does not exist: 404.

Amounts of money are whole numbers of the currency's minor unit, credits are whole numbers, moments are \
RFC 3339 in UTC. What a body or a query string has and the operation does not know is refused. \
A request whose head cannot be read at all is answered without a body: 400 or 431.

All keys of a tenant share one allowance of requests in an hour. Every answer, an error too, says in \
`X-RateLimit-Limit`, `X-RateLimit-Remaining` and `X-RateLimit-Reset` what is left of it; beyond it is 429. \
Requests without a tenant key are not counted; the headers show the full limit.";

/// The document as text: docs/openapi.json, byte for byte.
pub fn document() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let mut document = Document::openapi();
        complete::complete(&mut document);
        // Writing it fails for no document that can be made: every key of it is a string.
        document.to_pretty_json().unwrap_or_default() + "\n"
    });
    &TEXT
}

/// The document for people: one page, without script.
pub(crate) fn page() -> &'static str {
    static PAGE: LazyLock<String> =
        LazyLock::new(|| page::page(&serde_json::from_str(document()).unwrap_or_default()));
    &PAGE
}
