//! API keys. Only the hashes of secrets reach this module.

use ledger::{TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use crate::error::StoreError;
use crate::model::{Access, KeyHolder, KeyKind, KeyRow};

const COLUMNS: &str = "id, name, kind, tenant, access, person, created_at, expires_at, revoked_at";

/// Adds a key, and its tenant if that is unknown.
pub(super) fn create(c: &Connection, key: &KeyRow, hash: &[u8; 32]) -> Result<(), StoreError> {
    let (tenant, access, person) = match &key.holder {
        KeyHolder::Tenant { tenant, access } => (Some(tenant.0), Some(access.as_str()), None),
        KeyHolder::Service | KeyHolder::Machine => (None, None, None),
        KeyHolder::Person(person) => (None, None, Some(person)),
    };
    if let Some(tenant) = tenant {
        c.prepare_cached("INSERT OR IGNORE INTO tenants (id, created_at) VALUES (?1, ?2)")?
            .execute((tenant, key.created_at.0))?;
    }
    c.prepare_cached(
        "INSERT INTO api_keys (id, hash, name, kind, tenant, access, person, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        key.id,
        hash,
        key.name,
        key.kind().as_str(),
        tenant,
        access,
        person,
        key.created_at.0,
        key.expires_at.map(|at| at.0)
    ])?;
    Ok(())
}

/// Revokes a key, immediately and permanently.
pub(super) fn revoke(c: &Connection, id: &str, now: Timestamp) -> Result<(), StoreError> {
    c.prepare_cached("UPDATE api_keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL")?
        .execute((id, now.0))?;
    Ok(())
}

/// Revokes all keys of a person.
pub(super) fn revoke_of_person(c: &Connection, person: &str, now: Timestamp) -> Result<(), StoreError> {
    c.prepare_cached("UPDATE api_keys SET revoked_at = ?2 WHERE person = ?1 AND revoked_at IS NULL")?
        .execute((person, now.0))?;
    Ok(())
}

/// Revokes all machine keys.
pub(super) fn revoke_of_machine(c: &Connection, now: Timestamp) -> Result<(), StoreError> {
    c.prepare_cached(
        "UPDATE api_keys SET revoked_at = ?1
         WHERE kind = 'operator' AND person IS NULL AND revoked_at IS NULL",
    )?
    .execute([now.0])?;
    Ok(())
}

/// Replaces a key with one of the same holder, name and expiry. The old key stays valid until `until`, if it
/// does not expire earlier.
pub(super) fn rotate(
    c: &Connection,
    old: &KeyRow,
    new: &KeyRow,
    hash: &[u8; 32],
    until: Timestamp,
) -> Result<(), StoreError> {
    create(c, new, hash)?;
    let ends = old.expires_at.map_or(until, |end| end.min(until));
    c.prepare_cached("UPDATE api_keys SET expires_at = ?2, replaced_by = ?3 WHERE id = ?1")?
        .execute((&old.id, ends.0, &new.id))?;
    Ok(())
}

/// Whether this key was rotated.
pub(super) fn is_replaced(c: &Connection, id: &str) -> Result<bool, StoreError> {
    let mut statement =
        c.prepare_cached("SELECT 1 FROM api_keys WHERE id = ?1 AND replaced_by IS NOT NULL")?;
    Ok(statement.exists([id])?)
}

/// All keys, the oldest first.
pub(super) fn list(c: &Connection) -> Result<Vec<KeyRow>, StoreError> {
    let mut statement =
        c.prepare_cached(&format!("SELECT {COLUMNS} FROM api_keys ORDER BY created_at, id"))?;
    let rows = statement.query_and_then([], read)?;
    rows.collect()
}

/// The key with this hash, whether or not it is still valid.
pub(super) fn find(c: &Connection, hash: &[u8; 32]) -> Result<Option<KeyRow>, StoreError> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM api_keys WHERE hash = ?1"))?;
    statement.query_row([hash], |row| Ok(read(row))).optional()?.transpose()
}

/// The key with this id, whether or not it is still valid.
pub(super) fn with_id(c: &Connection, id: &str) -> Result<Option<KeyRow>, StoreError> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM api_keys WHERE id = ?1"))?;
    statement.query_row([id], |row| Ok(read(row))).optional()?.transpose()
}

/// Whether a valid key of a service or an operator already has this name. Names of tenants' keys need not be
/// unique, because they do not appear in the journal.
pub(super) fn is_name_taken(c: &Connection, key: &KeyRow, now: Timestamp) -> Result<bool, StoreError> {
    let mut statement = c.prepare_cached(
        "SELECT 1 FROM api_keys WHERE kind = ?1 AND kind <> 'tenant' AND name = ?2
             AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?3)",
    )?;
    Ok(statement.exists((key.kind().as_str(), &key.name, now.0))?)
}

/// Whether a person has a valid key of their own.
pub(super) fn has_own(c: &Connection, person: &str, now: Timestamp) -> Result<bool, StoreError> {
    let mut statement = c.prepare_cached(
        "SELECT 1 FROM api_keys WHERE person = ?1 AND revoked_at IS NULL
             AND (expires_at IS NULL OR expires_at > ?2)",
    )?;
    Ok(statement.exists((person, now.0))?)
}

fn read(row: &Row<'_>) -> Result<KeyRow, StoreError> {
    let (id, kind): (String, String) = (row.get(0)?, row.get(2)?);
    let access: Option<String> = row.get(4)?;
    let access = access.as_deref().and_then(Access::from_name);
    let tenant = row.get::<_, Option<Uuid>>(3)?.map(TenantId);
    let holder = match (KeyKind::from_name(&kind), tenant, access, row.get(5)?) {
        (Some(KeyKind::Tenant), Some(tenant), Some(access), None) => KeyHolder::Tenant { tenant, access },
        (Some(KeyKind::Service), None, None, None) => KeyHolder::Service,
        (Some(KeyKind::Operator), None, None, Some(person)) => KeyHolder::Person(person),
        (Some(KeyKind::Operator), None, None, None) => KeyHolder::Machine,
        _ => return Err(StoreError::Corrupt(format!("the holder of the key {id}"))),
    };
    Ok(KeyRow {
        id,
        name: row.get(1)?,
        holder,
        created_at: Timestamp(row.get(6)?),
        expires_at: row.get::<_, Option<i64>>(7)?.map(Timestamp),
        revoked_at: row.get::<_, Option<i64>>(8)?.map(Timestamp),
    })
}
