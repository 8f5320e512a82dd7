//! Reading one tenant's part of the journal from front to back, a piece at a time: whoever reads slowly holds
//! no connection meanwhile, and the journal is append-only, so the pieces fit.

use ledger::{Balance, TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use super::{book, journal};
use crate::error::StoreError;
use crate::model::{StatementRange, TransactionRow};

/// Where a tenant's lines from one moment to another begin and end. Both are included.
pub(super) fn range(
    c: &Connection,
    tenant: TenantId,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<StatementRange, StoreError> {
    let last = |until: i64| -> Result<(i64, Balance), StoreError> {
        let found = c
            .prepare_cached(
                "SELECT seq, available, held, frozen, debt FROM transactions
                 WHERE tenant = ?1 AND seq <= ?2 ORDER BY seq DESC LIMIT 1",
            )?
            .query_row((tenant.0, until), |row| Ok((row.get(0)?, book::read_balance(row, 1)?)))
            .optional()?;
        Ok(found.unwrap_or_default())
    };
    let (after, opening) = match from {
        Some(from) => last(journal::last_until(c, Timestamp(from.0.saturating_sub(1)))?)?,
        None => (0, Balance::default()),
    };
    let (through, closing) = last(match to {
        Some(to) => journal::last_until(c, to)?,
        None => i64::MAX,
    })?;
    // A range that ends before it begins has no lines.
    Ok(match through < after {
        true => StatementRange { after, through: after, opening, closing: opening },
        false => StatementRange { after, through, opening, closing },
    })
}

/// The next lines of a tenant, in the journal's order.
pub(super) fn lines(
    c: &Connection,
    tenant: TenantId,
    after: i64,
    through: i64,
    limit: u32,
) -> Result<Vec<TransactionRow>, StoreError> {
    let sql = format!(
        "SELECT {}, p.key {} WHERE t.tenant = ?1 AND t.seq > ?2 AND t.seq <= ?3 ORDER BY t.seq LIMIT ?4",
        journal::COLUMNS,
        journal::TABLES
    );
    let mut statement = c.prepare_cached(&sql)?;
    let mut rows = statement.query((tenant.0, after, through, limit))?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        lines.push(TransactionRow { transaction: journal::read(c, row)?, payment_key: row.get(15)? });
    }
    Ok(lines)
}
