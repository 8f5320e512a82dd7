//! Expires holds, whose credits return, and lots, whose credits end. Commands and events first expire what is
//! due for their tenants, so a delay here does not change their results. `engine` schedules it.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ledger::{HoldId, LotId, Now, TenantId, Timestamp, TransactionKind, expire};
use rusqlite::{Connection, Row};

use super::book;
use super::write_set::WriteSet;
use crate::error::StoreError;
use crate::model::Expired;

/// Expires up to `limit` holds and up to `limit` lots, the longest due first. A tenant for whom the ledger's
/// rules panic is skipped and does not block the others.
pub(super) fn expire_due(c: &Connection, now: Now, limit: u32) -> Result<Expired, StoreError> {
    let (mut total, mut excluded) = (Expired::default(), BTreeSet::new());
    loop {
        let before = excluded.len();
        let Expired { expired, more } = expire_except(c, now, limit, &mut excluded)?;
        total = Expired { expired: total.expired + expired, more };
        // With this many failing tenants, the tenants are not the cause; the step must end.
        if excluded.len() == before || !more || excluded.len() >= limit as usize {
            return Ok(total);
        }
    }
}

/// Expires what is due except for the `excluded` tenants, and adds tenants that fail to them.
fn expire_except(
    c: &Connection,
    now: Now,
    limit: u32,
    excluded: &mut BTreeSet<TenantId>,
) -> Result<Expired, StoreError> {
    let mut book = book::empty(c)?;
    let by = now.ended_by();
    let holds = due(
        c,
        "SELECT id, tenant FROM holds WHERE state = 'open' AND expires_at <= ?1 ORDER BY expires_at",
        by,
        (limit, excluded),
        |row| row.get(0).map(HoldId),
    )?;
    let lots = due(
        c,
        "SELECT id, tenant FROM lots WHERE available > 0 AND expires_at < 9223372036854775807
         AND expires_at <= ?1 ORDER BY expires_at",
        by,
        (limit, excluded),
        |row| row.get(0).map(LotId),
    )?;
    for hold in &holds {
        book::load_hold(c, &mut book, *hold)?;
    }
    for lot in &lots {
        book::load_lot(c, &mut book, *lot)?;
    }
    // The tenants that have been due longest come first, each with everything that is due.
    let of_holds =
        holds.iter().filter_map(|id| book.holds.get(id)).map(|hold| (hold.expires_at, hold.tenant));
    let of_lots = lots.iter().filter_map(|id| book.lots.get(id)).map(|lot| (lot.burn_order().1, lot.tenant));
    let mut due: Vec<(Timestamp, TenantId)> = of_holds.chain(of_lots).collect();
    due.sort_unstable();
    let mut seen = BTreeSet::new();
    let tenants: Vec<_> = due.into_iter().map(|(_, tenant)| tenant).filter(|id| seen.insert(*id)).collect();
    for tenant in &tenants {
        book::load_totals(c, &mut book, *tenant)?;
    }
    let mut write_set = WriteSet::new(book, now.at);
    let mut total = Expired { expired: 0, more: holds.len().max(lots.len()) == limit as usize };
    for tenant in tenants {
        let Ok(changes) = catch_unwind(AssertUnwindSafe(|| expire(&write_set.book, tenant, now))) else {
            tracing::error!(%tenant, "the ledger's rules panicked while expiring holds and lots");
            excluded.insert(tenant);
            continue;
        };
        let lots =
            changes.transactions.iter().filter(|transaction| transaction.kind == TransactionKind::Expired);
        total.expired += u32::try_from(changes.holds.len() + lots.count()).unwrap_or(u32::MAX);
        write_set.add(c, &changes)?;
    }
    write_set.finish(c)?;
    Ok(total)
}

/// When the next hold or lot expires.
pub(super) fn next(c: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT min(at) FROM (
        SELECT min(expires_at) AS at FROM holds WHERE state = 'open'
        UNION ALL SELECT min(expires_at) FROM lots
            WHERE available > 0 AND expires_at < 9223372036854775807)";
    Ok(c.prepare_cached(sql)?.query_row([], |row| row.get::<_, Option<i64>>(0))?.map(Timestamp))
}

/// The due rows except those of the excluded tenants. The tenant must be the second column of `sql`.
fn due<T>(
    c: &Connection,
    sql: &str,
    by: Timestamp,
    (limit, excluded): (u32, &BTreeSet<TenantId>),
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = c.prepare_cached(sql)?;
    let mut rows = statement.query([by.0])?;
    let mut found = Vec::new();
    while found.len() < limit as usize
        && let Some(row) = rows.next()?
    {
        if !excluded.contains(&TenantId(row.get(1)?)) {
            found.push(read(row)?);
        }
    }
    Ok(found)
}
