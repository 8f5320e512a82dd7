//! The log of notices: read in order, and pruned from its old end.

use ledger::{TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::deliveries::read_notice;
use super::endpoints;
use crate::error::StoreError;
use crate::model::{DeliveryHealth, Disabled, NoticeRange, NoticeRow};

/// The maximum number of deliveries to count: a health check must not slow the service down.
const PENDING_COUNTED: u32 = 10_000;
/// The maximum number of disabled endpoints to list.
const DISABLED_SHOWN: u32 = 100;

/// The notices after a sequence number, in order, of one tenant or of all.
pub(super) fn after(
    c: &Connection,
    tenant: Option<TenantId>,
    after: i64,
    limit: u32,
) -> Result<Vec<NoticeRow>, StoreError> {
    let columns = "seq, id, tenant, type, at, data";
    let mut statement = c.prepare_cached(&match tenant {
        Some(_) => {
            format!("SELECT {columns} FROM notices WHERE seq > ?1 AND tenant = ?3 ORDER BY seq LIMIT ?2")
        }
        None => format!("SELECT {columns} FROM notices WHERE seq > ?1 ORDER BY seq LIMIT ?2"),
    })?;
    let rows = match tenant {
        Some(tenant) => statement.query_map((after, limit, tenant.0), read_notice)?.collect(),
        None => statement.query_map((after, limit), read_notice)?.collect::<Result<_, _>>(),
    };
    Ok(rows?)
}

/// The sequence numbers of the stored notices.
pub(super) fn range(c: &Connection) -> Result<NoticeRange, StoreError> {
    let number = |sql: &str| -> Result<i64, StoreError> {
        Ok(c.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?.unwrap_or_default())
    };
    Ok(NoticeRange {
        pruned: number("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'notices_pruned'")?,
        latest: number("SELECT seq FROM sqlite_sequence WHERE name = 'notices'")?,
    })
}

/// Removes notices older than `before` with their deliveries, oldest first, and deliveries of deleted
/// endpoints; at most `limit` of each. Notices that are still due at an enabled endpoint stay. Returns the
/// number of removed notices and orphaned deliveries; 0 when nothing is left to prune.
pub(super) fn prune(c: &Connection, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    let old: Vec<(i64, Uuid)> = c
        .prepare_cached(
            "SELECT seq, tenant FROM notices n WHERE at < ?1 AND NOT EXISTS
                 (SELECT 1 FROM endpoints e CROSS JOIN deliveries d
                  WHERE (e.tenant = n.tenant OR e.tenant IS NULL) AND e.disabled_at IS NULL
                      AND d.endpoint = e.id AND d.notice = n.seq AND d.due_at IS NOT NULL)
             ORDER BY at, seq LIMIT ?2",
        )?
        .query_map((before.0, limit), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (seq, tenant) in &old {
        c.prepare_cached(
            "DELETE FROM deliveries WHERE notice = ?1
             AND endpoint IN (SELECT id FROM endpoints WHERE tenant = ?2 OR tenant IS NULL)",
        )?
        .execute((seq, tenant))?;
        c.prepare_cached("DELETE FROM notices WHERE seq = ?1")?.execute([seq])?;
    }
    if let Some(last) = old.iter().map(|(seq, _)| *seq).max() {
        let last = last.max(range(c)?.pruned);
        c.prepare_cached(
            "INSERT INTO meta (key, value) VALUES ('notices_pruned', ?1)
             ON CONFLICT DO UPDATE SET value = excluded.value",
        )?
        .execute([last.to_string()])?;
    }
    let orphans = match orphaned(c)? {
        Some(endpoint) => endpoints::remove_deliveries(c, &endpoint, limit)?,
        None => 0,
    };
    Ok((old.len() + orphans) as u64)
}

/// A deleted endpoint that still has deliveries, found with one index step per endpoint.
fn orphaned(c: &Connection) -> Result<Option<String>, StoreError> {
    let mut statement = c.prepare_cached(
        "WITH RECURSIVE endpoint_ids(endpoint) AS (
             SELECT min(endpoint) FROM deliveries
             UNION ALL
             SELECT (SELECT min(endpoint) FROM deliveries WHERE endpoint > endpoint_ids.endpoint)
             FROM endpoint_ids WHERE endpoint_ids.endpoint IS NOT NULL)
         SELECT endpoint FROM endpoint_ids
         WHERE endpoint IS NOT NULL AND endpoint NOT IN (SELECT id FROM endpoints) LIMIT 1",
    )?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?)
}

/// The state of endpoints and deliveries.
pub(super) fn health(c: &Connection) -> Result<DeliveryHealth, StoreError> {
    let (endpoints, failing) = c
        .prepare_cached("SELECT count(*), count(failing_since) FROM endpoints WHERE disabled_at IS NULL")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let disabled = c
        .prepare_cached(
            "SELECT id, disabled_reason FROM endpoints WHERE disabled_at IS NOT NULL
             ORDER BY disabled_at DESC LIMIT ?1",
        )?
        .query_map(params![DISABLED_SHOWN], |row| {
            Ok(Disabled {
                endpoint: row.get(0)?,
                reason: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
            })
        })?
        .collect::<Result<_, _>>()?;
    let (pending, next_due) = c
        .prepare_cached(
            "SELECT
                 (SELECT count(*) FROM
                     (SELECT 1 FROM endpoints e CROSS JOIN deliveries d INDEXED BY deliveries_due
                      WHERE e.disabled_at IS NULL AND d.endpoint = e.id AND d.due_at IS NOT NULL LIMIT ?1)),
                 (SELECT min((SELECT min(due_at) FROM deliveries d INDEXED BY deliveries_due
                              WHERE d.endpoint = e.id AND d.due_at IS NOT NULL))
                  FROM endpoints e WHERE e.disabled_at IS NULL)",
        )?
        .query_row([PENDING_COUNTED], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?)))?;
    Ok(DeliveryHealth { endpoints, failing, disabled, pending, next_due: next_due.map(Timestamp) })
}
