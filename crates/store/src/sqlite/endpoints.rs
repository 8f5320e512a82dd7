//! Webhook endpoints and their secrets. A secret is needed for signing, so it cannot be stored as a hash;
//! only `deliveries` reads it.

use ledger::{TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::paging;
use crate::error::StoreError;
use crate::model::{Disabled, EndpointRow, PageRequest, RowPage, SigningSecret};

/// The maximum number of deliveries that one commit removes, so that other writes do not wait long.
pub(super) const REMOVED_AT_ONCE: u32 = 10_000;

const COLUMNS: &str = "id, tenant, url, types, description, created_at, old_secret_until, failing_since,
    disabled_at, disabled_reason";

/// Adds an endpoint. Returns `false` if its tenant (or, without a tenant, the deployment) already has `limit`
/// endpoints.
pub(super) fn create(
    c: &Connection,
    endpoint: &EndpointRow,
    secret: &SigningSecret,
    limit: u32,
) -> Result<bool, StoreError> {
    let tenant = endpoint.tenant.map(|tenant| tenant.0);
    let existing: u32 = c
        .prepare_cached("SELECT count(*) FROM endpoints WHERE tenant IS ?1")?
        .query_row([tenant], |row| row.get(0))?;
    if existing >= limit {
        return Ok(false);
    }
    c.prepare_cached(
        "INSERT INTO endpoints (id, tenant, url, types, description, secret, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        endpoint.id,
        tenant,
        endpoint.url,
        // Enclosed in spaces, so that a substring search matches whole types.
        format!(" {} ", endpoint.types.join(" ")),
        endpoint.description,
        secret.expose(),
        endpoint.created_at.0
    ])?;
    Ok(true)
}

/// The endpoints of one tenant, or with `None` those for all tenants.
pub(super) fn list(
    c: &Connection,
    tenant: Option<TenantId>,
    page: PageRequest,
) -> Result<RowPage<EndpointRow>, StoreError> {
    let tenant = tenant.map(|tenant| tenant.0);
    let order = paging::order(page);
    let sql =
        format!("SELECT {COLUMNS} FROM endpoints WHERE tenant IS ?1 ORDER BY created_at {order}, id {order}");
    let count = "SELECT count(*) FROM endpoints WHERE tenant IS ?1";
    paging::list(c, &sql, count, &[&tenant], page, |row| Ok(read(row)?))
}

/// One endpoint.
pub(super) fn show(c: &Connection, id: &str) -> Result<Option<EndpointRow>, StoreError> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM endpoints WHERE id = ?1"))?;
    Ok(statement.query_row([id], read).optional()?)
}

/// Removes an endpoint and its deliveries; `false` if it does not exist. If there are very many deliveries,
/// pruning removes the rest.
pub(super) fn delete(c: &Connection, id: &str) -> Result<bool, StoreError> {
    let deleted = c.prepare_cached("DELETE FROM endpoints WHERE id = ?1")?.execute([id])?;
    remove_deliveries(c, id, REMOVED_AT_ONCE)?;
    Ok(deleted > 0)
}

/// Removes deliveries of an endpoint, and returns how many.
pub(super) fn remove_deliveries(c: &Connection, endpoint: &str, limit: u32) -> Result<usize, StoreError> {
    let removed = c
        .prepare_cached(
            "DELETE FROM deliveries WHERE endpoint = ?1 AND notice IN
                 (SELECT notice FROM deliveries WHERE endpoint = ?1 ORDER BY notice LIMIT ?2)",
        )?
        .execute((endpoint, limit))?;
    Ok(removed)
}

/// Sets a new secret. The previous one also signs until `old_until`. Returns `false` if the endpoint does not
/// exist.
pub(super) fn rotate_secret(
    c: &Connection,
    id: &str,
    secret: &SigningSecret,
    old_until: Timestamp,
) -> Result<bool, StoreError> {
    let changed = c
        .prepare_cached(
            "UPDATE endpoints SET old_secret = secret, old_secret_until = ?3, secret = ?2 WHERE id = ?1",
        )?
        .execute((id, secret.expose(), old_until.0))?;
    Ok(changed > 0)
}

/// Re-enables an endpoint: it receives new notices, and those that became due while it was failing. Returns
/// `false` if it does not exist.
pub(super) fn enable(c: &Connection, id: &str) -> Result<bool, StoreError> {
    let changed = c
        .prepare_cached(
            "UPDATE endpoints SET failing_since = NULL, disabled_at = NULL, disabled_reason = NULL
             WHERE id = ?1",
        )?
        .execute([id])?;
    Ok(changed > 0)
}

/// Records a successful attempt.
pub(super) fn succeeded(c: &Connection, id: &str) -> Result<(), StoreError> {
    c.prepare_cached("UPDATE endpoints SET failing_since = NULL WHERE id = ?1 AND failing_since NOT NULL")?
        .execute([id])?;
    Ok(())
}

/// Records a failed attempt. Disables an endpoint that is `gone`, or whose attempts have all failed since
/// `disable_before` or longer.
pub(super) fn failed(
    c: &Connection,
    id: &str,
    gone: bool,
    disable_before: Timestamp,
    now: Timestamp,
) -> Result<Option<Disabled>, StoreError> {
    let failing_since: Option<i64> = c
        .prepare_cached(
            "UPDATE endpoints SET failing_since = coalesce(failing_since, ?2)
             WHERE id = ?1 AND disabled_at IS NULL RETURNING failing_since",
        )?
        .query_row((id, now.0), |row| row.get(0))
        .optional()?;
    let Some(failing_since) = failing_since else { return Ok(None) };
    let reason = if gone {
        "it answered 410 Gone"
    } else if failing_since <= disable_before.0 {
        "every delivery attempt has failed for three days"
    } else {
        return Ok(None);
    };
    c.prepare_cached("UPDATE endpoints SET disabled_at = ?2, disabled_reason = ?3 WHERE id = ?1")?
        .execute((id, now.0, reason))?;
    Ok(Some(Disabled { endpoint: id.to_owned(), reason: reason.to_owned() }))
}

fn read(row: &Row<'_>) -> rusqlite::Result<EndpointRow> {
    let types: String = row.get(3)?;
    let timestamp = |column| row.get::<_, Option<i64>>(column).map(|at| at.map(Timestamp));
    Ok(EndpointRow {
        id: row.get(0)?,
        tenant: row.get::<_, Option<Uuid>>(1)?.map(TenantId),
        url: row.get(2)?,
        types: types.split_whitespace().map(str::to_owned).collect(),
        description: row.get(4)?,
        created_at: Timestamp(row.get(5)?),
        old_secret_until: timestamp(6)?,
        failing_since: timestamp(7)?,
        disabled_at: timestamp(8)?,
        disabled_reason: row.get(9)?,
    })
}
