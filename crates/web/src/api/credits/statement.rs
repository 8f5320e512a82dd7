//! `GET /api/credits/statement`: every line that led from one balance to another, for bookkeeping. Read and
//! sent piece by piece, up to where the journal ended at the start: its lines always add up.
//! Not here: pages of history for a screen (`credits`).

use axum::response::Response;
use ledger::{Balance, Cause, TenantId};
use serde::Serialize;
use store::{StatementRange, Store, TransactionRow};
use utoipa::ToSchema;

use super::{BalanceView, moment};
use crate::answer::{Data, Pieces, Problem, Stopped, rfc3339, stream};
use crate::api::{Query, Reader};
use crate::auth::{Caller, DECISION};
use crate::csv::Csv;
use crate::schema::{OfTenant, TransactionKindName};

/// Lines that are read at once.
const PIECE: u32 = 500;

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

/// A statement: every line between two moments, with the balances before and after
///
/// The credits of its lines add up to the closing less the opening balance. As CSV, for a spreadsheet, text
/// that could begin a formula stands behind an apostrophe.
#[utoipa::path(get, path = "/api/credits/statement", operation_id = "statement", tag = "Credits",
    params(OfTenant,
        ("format" = Option<Format>, Query, description = "json, unless it says csv."),
        ("created_at_from" = Option<String>, Query, format = DateTime, description = "From this moment on."),
        ("created_at_to" = Option<String>, Query, format = DateTime, description = "Up to this moment.")),
    responses((status = 200, content((Data<Statement> = "application/json"), (String = "text/csv")))))]
pub(crate) async fn show(Reader { request, caller }: Reader) -> Response {
    request
        .answer(async |request| {
            let query = &request.query;
            query.only(&["tenant_id", "format", "created_at_from", "created_at_to"])?;
            let tenant = caller.tenant(query.get("tenant_id"))?;
            let format = Format::of(query)?;
            let (from, to) = (moment(query, "created_at_from")?, moment(query, "created_at_to")?);
            let store = request.store().clone();
            let range = store.statement(tenant, from, to).await?;
            let lines = Lines { store, tenant, range, caller };
            Ok(match format {
                Format::Csv => {
                    let day = rfc3339(to.map_or(request.meta.at, |to| to.min(request.meta.at)));
                    let name = format!("statement-{tenant}-{}.csv", day.get(..10).unwrap_or("all"));
                    stream("text/csv; charset=utf-8", Some(&name), |pieces| lines.in_csv(pieces))
                }
                Format::Json => {
                    let head = Statement {
                        tenant_id: tenant,
                        from: from.map(rfc3339),
                        to: to.map(rfc3339),
                        opening: range.opening.into(),
                        closing: range.closing.into(),
                        lines: Vec::new(),
                    };
                    let whole = request.meta.text(&head)?;
                    stream("application/json", None, |pieces| lines.in_json(pieces, whole))
                }
            })
        })
        .await
}

/// In which form.
#[derive(Clone, Copy, ToSchema)]
#[schema(rename_all = "lowercase")]
pub(crate) enum Format {
    Json,
    Csv,
}

impl Format {
    pub(crate) fn of(query: &Query) -> Result<Self, Problem> {
        match query.get("format") {
            None | Some("json") => Ok(Self::Json),
            Some("csv") => Ok(Self::Csv),
            Some(_) => Err(Problem::value("format", "json or csv")),
        }
    }
}

/// The lines of one statement.
struct Lines {
    store: Store,
    tenant: TenantId,
    range: StatementRange,
    caller: Caller,
}

impl Lines {
    /// The lines after one, none at the end.
    async fn next(&self, after: i64) -> Result<Vec<TransactionRow>, Stopped> {
        Ok(self.store.statement_lines(self.tenant, after, self.range.through, PIECE).await?)
    }

    async fn in_csv(self, pieces: Pieces) -> Result<(), Stopped> {
        let mut csv = Csv::default();
        csv.heading(&COLUMNS);
        total(&mut csv, "opening_balance", self.range.opening);
        let mut after = self.range.after;
        loop {
            pieces.send(csv.take()).await?;
            let rows = self.next(after).await?;
            let Some(last) = rows.last() else { break };
            after = last.transaction.seq;
            rows.iter().for_each(|row| Line::of(row, &self.caller).write(&mut csv));
        }
        total(&mut csv, "closing_balance", self.range.closing);
        pieces.send(csv.take()).await
    }

    /// `whole` is the answer without lines: they go where its only empty list is.
    async fn in_json(self, pieces: Pieces, whole: String) -> Result<(), Stopped> {
        let (head, tail) = whole.split_once("\"lines\":[").unwrap_or((&whole, ""));
        let mut text = format!("{head}\"lines\":[");
        let (mut after, mut first) = (self.range.after, true);
        loop {
            pieces.send(std::mem::take(&mut text)).await?;
            let rows = self.next(after).await?;
            let Some(last) = rows.last() else { break };
            after = last.transaction.seq;
            for row in &rows {
                if !std::mem::replace(&mut first, false) {
                    text.push(',');
                }
                // Text and numbers can always be written.
                text.push_str(&serde_json::to_string(&Line::of(row, &self.caller)).unwrap_or_default());
            }
        }
        pieces.send(tail.to_owned()).await
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

/// A tenant's lines between two moments.
#[derive(Serialize, ToSchema)]
struct Statement {
    #[schema(value_type = Uuid)]
    tenant_id: TenantId,
    #[schema(format = DateTime)]
    from: Option<String>,
    #[schema(format = DateTime)]
    to: Option<String>,
    /// Before the first line.
    opening: BalanceView,
    /// After the last line.
    closing: BalanceView,
    /// In the journal's order, the oldest first.
    lines: Vec<Line>,
}

/// One line.
#[derive(Serialize, ToSchema)]
#[schema(as = StatementLine)]
struct Line {
    #[schema(format = DateTime)]
    date: String,
    /// The transaction's number.
    transaction: i64,
    #[serde(rename = "type")]
    #[schema(value_type = TransactionKindName)]
    kind: &'static str,
    /// What it did to the balance; 0 where credits only moved within it.
    credits: i64,
    /// After it, as the four that follow.
    available: i64,
    held: i64,
    frozen: i64,
    debt: i64,
    /// available + held + frozen − debt.
    balance: i64,
    payment: Option<String>,
    hold: Option<String>,
    /// What the tenant's own system calls the occasion.
    reference: Option<String>,
    /// In words.
    cause: String,
}

impl Line {
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
    match caller.told(cause) {
        None => DECISION.to_owned(),
        Some(Cause::Event(event)) => format!("Stripe event {event}"),
        Some(Cause::Operator { by, reason }) => format!("decided by {by}: {reason}"),
        Some(Cause::Command(key)) => format!("request {key}"),
        Some(Cause::Clock(what)) => format!("the time was up: {what}"),
    }
}
