//! Decisions about quarantine items, one or several at once. About a payment, the decision is one more fact;
//! about an event, resolving applies it again after its cause was fixed. The store executes the decision.

use axum::response::Response;
use ledger::money::MAX_CREDITS_PER_PAYMENT;
use ledger::{Credits, Minor, ObjectId, Reason};
use serde::Deserialize;
use store::{ActionRequest, GrantTerms, Items, QuarantineFilter};
use utoipa::ToSchema;

use crate::answer::{Data, Problem};
use crate::api::admin::actions::{ActionResponse, ActionSubmission, reason, submit};
use crate::api::admin::tenant;
use crate::api::credits::read_moment;
use crate::api::{Operator, PathId, ReceivedBody, body};
use crate::schema::ReasonName;

/// The largest amount of money, in minor units.
const MAX_AMOUNT: i64 = 1_000_000_000_000;

/// The resolution of an item.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "the customer wrote, order 1234" }))]
struct Resolution {
    /// The reason; stored permanently.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// The tenant that receives the credits, if the payment specifies none or the wrong one.
    #[schema(value_type = Option<Uuid>)]
    tenant_id: Option<String>,
    /// The credits to grant, if the payment specifies none or the wrong number.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    credits: Option<i64>,
    /// The amount paid in minor units, if the payment does not specify it.
    #[schema(minimum = 1)]
    amount: Option<i64>,
    /// The currency, three lower-case letters, if the payment does not specify it.
    currency: Option<String>,
    /// The payment intent of an unlinked purchase. Refunds and disputes are matched by it.
    #[schema(example = "pi_3Q1a2b3c4d5e6f7g")]
    payment_intent: Option<String>,
    /// The purchase has no payment intent: a person will revoke credits after refunds.
    #[serde(default)]
    refunds_by_hand: bool,
    /// Skip the second person while only one person is registered. Reports mark the action.
    #[serde(default)]
    alone: bool,
    /// Show the effect without changing anything.
    #[serde(default)]
    dry_run: bool,
}

/// The dismissal of an item.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "a test of ours" }))]
struct Dismissal {
    /// The reason; stored permanently.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// Skip the second person while only one person is registered. Reports mark the action.
    #[serde(default)]
    alone: bool,
    /// Show the effect without changing anything.
    #[serde(default)]
    dry_run: bool,
}

/// A decision about several items.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "filter": { "reason": "wrong_mode" }, "reason": "rehearsals of last week" }))]
struct Bulk {
    filter: BulkFilter,
    /// The number of open items that must match; if a different number matches, nothing is changed. Without
    /// it, the response only shows the count and the sums.
    #[schema(minimum = 0)]
    expected_count: Option<i64>,
    /// The reason; stored permanently.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// Skip the second person while only one person is registered. Reports mark the action.
    #[serde(default)]
    alone: bool,
    /// Show the effect without changing anything.
    #[serde(default)]
    dry_run: bool,
}

/// A filter for open items. An empty filter matches all.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QuarantineFilter)]
struct BulkFilter {
    /// With this reason.
    #[schema(value_type = Option<ReasonName>)]
    reason: Option<String>,
    /// About payments of this tenant.
    #[schema(value_type = Option<Uuid>)]
    tenant_id: Option<String>,
    /// Opened before this time.
    #[schema(format = DateTime)]
    opened_before: Option<String>,
}

/// Resolve a quarantine item
///
/// For an item about a payment, grants the credits that you specify, or else those that the payment
/// specifies. For an item about an event, applies the event again; fix the cause first. Above the limits of
/// one person in 24 hours, the response is 202 and the action waits for a second person.
#[utoipa::path(post, path = "/api/admin/quarantine/{id}/resolve", operation_id = "resolve_quarantine_item",
    tag = "Quarantine", request_body = Resolution,
    params(("id" = i64, Path, description = "The item's number.", example = 1)),
    responses((status = 200, body = Data<ActionResponse>),
        (status = 202, body = Data<ActionResponse>),
        (status = 403, description = "FORBIDDEN, SECOND_PERSON_REQUIRED"),
        (status = 503, description = "RESTORE_UNCONFIRMED")))]
pub(crate) async fn resolve(
    Operator { request, caller }: Operator,
    PathId(id): PathId,
    received: ReceivedBody,
) -> Result<Response, Problem> {
    request.query.only(&[])?;
    let items = Items::One(number(&id)?);
    let asked: Resolution = body(&request, received)?;
    let resolution = ActionRequest::QuarantineResolve { items, terms: asked.terms()? };
    let (reason, alone, dry_run) = (reason(asked.reason)?, asked.alone, asked.dry_run);
    submit(
        &request,
        &caller,
        ActionSubmission { request: resolution, reason, alone, dry_run, idempotency_key: None },
    )
    .await
}

/// Dismiss a quarantine item
///
/// Grants nothing; credits already granted for the payment are revoked. Above the limits of one person in 24
/// hours, the response is 202 and the action waits for a second person.
#[utoipa::path(post, path = "/api/admin/quarantine/{id}/dismiss", operation_id = "dismiss_quarantine_item",
    tag = "Quarantine", request_body = Dismissal,
    params(("id" = i64, Path, description = "The item's number.", example = 1)),
    responses((status = 200, body = Data<ActionResponse>),
        (status = 202, body = Data<ActionResponse>),
        (status = 403, description = "FORBIDDEN, SECOND_PERSON_REQUIRED"),
        (status = 503, description = "RESTORE_UNCONFIRMED")))]
