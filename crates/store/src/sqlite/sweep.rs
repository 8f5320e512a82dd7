//! Ending what ran out of time without anybody asking: holds, whose credits return, and lots, whose credits
//! end. Commands and events do the same for their tenants before they are decided, so no delay of this
//! changes what comes of them.
//! Not here: when to sweep (`engine::sweep`).

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ledger::{HoldId, LotId, Now, TenantId, Timestamp, TransactionKind, expire};
use rusqlite::{Connection, Row};

use super::book;
use super::record::Record;
use crate::error::StoreError;
use crate::model::Expired;

/// Ends up to `limit` holds and as many lots: those that are due the longest. A tenant on whom the rules
/// panic keeps nobody waiting, however much of it is due: it is left out, and others come instead.
pub(super) fn sweep(c: &Connection, now: Now, limit: u32) -> Result<Expired, StoreError> {
    let (mut swept, mut bad) = (Expired::default(), BTreeSet::new());
    loop {
        let before = bad.len();
        let Expired { expired, more } = sweep_but(c, now, limit, &mut bad)?;
        swept = Expired { expired: swept.expired + expired, more };
        // Where that many are bad, it is not they: each step must have an end.
        if bad.len() == before || !more || bad.len() >= limit as usize {
            return Ok(swept);
        }
    }
}

/// The same but for those who are `bad`, to whom it adds.
fn sweep_but(
    c: &Connection,
    now: Now,
    limit: u32,
    bad: &mut BTreeSet<TenantId>,
) -> Result<Expired, StoreError> {
    let mut book = book::empty(c)?;
    let by = now.ended_by();
    let holds = due(
        c,
        "SELECT id, tenant FROM holds WHERE state = 'open' AND expires_at <= ?1 ORDER BY expires_at",
        by,
        (limit, bad),
        |row| row.get(0).map(HoldId),
    )?;
    let lots = due(
        c,
        "SELECT id, tenant FROM lots WHERE available > 0 AND expires_at < 9223372036854775807
         AND expires_at <= ?1 ORDER BY expires_at",
        by,
        (limit, bad),
        |row| row.get(0).map(LotId),
    )?;
    for hold in &holds {
        book::load_hold(c, &mut book, *hold)?;
    }
    for lot in &lots {
        book::load_lot(c, &mut book, *lot)?;
    }
    // Whoever has been due the longest comes first, all of it at once.
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
    let mut record = Record::new(book, now.at);
    let mut swept = Expired { expired: 0, more: holds.len().max(lots.len()) == limit as usize };
    for tenant in tenants {
        let Ok(changes) = catch_unwind(AssertUnwindSafe(|| expire(&record.book, tenant, now))) else {
            tracing::error!(%tenant, "the ledger's rules panicked on what ran out of time");
            bad.insert(tenant);
            continue;
        };
        let lots =
            changes.transactions.iter().filter(|transaction| transaction.kind == TransactionKind::Expired);
        swept.expired += u32::try_from(changes.holds.len() + lots.count()).unwrap_or(u32::MAX);
        record.add(c, &changes)?;
    }
    record.finish(c)?;
    Ok(swept)
}

/// When the next hold or lot ends.
pub(super) fn next(c: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT min(at) FROM (
        SELECT min(expires_at) AS at FROM holds WHERE state = 'open'
        UNION ALL SELECT min(expires_at) FROM lots
            WHERE available > 0 AND expires_at < 9223372036854775807)";
    Ok(c.prepare_cached(sql)?.query_row([], |row| row.get::<_, Option<i64>>(0))?.map(Timestamp))
}

/// What is due, but for those tenants; `sql` says their name second.
fn due<T>(
    c: &Connection,
    sql: &str,
    by: Timestamp,
    (limit, but): (u32, &BTreeSet<TenantId>),
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = c.prepare_cached(sql)?;
    let mut rows = statement.query([by.0])?;
    let mut found = Vec::new();
    while found.len() < limit as usize
        && let Some(row) = rows.next()?
    {
        if !but.contains(&TenantId(row.get(1)?)) {
            found.push(read(row)?);
        }
    }
    Ok(found)
}
