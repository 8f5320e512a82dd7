//! `/api/admin/adjustments`, `/api/admin/write-offs`: credits granted, removed and forgiven by hand. Not
//! here: the limits and the second person (`engine::actions`, `store`).

use axum::response::Response;
use jiff::Timestamp as Moment;
use ledger::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use store::ActionRequest;
use utoipa::ToSchema;

use super::actions::{ActionResponse, ActionSubmission, no_end, reason, submit};
use super::tenant;
use crate::answer::{Data, Problem, ProblemKind};
use crate::api::command::{MAX_CREDITS, credits, whole};
use crate::api::{IdempotencyKeyHeader, Operator, ReceivedBody, UnlessDryRun, body, fingerprint};

/// The priority of a grant by default: spent before purchased credits.
const PRIORITY: u8 = 10;

/// Adjust the credits of a tenant
///
/// Above the limits of one person in 24 hours, the response is 202: no credits move until a second person
/// approves the action.
#[utoipa::path(post, path = "/api/admin/adjustments", operation_id = "create_adjustment", tag = "Adjustments",
    params(UnlessDryRun),
    request_body = AskedFor,
    responses((status = 200, body = Data<ActionResponse>),
        (status = 202, body = Data<ActionResponse>),
        (status = 403, description = "FORBIDDEN, SECOND_PERSON_REQUIRED"),
        (status = 422, description = "INSUFFICIENT_CREDITS")))]
pub(crate) async fn create(
    Operator { request, caller }: Operator,
    key: IdempotencyKeyHeader,
    received: ReceivedBody,
) -> Result<Response, Problem> {
    request.query.only(&[])?;
    let asked: AskedFor = body(&request, received)?;
    let key = key.unless(asked.dry_run)?;
    let credits = whole("credits", &asked.credits, -MAX_CREDITS, MAX_CREDITS)?;
    if credits == 0 {
        return Err(Problem::value("credits", "a whole number that is not 0; negative takes them"));
    }
    if credits < 0 && (asked.priority.is_some() || asked.expires_at.is_some()) {
        let message = "priority and expires_at are for credits that are given. Nothing was changed.";
        return Err(Problem::new(ProblemKind::Validation, message));
    }
    let priority = asked.priority.as_ref().map(|value| whole("priority", value, 0, 100)).transpose()?;
    // From 0 to 100, so it fits.
    let priority = priority.and_then(|number| u8::try_from(number).ok()).unwrap_or(PRIORITY);
    let expires_at = asked.expires_at.as_deref().map(ends).transpose()?;
    let reason = reason(asked.reason)?;
    let values = json!({
        "credits": credits, "priority": priority, "expires_at": expires_at, "reason": reason,
    });
    let tenant = tenant(&asked.tenant_id)?;
    let idempotency_key = key.map(|key| (key, fingerprint("adjustment", tenant, &values)));
    let action = ActionRequest::Adjustment { tenant, credits, priority, expires_at };
    let (alone, dry_run) = (asked.alone, asked.dry_run);
    submit(&request, &caller, ActionSubmission { request: action, reason, alone, dry_run, idempotency_key })
        .await
}

/// Write off a debt
///
/// Above the limits of one person in 24 hours, the response is 202: no credits move until a second person
/// approves the action.
#[utoipa::path(post, path = "/api/admin/write-offs", operation_id = "create_write_off", tag = "Adjustments",
    params(UnlessDryRun),
    request_body = WriteOff,
    responses((status = 200, body = Data<ActionResponse>),
        (status = 202, body = Data<ActionResponse>),
        (status = 403, description = "FORBIDDEN, SECOND_PERSON_REQUIRED"),
        (status = 422, description = "NO_DEBT")))]
pub(crate) async fn write_off(
    Operator { request, caller }: Operator,
    key: IdempotencyKeyHeader,
    received: ReceivedBody,
) -> Result<Response, Problem> {
    request.query.only(&[])?;
    let asked: WriteOff = body(&request, received)?;
    let key = key.unless(asked.dry_run)?;
    let credits = asked.credits.as_ref().map(credits).transpose()?;
    let reason = reason(asked.reason)?;
    let tenant = tenant(&asked.tenant_id)?;
    let values = json!({ "credits": credits, "reason": reason });
    let idempotency_key = key.map(|key| (key, fingerprint("write_off", tenant, &values)));
    let action = ActionRequest::WriteOff { tenant, credits };
    let (alone, dry_run) = (asked.alone, asked.dry_run);
    submit(&request, &caller, ActionSubmission { request: action, reason, alone, dry_run, idempotency_key })
        .await
}

/// Whether the time is in the future is checked later, and only for a new action, so that a replay gets the
/// same response.
fn ends(text: &str) -> Result<Timestamp, Problem> {
    let moment = text.parse::<Moment>().map_err(|_| no_end())?;
    Ok(Timestamp(moment.as_microsecond()))
}

/// An adjustment.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAdjustment, example = json!({
    "tenant_id": "550e8400-e29b-41d4-a716-446655440000", "credits": 5, "reason": "for the outage" }))]
struct AskedFor {
    #[schema(value_type = Uuid)]
    tenant_id: String,
    /// The credits to grant; negative to remove available credits.
    #[serde(default)]
    #[schema(value_type = i64, minimum = -1_000_000_000, maximum = 1_000_000_000, required = true)]
    credits: Value,
    /// The reason; stored permanently, and shown only to operators.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// For granted credits: lots with the lowest number are spent first. Purchased credits have 50; the
    /// default is 10.
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 100)]
    priority: Option<Value>,
    /// For granted credits: when they expire; never by default.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Skip the second person while only one person is registered. Reports mark the action.
    #[serde(default)]
    alone: bool,
    /// Show the effect without changing anything. Needs no `Idempotency-Key`.
    #[serde(default)]
    dry_run: bool,
}

/// A write-off.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWriteOff, example = json!({
    "tenant_id": "550e8400-e29b-41d4-a716-446655440000", "reason": "the company is no more" }))]
struct WriteOff {
    #[schema(value_type = Uuid)]
    tenant_id: String,
    /// The credits to forgive; the whole debt by default.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000_000)]
    credits: Option<Value>,
    /// The reason; stored permanently, and shown only to operators.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// Skip the second person while only one person is registered. Reports mark the action.
    #[serde(default)]
    alone: bool,
    /// Show the effect without changing anything. Needs no `Idempotency-Key`.
    #[serde(default)]
    dry_run: bool,
}
