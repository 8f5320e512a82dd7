//! `POST /api/credits/spend`: spends credits at once. The ledger decides the order in which lots are spent.

use ledger::{Allocation, CommandAction, Receipt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::BalanceView;
use crate::answer::{Data, Problem, Replayable};
use crate::api::command::{ValidatedCommand, credits, execute, reference};
use crate::api::{CreditsWriter, IdempotencyKeyHeader, ReceivedBody, UnlessDryRun, body};
use crate::schema::OfTenant;

/// Spend credits
///
/// The response is sent once the spend is on disk. A tenant in debt has no available credits: the next
/// purchase repays the debt first. A dry run shows what would happen, and changes nothing.
#[utoipa::path(post, path = "/api/credits/spend", tag = "Spending", operation_id = "spend",
    params(OfTenant, UnlessDryRun), request_body = NewSpend,
    responses((status = 200, body = Data<SpendView>), (status = 422, description = "INSUFFICIENT_CREDITS")))]
pub(crate) async fn create(
    CreditsWriter { request, caller }: CreditsWriter,
    key: IdempotencyKeyHeader,
    received: ReceivedBody,
) -> Result<Replayable<Data<SpendView>>, Problem> {
    request.query.only(&["tenant_id"])?;
    let tenant = caller.tenant(request.query.get("tenant_id"))?;
    let asked: NewSpend = body(&request, received)?;
    let dry_run = asked.dry_run.unwrap_or(false);
    let key = key.unless(dry_run)?;
    let (credits, reference) = (credits(&asked.credits)?, reference(asked.reference)?);
    let command = ValidatedCommand {
        tenant,
        key,
        name: "spend",
        values: json!({ "credits": credits, "reference": reference }),
        reference: reference.clone(),
        action: CommandAction::Spend { credits },
    };
    let respond = |receipt: &Receipt| Ok(Data::of(SpendView::of(receipt, reference, dry_run)));
    execute(&request, &caller, command, respond).await
}

/// Credits to spend.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "credits": 1, "reference": "lease-2041" }))]
struct NewSpend {
    /// The number of credits.
    #[serde(default)]
    #[schema(value_type = i64, minimum = 1, maximum = 1_000_000_000, required = true)]
    credits: Value,
    /// Your own reference; it is shown in the history.
    #[schema(min_length = 1, max_length = 255)]
    reference: Option<String>,
    /// Show the effect without changing anything. Needs no `Idempotency-Key`.
    dry_run: Option<bool>,
}

/// Spent credits.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "transaction_id": 42, "credits": 3, "reference": "lease-2041",
    "allocations": [{ "lot": 1, "credits": 1 }, { "lot": 2, "credits": 2 }],
    "balance_after": { "available": 7, "held": 0, "frozen": 0, "debt": 0, "balance": 7 },
    "dry_run": false }))]
pub(crate) struct SpendView {
    /// The transaction; null for a dry run.
    transaction_id: Option<i64>,
    credits: i64,
    reference: Option<String>,
    /// The lots, in the order in which they were spent. Their credits add up to `credits`.
    allocations: Vec<AllocationView>,
    /// The balance after it.
    balance_after: BalanceView,
    /// Whether this was a dry run, which changed nothing.
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
    /// The id of the lot.
    lot: i64,
    credits: i64,
}

impl AllocationView {
    pub(crate) fn all(allocations: &[Allocation]) -> Vec<Self> {
        allocations.iter().map(|of| Self { lot: of.lot.0, credits: of.credits.0 }).collect()
    }
}
