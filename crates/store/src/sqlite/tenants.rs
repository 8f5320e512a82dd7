//! Tenants as operators see them: lists, counts, and settings.

use ledger::{Credits, Now, TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};
use uuid::Uuid;

use super::{book, paging};
use crate::error::StoreError;
use crate::model::{PageRequest, RowPage, TenantChange, TenantDetail, TenantFilter, TenantRow};

const COLUMNS: &str = "id, name, available, held, frozen, debt, low_balance, created_at";

/// Tenants by creation time.
pub(super) fn list(
    c: &Connection,
    filter: TenantFilter,
    page: PageRequest,
) -> Result<RowPage<TenantRow>, StoreError> {
    let mut conditions = vec!["1"];
    conditions.extend(filter.debt.then_some("debt > 0"));
    conditions.extend(filter.low.then_some("available < low_balance"));
    let (matching, order) = (conditions.join(" AND "), paging::order(page));
    let sql =
        format!("SELECT {COLUMNS} FROM tenants WHERE {matching} ORDER BY created_at {order}, id {order}");
    let count = format!("SELECT count(*) FROM tenants WHERE {matching}");
    paging::list(c, &sql, &count, &[], page, |row| Ok(read(row)?))
}

/// One tenant with its counts.
pub(super) fn detail(c: &Connection, id: TenantId, now: Now) -> Result<Option<TenantDetail>, StoreError> {
    let Some(row) = find(c, id)? else { return Ok(None) };
    let count = |sql: &str| -> Result<i64, StoreError> {
        Ok(c.prepare_cached(sql)?.query_row([id.0], |row| row.get(0))?)
    };
    let open_holds = c
        .prepare_cached(
            "SELECT count(*) FROM holds WHERE tenant = ?1 AND state = 'open' AND expires_at > ?2",
        )?
        .query_row((id.0, now.ended_by().0), |row| row.get(0))?;
    Ok(Some(TenantDetail {
        row,
        open_holds,
        lots: count("SELECT count(*) FROM lots WHERE tenant = ?1")?,
        quarantined: count(
            "SELECT count(*) FROM quarantine q JOIN payments p ON p.id = q.payment
             WHERE q.closed_at IS NULL AND p.tenant = ?1",
        )?,
    }))
}

/// Changes what operators set; `None` if the tenant is unknown.
pub(super) fn set(
    c: &Connection,
    id: TenantId,
    change: &TenantChange,
) -> Result<Option<TenantRow>, StoreError> {
    if let Some(name) = &change.name {
        c.prepare_cached("UPDATE tenants SET name = ?2 WHERE id = ?1")?.execute((id.0, name))?;
    }
    if let Some(low) = change.low_balance {
        let low = low.map(|credits| credits.0);
        c.prepare_cached("UPDATE tenants SET low_balance = ?2 WHERE id = ?1")?.execute((id.0, low))?;
    }
    find(c, id)
}

fn find(c: &Connection, id: TenantId) -> Result<Option<TenantRow>, StoreError> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM tenants WHERE id = ?1"))?;
    Ok(statement.query_row([id.0], read).optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<TenantRow> {
    Ok(TenantRow {
        id: TenantId(row.get::<_, Uuid>(0)?),
        name: row.get(1)?,
        balance: book::read_balance(row, 2)?,
        low_balance: row.get::<_, Option<i64>>(6)?.map(Credits),
        created_at: Timestamp(row.get(7)?),
    })
}
