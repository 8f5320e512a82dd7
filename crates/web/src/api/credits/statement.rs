//! `GET /api/credits/statement`: every transaction between two balances, for bookkeeping. Read and sent in
//! chunks, up to the end of the journal when the request began, so the lines always add up. Pages of the
//! history are in `credits`.

use axum::response::Response;
use ledger::{Balance, Cause, TenantId};
use serde::Serialize;
use store::{StatementRange, Store, TransactionRow};
use utoipa::ToSchema;

use super::{BalanceView, moment};
use crate::answer::{ChunkSender, Data, Problem, Stopped, chunked_csv, chunked_data, rfc3339};
use crate::api::{CreditsReader, ReportFormat};
use crate::auth::{Caller, DECISION};
use crate::csv::Csv;
use crate::schema::{OfTenant, TransactionKindName};

/// Lines per read.
const BATCH: u32 = 500;

const COLUMNS: [&str; 13] = [
    "date",
    "transaction",
    "type",
    "credits",
    "available",
    "held",
    "frozen",
    "debt",
    "balance",
    "payment",
    "hold",
    "reference",
    "cause",
];

/// Retrieve a statement
///
/// Every transaction between two times, with the balances before and after. The `credits` of the lines add up
/// to the closing balance less the opening balance. In CSV, text that a spreadsheet could take for a formula
/// begins with an apostrophe.
#[utoipa::path(get, path = "/api/credits/statement", operation_id = "statement", tag = "Credits",
    params(OfTenant,
        ("format" = Option<ReportFormat>, Query, description = "`json` by default."),
        ("created_at_from" = Option<String>, Query, format = DateTime,
            description = "Only from this time on."),
        ("created_at_to" = Option<String>, Query, format = DateTime, description = "Only up to this time.")),
    responses((status = 200, content((Data<Statement> = "application/json"), (String = "text/csv")))))]
pub(crate) async fn show(CreditsReader { request, caller }: CreditsReader) -> Result<Response, Problem> {
    let query = &request.query;
    query.only(&["tenant_id", "format", "created_at_from", "created_at_to"])?;
    let tenant = caller.tenant(query.get("tenant_id"))?;
    let format = ReportFormat::of(query)?;
    let (from, to) = (moment(query, "created_at_from")?, moment(query, "created_at_to")?);
    let store = request.store().clone();
    let range = store.statement(tenant, from, to).await?;
    let lines = StatementReader { store, tenant, range, caller };
    Ok(match format {
        ReportFormat::Csv => {
            let day = rfc3339(to.map_or(request.now, |to| to.min(request.now)));
            let name = format!("statement-{tenant}-{}.csv", day.get(..10).unwrap_or("all"));
            chunked_csv(&name, |chunks| lines.in_csv(chunks))
        }
        ReportFormat::Json => {
            let statement = Statement {
                tenant_id: tenant,
                from: from.map(rfc3339),
                to: to.map(rfc3339),
                opening: range.opening.into(),
                closing: range.closing.into(),
                lines: Vec::new(),
            };
            chunked_data(|chunks| lines.in_json(chunks, statement))
        }
    })
}

/// Reads the lines of one statement.
struct StatementReader {
    store: Store,
    tenant: TenantId,
    range: StatementRange,
    caller: Caller,
}

impl StatementReader {
    /// The lines after the transaction `after`; none at the end.
    async fn next(&self, after: i64) -> Result<Vec<TransactionRow>, Stopped> {
        Ok(self.store.statement_lines(self.tenant, after, self.range.through, BATCH).await?)
    }

    async fn in_csv(self, chunks: ChunkSender) -> Result<(), Stopped> {
        let mut csv = Csv::default();
        csv.heading(&COLUMNS);
        total(&mut csv, "opening_balance", self.range.opening);
        let mut after = self.range.after;
        loop {
            chunks.send(csv.take()).await?;
            let rows = self.next(after).await?;
            let Some(last) = rows.last() else { break };
            after = last.transaction.seq;
            rows.iter().for_each(|row| StatementLine::of(row, &self.caller).write(&mut csv));
        }
        total(&mut csv, "closing_balance", self.range.closing);
        chunks.send(csv.take()).await
    }

