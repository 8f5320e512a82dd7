//! `/api/admin/adjustments`, `/api/admin/write-offs`: credits given, taken and forgiven by hand. Each has a
//! reason and somebody who answers for it; above a limit, two people.
//! Not here: moving the credits (`ledger`), and having it done once (`carry`).

mod carry;
mod view;

use axum::response::Response;
use engine::entropy;
use jiff::Timestamp as Moment;
use ledger::{Action, TenantId, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{
    AdjustmentRow, AdjustmentState, AdjustmentVerdict, AskedAdjustment, DecidedAdjustment, NewAdjustment,
    Pin, Scope,
};
use utoipa::ToSchema;

use crate::answer::{Data, PageOf, Problem, ProblemKind};
use crate::api::command::{CREDITS_MAX, credits, key_reused, whole};
use crate::api::text::is_plain;
use crate::api::{Id, IdempotencyKey, Operator, Received, Request, body, fingerprint, marked, page};
use crate::auth::Caller;
use crate::schema::Paging;
pub(crate) use carry::complete_all;
use view::AdjustmentView;

/// Characters that a reason may have.
const REASON_MAX: usize = 500;
/// Where a grant burns when nobody says: before what was bought.
const PRIORITY: u8 = 10;

/// Adjustments, in the order in which they were asked for
#[utoipa::path(get, path = "/api/admin/adjustments", operation_id = "list_adjustments", tag = "Adjustments",
    params(Paging,
        ("state" = Option<view::State>, Query, description = "Only those that have come so far."),
        ("tenant_id" = Option<Uuid>, Query, description = "Only this tenant's.")),
    responses((status = 200, body = PageOf<AdjustmentView>)))]
pub(crate) async fn list(Operator { request, .. }: Operator) -> Response {
    request
        .answer(async |request| {
            let query = &request.query;
            query.only(&["state", "tenant_id", "page", "per_page", "sort"])?;
            let tenant = query.get("tenant_id").map(tenant).transpose()?;
            let state = query.one_of("state", AdjustmentState::ALL, AdjustmentState::as_str)?;
            let page = page(query)?;
            let found = request.store().adjustments(tenant, state, page).await?;
            let rows: Vec<_> = found.rows.iter().map(AdjustmentView::of).collect();
            Ok(request.meta.page(rows, page, found.total))
        })
        .await
}

/// One adjustment or write-off
#[utoipa::path(get, path = "/api/admin/adjustments/{id}", operation_id = "show_adjustment",
    tag = "Adjustments",
    params(("id" = String, Path, description = "Its name.", example = "adj_019c0a1b2c3d7e4f")),
    responses((status = 200, body = Data<AdjustmentView>)))]
pub(crate) async fn show(Operator { request, .. }: Operator, Id(id): Id) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            Ok(request.meta.data(AdjustmentView::of(&find(&request, id).await?)))
        })
        .await
}

/// Give credits, or take them
///
/// Above the deployment's limit it waits for a second operator's word, and nothing has moved yet: 202.
#[utoipa::path(post, path = "/api/admin/adjustments", operation_id = "create_adjustment", tag = "Adjustments",
    params(IdempotencyKey),
    request_body = AskedFor,
    responses((status = 200, body = Data<AdjustmentView>),
        (status = 202, body = Data<AdjustmentView>),
        (status = 422, description = "INSUFFICIENT_CREDITS")))]
pub(crate) async fn create(
    Operator { request, caller }: Operator,
    key: IdempotencyKey,
    received: Received,
) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let asked: AskedFor = body(&request, received)?;
            let key = key.required()?;
            let credits = whole("credits", &asked.credits, -CREDITS_MAX, CREDITS_MAX)?;
            if credits == 0 {
                return Err(Problem::value("credits", "a whole number that is not 0; negative takes them"));
            }
            if credits < 0 && (asked.priority.is_some() || asked.expires_at.is_some()) {
                let message = "priority and expires_at are for credits that are given. Nothing was changed.";
                return Err(Problem::new(ProblemKind::Validation, message));
            }
            let priority =
                asked.priority.as_ref().map(|value| whole("priority", value, 0, 100)).transpose()?;
            // From 0 to 100, so it fits.
            let priority = priority.and_then(|number| u8::try_from(number).ok()).unwrap_or(PRIORITY);
            let expires_at = asked.expires_at.as_deref().map(ends).transpose()?;
            let reason = reason(asked.reason)?;
            let values = json!({
                "credits": credits, "priority": priority, "expires_at": expires_at, "reason": reason,
            });
            let tenant = known_tenant(&request, &asked.tenant_id).await?;
            let pin = pin(key, fingerprint("adjustment", tenant, &values));
            let action = Action::Adjust { credits, priority, expires_at };
            ask(&request, &caller, pin, tenant, action, reason).await
        })
        .await
}

/// Forgive a debt, or part of it
///
/// Above the deployment's limit it waits for a second operator's word, and nothing has moved yet: 202.
#[utoipa::path(post, path = "/api/admin/write-offs", operation_id = "create_write_off", tag = "Adjustments",
    params(IdempotencyKey),
    request_body = WriteOff,
    responses((status = 200, body = Data<AdjustmentView>),
        (status = 202, body = Data<AdjustmentView>),
        (status = 422, description = "NO_DEBT")))]
