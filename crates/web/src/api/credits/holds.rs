//! `/api/credits/holds`: credits set aside for a spend that may yet happen. A hold ends once: captured,
//! released, or out of time.
//! Not here: what happens to the credits (`ledger`), and who ends holds whose time is up (`engine`).

use axum::response::Response;
use engine::entropy;
use ledger::hold::{LIFE_SECONDS, MAX_LIFE_SECONDS};
use ledger::{CommandAction, Hold, HoldId, HoldState, Receipt, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::BalanceView;
use super::spend::AllocationView;
use crate::answer::{Data, PageOf, Problem, ProblemKind, rfc3339};
use crate::api::command::{Wanted, credits, execute, reference, whole};
use crate::api::{
    Id, IdempotencyKeyHeader, Reader, Received, Request, UnlessDryRun, Writer, body, or_nothing, page,
};
use crate::auth::Caller;
use crate::schema::{HoldStatus, OfTenant, Paging};

/// The shortest that a hold may live, in seconds.
const LIFE_SECONDS_MIN: i64 = 60;

/// Hold credits
///
/// Sets credits aside for a spend that may yet happen. The hold ends once: captured, released, or, when its
/// time is up, by itself. A dry run says what would happen, and changes nothing.
#[utoipa::path(post, path = "/api/credits/holds", tag = "Spending", operation_id = "create_hold",
    params(OfTenant, UnlessDryRun), request_body = NewHold,
    responses((status = 201, body = Data<HoldView>), (status = 200, body = Data<HoldRehearsal>),
        (status = 422, description = "INSUFFICIENT_CREDITS")))]
pub(crate) async fn create(
    Writer { request, caller }: Writer,
    key: IdempotencyKeyHeader,
    received: Received,
) -> Response {
    request
        .answer(async |request| {
            let tenant = tenant(&request, &caller)?;
            let asked: NewHold = body(&request, received)?;
            let dry_run = asked.dry_run.unwrap_or(false);
            let key = key.unless(dry_run)?;
            let (credits, reference) = (credits(&asked.credits)?, reference(asked.reference)?);
            let lasts_seconds = match &asked.expires_in_seconds {
                Some(value) => whole("expires_in_seconds", value, LIFE_SECONDS_MIN, MAX_LIFE_SECONDS)?,
                None => LIFE_SECONDS,
            };
            let id = HoldId(entropy::unique_id(request.meta.at));
            let wanted = Wanted {
                tenant,
                key,
                name: "hold",
                values: json!({
                    "credits": credits, "reference": reference, "expires_in_seconds": lasts_seconds,
                }),
                reference,
                action: CommandAction::Hold { id, credits, lasts_seconds },
            };
            let meta = &request.meta;
            let respond = |receipt: &Receipt| {
                let hold = hold_of(receipt)?;
                Ok(match dry_run {
                    true => meta.data(HoldRehearsal::of(hold, receipt.balance_after.into())),
                    false => meta.created(HoldView::of(hold)),
                })
            };
            execute(&request, &caller, wanted, respond).await
        })
        .await
}

/// The tenant's holds
#[utoipa::path(get, path = "/api/credits/holds", tag = "Spending", operation_id = "list_holds",
    params(OfTenant, Paging,
        ("state" = Option<HoldStatus>, Query, description = "Only those in this state.")),
    responses((status = 200, body = PageOf<HoldView>)))]
pub(crate) async fn list(Reader { request, caller }: Reader) -> Response {
    request
        .answer(async |request| {
            request.query.only(&["tenant_id", "state", "page", "per_page", "sort"])?;
            let tenant = caller.tenant(request.query.get("tenant_id"))?;
            let state = request.query.one_of("state", HoldState::ALL, HoldState::as_str)?;
            let page = page(&request.query)?;
            let found = request.store().holds(tenant, state, request.app.clock.reading(), page).await?;
            let rows: Vec<_> = found.rows.iter().map(HoldView::of).collect();
            Ok(request.meta.page(rows, page, found.total))
        })
        .await
}

