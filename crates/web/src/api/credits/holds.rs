//! `/api/credits/holds`: credits set aside for a later spend. A hold ends once: captured, released or
//! expired. The engine's sweeper expires holds.

use axum::response::{IntoResponse as _, Response};
use engine::entropy;
use ledger::hold::{LIFE_SECONDS, MAX_LIFE_SECONDS};
use ledger::{CommandAction, Hold, HoldId, HoldState, Receipt, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::BalanceView;
use super::spend::AllocationView;
use crate::answer::{CreatedData, Data, PageOf, Problem, ProblemKind, Replayable, rfc3339};
use crate::api::command::{ValidatedCommand, credits, execute, reference, whole};
use crate::api::{
    CreditsReader, CreditsWriter, IdempotencyKeyHeader, PathId, ReceivedBody, Request, UnlessDryRun, body,
    or_nothing, page,
};
use crate::auth::Caller;
use crate::schema::{HoldStatus, OfTenant, PageParameters};

/// The shortest life of a hold, in seconds.
const LIFE_SECONDS_MIN: i64 = 60;

/// Hold credits
///
/// Sets credits aside for a later spend. A hold ends once: captured, released or expired. A dry run shows
/// what would happen, and changes nothing.
#[utoipa::path(post, path = "/api/credits/holds", tag = "Spending", operation_id = "create_hold",
    params(OfTenant, UnlessDryRun), request_body = NewHold,
    responses((status = 201, body = Data<HoldView>), (status = 200, body = Data<HoldPreview>),
        (status = 422, description = "INSUFFICIENT_CREDITS")))]
pub(crate) async fn create(
    CreditsWriter { request, caller }: CreditsWriter,
    key: IdempotencyKeyHeader,
    received: ReceivedBody,
) -> Result<Replayable<Response>, Problem> {
    let tenant = tenant(&request, &caller)?;
    let asked: NewHold = body(&request, received)?;
    let dry_run = asked.dry_run.unwrap_or(false);
    let key = key.unless(dry_run)?;
    let (credits, reference) = (credits(&asked.credits)?, reference(asked.reference)?);
    let lasts_seconds = match &asked.expires_in_seconds {
        Some(value) => whole("expires_in_seconds", value, LIFE_SECONDS_MIN, MAX_LIFE_SECONDS)?,
        None => LIFE_SECONDS,
    };
    let id = HoldId(entropy::unique_id(request.now));
    let command = ValidatedCommand {
        tenant,
        key,
        name: "hold",
        values: json!({
            "credits": credits, "reference": reference, "expires_in_seconds": lasts_seconds,
        }),
        reference,
        action: CommandAction::Hold { id, credits, lasts_seconds },
    };
    let respond = |receipt: &Receipt| {
        let hold = hold_of(receipt)?;
        Ok(match dry_run {
            true => Data::of(HoldPreview::of(hold, receipt.balance_after.into())).into_response(),
            false => CreatedData(HoldView::of(hold)).into_response(),
        })
    };
    execute(&request, &caller, command, respond).await
}

/// List holds
#[utoipa::path(get, path = "/api/credits/holds", tag = "Spending", operation_id = "list_holds",
    params(OfTenant, PageParameters,
        ("state" = Option<HoldStatus>, Query, description = "Only holds in this state.")),
    responses((status = 200, body = PageOf<HoldView>)))]
pub(crate) async fn list(
    CreditsReader { request, caller }: CreditsReader,
) -> Result<PageOf<HoldView>, Problem> {
    request.query.only(&["tenant_id", "state", "page", "per_page", "sort"])?;
    let tenant = caller.tenant(request.query.get("tenant_id"))?;
    let state = request.query.one_of("state", HoldState::ALL, HoldState::as_str)?;
    let page = page(&request.query)?;
    let found = request.store().holds(tenant, state, request.app.clock.reading(), page).await?;
    Ok(PageOf::of(&found, page, HoldView::of))
}

/// Retrieve a hold
#[utoipa::path(get, path = "/api/credits/holds/{id}", tag = "Spending", operation_id = "show_hold",
    params(OfTenant, ("id" = String, Path, description = "The hold's id.",
        example = "hold_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b")),
    responses((status = 200, body = Data<HoldView>)))]
