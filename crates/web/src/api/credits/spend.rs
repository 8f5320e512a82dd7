//! `POST /api/credits/spend`: the tenant uses credits, now and for good.
//! Not here: credits for what may yet happen (`holds`), and which lots burn first (`ledger`).

use axum::response::Response;
use ledger::{Allocation, CommandAction, Receipt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::BalanceView;
use crate::answer::Data;
use crate::api::command::{Wanted, credits, execute, reference};
use crate::api::{IdempotencyKeyHeader, Received, UnlessDryRun, Writer, body};
use crate::schema::OfTenant;

/// Spend credits
///
/// Decided and on disk before it is answered. A tenant that owes credits spends none until a purchase has
/// repaid them. A dry run says what would happen, and changes nothing.
#[utoipa::path(post, path = "/api/credits/spend", tag = "Spending", operation_id = "spend",
    params(OfTenant, UnlessDryRun), request_body = NewSpend,
    responses((status = 200, body = Data<SpendView>), (status = 422, description = "INSUFFICIENT_CREDITS")))]
pub(crate) async fn create(
    Writer { request, caller }: Writer,
    key: IdempotencyKeyHeader,
    received: Received,
) -> Response {
    request
        .answer(async |request| {
            request.query.only(&["tenant_id"])?;
            let tenant = caller.tenant(request.query.get("tenant_id"))?;
            let asked: NewSpend = body(&request, received)?;
            let dry_run = asked.dry_run.unwrap_or(false);
            let key = key.unless(dry_run)?;
            let (credits, reference) = (credits(&asked.credits)?, reference(asked.reference)?);
            let wanted = Wanted {
                tenant,
                key,
                name: "spend",
                values: json!({ "credits": credits, "reference": reference }),
                reference: reference.clone(),
                action: CommandAction::Spend { credits },
            };
            let meta = &request.meta;
            let respond = |receipt: &Receipt| Ok(meta.data(SpendView::of(receipt, reference, dry_run)));
            execute(&request, &caller, wanted, respond).await
        })
        .await
}

/// What to spend.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "credits": 1, "reference": "lease-2041" }))]
struct NewSpend {
    /// How many credits.
    #[serde(default)]
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000_000, required = true)]
    credits: Value,
    /// What your own system calls the occasion; it is shown in the history.
    #[schema(min_length = 1, max_length = 255)]
    reference: Option<String>,
    /// Only say what would happen. Needs no `Idempotency-Key`.
    dry_run: Option<bool>,
}

/// Credits that were spent.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "transaction_id": 42, "credits": 3, "reference": "lease-2041",
    "allocations": [{ "lot": 1, "credits": 1 }, { "lot": 2, "credits": 2 }],
    "balance_after": { "available": 7, "held": 0, "frozen": 0, "debt": 0, "balance": 7 },
    "dry_run": false }))]
struct SpendView {
    /// Its line in the history; null for a dry run.
    transaction_id: Option<i64>,
    credits: i64,
    reference: Option<String>,
    /// Of which lots, in the order in which they burn; together they are `credits`.
    allocations: Vec<AllocationView>,
    /// What the tenant has and owes after it.
    balance_after: BalanceView,
    /// Whether nothing was changed because only that was asked for.
    dry_run: bool,
}

impl SpendView {
    fn of(receipt: &Receipt, reference: Option<String>, dry_run: bool) -> Self {
        Self {
            transaction_id: (!dry_run).then_some(receipt.transaction),
            credits: receipt.credits.0,
            reference,
            allocations: AllocationView::all(&receipt.allocations),
            balance_after: receipt.balance_after.into(),
            dry_run,
        }
    }
}

/// Credits of one lot.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "lot": 1, "credits": 3 }))]
pub(crate) struct AllocationView {
    /// The lot, by its number.
    lot: i64,
    credits: i64,
}

impl AllocationView {
    pub(crate) fn all(allocations: &[Allocation]) -> Vec<Self> {
        allocations.iter().map(|of| Self { lot: of.lot.0, credits: of.credits.0 }).collect()
    }
}
