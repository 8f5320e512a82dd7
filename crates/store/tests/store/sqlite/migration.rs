//! A database of an older release opens with everything in it, and does what this release does.

use std::path::Path;

use ledger::chain::hex;
use ledger::knowledge::RefundRank;
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::{open, raw};
use crate::conformance::sale::{Sale, balance, learn};
use crate::conformance::till::{does, spend};
use crate::folder::Folder;

/// The first release's schema. That it is still the one that was released, its checksum tells.
const FIRST: &str = include_str!("../../../src/sqlite/migrations/0001_ledger.sql");

/// What the first release kept, by table, with the columns that it had.
const KEPT: [(&str, &str); 9] = [
    (
        "events",
        "seq, id, type, created, livemode, received_at, last_received_at, deliveries, due_at, attempts,
         outcome, reason, payment, applied_at, body",
    ),
    ("payments", "id, key, tenant, status, knowledge, created_at, updated_at"),
    ("aliases", "object, payment"),
    ("absorbed", "payment, into_payment"),
    ("tenants", "id, available, held, frozen, debt, created_at"),
    ("lots", "id, tenant, payment, purchased_at, granted, revoked, available, held, frozen, freeze_target"),
    (
        "transactions",
        "seq, tenant, kind, cause_kind, cause, cause_by, payment, at, available, held, frozen, debt, hash",
    ),
    ("postings", "seq, line, account, lot, amount"),
    ("quarantine", "id, event, payment, reason, detail, opened_at, closed_at, resolution, closed_by, note"),
];

/// Makes the database that the first release would have made, out of one of this release's that has nothing
/// the first did not know.
fn as_first(from: &Path, to: &Path) {
    let connection = raw(to);
    connection.pragma_update(None, "application_id", 0x4650_6c63).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
             CREATE TABLE migrations (version INTEGER PRIMARY KEY, checksum TEXT NOT NULL) STRICT;
             INSERT INTO meta VALUES ('mode', 'test');",
        )
        .unwrap();
    connection.execute_batch(FIRST).unwrap();
    let sum = hex(&Sha256::digest(FIRST));
    connection.execute("INSERT INTO migrations VALUES (1, ?1)", [sum]).unwrap();
    connection.execute("ATTACH ?1 AS newer", [from.to_str().unwrap()]).unwrap();
    for (table, columns) in KEPT {
        let sql = format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM newer.{table}");
        connection.execute(&sql, []).unwrap_or_else(|error| panic!("{table}: {error}"));
    }
}

/// Every row that the first release kept, as text.
fn rows(path: &Path) -> Vec<String> {
    let connection = raw(path);
    let of = |(table, columns): &(&str, &str)| read(&connection, table, columns);
    KEPT.iter().flat_map(of).collect()
}

fn read(connection: &Connection, table: &str, columns: &str) -> Vec<String> {
    let quoted = columns.split(',').map(|column| format!("quote({column})")).collect::<Vec<_>>();
    let sql = format!("SELECT {} FROM {table} ORDER BY 1", quoted.join(" || ' ' || "));
    let mut statement = connection.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(|row| format!("{table}: {}", row.unwrap())).collect()
}

#[tokio::test]
async fn a_database_of_the_first_release_opens_with_everything_in_it() {
    let folder = Folder::new();
    let (newer, path) = (folder.file("newer.db"), folder.file("a.db"));
    let store = open(&newer);
    let (a, b) = (Sale::new("a"), Sale::new("b").to(2));
    let pending = b.refund(500, RefundRank::Pending);
    learn(&store, &[a.bought(), b.bought(), a.refunded(300), pending]).await;
    learn(&store, &[Sale::new("c").bought_by_nobody()]).await;
    drop(store);
    as_first(&newer, &path);
    let before = rows(&path);
    assert!(before.len() > 20, "{before:#?}");

    let store = open(&path);
    assert_eq!(rows(&path), before);
    let audit = store.audit().await.unwrap();
    assert_eq!((audit.transactions, audit.tenants, audit.lots), (4, 2, 2));
    assert_eq!(audit.faults, [""; 0]);
    // And it goes on as any other: what was bought then can be spent now, and taken back.
    assert_eq!(does(&store, spend(6)).await.unwrap(), "1:6");
    learn(&store, &[a.refunded(1000), Sale::new("d").bought()]).await;
    assert_eq!(balance(&store, 1).await, [4, 0, 0, 0]);
    assert_eq!(balance(&store, 2).await, [5, 0, 5, 0]);
    assert_eq!(store.audit().await.unwrap().faults, [""; 0]);
}
