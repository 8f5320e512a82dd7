//! Stores the time for the next start.

use std::time::Duration;

use ledger::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use crate::error::StoreError;
use crate::model::{ClockMark, ClockRecord};

/// Stores a time from a trusted clock, and makes due what is due later than any retry waits.
pub(super) fn remember(c: &Connection, mark: &ClockMark, due_by: Timestamp) -> Result<(), StoreError> {
    let newest = newest(c)?.map(|at| at.0);
    let since_boot = i64::try_from(mark.since_boot.as_micros()).unwrap_or(i64::MAX);
    c.prepare_cached(
        "INSERT INTO clock (id, at, newest, boot_id, since_boot) VALUES (1, ?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET at = ?1, newest = ?2, boot_id = ?3, since_boot = ?4",
    )?
    .execute((mark.at.0, newest, &mark.boot_id, since_boot))?;
    for sql in [
        "UPDATE events SET due_at = ?1 WHERE due_at IS NOT NULL AND due_at > ?2",
        "UPDATE payments SET review_at = ?1 WHERE review_at IS NOT NULL AND review_at > ?2",
        "UPDATE deliveries SET due_at = ?1
         WHERE endpoint IN (SELECT id FROM endpoints) AND due_at IS NOT NULL AND due_at > ?2",
    ] {
        c.prepare_cached(sql)?.execute((mark.at.0, due_by.0))?;
    }
    Ok(())
}

/// The stored clock mark and the newest timestamps in the database.
pub(super) fn record(c: &Connection) -> Result<ClockRecord, StoreError> {
    let marked = c
        .prepare_cached("SELECT at, newest, boot_id, since_boot FROM clock WHERE id = 1")?
        .query_row([], |row| {
            let since_boot = u64::try_from(row.get::<_, i64>(3)?).unwrap_or_default();
            let mark = ClockMark {
                at: Timestamp(row.get(0)?),
                boot_id: row.get(2)?,
                since_boot: Duration::from_micros(since_boot),
            };
            Ok((mark, row.get::<_, Option<i64>>(1)?.map(Timestamp)))
        })
        .optional()?;
    let (mark, newest_at_mark) = marked.unzip();
    Ok(ClockRecord { mark, newest_at_mark: newest_at_mark.flatten(), newest: newest(c)? })
}

fn newest(c: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let last = |sql: &str| -> Result<Option<i64>, StoreError> {
        Ok(c.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?)
    };
    let event = last("SELECT received_at FROM events ORDER BY seq DESC LIMIT 1")?;
    let entry = last("SELECT at FROM transactions ORDER BY seq DESC LIMIT 1")?;
    Ok(event.max(entry).map(Timestamp))
}