pub(crate) async fn write_off(
    Operator { request, caller }: Operator,
    key: IdempotencyKey,
    received: Received,
) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let asked: WriteOff = body(&request, received)?;
            let key = key.required()?;
            let wanted = asked.credits.as_ref().map(credits).transpose()?;
            let reason = reason(asked.reason)?;
            let tenant = known_tenant(&request, &asked.tenant_id).await?;
            let values = json!({ "credits": wanted, "reason": reason });
            let pin = pin(key, fingerprint("write_off", tenant, &values));
            let debt = request.store().tenant(tenant).await?.map(|tenant| tenant.balance.debt);
            // A figure, so that two people agree on the same one, whatever is owed by then.
            let credits = Some(wanted.or(debt).unwrap_or_default());
            ask(&request, &caller, pin, tenant, Action::WriteOff { credits }, reason).await
        })
        .await
}

/// Approve what waits: it is done at once
///
/// By another operator's key than the one that asked. Sent again by the same one, the answer is the same.
#[utoipa::path(post, path = "/api/admin/adjustments/{id}/approve", operation_id = "approve_adjustment",
    tag = "Adjustments",
    params(("id" = String, Path, description = "Its name.", example = "adj_019c0a1b2c3d7e4f")),
    responses((status = 200, body = Data<AdjustmentView>),
        (status = 403, description = "SECOND_PERSON_REQUIRED"),
        (status = 409, description = "ALREADY_DECIDED"),
        (status = 422, description = "INSUFFICIENT_CREDITS, NO_DEBT")))]
pub(crate) async fn approve(Operator { request, caller }: Operator, Id(id): Id) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let row = find(&request, id).await?;
            if let Action::Adjust { expires_at: Some(end), .. } = row.action
                && row.state == AdjustmentState::Waiting
                && end <= request.meta.at
            {
                let message = "The credits that this would give have ended meanwhile. Nothing was changed; \
                               reject it, and ask for it anew.";
                return Err(Problem::new(ProblemKind::Validation, message));
            }
            let row = decided(&request, &caller, row, AdjustmentVerdict::Approve).await?;
            respond(&request, row).await
        })
        .await
}

/// Reject what waits: nothing moves
#[utoipa::path(post, path = "/api/admin/adjustments/{id}/reject", operation_id = "reject_adjustment",
    tag = "Adjustments", request_body = Rejection,
    params(("id" = String, Path, description = "Its name.", example = "adj_019c0a1b2c3d7e4f")),
    responses((status = 200, body = Data<AdjustmentView>),
        (status = 403, description = "SECOND_PERSON_REQUIRED"),
        (status = 409, description = "ALREADY_DECIDED")))]
pub(crate) async fn reject(
    Operator { request, caller }: Operator,
    Id(id): Id,
    received: Received,
) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let row = find(&request, id).await?;
            let asked: Rejection = body(&request, received)?;
            let verdict = AdjustmentVerdict::Reject { reason: reason(asked.reason)? };
            let row = decided(&request, &caller, row, verdict).await?;
            Ok(request.meta.data(AdjustmentView::of(&row)))
        })
        .await
}

/// Keeps what is asked for, and unless it must wait, does it.
async fn ask(
    request: &Request,
    caller: &Caller,
    pin: Pin,
    tenant: TenantId,
    action: Action,
    reason: String,
) -> Result<Response, Problem> {
    let moved = match action {
        Action::Adjust { credits, .. } => credits.abs(),
        Action::WriteOff { credits } => credits.unwrap_or_default().0,
        Action::Spend { .. } | Action::Hold { .. } | Action::Capture { .. } | Action::Release { .. } => 0,
    };
    let new = NewAdjustment {
        id: format!("adj_{}", entropy::unique_id(request.meta.at).simple()),
        pin,
        tenant,
        action,
        reason,
        by: caller.key.id.clone(),
        waits: moved > request.app.adjustment_limit.0,
    };
    let (row, replayed) = match request.store().ask_adjustment(new, request.meta.at).await? {
        AskedAdjustment::KeyReused => return Err(key_reused()),
        AskedAdjustment::Ended => return Err(no_end()),
        AskedAdjustment::Kept { row, replayed } => (*row, replayed),
    };
    let response = match row.waits {
        // As it was when it was asked for: the same answer for ever.
        true => request.meta.accepted(AdjustmentView::as_asked_for(&row)),
        false => respond(request, row).await.unwrap_or_else(|problem| request.meta.error(&problem)),
    };
    Ok(marked(response, replayed))
}

/// Has it done, if it was not yet, and answers what came of it.
async fn respond(request: &Request, row: AdjustmentRow) -> Result<Response, Problem> {
    let (row, refusal) = carry::once(&request.app, row).await?;
    match refusal {
        None => Ok(request.meta.data(AdjustmentView::of(&row))),
        Some(refusal) => Err(carry::refused(&row, refusal)),
    }
}

