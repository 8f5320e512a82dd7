//! The tables of holds and of the lots that they took credits from.

use ledger::{Allocation, Credits, Hold, HoldId, HoldState, LotId, Now, TenantId, Timestamp};
use rusqlite::{Connection, Row, ToSql, params};
use uuid::Uuid;

use super::paging;
use crate::error::StoreError;
use crate::model::{PageRequest, RowPage};

const COLUMNS: &str = "id, tenant, credits, captured, state, reference, created_at, expires_at, resolved_at";

/// A tenant's hold as of `now`; another tenant's hold counts as missing.
pub(super) fn show(
    c: &Connection,
    tenant: TenantId,
    id: HoldId,
    now: Now,
) -> Result<Option<Hold>, StoreError> {
    let found = find(c, id)?.filter(|hold| hold.tenant == tenant);
    Ok(found.map(|hold| as_of(hold, now.ended_by())))
}

/// A tenant's holds as of `now`, by creation time.
pub(super) fn list(
    c: &Connection,
    tenant: TenantId,
    state: Option<HoldState>,
    now: Now,
    page: PageRequest,
) -> Result<RowPage<Hold>, StoreError> {
    let by = now.ended_by();
    let values: [&dyn ToSql; 2] = [&tenant.0, &by.0];
    let (condition, values) = match state {
        None => ("", &values[..1]),
        Some(HoldState::Open) => (" AND state = 'open' AND expires_at > ?2", &values[..]),
        Some(HoldState::Expired) => {
            (" AND (state = 'expired' OR state = 'open' AND expires_at <= ?2)", &values[..])
        }
        Some(HoldState::Captured) => (" AND state = 'captured'", &values[..1]),
        Some(HoldState::Released) => (" AND state = 'released'", &values[..1]),
    };
    let order = paging::order(page);
    let sql = format!(
        "SELECT {COLUMNS} FROM holds WHERE tenant = ?1{condition} ORDER BY created_at {order}, id {order}"
    );
    let count = format!("SELECT count(*) FROM holds WHERE tenant = ?1{condition}");
    paging::list(c, &sql, &count, values, page, |row| Ok(as_of(read(c, row)?, by)))
}

/// The hold with this id, as stored.
pub(super) fn find(c: &Connection, id: HoldId) -> Result<Option<Hold>, StoreError> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM holds WHERE id = ?1"))?;
    let mut rows = statement.query([id.0])?;
    rows.next()?.map(|row| read(c, row)).transpose()
}

/// A tenant's open holds that have ended by `at`, the longest due first.
pub(super) fn due_of(
    c: &Connection,
    tenant: TenantId,
    at: Timestamp,
    limit: u32,
) -> Result<Vec<HoldId>, StoreError> {
    let mut statement = c.prepare_cached(
        "SELECT id FROM holds INDEXED BY open_holds_of_tenant
         WHERE tenant = ?1 AND state = 'open' AND expires_at <= ?2 ORDER BY expires_at LIMIT ?3",
    )?;
    let rows = statement.query_map((tenant.0, at.0, limit), |row| row.get::<_, Uuid>(0).map(HoldId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Inserts a new hold.
pub(super) fn insert(c: &Connection, hold: &Hold) -> Result<(), StoreError> {
    c.prepare_cached("INSERT INTO holds VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?.execute(params![
        hold.id.0,
        hold.tenant.0,
        hold.credits.0,
        hold.captured.0,
        hold.state.as_str(),
        hold.reference,
        hold.created_at.0,
        hold.expires_at.0,
        hold.resolved_at.map(|at| at.0)
    ])?;
    let mut statement = c.prepare_cached("INSERT INTO hold_lots VALUES (?1, ?2, ?3, ?4)")?;
    for (line, taken) in (1_i64..).zip(&hold.lots) {
        statement.execute((hold.id.0, line, taken.lot.0, taken.credits.0))?;
    }
    Ok(())
}

/// Updates the state of a hold. The lots that it took from do not change.
pub(super) fn update(c: &Connection, hold: &Hold) -> Result<(), StoreError> {
    let resolved = hold.resolved_at.map(|at| at.0);
    c.prepare_cached("UPDATE holds SET captured = ?2, state = ?3, resolved_at = ?4 WHERE id = ?1")?
        .execute((hold.id.0, hold.captured.0, hold.state.as_str(), resolved))?;
    Ok(())
}

/// Reads a row of [`COLUMNS`] and the lots of the hold.
fn read(c: &Connection, row: &Row<'_>) -> Result<Hold, StoreError> {
    let id: Uuid = row.get(0)?;
    let state: String = row.get(4)?;
    let state = HoldState::from_name(&state)
        .ok_or_else(|| StoreError::Corrupt(format!("{}: state {state}", HoldId(id))))?;
    let mut statement =
        c.prepare_cached("SELECT lot, credits FROM hold_lots WHERE hold = ?1 ORDER BY line")?;
    let lots = statement
        .query_map([id], |row| Ok(Allocation { lot: LotId(row.get(0)?), credits: Credits(row.get(1)?) }))?
        .collect::<Result<_, _>>()?;
    Ok(Hold {
        id: HoldId(id),
        tenant: TenantId(row.get(1)?),
        credits: Credits(row.get(2)?),
        captured: Credits(row.get(3)?),
        state,
        lots,
        reference: row.get(5)?,
        created_at: Timestamp(row.get(6)?),
        expires_at: Timestamp(row.get(7)?),
        resolved_at: row.get::<_, Option<i64>>(8)?.map(Timestamp),
    })
}

/// A hold is over from its end time on, even before its credits have returned: no command can find it open.
/// The time of their return is not known before.
fn as_of(mut hold: Hold, by: Timestamp) -> Hold {
    if hold.is_open() && hold.expires_at <= by {
        hold.state = HoldState::Expired;
    }
    hold
}