pub(crate) async fn show(
    CreditsReader { request, caller }: CreditsReader,
    PathId(id): PathId,
) -> Result<Data<HoldView>, Problem> {
    let tenant = tenant(&request, &caller)?;
    let found = request.store().hold(tenant, parsed(&id)?, request.app.clock.reading()).await?;
    let hold = found.ok_or_else(|| Problem::not_found("hold"))?;
    Ok(Data::of(HoldView::of(&hold)))
}

/// Capture a hold
///
/// Spends all credits of the hold, or as many as you specify. The rest become available again.
#[utoipa::path(post, path = "/api/credits/holds/{id}/capture", tag = "Spending",
    operation_id = "capture_hold",
    params(OfTenant, IdempotencyKeyHeader, ("id" = String, Path, description = "The hold's id.",
        example = "hold_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b")),
    request_body = Option<Capture>,
    responses((status = 200, body = Data<EndedHold>),
        (status = 409, description = "HOLD_RESOLVED, HOLD_EXPIRED"),
        (status = 422, description = "CAPTURE_EXCEEDS_HOLD")))]
pub(crate) async fn capture(
    CreditsWriter { request, caller }: CreditsWriter,
    PathId(id): PathId,
    key: IdempotencyKeyHeader,
    received: ReceivedBody,
) -> Result<Replayable<Data<EndedHold>>, Problem> {
    let (tenant, hold) = (tenant(&request, &caller)?, parsed(&id)?);
    let asked: Capture = body(&request, or_nothing(received))?;
    let key = Some(key.required()?);
    let credits = asked.credits.as_ref().map(credits).transpose()?;
    let command = ValidatedCommand {
        tenant,
        key,
        name: "capture",
        values: json!({ "hold": hold, "credits": credits }),
        reference: None,
        action: CommandAction::Capture { hold, credits },
    };
    execute(&request, &caller, command, ended).await
}

/// Release a hold
///
/// All credits of the hold become available again.
#[utoipa::path(post, path = "/api/credits/holds/{id}/release", tag = "Spending",
    operation_id = "release_hold",
    params(OfTenant, IdempotencyKeyHeader, ("id" = String, Path, description = "The hold's id.",
        example = "hold_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b")),
    request_body = Option<Nothing>,
    responses((status = 200, body = Data<EndedHold>),
        (status = 409, description = "HOLD_RESOLVED, HOLD_EXPIRED")))]
pub(crate) async fn release(
    CreditsWriter { request, caller }: CreditsWriter,
    PathId(id): PathId,
    key: IdempotencyKeyHeader,
    received: ReceivedBody,
) -> Result<Replayable<Data<EndedHold>>, Problem> {
    let (tenant, hold) = (tenant(&request, &caller)?, parsed(&id)?);
    let Nothing {} = body(&request, or_nothing(received))?;
    let command = ValidatedCommand {
        tenant,
        key: Some(key.required()?),
        name: "release",
        values: json!({ "hold": hold }),
        reference: None,
        action: CommandAction::Release { hold },
    };
    execute(&request, &caller, command, ended).await
}

fn ended(receipt: &Receipt) -> Result<Data<EndedHold>, Problem> {
    Ok(Data::of(EndedHold {
        hold: HoldView::of(hold_of(receipt)?),
        transaction_id: receipt.transaction,
        balance_after: receipt.balance_after.into(),
    }))
}

/// The hold of a receipt. Every command about a hold has one; without it the program has a defect.
fn hold_of(receipt: &Receipt) -> Result<&Hold, Problem> {
    let defect = "The hold is missing in its own receipt, which is a defect of this program. The command was \
                  done: look at the history.";
    receipt.hold.as_ref().ok_or_else(|| Problem::new(ProblemKind::OutcomeUnknown, defect))
}

fn tenant(request: &Request, caller: &Caller) -> Result<TenantId, Problem> {
    request.query.only(&["tenant_id"])?;
    caller.tenant(request.query.get("tenant_id"))
}

/// Text that is not the id of a hold names no hold.
fn parsed(id: &str) -> Result<HoldId, Problem> {
    HoldId::parse(id).ok_or_else(|| Problem::not_found("hold"))
}

