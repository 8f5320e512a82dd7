//! An unconfirmed restore freezes the database until an operator confirms it. The backup does not contain
//! what was spent, refunded or revoked after it was made: continuing from it would grant credits twice,
//! expire holds that were captured, and send wrong notices. While it is frozen, events are stored and
//! everything can be read.
//!
//! The rule is: verbs that move credits refuse, background loops find nothing due, and reads show nothing as
//! expired.

use ledger::{Now, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use crate::error::StoreError;
use crate::model::RestoreRow;

/// Whether there is an unconfirmed restore.
pub(super) fn exists(c: &Connection) -> Result<bool, StoreError> {
    Ok(c.prepare_cached("SELECT 1 FROM restores WHERE confirmed_at IS NULL LIMIT 1")?.exists([])?)
}

/// Fails if there is an unconfirmed restore.
pub(super) fn ensure_none(c: &Connection) -> Result<(), StoreError> {
    if exists(c)? { Err(StoreError::RestoreUnconfirmed) } else { Ok(()) }
}

/// The time for reads. While a restore is unconfirmed, nothing expires, and nothing may be shown as expired.
pub(super) fn effective_now(c: &Connection, now: Now) -> Result<Now, StoreError> {
    Ok(if exists(c)? { Now::in_doubt(now.at) } else { now })
}

/// The latest unconfirmed restore, with the revoked keys of all unconfirmed restores.
pub(super) fn find(c: &Connection) -> Result<Option<RestoreRow>, StoreError> {
    let mut statement = c.prepare_cached(
        "SELECT restored_at, newest, source, replaced, revoked_keys,
             coalesce((SELECT max(seq) FROM events), 0) - last_event
         FROM restores WHERE confirmed_at IS NULL ORDER BY id DESC",
    )?;
    let mut rows = statement.query([])?;
    let mut latest: Option<RestoreRow> = None;
    while let Some(row) = rows.next()? {
        let revoked: Option<String> = row.get(4)?;
        let revoked: Option<Vec<String>> = revoked
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| unreadable(&error))?;
        match &mut latest {
            None => {
                latest = Some(RestoreRow {
                    restored_at: Timestamp(row.get(0)?),
                    newest: row.get::<_, Option<i64>>(1)?.map(Timestamp),
                    source: row.get(2)?,
                    replaced: row.get(3)?,
                    revoked_keys: revoked,
                    events_since: row.get(5)?,
                });
            }
            Some(latest) => {
                // The revoked keys are known only if they are known for every restore.
                latest.revoked_keys = latest.revoked_keys.take().zip(revoked).map(|(mut all, more)| {
                    all.extend(more);
                    all
                });
            }
        }
    }
    Ok(latest)
}

/// Records that this database was just restored.
pub(super) fn insert(c: &Connection, restore: &RestoreRow) -> Result<(), StoreError> {
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

/// Where the replaced database was moved, by the latest restore.
pub(super) fn replaced_path(c: &Connection) -> Result<Option<String>, StoreError> {
    let mut statement = c.prepare_cached("SELECT replaced FROM restores ORDER BY id DESC LIMIT 1")?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?.flatten())
}

/// Confirms all restores: the service resumes.
pub(super) fn confirm(c: &Connection, now: Timestamp) -> Result<(), StoreError> {
    c.prepare_cached("UPDATE restores SET confirmed_at = ?1 WHERE confirmed_at IS NULL")?.execute([now.0])?;
    Ok(())
}

fn unreadable(error: &serde_json::Error) -> StoreError {
    StoreError::Corrupt(format!("the keys of a restore: {error}"))
}
