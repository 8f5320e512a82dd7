//! Reads the journal and its projections: transactions with their postings, and lots.

use ledger::{
    Account, Cause, CauseKind, EventId, HoldId, LotId, PaymentId, Posting, TenantId, Timestamp, Transaction,
    TransactionKind,
};
use rusqlite::{Connection, Row, ToSql};
use uuid::Uuid;

use super::{book, paging};
use crate::error::StoreError;
use crate::model::{LotRow, PageRequest, RowPage, TransactionFilter, TransactionRow};

/// The columns that [`read`] reads, in their order.
pub(super) const COLUMNS: &str =
    "t.seq, t.tenant, t.kind, t.cause_kind, t.cause, t.cause_by, t.payment, t.at,
    t.available, t.held, t.frozen, t.debt, t.hash, t.hold, t.reference";
/// A transaction whose payment was merged into another is shown under that one.
pub(super) const TABLES: &str = "FROM transactions t LEFT JOIN absorbed a ON a.payment = t.payment
    LEFT JOIN payments p ON p.id = coalesce(a.into_payment, t.payment)";

/// Transactions that match, in journal order.
pub(super) fn list(
    c: &Connection,
    filter: &TransactionFilter,
    page: PageRequest,
) -> Result<RowPage<TransactionRow>, StoreError> {
    let tenant = filter.tenant.map(|tenant| tenant.0);
    let (payment, kind) = (filter.payment.map(|payment| payment.0), filter.kind.map(TransactionKind::as_str));
    // By sequence number, which every index contains: transactions outside the period are not even counted.
    let after = filter.from.map(|from| last_until(c, Timestamp(from.0.saturating_sub(1)))).transpose()?;
    let through = filter.to.map(|to| last_until(c, to)).transpose()?;
    let mut conditions = vec!["1"];
    let mut values: Vec<&dyn ToSql> = Vec::new();
    if let Some(tenant) = &tenant {
        // With a payment, the index on payments is better: a payment has few transactions, a tenant may have
        // millions.
        conditions.push(if payment.is_some() { "+t.tenant = ?" } else { "t.tenant = ?" });
        values.push(tenant);
    }
    if let Some(payment) = &payment {
        conditions
            .push("t.payment IN (SELECT ? UNION ALL SELECT payment FROM absorbed WHERE into_payment = ?)");
        values.extend([payment as &dyn ToSql, payment]);
    }
    if let Some(kind) = &kind {
        conditions.push("t.kind = ?");
        values.push(kind);
    }
    if let Some(after) = &after {
        conditions.push("t.seq > ?");
        values.push(after);
    }
    if let Some(through) = &through {
        conditions.push("t.seq <= ?");
        values.push(through);
    }
    let (matching, order) = (conditions.join(" AND "), paging::order(page));
    let sql = format!("SELECT {COLUMNS}, p.key {TABLES} WHERE {matching} ORDER BY t.seq {order}");
    let count = format!("SELECT count(*) FROM transactions t WHERE {matching}");
    paging::list(c, &sql, &count, &values, page, |row| {
        Ok(TransactionRow { transaction: read(c, row)?, payment_key: row.get(15)? })
    })
}

/// The last transaction up to a time; 0 if there was none. Time in the journal never goes back, so a binary
/// search finds it without an index on time.
pub(super) fn last_until(c: &Connection, at: Timestamp) -> Result<i64, StoreError> {
    let last: Option<i64> =
        c.prepare_cached("SELECT max(seq) FROM transactions")?.query_row([], |row| row.get(0))?;
    let mut statement =
        c.prepare_cached("SELECT at FROM transactions WHERE seq >= ?1 ORDER BY seq LIMIT 1")?;
    // Transactions up to `start` are not later than `at`; those after `end` are.
    let (mut start, mut end) = (0, last.unwrap_or_default());
    while start < end {
        let middle = end - (end - start) / 2;
        if statement.query_row([middle], |row| row.get::<_, i64>(0))? <= at.0 {
            start = middle;
        } else {
            end = middle - 1;
        }
    }
    Ok(start)
}

/// Reads one transaction with its postings.
pub(super) fn read(c: &Connection, row: &Row<'_>) -> Result<Transaction, StoreError> {
    let seq = row.get(0)?;
    let kind: String = row.get(2)?;
    let (cause_kind, cause): (String, String) = (row.get(3)?, row.get(4)?);
    let corrupt = |what: &str| StoreError::Corrupt(format!("transaction {seq}: {what}"));
    Ok(Transaction {
        seq,
        tenant: TenantId(row.get::<_, Uuid>(1)?),
        kind: TransactionKind::from_name(&kind).ok_or_else(|| corrupt(&format!("kind {kind}")))?,
        cause: match CauseKind::from_name(&cause_kind) {
            Some(CauseKind::Event) => Cause::Event(EventId::from(cause)),
            Some(CauseKind::Operator) => {
                Cause::Operator { by: row.get::<_, Option<String>>(5)?.unwrap_or_default(), reason: cause }
            }
            Some(CauseKind::Command) => Cause::Command(cause),
            Some(CauseKind::Clock) => Cause::Clock(cause),
            None => return Err(corrupt(&format!("cause {cause_kind}"))),
        },
        payment: row.get::<_, Option<i64>>(6)?.map(PaymentId),
        at: Timestamp(row.get(7)?),
        postings: postings(c, seq)?,
        balance_after: book::read_balance(row, 8)?,
        hash: row.get(12)?,
        hold: row.get::<_, Option<Uuid>>(13)?.map(HoldId),
        reference: row.get(14)?,
    })
}

fn postings(c: &Connection, seq: i64) -> Result<Vec<Posting>, StoreError> {
    let mut statement =
        c.prepare_cached("SELECT account, lot, amount FROM postings WHERE seq = ?1 ORDER BY line")?;
    let mut rows = statement.query([seq])?;
    let mut postings = Vec::new();
    while let Some(row) = rows.next()? {
        let account: String = row.get(0)?;
        postings.push(Posting {
            account: Account::from_name(&account)
                .ok_or_else(|| StoreError::Corrupt(format!("transaction {seq}: account {account}")))?,
            lot: row.get::<_, Option<i64>>(1)?.map(LotId),
            amount: row.get(2)?,
        });
    }
    Ok(postings)
}

/// A tenant's lots, in the order in which they were created.
pub(super) fn lots(
    c: &Connection,
    tenant: TenantId,
    page: PageRequest,
) -> Result<RowPage<LotRow>, StoreError> {
    let order = paging::order(page);
    let sql = format!(
        "SELECT l.*, p.key FROM lots l LEFT JOIN payments p ON p.id = l.payment
         WHERE l.tenant = ?1 ORDER BY l.id {order}"
    );
    let count = "SELECT count(*) FROM lots WHERE tenant = ?1";
    paging::list(c, &sql, count, &[&tenant.0], page, |row| {
        Ok(LotRow { lot: book::read_lot(row)?, payment_key: row.get(12)? })
    })
}
