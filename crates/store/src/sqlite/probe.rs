//! A small write that tells whether anything can be stored at all. It changes nothing that anybody reads.

use rusqlite::Connection;

use crate::error::StoreError;

/// Large enough that it does not fit into what is left of a page.
const BYTES: i64 = 16 * 1024;

/// Writes the one row anew.
pub(super) fn write(c: &Connection) -> Result<(), StoreError> {
    c.prepare_cached("INSERT OR REPLACE INTO write_probe (id, content) VALUES (1, zeroblob(?1))")?
        .execute([BYTES])?;
    Ok(())
}
