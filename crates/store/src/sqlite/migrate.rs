//! Numbered, embedded migrations. Each is applied once, in a transaction of its own, and recorded with a
//! checksum. A release adds files here and never edits a released one.

use std::path::Path;

use ledger::chain::hex;
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::wal_link;
use crate::error::OpenError;

const MIGRATIONS: &[(i64, &str)] =
    &[(1, include_str!("migrations/0001_ledger.sql")), (2, include_str!("migrations/0002_credits_api.sql"))];

const HISTORY: &str = "
    CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT;";

/// The schema that this release writes.
pub const NEWEST: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

/// Refuses a schema that is newer than this release, or whose migrations differ from ours. Changes nothing.
pub(super) fn check(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    for (version, checksum) in applied(connection) {
        let Some((_, sql)) = MIGRATIONS.iter().find(|(known, _)| *known == version) else {
            return Err(OpenError::TooNew { path: path.to_owned(), found: version, known: NEWEST });
        };
        if checksum != sum(sql) {
            return Err(OpenError::MigrationChanged { path: path.to_owned(), version });
        }
    }
    Ok(())
}

/// Applies the missing migrations.
pub(super) fn run(path: &Path, connection: &mut Connection) -> Result<(), OpenError> {
    let sqlite = |error: rusqlite::Error| OpenError::sqlite(path, &error);
    connection.execute_batch(HISTORY).map_err(sqlite)?;
    let done = applied(connection);
    for (version, sql) in MIGRATIONS.iter().filter(|(version, _)| !done.iter().any(|(d, _)| d == version)) {
        let transaction = connection.transaction().map_err(sqlite)?;
        transaction.execute_batch(sql).map_err(sqlite)?;
        transaction
            .execute("INSERT INTO migrations (version, checksum) VALUES (?1, ?2)", (version, sum(sql)))
            .map_err(sqlite)?;
        transaction.execute(wal_link::ADVANCE, []).map_err(sqlite)?;
        transaction.commit().map_err(sqlite)?;
    }
    Ok(())
}

/// The applied migrations; none if the table is missing, as in a new file.
fn applied(connection: &Connection) -> Vec<(i64, String)> {
    let rows = connection.prepare("SELECT version, checksum FROM migrations ORDER BY version").and_then(
        |mut query| query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>(),
    );
    rows.unwrap_or_default()
}

fn sum(sql: &str) -> String {
    hex(&Sha256::digest(sql))
}
