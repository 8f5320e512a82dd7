//! Reads events: lists, and one event with its body.

use ledger::{EventId, Outcome, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, ToSql};

use super::paging;
use crate::error::StoreError;
use crate::model::{EventFilter, EventRow, PageRequest, RowPage};

const COLUMNS: &str = "e.seq, e.id, e.type, e.created, e.livemode, e.received_at, e.deliveries, e.attempts,
    e.due_at, e.outcome, e.reason, p.key";
const TABLES: &str = "FROM events e LEFT JOIN payments p ON p.id = e.payment";

/// Events that match, in order of arrival.
pub(super) fn list(
    c: &Connection,
    filter: &EventFilter,
    page: PageRequest,
) -> Result<RowPage<EventRow>, StoreError> {
    let outcome = filter.outcome.map(Outcome::as_str);
    let payment = filter.payment.map(|payment| payment.0);
    let mut conditions = vec!["1"];
    let mut values: Vec<&dyn ToSql> = Vec::new();
    if let Some(kind) = &filter.kind {
        conditions.push("e.type = ?");
        values.push(kind);
    }
    if let Some(outcome) = &outcome {
        conditions.push("e.outcome = ?");
        values.push(outcome);
    }
    if let Some(payment) = &payment {
        conditions.push("e.payment = ?");
        values.push(payment);
    }
    if filter.pending {
        // Uses the index on due events: few of millions are pending.
        conditions.push("e.seq IN (SELECT seq FROM events WHERE due_at IS NOT NULL)");
    }
    let matching = conditions.join(" AND ");
    let order = paging::order(page);
    let sql = format!("SELECT {COLUMNS} {TABLES} WHERE {matching} ORDER BY e.seq {order}");
    let count = format!("SELECT count(*) FROM events e WHERE {matching}");
    paging::list(c, &sql, &count, &values, page, read)
}

/// One event and its packed body.
pub(super) fn show(c: &Connection, id: &EventId) -> Result<Option<(EventRow, Vec<u8>)>, StoreError> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS}, e.body {TABLES} WHERE e.id = ?1"))?;
    statement
        .query_row([id.as_str()], |row| Ok((read(row), row.get(12)?)))
        .optional()?
        .map(|(event, body)| Ok((event?, body)))
        .transpose()
}

fn read(row: &Row<'_>) -> Result<EventRow, StoreError> {
    let outcome = row.get::<_, Option<String>>(9)?.map(|name| {
        Outcome::from_name(&name).ok_or_else(|| StoreError::Corrupt(format!("event outcome {name}")))
    });
    Ok(EventRow {
        seq: row.get(0)?,
        id: EventId::from(row.get::<_, String>(1)?),
        kind: row.get(2)?,
        created: row.get(3)?,
        livemode: row.get(4)?,
        received_at: Timestamp(row.get(5)?),
        deliveries: row.get(6)?,
        attempts: row.get(7)?,
        due_at: row.get::<_, Option<i64>>(8)?.map(Timestamp),
        outcome: outcome.transpose()?,
        reason: row.get(10)?,
        payment: row.get(11)?,
    })
}
