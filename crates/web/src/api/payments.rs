//! `/api/payments`: the status of each payment, and for one payment everything that led to it, in words for
//! support.

mod descriptions;
mod purchase;
mod timeline;

use ledger::knowledge::{DisputeOutcome, RefundRank};
use ledger::status::is_final;
use ledger::{PaymentId, PaymentStatus, TenantId, entitlement, review_reason};
use serde::Serialize;
use store::{EventFilter, PageRequest, PaymentRow, RowPage, TransactionFilter};
use utoipa::ToSchema;

use super::{CreditsReader, PathId, page};
use crate::answer::{Data, PageOf, Problem, rfc3339};
use crate::auth::Caller;
use purchase::{Found, PaymentPurchaseView};

use crate::schema::{DisputeState, PageParameters, PaymentState, ReasonName, RefundState};

/// The most events, and the most transactions, in a timeline.
const MAX_TIMELINE: u32 = 200;

/// List payments
///
/// Newest first by default. With a service key or an operator key and without `tenant_id`, lists the payments
/// of all tenants. An unpaid checkout appears once Stripe sends an event about it, at the latest when it
/// expires; until then only `GET /api/payments/{id}` returns it.
#[utoipa::path(get, path = "/api/payments", operation_id = "list_payments", tag = "Payments",
    params(PageParameters,
        ("tenant_id" = Option<Uuid>, Query, description = "Only payments of this tenant."),
        ("status" = Option<PaymentState>, Query, description = "Only payments with this status.")),
    responses((status = 200, body = PageOf<PaymentView>)))]
pub(crate) async fn list(
    CreditsReader { request, caller }: CreditsReader,
) -> Result<PageOf<PaymentView>, Problem> {
    let query = &request.query;
    query.only(&["tenant_id", "status", "page", "per_page", "sort"])?;
    let tenant = caller.whose(query.get("tenant_id"))?;
    let status = query.one_of("status", PaymentStatus::ALL, PaymentStatus::as_str)?;
    let page = page(query)?;
    let found = request.store().payments(tenant, status, page).await?;
    Ok(PageOf::of(&found, page, PaymentView::of))
}

/// Retrieve a payment
///
/// Includes the timeline. The id may be any of the payment's Stripe ids (session, payment intent, charge,
/// refund or dispute), or the `purchase_id` of `POST /api/credits/purchase`. An unpaid purchase is `pending`.
#[utoipa::path(get, path = "/api/payments/{id}", operation_id = "show_payment", tag = "Payments",
    params(("id" = String, Path, description = "Any Stripe id of the payment, or the id of its purchase.",
        example = "cs_live_a1b2c3d4e5f6g7h8")),
    responses((status = 200, body = Data<PaymentDetail>)))]
pub(crate) async fn show(
    CreditsReader { request, caller }: CreditsReader,
    PathId(id): PathId,
) -> Result<Data<PaymentDetail>, Problem> {
    request.query.only(&[])?;
    let found = purchase::find(request.store(), id).await?;
    let found = found.filter(|found| may_see(&caller, found.tenant()));
    let now = request.now;
    let view = match found.ok_or_else(|| Problem::not_found("payment"))? {
        Found::Purchase(purchase) => purchase::unpaid(&purchase, now),
        Found::Payment(row, purchase) => {
            let (events, lines) = history(request.store(), row.id, caller.key.tenant()).await?;
            let due = entitlement(&row.knowledge);
            let payment = PaymentView::of(&row);
            let opened = purchase.as_ref().map(timeline::opened);
            let told = timeline::of(&events.rows, &lines.rows, due.granted, &caller);
            PaymentDetail {
                summary: descriptions::summary(&row.knowledge, &due, payment.currency.as_deref()),
                payment,
                purchase: purchase.map(|began| PaymentPurchaseView::of(&began, row.status, now)),
                objects: row.knowledge.objects().map(ToString::to_string).collect(),
                timeline: opened.into_iter().chain(told).collect(),
            }
        }
    };
    Ok(Data::of(view))
}

/// The events about a payment, and its transactions: those of `tenant`, or for an operator those of all
/// tenants. A payment may have been granted to another tenant before, whose balances are private.
async fn history(
    store: &store::Store,
    payment: PaymentId,
    tenant: Option<TenantId>,
) -> Result<(RowPage<store::EventRow>, RowPage<store::TransactionRow>), Problem> {
    let page = PageRequest { number: 1, size: MAX_TIMELINE, ascending: true };
    let events = EventFilter { payment: Some(payment), ..EventFilter::default() };
    let lines = TransactionFilter { payment: Some(payment), tenant, ..TransactionFilter::default() };
    Ok((store.events(events, page).await?, store.transactions(lines, page).await?))
}

/// A tenant sees its own payments; services and operators see all, also those without a tenant.
fn may_see(caller: &Caller, owner: Option<TenantId>) -> bool {
    !caller.is_tenant() || (owner.is_some() && owner == caller.key.tenant())
}