pub(crate) async fn dismiss(
    Operator { request, caller }: Operator,
    PathId(id): PathId,
    received: ReceivedBody,
) -> Result<Response, Problem> {
    request.query.only(&[])?;
    let items = Items::One(number(&id)?);
    let asked: Dismissal = body(&request, received)?;
    let dismissal = ActionRequest::QuarantineDismiss { items };
    let (reason, alone, dry_run) = (reason(asked.reason)?, asked.alone, asked.dry_run);
    submit(
        &request,
        &caller,
        ActionSubmission { request: dismissal, reason, alone, dry_run, idempotency_key: None },
    )
    .await
}

/// Resolve matching quarantine items
///
/// Grants the credits that each payment specifies; if a payment specifies none, nothing is changed. This is a
/// single action, and the sum of its credits counts against the limits. Without `expected_count`, nothing is
/// changed: the response only shows the count and the sums.
#[utoipa::path(post, path = "/api/admin/quarantine/resolve", operation_id = "resolve_quarantine",
    tag = "Quarantine", request_body = Bulk,
    responses((status = 200, body = Data<ActionResponse>),
        (status = 202, body = Data<ActionResponse>),
        (status = 403, description = "FORBIDDEN, SECOND_PERSON_REQUIRED"),
        (status = 409, description = "COUNT_CHANGED"),
        (status = 503, description = "RESTORE_UNCONFIRMED")))]
pub(crate) async fn resolve_all(
    Operator { request, caller }: Operator,
    received: ReceivedBody,
) -> Result<Response, Problem> {
    request.query.only(&[])?;
    let asked: Bulk = body(&request, received)?;
    let (items, terms) = (asked.items()?, GrantTerms::default());
    let resolution = ActionRequest::QuarantineResolve { items, terms };
    submit(&request, &caller, asked.submission(resolution)?).await
}

/// Dismiss matching quarantine items
///
/// This is a single action, and the sum of its credits counts against the limits. Without `expected_count`,
/// nothing is changed: the response only shows the count and the sums.
#[utoipa::path(post, path = "/api/admin/quarantine/dismiss", operation_id = "dismiss_quarantine",
    tag = "Quarantine", request_body = Bulk,
    responses((status = 200, body = Data<ActionResponse>),
        (status = 202, body = Data<ActionResponse>),
        (status = 403, description = "FORBIDDEN, SECOND_PERSON_REQUIRED"),
        (status = 409, description = "COUNT_CHANGED"),
        (status = 503, description = "RESTORE_UNCONFIRMED")))]
pub(crate) async fn dismiss_all(
    Operator { request, caller }: Operator,
    received: ReceivedBody,
) -> Result<Response, Problem> {
    request.query.only(&[])?;
    let asked: Bulk = body(&request, received)?;
    let dismissal = ActionRequest::QuarantineDismiss { items: asked.items()? };
    submit(&request, &caller, asked.submission(dismissal)?).await
}

impl Resolution {
    /// The terms that the person specifies, checked.
    fn terms(&self) -> Result<GrantTerms, Problem> {
        if self.credits.is_some_and(|credits| !(1..=MAX_CREDITS_PER_PAYMENT).contains(&credits)) {
            let range = format!("a whole number from 1 to {MAX_CREDITS_PER_PAYMENT}");
            return Err(Problem::value("credits", &range));
        }
        if self.amount.is_some_and(|amount| !(1..=MAX_AMOUNT).contains(&amount)) {
            return Err(Problem::value("amount", &format!("minor units from 1 to {MAX_AMOUNT}")));
        }
        let is_currency = |text: &str| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_lowercase());
        if self.currency.as_deref().is_some_and(|text| !is_currency(text)) {
            return Err(Problem::value("currency", "three letters in lower case, such as eur"));
        }
        let is_id = |text: &str| {
            let is_id_byte = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            text.starts_with("pi_") && text.len() <= 255 && text.bytes().all(is_id_byte)
        };
        if self.payment_intent.as_deref().is_some_and(|text| !is_id(text)) {
            let expected = "the id of a payment intent, such as pi_3Q1a2b3c4d5e6f7g";
            return Err(Problem::value("payment_intent", expected));
        }
        Ok(GrantTerms {
            tenant: self.tenant_id.as_deref().map(tenant).transpose()?,
            credits: self.credits.map(Credits),
            amount: self.amount.map(Minor),
            currency: self.currency.clone(),
            payment_intent: self.payment_intent.as_deref().map(ObjectId::from),
            refunds_by_hand: self.refunds_by_hand,
        })
    }
}

impl Bulk {
    fn items(&self) -> Result<Items, Problem> {
        let known = || Problem::value("filter.reason", "a reason of the quarantine, as its list shows it");
        let reason = self.filter.reason.as_deref();
        let before = self.filter.opened_before.as_deref();
        let filter = QuarantineFilter {
            all: false,
            reason: reason.map(|name| Reason::from_name(name).ok_or_else(known)).transpose()?,
            tenant: self.filter.tenant_id.as_deref().map(tenant).transpose()?,
            opened_before: before.map(|text| read_moment("filter.opened_before", text)).transpose()?,
        };
        Ok(Items::Matching { filter, expected: self.expected_count })
    }

    fn submission(self, request: ActionRequest) -> Result<ActionSubmission, Problem> {
        let dry_run = self.dry_run || self.expected_count.is_none();
        Ok(ActionSubmission {
            request,
            reason: reason(self.reason)?,
            alone: self.alone,
            dry_run,
            idempotency_key: None,
        })
    }
}

fn number(id: &str) -> Result<i64, Problem> {
    id.parse().map_err(|_| Problem::not_found("quarantine item"))
}
