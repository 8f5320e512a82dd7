//! Reads one tenant's transactions in order, in chunks: a slow reader holds no connection between them, and
//! the chunks are consistent because the journal is append-only.

use ledger::{Balance, TenantId, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use super::{book, journal};
use crate::error::StoreError;
use crate::model::{StatementRange, TransactionRow};

/// The range of a tenant's transactions between two times, both included.
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
    // A range whose end is before its start is empty.
    Ok(match through < after {
        true => StatementRange { after, through: after, opening, closing: opening },
        false => StatementRange { after, through, opening, closing },
    })
}

/// A tenant's next transactions, in journal order.
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
