//! `/api/payments`: where each payment stands, and for one of them everything that led there, in words that a
//! support person understands.

mod timeline;

use axum::response::Response;
use ledger::knowledge::{DisputeOutcome, RefundRank};
use ledger::status::{is_final, question};
use ledger::{PaymentId, PaymentStatus, Rounding, TenantId, entitlement};
use serde::Serialize;
use store::{EventFilter, Listing, Page, PaymentRow, TransactionFilter};

use super::{Id, Query, Reader, page};
use crate::answer::{Problem, rfc3339};
use crate::auth::Caller;

/// Lines that a timeline shows at most, of events and of transactions each.
const TIMELINE_MAX: u32 = 200;

/// `GET /api/payments`: a tenant's, or for an operator who names none, everybody's.
pub(crate) async fn list(Reader { request, caller }: Reader) -> Response {
    request
        .answer(async |request| {
            let query = &request.query;
            query.only(&["tenant_id", "status", "page", "per_page", "sort"])?;
            let tenant = match query.get("tenant_id") {
                None if caller.is_operator() => None,
                asked => Some(caller.tenant(asked)?),
            };
            let page = page(query)?;
            let found = request.store().payments(tenant, status(query)?, page).await?;
            let rows: Vec<_> = found
                .rows
                .iter()
                .map(|row| PaymentView::of(row, request.app.policy.refund_rounding))
                .collect();
            Ok(request.meta.page(rows, page, found.total))
        })
        .await
}

/// `GET /api/payments/{id}`, by any of its Stripe ids.
pub(crate) async fn show(Reader { request, caller }: Reader, Id(id): Id) -> Response {
    request
        .answer(async |request| {
            request.query.only(&[])?;
            let found = request.store().payment(id).await?;
            let row =
                found.filter(|row| may_see(&caller, row)).ok_or_else(|| Problem::not_found("payment"))?;
            let (events, transactions) = history(request.store(), row.id, caller.key.tenant).await?;
            let view = PaymentDetail {
                payment: PaymentView::of(&row, request.app.policy.refund_rounding),
                objects: row.knowledge.objects().map(ToString::to_string).collect(),
                timeline: timeline::of(&events.rows, &transactions.rows, &caller),
            };
            Ok(request.meta.data(view))
        })
        .await
}

/// What Stripe said of a payment, and what was booked for `tenant`, or for an operator for everybody. A
/// payment may have changed hands, and its earlier owner's balances are nobody else's concern.
async fn history(
    store: &store::Store,
    payment: PaymentId,
    tenant: Option<TenantId>,
) -> Result<(Listing<store::EventRow>, Listing<store::TransactionRow>), Problem> {
    let page = Page { number: 1, size: TIMELINE_MAX, ascending: true };
    let events = EventFilter { payment: Some(payment), ..EventFilter::default() };
    let lines = TransactionFilter { payment: Some(payment), tenant, ..TransactionFilter::default() };
    Ok((store.events(events, page).await?, store.transactions(lines, page).await?))
}

/// A tenant sees its own; a payment whose tenant is not known yet is the operator's concern.
fn may_see(caller: &Caller, row: &PaymentRow) -> bool {
    caller.is_operator() || (row.tenant.is_some() && row.tenant == caller.key.tenant)
}

fn status(query: &Query) -> Result<Option<PaymentStatus>, Problem> {
    let names: Vec<_> = PaymentStatus::ALL.iter().map(|status| status.as_str()).collect();
    let read = |name: &str| {
        PaymentStatus::from_name(name)
            .ok_or_else(|| Problem::value("status", &format!("one of {}", names.join(", "))))
    };
    query.get("status").map(read).transpose()
}

#[derive(Serialize)]
struct PaymentDetail {
    #[serde(flatten)]
    payment: PaymentView,
    /// Every Stripe object that is part of it.
    objects: Vec<String>,
    timeline: Vec<timeline::Entry>,
}

/// One payment. Amounts are in minor units.
#[derive(Serialize)]
struct PaymentView {
    id: String,
    tenant_id: Option<TenantId>,
    status: &'static str,
    #[serde(rename = "final")]
    is_final: bool,
    /// Why a person must look at it.
    question: Option<&'static str>,
    package: Option<String>,
    currency: Option<String>,
    amount_paid: i64,
    amount_lost: i64,
    amount_pending: i64,
    credits: CreditsView,
    refunds: Vec<PartView>,
    disputes: Vec<PartView>,
    early_fraud_warning: bool,
    created_at: String,
    updated_at: String,
}

/// What the payment is worth now.
#[derive(Serialize)]
struct CreditsView {
    granted: i64,
    revoked: i64,
    frozen: i64,
}

/// A refund or a dispute.
#[derive(Serialize)]
struct PartView {
    id: String,
    amount: i64,
    status: &'static str,
}

impl PaymentView {
    fn of(row: &PaymentRow, rounding: Rounding) -> Self {
        let known = &row.knowledge;
        let due = entitlement(known, rounding);
        let terms = known.claim().map(|claim| &claim.terms);
        let terms = terms.or_else(|| known.refused.first()?.terms.as_ref());
        let refunds = known.refunds.iter().map(|(id, refund)| PartView {
            id: id.to_string(),
            amount: refund.amount.0,
            status: match refund.rank {
                RefundRank::Pending => "pending",
                RefundRank::Succeeded => "succeeded",
                RefundRank::Failed => "failed",
                RefundRank::Canceled => "canceled",
            },
        });
        let disputes = known.disputes.iter().map(|(id, dispute)| PartView {
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
            question: question(known).map(|reason| reason.as_str()),
            package: terms.and_then(|terms| terms.package.clone()),
            currency: terms.and_then(|terms| terms.currency.clone()),
            // A session names what is due before anybody pays it.
            amount_paid: if known.paid || is_final(known) { known.amount_paid().0 } else { 0 },
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