/// A payment and its timeline.
#[derive(Serialize, ToSchema)]
pub(crate) struct PaymentDetail {
    #[serde(flatten)]
    payment: PaymentView,
    /// The status in words. Amounts are in minor units.
    #[schema(
        example = "In minor units of eur, 24900 was paid; 12450 of 24900 was refunded or lost in a dispute; \
        it bought 10 credits; 5 of 10 credits were taken back."
    )]
    summary: String,
    /// The checkout that it began with; null unless `POST /api/credits/purchase` created it.
    purchase: Option<PaymentPurchaseView>,
    /// The ids of its Stripe objects.
    objects: Vec<String>,
    /// What happened, oldest first.
    timeline: Vec<timeline::TimelineEntry>,
}

/// A payment. Amounts are in minor units.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "id": "cs_live_a1b2c3d4e5f6g7h8",
    "tenant_id": "550e8400-e29b-41d4-a716-446655440000", "status": "paid", "final": true,
    "review_reason": null, "package": "10_credits", "currency": "eur", "amount_paid": 9900,
    "refunds_by_hand": false,
    "amount_lost": 0, "amount_pending": 0,
    "credits": { "granted": 10, "revoked": 0, "frozen": 0 }, "refunds": [], "disputes": [],
    "early_fraud_warning": false, "created_at": "2026-11-23T12:00:00Z",
    "updated_at": "2026-11-23T12:00:01Z" }))]
pub(crate) struct PaymentView {
    id: String,
    /// The tenant; null until an event names it.
    #[schema(value_type = Option<Uuid>)]
    tenant_id: Option<TenantId>,
    #[schema(value_type = PaymentState)]
    status: &'static str,
    /// Whether the status is final, apart from refunds and disputes.
    #[serde(rename = "final")]
    is_final: bool,
    /// Why a person must review it.
    #[schema(value_type = Option<ReasonName>)]
    review_reason: Option<&'static str>,
    package: Option<String>,
    /// Three letters, in lower case.
    currency: Option<String>,
    amount_paid: i64,
    /// Refunds must be handled by hand, because no event can be matched with this payment.
    refunds_by_hand: bool,
    /// Refunded or lost in disputes.
    amount_lost: i64,
    /// In pending refunds and open disputes.
    amount_pending: i64,
    credits: CreditsView,
    refunds: Vec<RefundView>,
    disputes: Vec<DisputeView>,
    /// Whether a bank sent an early fraud warning. It moves no credits.
    early_fraud_warning: bool,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// The credits of a payment.
#[derive(Serialize, ToSchema)]
struct CreditsView {
    granted: i64,
    revoked: i64,
    frozen: i64,
}

/// A refund.
#[derive(Serialize, ToSchema)]
struct RefundView {
    id: String,
    amount: i64,
    #[schema(value_type = RefundState)]
    status: &'static str,
}

/// A dispute.
#[derive(Serialize, ToSchema)]
struct DisputeView {
    id: String,
    amount: i64,
    #[schema(value_type = DisputeState)]
    status: &'static str,
}

impl PaymentView {
    fn of(row: &PaymentRow) -> Self {
        let known = &row.knowledge;
        let due = entitlement(known);
        let refunds = known.refunds.iter().map(|(id, refund)| RefundView {
            id: id.to_string(),
            amount: refund.amount.0,
            status: match refund.rank {
                RefundRank::Pending => "pending",
                RefundRank::Succeeded => "succeeded",
                RefundRank::Failed => "failed",
                RefundRank::Canceled => "canceled",
            },
        });
        let disputes = known.disputes.iter().map(|(id, dispute)| DisputeView {
            id: id.to_string(),
            amount: dispute.amount.0,
            status: match dispute.outcome {
                DisputeOutcome::Open if dispute.withdrawn => "open",
                DisputeOutcome::Open => "inquiry",
                DisputeOutcome::Lost => "lost",
                DisputeOutcome::Won => "won",
            },
        });
        Self {
            id: row.key.clone(),
            tenant_id: row.tenant,
            status: row.status.as_str(),
            is_final: is_final(known),
            review_reason: review_reason(known).map(|reason| reason.as_str()),
            package: known.package().map(str::to_owned),
            currency: known.currency().map(str::to_owned),
            amount_paid: known.amount_taken().0,
            refunds_by_hand: known.granted_by_hand().is_some_and(|grant| grant.refunds_by_hand),
            amount_lost: due.lost.0,
            amount_pending: due.pending.0,
            credits: CreditsView { granted: due.granted.0, revoked: due.revoked.0, frozen: due.frozen.0 },
            refunds: refunds.collect(),
            disputes: disputes.collect(),
            early_fraud_warning: !known.warnings.is_empty(),
            created_at: rfc3339(row.created_at),
            updated_at: rfc3339(row.updated_at),
        }
    }
}