/// Credits to set aside.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "credits": 1, "reference": "envelope-7" }))]
struct NewHold {
    /// The number of credits.
    #[serde(default)]
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000_000, required = true)]
    credits: Value,
    /// Your own reference; it is shown in the history.
    #[schema(min_length = 1, max_length = 255)]
    reference: Option<String>,
    /// Seconds until the hold expires and its credits become available again; 14 days by default.
    #[schema(value_type = Option<i64>, minimum = 60, maximum = 7_776_000, default = 1_209_600)]
    expires_in_seconds: Option<Value>,
    /// Show the effect without changing anything. Needs no `Idempotency-Key`.
    dry_run: Option<bool>,
}

/// Credits to capture.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "credits": 1 }))]
struct Capture {
    /// The number of credits; all by default. The rest become available again.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000_000)]
    credits: Option<Value>,
}

/// An empty object, or no body at all.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
struct Nothing {}

/// A hold.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "id": "hold_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b", "state": "open", "credits": 1,
    "captured": 0, "reference": "envelope-7",
    "allocations": [{ "lot": 1, "credits": 1 }], "created_at": "2026-11-23T12:00:00Z",
    "expires_at": "2026-12-07T12:00:00Z", "resolved_at": null }))]
pub(crate) struct HoldView {
    id: String,
    #[schema(value_type = HoldStatus)]
    state: &'static str,
    /// Credits set aside.
    credits: i64,
    /// Of these, spent by a capture.
    captured: i64,
    reference: Option<String>,
    /// The lots of the credits. They add up to `credits`.
    allocations: Vec<AllocationView>,
    #[schema(format = DateTime)]
    created_at: String,
    /// When it expires.
    #[schema(format = DateTime)]
    expires_at: String,
    /// When it was captured or released, or when it expired.
    #[schema(format = DateTime)]
    resolved_at: Option<String>,
}

impl HoldView {
    fn of(hold: &Hold) -> Self {
        Self {
            id: hold.id.to_string(),
            state: hold.state.as_str(),
            credits: hold.credits.0,
            captured: hold.captured.0,
            reference: hold.reference.clone(),
            allocations: AllocationView::all(&hold.lots),
            created_at: rfc3339(hold.created_at),
            expires_at: rfc3339(hold.expires_at),
            resolved_at: hold.resolved_at.map(rfc3339),
        }
    }
}

/// The preview of a hold. Nothing was changed.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "dry_run": true, "credits": 1, "reference": "envelope-7",
    "allocations": [{ "lot": 1, "credits": 1 }], "expires_at": "2026-12-07T12:00:00Z",
    "balance_after": { "available": 6, "held": 1, "frozen": 0, "debt": 0, "balance": 7 } }))]
struct HoldPreview {
    dry_run: bool,
    credits: i64,
    reference: Option<String>,
    /// The lots of the credits.
    allocations: Vec<AllocationView>,
    #[schema(format = DateTime)]
    expires_at: String,
    /// The balance after it.
    balance_after: BalanceView,
}

impl HoldPreview {
    fn of(hold: &Hold, balance_after: BalanceView) -> Self {
        Self {
            dry_run: true,
            credits: hold.credits.0,
            reference: hold.reference.clone(),
            allocations: AllocationView::all(&hold.lots),
            expires_at: rfc3339(hold.expires_at),
            balance_after,
        }
    }
}

/// A captured or released hold.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "hold": { "id": "hold_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b", "state": "captured",
        "credits": 1, "captured": 1,
        "reference": "envelope-7", "allocations": [{ "lot": 1, "credits": 1 }],
        "created_at": "2026-11-23T12:00:00Z", "expires_at": "2026-12-07T12:00:00Z",
        "resolved_at": "2026-11-25T09:30:00Z" },
    "transaction_id": 43,
    "balance_after": { "available": 6, "held": 0, "frozen": 0, "debt": 0, "balance": 6 } }))]
pub(crate) struct EndedHold {
    hold: HoldView,
    /// The transaction.
    transaction_id: i64,
    balance_after: BalanceView,
}
