//! A small write that shows whether anything can be stored. No other code reads it.

use rusqlite::Connection;

use crate::error::StoreError;

/// Larger than the free space that may be left on a page.
const BYTES: i64 = 16 * 1024;

/// Replaces the only row.
pub(super) fn write(c: &Connection) -> Result<(), StoreError> {
    c.prepare_cached("INSERT OR REPLACE INTO write_check (id, content) VALUES (1, zeroblob(?1))")?
        .execute([BYTES])?;
    Ok(())
}
