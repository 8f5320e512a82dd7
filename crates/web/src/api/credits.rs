//! `/api/credits`: a tenant's balance and history. Everything shown is committed.

pub(crate) mod holds;
pub(crate) mod packages;
pub(crate) mod purchase;
pub(crate) mod spend;
pub(crate) mod statement;

use jiff::Timestamp as Moment;
use ledger::{Allocation, Balance, Cause, Credits, TenantId, Timestamp, Transaction, TransactionKind};
use serde::Serialize;
use store::{LotRow, TransactionFilter, TransactionRow};
use utoipa::ToSchema;

use super::{CreditsReader, Query, page};
use crate::answer::{Data, PageOf, Problem, rfc3339};
use crate::auth::{Caller, DECISION};
use crate::schema::{AccountName, CauseKindName, OfTenant, PageParameters, TransactionKindName};
use spend::AllocationView;

/// Retrieve the balance of a tenant
///
/// A tenant without purchases has a balance of zero; that is not an error.
#[utoipa::path(get, path = "/api/credits/balance", operation_id = "balance", tag = "Credits",
    params(OfTenant),
    responses((status = 200, body = Data<TenantBalance>)))]
pub(crate) async fn balance(
    CreditsReader { request, caller }: CreditsReader,
) -> Result<Data<TenantBalance>, Problem> {
    request.query.only(&["tenant_id"])?;
    let tenant = caller.tenant(request.query.get("tenant_id"))?;
    let found = request.store().tenant(tenant).await?;
    let balance = found.map(|tenant| tenant.balance).unwrap_or_default();
    Ok(Data::of(TenantBalance { tenant_id: tenant, balance: balance.into() }))
}

/// List transactions
///
/// Each transaction shows its cause, its postings, and the balance after it.
#[utoipa::path(get, path = "/api/credits/transactions", operation_id = "list_transactions", tag = "Credits",
    params(OfTenant, PageParameters,
        ("type" = Option<TransactionKindName>, Query, description = "Only transactions of this type."),
        ("created_at_from" = Option<String>, Query, format = DateTime,
            description = "Only from this time on."),
        ("created_at_to" = Option<String>, Query, format = DateTime, description = "Only up to this time.")),
    responses((status = 200, body = PageOf<TransactionView>)))]
pub(crate) async fn transactions(
    CreditsReader { request, caller }: CreditsReader,
) -> Result<PageOf<TransactionView>, Problem> {
    let query = &request.query;
    query.only(&["tenant_id", "type", "created_at_from", "created_at_to", "page", "per_page", "sort"])?;
    let filter = TransactionFilter {
        tenant: Some(caller.tenant(query.get("tenant_id"))?),
        payment: None,
        kind: query.one_of("type", TransactionKind::ALL, TransactionKind::as_str)?,
        from: moment(query, "created_at_from")?,
        to: moment(query, "created_at_to")?,
    };
    let page = page(query)?;
    let found = request.store().transactions(filter, page).await?;
    Ok(PageOf::of(&found, page, |row| TransactionView::of(row, &caller)))
}

/// List lots
#[utoipa::path(get, path = "/api/credits/lots", operation_id = "list_lots", tag = "Credits", params(OfTenant,
    PageParameters),
    responses((status = 200, body = PageOf<LotView>)))]
pub(crate) async fn lots(
    CreditsReader { request, caller }: CreditsReader,
) -> Result<PageOf<LotView>, Problem> {
    request.query.only(&["tenant_id", "page", "per_page", "sort"])?;
    let tenant = caller.tenant(request.query.get("tenant_id"))?;
    let page = page(&request.query)?;
    let found = request.store().lots(tenant, page).await?;
    Ok(PageOf::of(&found, page, LotView::of))
}

pub(crate) fn moment(query: &Query, key: &str) -> Result<Option<Timestamp>, Problem> {
    query.get(key).map(|text| read_moment(key, text)).transpose()
}

