//! A database that was restored from a backup stands still until an operator confirms it. The backup does not
//! know what was spent, refunded or revoked after it was made: whatever moved on from there would give away
//! credits twice, end holds that were captured, and tell others what is not so. Meanwhile events are stored
//! and everything can be read.
//!
//! This is the one rule: verbs that move credits refuse, the loops find nothing due, and reads show nothing
//! as ended.

use ledger::{Now, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::StoreError;
use crate::model::Restore;

/// Whether it is so.
pub(super) fn is(c: &Connection) -> Result<bool, StoreError> {
    Ok(c.prepare_cached("SELECT 1 FROM restores WHERE confirmed_at IS NULL LIMIT 1")?.exists([])?)
}

/// Refuses what moves credits while it is so.
pub(super) fn refuse(c: &Connection) -> Result<(), StoreError> {
    if is(c)? { Err(StoreError::RestoreUnconfirmed) } else { Ok(()) }
}

/// What time reads go by: nothing ends while it is so, and nothing may look as if it had.
pub(super) fn now(c: &Connection, now: Now) -> Result<Now, StoreError> {
    Ok(if is(c)? { Now::in_doubt(now.at) } else { now })
}

/// The latest restore that nobody has confirmed, with the keys of all of them.
pub(super) fn find(c: &Connection) -> Result<Option<Restore>, StoreError> {
    let mut statement = c.prepare_cached(
        "SELECT restored_at, newest, source, replaced, revoked_keys,
             coalesce((SELECT max(seq) FROM events), 0) - last_event
         FROM restores WHERE confirmed_at IS NULL ORDER BY id DESC",
    )?;
    let mut rows = statement.query([])?;
    let mut latest: Option<Restore> = None;
    while let Some(row) = rows.next()? {
        let revoked: Option<String> = row.get(4)?;
        let revoked: Option<Vec<String>> = revoked
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| unreadable(&error))?;
        match &mut latest {
            None => {
                latest = Some(Restore {
                    restored_at: Timestamp(row.get(0)?),
                    newest: row.get::<_, Option<i64>>(1)?.map(Timestamp),
                    source: row.get(2)?,
                    replaced: row.get(3)?,
                    revoked_keys: revoked,
                    events_since: row.get(5)?,
                });
            }
            Some(latest) => {
                // What either of them knows is known; what one of them does not know is not.
                latest.revoked_keys = latest.revoked_keys.take().zip(revoked).map(|(mut all, more)| {
                    all.extend(more);
                    all
                });
            }
        }
    }
    Ok(latest)
}

/// Writes down that this database was restored just now.
pub(super) fn mark(c: &Connection, restore: &Restore) -> Result<(), StoreError> {
    let revoked = restore.revoked_keys.as_ref().map(serde_json::to_string).transpose();
    c.prepare_cached(
        "INSERT INTO restores (restored_at, newest, source, replaced, revoked_keys, last_event)
         VALUES (?1, ?2, ?3, ?4, ?5, coalesce((SELECT max(seq) FROM events), 0))",
    )?
    .execute(params![
        restore.restored_at.0,
        restore.newest.map(|at| at.0),
        restore.source,
        restore.replaced,
        revoked.map_err(|error| unreadable(&error))?,
    ])?;
    Ok(())
}

/// Where the database before it went, by the latest mark.
pub(super) fn replaced(c: &Connection) -> Result<Option<String>, StoreError> {
    let mut statement = c.prepare_cached("SELECT replaced FROM restores ORDER BY id DESC LIMIT 1")?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?.flatten())
}

/// Ends it: the service resumes.
pub(super) fn confirm(c: &Connection, now: Timestamp) -> Result<(), StoreError> {
    c.prepare_cached("UPDATE restores SET confirmed_at = ?1 WHERE confirmed_at IS NULL")?.execute([now.0])?;
    Ok(())
}

fn unreadable(error: &serde_json::Error) -> StoreError {
    StoreError::Corrupt(format!("the keys of a restore: {error}"))
}