    /// The lines go into the empty list of `statement`.
    async fn in_json(self, chunks: ChunkSender, statement: Statement) -> Result<(), Stopped> {
        // Text and numbers can always be serialised.
        let whole = serde_json::to_string(&statement).unwrap_or_default();
        let (head, tail) = whole.split_once("\"lines\":[").unwrap_or((&whole, ""));
        let mut text = format!("{head}\"lines\":[");
        let (mut after, mut first) = (self.range.after, true);
        loop {
            chunks.send(std::mem::take(&mut text)).await?;
            let rows = self.next(after).await?;
            let Some(last) = rows.last() else { break };
            after = last.transaction.seq;
            for row in &rows {
                if !std::mem::replace(&mut first, false) {
                    text.push(',');
                }
                text.push_str(
                    &serde_json::to_string(&StatementLine::of(row, &self.caller)).unwrap_or_default(),
                );
            }
        }
        chunks.send(tail.to_owned()).await
    }
}

fn total(csv: &mut Csv, what: &str, balance: Balance) {
    let Balance { available, held, frozen, debt } = balance;
    csv.skip(2).text(what).skip(1);
    for credits in [available.0, held.0, frozen.0, debt.0, balance.net()] {
        csv.number(credits);
    }
    csv.skip(4).end();
}

/// A statement.
#[derive(Serialize, ToSchema)]
struct Statement {
    #[schema(value_type = Uuid)]
    tenant_id: TenantId,
    #[schema(format = DateTime)]
    from: Option<String>,
    #[schema(format = DateTime)]
    to: Option<String>,
    /// The balance before the first line.
    opening: BalanceView,
    /// The balance after the last line.
    closing: BalanceView,
    /// The transactions, oldest first.
    lines: Vec<StatementLine>,
}

/// A line of a statement.
#[derive(Serialize, ToSchema)]
struct StatementLine {
    #[schema(format = DateTime)]
    date: String,
    /// The id of the transaction.
    transaction: i64,
    #[serde(rename = "type")]
    #[schema(value_type = TransactionKindName)]
    kind: &'static str,
    /// The change of the balance; 0 if credits only moved within it.
    credits: i64,
    /// Available credits after the transaction. The next four fields are also after it.
    available: i64,
    held: i64,
    frozen: i64,
    debt: i64,
    /// available + held + frozen − debt.
    balance: i64,
    payment: Option<String>,
    hold: Option<String>,
    /// The tenant's own reference.
    reference: Option<String>,
    /// The cause in words.
    cause: String,
}

impl StatementLine {
    fn of(row: &TransactionRow, caller: &Caller) -> Self {
        let entry = &row.transaction;
        let after = entry.balance_after;
        Self {
            date: rfc3339(entry.at),
            transaction: entry.seq,
            kind: entry.kind.as_str(),
            credits: entry.amount(),
            available: after.available.0,
            held: after.held.0,
            frozen: after.frozen.0,
            debt: after.debt.0,
            balance: after.net(),
            payment: row.payment_key.clone(),
            hold: entry.hold.map(|hold| hold.to_string()),
            reference: entry.reference.clone(),
            cause: in_words(&entry.cause, caller),
        }
    }

    fn write(&self, csv: &mut Csv) {
        csv.text(&self.date).number(self.transaction).text(self.kind);
        for number in [self.credits, self.available, self.held, self.frozen, self.debt, self.balance] {
            csv.number(number);
        }
        csv.maybe(self.payment.as_deref()).maybe(self.hold.as_deref()).maybe(self.reference.as_deref());
        csv.text(&self.cause).end();
    }
}

fn in_words(cause: &Cause, caller: &Caller) -> String {
    match caller.visible_cause(cause) {
        None => DECISION.to_owned(),
        Some(Cause::Event(event)) => format!("Stripe event {event}"),
        Some(Cause::Operator { by, reason }) => format!("decided by {by}: {reason}"),
        Some(Cause::Command(key)) => format!("request {key}"),
        Some(Cause::Clock(what)) => format!("the time was up: {what}"),
    }
}
