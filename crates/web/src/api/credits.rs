//! `/api/credits`: what a tenant has, and how it came to be. Every answer is read from what is committed.

pub(crate) mod holds;
pub(crate) mod packages;
pub(crate) mod purchase;
pub(crate) mod spend;
pub(crate) mod statement;

use axum::response::Response;
use jiff::Timestamp as Moment;
use ledger::{Allocation, Balance, Cause, Credits, TenantId, Timestamp, Transaction, TransactionKind};
use serde::Serialize;
use store::{LotRow, TransactionFilter, TransactionRow};
use utoipa::ToSchema;

use super::{Query, Reader, page};
use crate::answer::{Data, PageOf, Problem, rfc3339};
use crate::auth::{Caller, DECISION};
use crate::schema::{AccountName, CauseKindName, OfTenant, Paging, TransactionKindName};
use spend::AllocationView;

/// What the tenant has and owes
///
/// A tenant that never bought anything has nothing, which is an answer and not an error.
#[utoipa::path(get, path = "/api/credits/balance", operation_id = "balance", tag = "Credits",
    params(OfTenant),
    responses((status = 200, body = Data<TenantBalance>)))]
pub(crate) async fn balance(Reader { request, caller }: Reader) -> Response {
    request
        .answer(async |request| {
            request.query.only(&["tenant_id"])?;
            let tenant = caller.tenant(request.query.get("tenant_id"))?;
            let found = request.store().tenant(tenant).await?;
            let balance = found.map(|tenant| tenant.balance).unwrap_or_default();
            Ok(request.meta.data(TenantBalance { tenant_id: tenant, balance: balance.into() }))
        })
        .await
}

/// The tenant's history, line by line
///
/// Each line says what caused it, what it moved, and the balance after it.
#[utoipa::path(get, path = "/api/credits/transactions", operation_id = "list_transactions", tag = "Credits",
    params(OfTenant, Paging,
        ("type" = Option<TransactionKindName>, Query, description = "Only lines of this kind."),
        ("created_at_from" = Option<String>, Query, format = DateTime, description = "From this moment on."),
        ("created_at_to" = Option<String>, Query, format = DateTime, description = "Up to this moment.")),
    responses((status = 200, body = PageOf<TransactionView>)))]
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
                kind: query.one_of("type", TransactionKind::ALL, TransactionKind::as_str)?,
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

/// The tenant's lots: the credits of each purchase and grant, and what is left of them
#[utoipa::path(get, path = "/api/credits/lots", operation_id = "list_lots", tag = "Credits", params(OfTenant,
    Paging),
    responses((status = 200, body = PageOf<LotView>)))]
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

pub(crate) fn moment(query: &Query, key: &str) -> Result<Option<Timestamp>, Problem> {
    query.get(key).map(|text| read_moment(key, text)).transpose()
}

pub(crate) fn read_moment(key: &str, text: &str) -> Result<Timestamp, Problem> {
    let moment = text.parse::<Moment>();
    let moment = moment.map_err(|_| Problem::value(key, "a moment such as 2026-11-23T12:00:00Z"))?;
    Ok(Timestamp(moment.as_microsecond()))
}

/// A tenant's balance, in credits.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "tenant_id": "550e8400-e29b-41d4-a716-446655440000",
    "available": 7, "held": 2, "frozen": 1, "debt": 0, "balance": 10 }))]
struct TenantBalance {
    /// Whose it is.
    #[schema(value_type = Uuid)]
    tenant_id: TenantId,
    #[serde(flatten)]
    balance: BalanceView,
}

/// What a tenant has and owes, in credits.
#[derive(Serialize, ToSchema)]
pub(crate) struct BalanceView {
    /// Spendable.
    available: i64,
    /// Set aside by open holds.
    held: i64,
    /// Set aside while a refund is pending or a dispute is open.
    frozen: i64,
    /// Owed: taken back after it was spent.
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
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "id": 1, "type": "granted", "amount": 10, "credits": 10,
    "balance_after": { "available": 10, "held": 0, "frozen": 0, "debt": 0, "balance": 10 },
    "payment": "cs_live_a1b2c3d4e5f6g7h8", "hold": null, "reference": null, "allocations": [],
    "cause": { "type": "event", "id": "evt_1234567890" },
    "postings": [{ "account": "issued", "lot": 1, "amount": -10 },
        { "account": "available", "lot": 1, "amount": 10 }],
    "hash": "9b74c9897bac770ffc029102a200c5de9b74c9897bac770ffc029102a200c5de",
    "created_at": "2026-11-23T12:00:00Z" }))]
