//! Reads a page of rows and counts all rows.

use rusqlite::{Connection, Row, ToSql};

use crate::error::StoreError;
use crate::model::{PageRequest, RowPage};

/// The sort direction in SQL.
pub(super) fn order(page: PageRequest) -> &'static str {
    if page.ascending { "ASC" } else { "DESC" }
}

/// Runs `sql`, which must end with its ORDER BY, for one page, and `count` for the total. Both take `values`.
pub(super) fn list<T>(
    c: &Connection,
    sql: &str,
    count: &str,
    values: &[&dyn ToSql],
    page: PageRequest,
    read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<RowPage<T>, StoreError> {
    let offset = i64::from(page.number.saturating_sub(1)).saturating_mul(i64::from(page.size));
    // Both are integers, so they can be part of the SQL text.
    let mut statement = c.prepare(&format!("{sql} LIMIT {} OFFSET {offset}", page.size))?;
    let mut cursor = statement.query(values)?;
    let mut rows = Vec::new();
    while let Some(row) = cursor.next()? {
        rows.push(read(row)?);
    }
    let total = c.prepare(count)?.query_row(values, |row| row.get(0))?;
    Ok(RowPage { rows, total })
}