/// Takes a second person's word. The same word of the same person again is no second one.
async fn decided(
    request: &Request,
    caller: &Caller,
    row: AdjustmentRow,
    verdict: AdjustmentVerdict,
) -> Result<AdjustmentRow, Problem> {
    let rejected = matches!(verdict, AdjustmentVerdict::Reject { .. });
    let by = caller.key.id.clone();
    let decided = request.store().decide_adjustment(row.id, verdict, by, request.meta.at).await?;
    let refused = |why| Err(Problem::new(ProblemKind::SecondPersonRequired, why));
    match decided.ok_or_else(missing)? {
        DecidedAdjustment::Counted(row) => Ok(*row),
        DecidedAdjustment::SamePerson => refused(
            "You asked for this yourself, so somebody else must decide it, with an operator's key of their \
             own. Nothing was changed.",
        ),
        DecidedAdjustment::YoungerKey => refused(
            "This key is younger than what was asked for, so whoever asked may have made it. Somebody must \
             decide it whose key was there before. Nothing was changed.",
        ),
        DecidedAdjustment::Already(row) => {
            let own = row.decided_by.as_ref().is_some_and(|person| person.key == caller.key.id);
            let same = own && rejected == (row.state == AdjustmentState::Rejected);
            // The service ended before what was approved was done: whoever asks may finish it.
            let left_over = row.state == AdjustmentState::Approved && !rejected;
            if same || left_over { Ok(*row) } else { Err(already(&row)) }
        }
    }
}

fn already(row: &AdjustmentRow) -> Problem {
    let before = match &row.decided_by {
        Some(person) => format!("{} decided this before", person.name),
        None => "This needed no second person".to_owned(),
    };
    let state = row.state.as_str();
    let message = format!("{before}: it is {state}. Nothing was changed by this request.");
    Problem::new(ProblemKind::AlreadyDecided, message).with_details(json!({ "state": state }))
}

async fn find(request: &Request, id: String) -> Result<AdjustmentRow, Problem> {
    request.store().adjustment(id).await?.ok_or_else(missing)
}

fn missing() -> Problem {
    Problem::not_found("adjustment")
}

fn pin(key: String, fingerprint: [u8; 32]) -> Pin {
    Pin { scope: Scope::Operator, key, fingerprint }
}

fn tenant(text: &str) -> Result<TenantId, Problem> {
    TenantId::parse(text).ok_or_else(|| Problem::value("tenant_id", "the tenant's UUID"))
}

/// A tenant that nobody heard of is more likely a slip of the hand than a customer.
async fn known_tenant(request: &Request, text: &str) -> Result<TenantId, Problem> {
    let tenant = tenant(text)?;
    let known = request.store().tenant(tenant).await?.is_some();
    let message = "There is no such tenant. It becomes known by its first purchase or key. Nothing \
                   was changed.";
    if known { Ok(tenant) } else { Err(Problem::new(ProblemKind::NotFound, message)) }
}

fn reason(text: String) -> Result<String, Problem> {
    let fits = (1..=REASON_MAX).contains(&text.chars().count()) && is_plain(&text);
    if fits && !text.trim().is_empty() {
        return Ok(text);
    }
    let expected = format!("1 to {REASON_MAX} characters that still explain this in a year");
    Err(Problem::value("reason", &expected))
}

/// Whether it is still to come is asked only where nothing is kept under the key: an answer stays the same.
fn ends(text: &str) -> Result<Timestamp, Problem> {
    let moment = text.parse::<Moment>().map_err(|_| no_end())?;
    Ok(Timestamp(moment.as_microsecond()))
}

fn no_end() -> Problem {
    Problem::value(
        "expires_at",
        "a moment in the future with its time and zone, such as 2027-01-01T00:00:00Z",
    )
}

/// Credits to give or to take.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAdjustment, example = json!({
    "tenant_id": "550e8400-e29b-41d4-a716-446655440000", "credits": 5, "reason": "for the outage" }))]
struct AskedFor {
    #[schema(value_type = Uuid)]
    tenant_id: String,
    /// How many; negative takes them, from what is available.
    #[serde(default)]
    #[schema(value_type = i64, minimum = -1_000_000_000, maximum = 1_000_000_000, required = true)]
    credits: Value,
    /// Why; kept for ever, and shown to operators only.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// Of what is given: the smallest burns first. What was bought has 50; 10, where nothing is said.
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 100)]
    priority: Option<Value>,
    /// Of what is given: when it ends; never, where nothing is said.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

/// A debt to forgive.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWriteOff, example = json!({
    "tenant_id": "550e8400-e29b-41d4-a716-446655440000", "reason": "the company is no more" }))]
struct WriteOff {
    #[schema(value_type = Uuid)]
    tenant_id: String,
    /// How much of it; all, where nothing is said.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 1_000_000_000)]
    credits: Option<Value>,
    /// Why; kept for ever, and shown to operators only.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Why not.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "reason": "they were refunded in Stripe" }))]
struct Rejection {
    /// Kept for ever.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}
