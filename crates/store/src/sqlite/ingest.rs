//! Stores events from Stripe, and selects those that are due.

use ledger::{EventId, Reason, Timestamp};
use rusqlite::{Connection, params};

use super::{quarantine, waits};
use crate::error::StoreError;
use crate::model::{DueEvent, IncomingEvent, Ingested, Postponed};

/// Stores an event. A duplicate is a write too: it increases the delivery count, so its acknowledgement waits
/// for the same durability as the first one's (design section 4, rule 4).
pub(super) fn ingest(
    c: &Connection,
    delivery: &IncomingEvent,
    now: Timestamp,
) -> Result<Ingested, StoreError> {
    let mut statement = c.prepare_cached(
        "INSERT INTO events (id, type, created, livemode, received_at, last_received_at, due_at, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET deliveries = deliveries + 1, last_received_at = ?5
         RETURNING seq, deliveries",
    )?;
    let IncomingEvent { id, kind, created, livemode, body } = delivery;
    let row = params![id.as_str(), kind, created, livemode, now.0, body];
    Ok(statement.query_row(row, |row| Ok(Ingested { seq: row.get(0)?, deliveries: row.get(1)? }))?)
}

/// The due events, the longest due first.
pub(super) fn due(c: &Connection, now: Timestamp, limit: u32) -> Result<Vec<DueEvent>, StoreError> {
    let mut statement = c.prepare_cached(
        "SELECT seq, id, attempts, body FROM events
         WHERE due_at IS NOT NULL AND due_at <= ?1 ORDER BY due_at, seq LIMIT ?2",
    )?;
    let rows = statement.query_map((now.0, limit), |row| {
        let id: String = row.get(1)?;
        Ok(DueEvent { seq: row.get(0)?, id: EventId::from(id), attempts: row.get(2)?, body: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// When the next event falls due or the next wait ends.
pub(super) fn next_due(c: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = c.prepare_cached("SELECT min(due_at) FROM events WHERE due_at IS NOT NULL")?;
    let due: Option<i64> = statement.query_row([], |row| row.get(0))?;
    Ok(due.map(Timestamp).into_iter().chain(waits::next(c)?).min())
}

/// Records failed attempts: each event is retried at its due time or, without one, quarantined. Events that
/// were applied meanwhile are skipped.
pub(super) fn postpone(c: &Connection, failed: &[Postponed], now: Timestamp) -> Result<(), StoreError> {
    for one in failed {
        let waiting = c
            .prepare_cached(
                "UPDATE events SET attempts = attempts + 1, due_at = ?2, reason = ?3
                 WHERE seq = ?1 AND due_at IS NOT NULL",
            )?
            .execute((one.seq, one.due_at.map(|at| at.0), &one.error))?;
        if waiting > 0 && one.due_at.is_none() {
            quarantine::quarantine_event(c, one.seq, Reason::RetriesExhausted, &one.error, now)?;
        }
    }
    Ok(())
}

/// Makes events due again, so that they are read and applied again. This is harmless, because facts that are
/// already known change nothing. Returns how many of them exist.
pub(super) fn replay(c: &Connection, ids: &[EventId], now: Timestamp) -> Result<u64, StoreError> {
    let mut statement = c.prepare_cached("UPDATE events SET due_at = ?2, attempts = 0 WHERE id = ?1")?;
    let mut count = 0;
    for id in ids {
        count += statement.execute((id.as_str(), now.0))? as u64;
    }
    Ok(count)
}
