//! `/api/credits`: what a tenant has, and how it came to be. Every answer is read from what is committed.

use axum::response::Response;
use jiff::Timestamp as Moment;
use ledger::{Balance, Cause, Kind, TenantId, Timestamp};
use serde::Serialize;
use store::{LotRow, TransactionFilter, TransactionRow};

use super::{Query, Reader, page};
use crate::answer::{Problem, rfc3339};
use crate::auth::Caller;

/// `GET /api/credits/balance`.
pub(crate) async fn balance(Reader { request, caller }: Reader) -> Response {
    request
        .answer(async |request| {
            request.query.only(&["tenant_id"])?;
            let tenant = caller.tenant(request.query.get("tenant_id"))?;
            let found = request.store().tenant(tenant).await?;
            // A tenant that never bought has nothing, which is an answer, not an error.
            let balance = found.map(|tenant| tenant.balance).unwrap_or_default();
            Ok(request.meta.data(TenantBalance { tenant_id: tenant, balance: balance.into() }))
        })
        .await
}

/// `GET /api/credits/transactions`.
pub(crate) async fn transactions(Reader { request, caller }: Reader) -> Response {
    request
        .answer(async |request| {
            let query = &request.query;
            query.only(&[
                "tenant_id",
                "type",
                "created_at_from",
                "created_at_to",
                "page",
                "per_page",
                "sort",
            ])?;
            let filter = TransactionFilter {
                tenant: Some(caller.tenant(query.get("tenant_id"))?),
                payment: None,
                kind: kind(query)?,
                from: moment(query, "created_at_from")?,
                to: moment(query, "created_at_to")?,
            };
            let page = page(query)?;
            let found = request.store().transactions(filter, page).await?;
            let rows: Vec<_> = found.rows.iter().map(|row| TransactionView::of(row, &caller)).collect();
            Ok(request.meta.page(rows, page, found.total))
        })
        .await
}

/// `GET /api/credits/lots`.
pub(crate) async fn lots(Reader { request, caller }: Reader) -> Response {
    request
        .answer(async |request| {
            request.query.only(&["tenant_id", "page", "per_page", "sort"])?;
            let tenant = caller.tenant(request.query.get("tenant_id"))?;
            let page = page(&request.query)?;
            let found = request.store().lots(tenant, page).await?;
            let rows: Vec<_> = found.rows.iter().map(LotView::of).collect();
            Ok(request.meta.page(rows, page, found.total))
        })
        .await
}

fn kind(query: &Query) -> Result<Option<Kind>, Problem> {
    let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    let read = |name: &str| {
        Kind::from_name(name).ok_or_else(|| Problem::value("type", &format!("one of {}", names.join(", "))))
    };
    query.get("type").map(read).transpose()
}

fn moment(query: &Query, key: &str) -> Result<Option<Timestamp>, Problem> {
    let read = |text: &str| match text.parse::<Moment>() {
        Ok(moment) => Ok(Timestamp(moment.as_microsecond())),
        Err(_) => Err(Problem::value(key, "a moment such as 2026-11-23T12:00:00Z")),
    };
    query.get(key).map(read).transpose()
}

#[derive(Serialize)]
struct TenantBalance {
    tenant_id: TenantId,
    #[serde(flatten)]
    balance: BalanceView,
}

/// What a tenant has and owes, in credits.
#[derive(Serialize)]
pub(crate) struct BalanceView {
    available: i64,
    held: i64,
    frozen: i64,
    debt: i64,
    /// available + held + frozen − debt.
    balance: i64,
}

impl From<Balance> for BalanceView {
    fn from(of: Balance) -> Self {
        Self {
            available: of.available.0,
            held: of.held.0,
            frozen: of.frozen.0,
            debt: of.debt.0,
            balance: of.net(),
        }
    }
}

/// One line of a tenant's history.
#[derive(Serialize)]
pub(crate) struct TransactionView {
    id: i64,
    #[serde(rename = "type")]
    kind: &'static str,
    /// What it did to the balance; 0 where credits only moved between available and frozen.
    amount: i64,
    /// How many credits it moved.
    credits: i64,
    balance_after: BalanceView,
    payment: Option<String>,
    cause: CauseView,
    postings: Vec<PostingView>,
    hash: String,
    created_at: String,
}

#[derive(Serialize)]
struct CauseView {
    #[serde(rename = "type")]
    kind: &'static str,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

#[derive(Serialize)]
struct PostingView {
    account: &'static str,
    lot: Option<i64>,
    amount: i64,
}

impl TransactionView {
    fn of(row: &TransactionRow, caller: &Caller) -> Self {
        let entry = &row.transaction;
        let (kind, id, by) = match &entry.cause {
            Cause::Event(event) => ("event", event.to_string(), None),
            Cause::Operator { by, reason } if caller.is_operator() => {
                ("operator", reason.clone(), Some(by.clone()))
            }
            // What operators write for each other is not for the tenant's eyes.
            Cause::Operator { .. } => ("operator", "a decision by the operator".to_owned(), None),
            Cause::Command(key) => ("command", key.clone(), None),
        };
        let postings = entry.postings.iter().map(|posting| PostingView {
            account: posting.account.as_str(),
            lot: posting.lot.map(|lot| lot.0),
            amount: posting.amount,
        });
        Self {
            id: entry.seq,
            kind: entry.kind.as_str(),
            amount: entry.amount(),
            credits: entry.credits().0,
            balance_after: entry.balance_after.into(),
            payment: row.payment_key.clone(),
            cause: CauseView { kind, id, by },
            postings: postings.collect(),
            hash: ledger::chain::hex(&entry.hash),
            created_at: rfc3339(entry.at),
        }
    }
}

#[derive(Serialize)]
struct LotView {
    id: i64,
    payment: String,
    granted: i64,
    revoked: i64,
    available: i64,
    held: i64,
    frozen: i64,
    purchased_at: String,
}

impl LotView {
    fn of(row: &LotRow) -> Self {
        let lot = &row.lot;
        Self {
            id: lot.id.0,
            payment: row.payment_key.clone(),
            granted: lot.granted.0,
            revoked: lot.revoked.0,
            available: lot.available.0,
            held: lot.held.0,
            frozen: lot.frozen.0,
            purchased_at: rfc3339(Timestamp::from_seconds(lot.purchased_at)),
        }
    }
}