pub(crate) struct TransactionView {
    /// Its place in the journal of all tenants: later is greater.
    id: i64,
    #[serde(rename = "type")]
    #[schema(value_type = TransactionKindName)]
    kind: &'static str,
    /// What it did to the balance; 0 where credits only moved between available and frozen.
    amount: i64,
    /// How many credits it moved.
    credits: i64,
    balance_after: BalanceView,
    /// The payment it belongs to.
    payment: Option<String>,
    /// The hold it belongs to.
    hold: Option<String>,
    /// What the tenant's own system calls the occasion.
    reference: Option<String>,
    /// Of a spend, a hold, or a hold's end: which lots its credits came from, or returned to. A capture's
    /// are those that were spent.
    allocations: Vec<AllocationView>,
    cause: CauseView,
    /// Its lines in the book of accounts: they sum to zero.
    postings: Vec<PostingView>,
    /// SHA-256 over this transaction and the hash of the one before it.
    hash: String,
    #[schema(format = DateTime)]
    created_at: String,
}

/// Of which lots a command moved credits.
fn allocations(entry: &Transaction) -> Vec<Allocation> {
    let into = match entry.kind {
        TransactionKind::Spent | TransactionKind::Captured => ledger::Account::Consumed,
        TransactionKind::Held => ledger::Account::Held,
        TransactionKind::Released | TransactionKind::HoldExpired => ledger::Account::Available,
        TransactionKind::Granted
        | TransactionKind::Revoked
        | TransactionKind::Restored
        | TransactionKind::Frozen
        | TransactionKind::Unfrozen
        | TransactionKind::Reversed
        | TransactionKind::DebtRepaid
        | TransactionKind::Adjusted
        | TransactionKind::Expired
        | TransactionKind::WrittenOff => return Vec::new(),
    };
    let moved = entry.postings.iter().filter(|posting| posting.account == into && posting.amount > 0);
    moved
        .filter_map(|posting| Some(Allocation { lot: posting.lot?, credits: Credits(posting.amount) }))
        .collect()
}

/// Why it happened.
#[derive(Serialize, ToSchema)]
struct CauseView {
    #[serde(rename = "type")]
    #[schema(value_type = CauseKindName)]
    kind: &'static str,
    /// The event's id, the command's `Idempotency-Key`, the operator's reason (of an operator's command:
    /// `command` and its key), or what ran out of time.
    id: String,
    /// Which operator; for operators' eyes.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

/// One line in the book of accounts.
#[derive(Serialize, ToSchema)]
struct PostingView {
    #[schema(value_type = AccountName)]
    account: &'static str,
    lot: Option<i64>,
    /// Credits, signed.
    amount: i64,
}

impl TransactionView {
    fn of(row: &TransactionRow, caller: &Caller) -> Self {
        let entry = &row.transaction;
        let (id, by) = match caller.told(&entry.cause) {
            None => (DECISION.to_owned(), None),
            Some(Cause::Event(event)) => (event.to_string(), None),
            Some(Cause::Operator { by, reason }) => (reason.clone(), Some(by.clone())),
            Some(Cause::Command(key)) => (key.clone(), None),
            Some(Cause::Clock(what)) => (what.clone(), None),
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
            hold: entry.hold.map(|hold| hold.to_string()),
            reference: entry.reference.clone(),
            allocations: AllocationView::all(&allocations(entry)),
            cause: CauseView { kind: entry.cause.kind().as_str(), id, by },
            postings: postings.collect(),
            hash: ledger::chain::hex(&entry.hash),
            created_at: rfc3339(entry.at),
        }
    }
}

/// The credits of one purchase, or of an operator's grant.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "id": 1, "payment": "cs_live_a1b2c3d4e5f6g7h8", "granted": 10, "revoked": 0,
    "available": 7, "held": 2, "frozen": 1, "purchased_at": "2026-11-23T12:00:00Z",
    "priority": 50, "expires_at": null }))]
struct LotView {
    id: i64,
    /// The payment that bought it; none for an operator's grant.
    payment: Option<String>,
    /// Credits that it brought.
    granted: i64,
    /// Of these, taken back.
    revoked: i64,
    /// Of these, spendable now.
    available: i64,
    /// Of these, set aside by open holds.
    held: i64,
    /// Of these, set aside while a refund is pending or a dispute is open.
    frozen: i64,
    /// When it was bought, or granted.
    #[schema(format = DateTime)]
    purchased_at: String,
    /// From 0 to 100: the smallest burns first, then what ends first, then what was bought first.
    priority: u8,
    /// When what is left of it ends; never, for what was bought.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
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
            priority: lot.priority,
            expires_at: lot.expires_at.map(rfc3339),
        }
    }
}