/// One hold, and what became of it
#[utoipa::path(get, path = "/api/credits/holds/{id}", tag = "Spending", operation_id = "show_hold",
    params(OfTenant, ("id" = String, Path, description = "The hold.",
        example = "hold_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b")),
    responses((status = 200, body = Data<HoldView>)))]
pub(crate) async fn show(Reader { request, caller }: Reader, Id(id): Id) -> Response {
    request
        .answer(async |request| {
            let tenant = tenant(&request, &caller)?;
            let found = request.store().hold(tenant, parsed(&id)?, request.app.clock.reading()).await?;
            let hold = found.ok_or_else(|| Problem::not_found("hold"))?;
            Ok(request.meta.data(HoldView::of(&hold)))
        })
        .await
}

/// Spend a hold
///
/// All of it, or as many of its credits as you say; the rest returns.
#[utoipa::path(post, path = "/api/credits/holds/{id}/capture", tag = "Spending",
    operation_id = "capture_hold",
    params(OfTenant, IdempotencyKeyHeader, ("id" = String, Path, description = "The hold.",
        example = "hold_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b")),
    request_body = Option<Capture>,
    responses((status = 200, body = Data<EndedHold>),
        (status = 409, description = "HOLD_RESOLVED, HOLD_EXPIRED"),
        (status = 422, description = "CAPTURE_EXCEEDS_HOLD")))]
pub(crate) async fn capture(
    Writer { request, caller }: Writer,
    Id(id): Id,
    key: IdempotencyKeyHeader,
    received: Received,
) -> Response {
    request
        .answer(async |request| {
            let (tenant, hold) = (tenant(&request, &caller)?, parsed(&id)?);
            let asked: Capture = body(&request, or_nothing(received))?;
            let key = Some(key.required()?);
            let credits = asked.credits.as_ref().map(credits).transpose()?;
            let wanted = Wanted {
                tenant,
                key,
                name: "capture",
                values: json!({ "hold": hold, "credits": credits }),
                reference: None,
                action: CommandAction::Capture { hold, credits },
            };
            execute(&request, &caller, wanted, |receipt| ended(&request, receipt)).await
        })
        .await
}

/// Give a hold up
///
/// All of its credits return.
#[utoipa::path(post, path = "/api/credits/holds/{id}/release", tag = "Spending",
    operation_id = "release_hold",
    params(OfTenant, IdempotencyKeyHeader, ("id" = String, Path, description = "The hold.",
        example = "hold_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b")),
    request_body = Option<Nothing>,
    responses((status = 200, body = Data<EndedHold>),
        (status = 409, description = "HOLD_RESOLVED, HOLD_EXPIRED")))]
pub(crate) async fn release(
    Writer { request, caller }: Writer,
    Id(id): Id,
    key: IdempotencyKeyHeader,
    received: Received,
) -> Response {
    request
        .answer(async |request| {
            let (tenant, hold) = (tenant(&request, &caller)?, parsed(&id)?);
            let Nothing {} = body(&request, or_nothing(received))?;
            let wanted = Wanted {
                tenant,
                key: Some(key.required()?),
                name: "release",
                values: json!({ "hold": hold }),
                reference: None,
                action: CommandAction::Release { hold },
            };
            execute(&request, &caller, wanted, |receipt| ended(&request, receipt)).await
        })
        .await
}

fn ended(request: &Request, receipt: &Receipt) -> Result<Response, Problem> {
    Ok(request.meta.data(EndedHold {
        hold: HoldView::of(hold_of(receipt)?),
        transaction_id: receipt.transaction,
        balance_after: receipt.balance_after.into(),
    }))
}

