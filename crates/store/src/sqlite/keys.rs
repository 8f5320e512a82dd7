//! API keys. What comes in here is a hash already: the secret itself is never stored.

use ledger::{TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use crate::error::StoreError;
use crate::model::{KeyRow, RotatedKey};

const COLUMNS: &str = "id, name, tenant, permissions, created_at, expires_at, revoked_at";

/// Adds a key. Its tenant becomes known by it.
pub(super) fn create(c: &Connection, key: &KeyRow, hash: &[u8; 32]) -> Result<(), StoreError> {
    if let Some(tenant) = key.tenant {
        c.prepare_cached("INSERT OR IGNORE INTO tenants (id, created_at) VALUES (?1, ?2)")?
            .execute((tenant.0, key.created_at.0))?;
    }
    c.prepare_cached(
        "INSERT INTO api_keys (id, hash, name, tenant, permissions, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        key.id,
        hash,
        key.name,
        key.tenant.map(|tenant| tenant.0),
        key.permissions.join(" "),
        key.created_at.0,
        key.expires_at.map(|at| at.0)
    ])?;
    Ok(())
}

/// Revokes a key, at once and for good. False when there is none of this name that still works.
pub(super) fn revoke(c: &Connection, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let changed = c
        .prepare_cached("UPDATE api_keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL")?
        .execute((id, now.0))?;
    Ok(changed > 0)
}

/// Replaces a key that still works; it works until `until`, if it would.
pub(super) fn rotate(
    c: &Connection,
    id: &str,
    new_id: &str,
    hash: &[u8; 32],
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<RotatedKey>, StoreError> {
    let works = format!(
        "SELECT {COLUMNS} FROM api_keys
         WHERE id = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)"
    );
    let found = c.prepare_cached(&works)?.query_row((id, now.0), read).optional()?;
    let Some(old) = found else { return Ok(None) };
    let key = KeyRow { id: new_id.to_owned(), created_at: now, ..old.clone() };
    create(c, &key, hash)?;
    let ends = old.expires_at.map_or(until, |end| end.min(until));
    c.prepare_cached("UPDATE api_keys SET expires_at = ?2 WHERE id = ?1")?.execute((id, ends.0))?;
    Ok(Some(RotatedKey { key, replaced: KeyRow { expires_at: Some(ends), ..old } }))
}

/// All keys, the oldest first.
pub(super) fn list(c: &Connection) -> Result<Vec<KeyRow>, StoreError> {
    let mut statement =
        c.prepare_cached(&format!("SELECT {COLUMNS} FROM api_keys ORDER BY created_at, id"))?;
    let rows = statement.query_map([], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The key with this hash, whether or not it still works.
pub(super) fn find(c: &Connection, hash: &[u8; 32]) -> Result<Option<KeyRow>, StoreError> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM api_keys WHERE hash = ?1"))?;
    Ok(statement.query_row([hash], read).optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<KeyRow> {
    let permissions: String = row.get(3)?;
    Ok(KeyRow {
        id: row.get(0)?,
        name: row.get(1)?,
        tenant: row.get::<_, Option<Uuid>>(2)?.map(TenantId),
        permissions: permissions.split_whitespace().map(str::to_owned).collect(),
        created_at: Timestamp(row.get(4)?),
        expires_at: row.get::<_, Option<i64>>(5)?.map(Timestamp),
        revoked_at: row.get::<_, Option<i64>>(6)?.map(Timestamp),
    })
}