pub(crate) fn read_moment(key: &str, text: &str) -> Result<Timestamp, Problem> {
    let moment = text.parse::<Moment>();
    let moment =
        moment.map_err(|_| Problem::value(key, "an RFC 3339 timestamp such as 2026-11-23T12:00:00Z"))?;
    Ok(Timestamp(moment.as_microsecond()))
}

/// A tenant's balance, in credits.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "tenant_id": "550e8400-e29b-41d4-a716-446655440000",
    "available": 7, "held": 2, "frozen": 1, "debt": 0, "balance": 10 }))]
pub(crate) struct TenantBalance {
    /// The tenant.
    #[schema(value_type = Uuid)]
    tenant_id: TenantId,
    #[serde(flatten)]
    balance: BalanceView,
}

/// A balance, in credits.
#[derive(Serialize, ToSchema)]
pub(crate) struct BalanceView {
    /// Available to spend.
    available: i64,
    /// Set aside by open holds.
    held: i64,
    /// Set aside while a refund is pending or a dispute is open.
    frozen: i64,
    /// Owed, because a payment was refunded or disputed after its credits were spent.
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

/// A transaction.
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
    /// Its position in the journal of all tenants: later transactions have greater numbers.
    id: i64,
    #[serde(rename = "type")]
    #[schema(value_type = TransactionKindName)]
    kind: &'static str,
    /// The change of the balance; 0 if credits only moved within it, such as from available to frozen.
    amount: i64,
    /// The number of credits that it moved.
    credits: i64,
    balance_after: BalanceView,
    /// The payment that it belongs to.
    payment: Option<String>,
    /// The hold that it belongs to.
    hold: Option<String>,
    /// The tenant's own reference.
    reference: Option<String>,
    /// For a spend, a hold or the end of a hold: the lots that its credits came from, or returned to. For a
    /// capture: the lots whose credits were spent.
    allocations: Vec<AllocationView>,
    cause: CauseView,
    /// The postings. Their amounts add up to zero.
    postings: Vec<PostingView>,
    /// SHA-256 over this transaction and the hash of the one before it.
    hash: String,
    #[schema(format = DateTime)]
    created_at: String,
}

/// The lots whose credits a command moved.
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

/// The cause of a transaction.
#[derive(Serialize, ToSchema)]
struct CauseView {
    #[serde(rename = "type")]
    #[schema(value_type = CauseKindName)]
    kind: &'static str,
    /// The event's id, the command's `Idempotency-Key`, the operator's reason (for a command of an operator:
    /// `command` and its key), or what expired.
    id: String,
    /// The operator. Shown to operators only.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

/// A posting.
#[derive(Serialize, ToSchema)]
struct PostingView {
    #[schema(value_type = AccountName)]
    account: &'static str,
    lot: Option<i64>,
    /// Credits, with a sign.
    amount: i64,
}

impl TransactionView {
    fn of(row: &TransactionRow, caller: &Caller) -> Self {
        let entry = &row.transaction;
        let (id, by) = match caller.visible_cause(&entry.cause) {
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

/// A lot: the credits of one purchase, or of one grant by an operator.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({ "id": 1, "payment": "cs_live_a1b2c3d4e5f6g7h8", "granted": 10, "revoked": 0,
    "available": 7, "held": 2, "frozen": 1, "purchased_at": "2026-11-23T12:00:00Z",
    "priority": 50, "expires_at": null }))]
pub(crate) struct LotView {
    id: i64,
    /// The payment that bought it; null for a grant by an operator.
    payment: Option<String>,
    /// Credits granted.
    granted: i64,
    /// Of these, revoked after a refund or dispute.
    revoked: i64,
    /// Of these, available to spend.
    available: i64,
    /// Of these, set aside by open holds.
    held: i64,
    /// Of these, set aside while a refund is pending or a dispute is open.
    frozen: i64,
    /// When it was bought, or granted.
    #[schema(format = DateTime)]
    purchased_at: String,
    /// From 0 to 100. The lot with the lowest number is spent first, then the one that expires first, then
    /// the oldest.
    priority: u8,
    /// When the remaining credits expire; null for purchased credits, which never expire.
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