/// The hold that a command was about. A receipt of such a command without one is a defect.
fn hold_of(receipt: &Receipt) -> Result<&Hold, Problem> {
    let defect = "The hold is missing in its own receipt, which is a defect of this program. The command was \
                  done: look at the history.";
    receipt.hold.as_ref().ok_or_else(|| Problem::new(ProblemKind::OutcomeUnknown, defect))
}

fn tenant(request: &Request, caller: &Caller) -> Result<TenantId, Problem> {
    request.query.only(&["tenant_id"])?;
    caller.tenant(request.query.get("tenant_id"))
}

/// What is no name of a hold names no hold.
fn parsed(id: &str) -> Result<HoldId, Problem> {
    HoldId::parse(id).ok_or_else(|| Problem::not_found("hold"))
}

/// What to set aside.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "credits": 1, "reference": "envelope-7" }))]
struct NewHold {
    /// How many credits.
    #[serde(default)]
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000_000, required = true)]
    credits: Value,
    /// What your own system calls the occasion; it is shown in the history.
    #[schema(min_length = 1, max_length = 255)]
    reference: Option<String>,
    /// Until the credits return by themselves: 14 days, where nothing is said.
    #[schema(value_type = Option<i64>, minimum = 60, maximum = 7_776_000, default = 1_209_600)]
    expires_in_seconds: Option<Value>,
    /// Only say what would happen. Needs no `Idempotency-Key`.
    dry_run: Option<bool>,
}

/// How much of a hold to spend.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "credits": 1 }))]
struct Capture {
    /// How many credits: all of them, where nothing is said. The rest returns.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000_000)]
    credits: Option<Value>,
}

/// An empty object, or no body at all.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
struct Nothing {}

/// Credits that are set aside, and what became of them.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "id": "hold_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b", "state": "open", "credits": 1,
    "captured": 0, "reference": "envelope-7",
    "allocations": [{ "lot": 1, "credits": 1 }], "created_at": "2026-11-23T12:00:00Z",
    "expires_at": "2026-12-07T12:00:00Z", "resolved_at": null }))]
struct HoldView {
    id: String,
    #[schema(value_type = HoldStatus)]
    state: &'static str,
    /// How many were set aside.
    credits: i64,
    /// How many of them were spent in the end.
    captured: i64,
    reference: Option<String>,
    /// From which lots; together they are `credits`.
    allocations: Vec<AllocationView>,
    #[schema(format = DateTime)]
    created_at: String,
    /// When the credits return by themselves.
    #[schema(format = DateTime)]
    expires_at: String,
    /// When it ended.
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

/// A hold as it would be: nothing was changed.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "dry_run": true, "credits": 1, "reference": "envelope-7",
    "allocations": [{ "lot": 1, "credits": 1 }], "expires_at": "2026-12-07T12:00:00Z",
    "balance_after": { "available": 6, "held": 1, "frozen": 0, "debt": 0, "balance": 7 } }))]
struct HoldRehearsal {
    dry_run: bool,
    credits: i64,
    reference: Option<String>,
    /// From which lots.
    allocations: Vec<AllocationView>,
    #[schema(format = DateTime)]
    expires_at: String,
    /// What the tenant would have and owe after it.
    balance_after: BalanceView,
}

impl HoldRehearsal {
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

/// A hold that was captured or released.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "hold": { "id": "hold_019c0a1b2c3d7e4f8a9b0c1d2e3f4a5b", "state": "captured",
        "credits": 1, "captured": 1,
        "reference": "envelope-7", "allocations": [{ "lot": 1, "credits": 1 }],
        "created_at": "2026-11-23T12:00:00Z", "expires_at": "2026-12-07T12:00:00Z",
        "resolved_at": "2026-11-25T09:30:00Z" },
    "transaction_id": 43,
    "balance_after": { "available": 6, "held": 0, "frozen": 0, "debt": 0, "balance": 6 } }))]
struct EndedHold {
    hold: HoldView,
    /// Its line in the history.
    transaction_id: i64,
    balance_after: BalanceView,
}
