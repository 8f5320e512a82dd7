//! The journal refuses changes, and the audit finds changes that were made anyway.

use ledger::Now;
use rusqlite::Connection;
use store::{Expired, Store};

use super::{open, raw};
use crate::conformance::command_requests::{capture, execute, execute_new, hold, hold_for, request_by};
use crate::conformance::test_purchase::{NOW, TestPurchase, apply, balance, tenant};
use crate::folder::Folder;

/// Three transactions of tenant 1 and two of tenant 2.
async fn some_transactions(store: &Store) {
    let (a, b) = (TestPurchase::new("a"), TestPurchase::new("b").for_tenant(2));
    apply(store, &[a.bought(), b.bought(), a.refunded(300), b.refunded(100), a.refunded(400)]).await;
}

#[tokio::test]
async fn the_journal_cannot_be_changed() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let store = open(&path);
    some_transactions(&store).await;
    let connection = raw(&path);
    for statement in [
        "UPDATE transactions SET available = 99 WHERE seq = 1",
        "UPDATE transactions SET seq = 99 WHERE seq = 5",
        "DELETE FROM transactions WHERE seq = 5",
        "DELETE FROM transactions",
        "UPDATE postings SET amount = 99",
        "DELETE FROM postings WHERE seq = 5",
    ] {
        let refused = connection.execute(statement, []).expect_err(statement).to_string();
        assert!(refused.contains("the journal is append-only"), "{statement}: {refused}");
    }
    assert_eq!(store.audit().await.unwrap().faults, [""; 0]);
}

#[tokio::test]
async fn the_audit_finds_forged_transactions() {
    let sums = "does not sum to zero";
    let chain = "does not match its hash";
    let stated = "states a balance that does not match its postings";
    let stored = "the stored balance is not the sum of the postings";
    let figures = "the stored figures are not the sum of the postings";
    let table: &[(&str, &[&str])] = &[
        (
            "UPDATE postings SET amount = 99 WHERE seq = 1 AND line = 2",
            &[sums, chain, stated, stored, figures],
        ),
        ("UPDATE postings SET amount = amount * 2 WHERE seq = 1", &[chain, stated, stored, figures]),
        ("UPDATE postings SET amount = 9223372036854775807", &[sums, chain, stated, stored, figures]),
        ("UPDATE postings SET amount = -9223372036854775807 - 1", &[sums, chain, stated, stored, figures]),
        ("UPDATE postings SET lot = 2 WHERE seq = 1 AND line = 1", &[chain, figures]),
        (
            "UPDATE postings SET account = 'frozen' WHERE seq = 1 AND line = 2",
            &[chain, stated, stored, figures],
        ),
        ("DELETE FROM postings WHERE seq = 5", &[chain, stated]),
        ("DELETE FROM postings WHERE seq = 5 AND line = 1", &[sums, chain]),
        ("INSERT INTO postings VALUES (77, 1, 'available', 1, 5)", &["1 postings belong to no transaction"]),
        ("UPDATE transactions SET available = 99 WHERE seq = 3", &["transaction 3 does not match", stated]),
        ("UPDATE transactions SET debt = 1 WHERE seq = 5", &["transaction 5 does not match", stated]),
        ("UPDATE transactions SET at = at + 1 WHERE seq = 2", &["transaction 2 does not match its hash"]),
        ("UPDATE transactions SET kind = 'spent' WHERE seq = 3", &["transaction 3 does not match its hash"]),
        ("UPDATE transactions SET cause = 'evt_x' WHERE seq = 3", &["transaction 3 does not match its hash"]),
        ("UPDATE transactions SET payment = 2 WHERE seq = 1", &["transaction 1 does not match its hash"]),
        ("UPDATE transactions SET payment = NULL WHERE seq = 1", &["transaction 1 does not match its hash"]),
        ("UPDATE transactions SET hash = zeroblob(32) WHERE seq = 2", &["transaction 2", "transaction 3"]),
        ("UPDATE transactions SET tenant = zeroblob(16) WHERE seq = 5", &[chain, stated, stored, "no row"]),
        (
            "DELETE FROM transactions WHERE seq = 2",
            &["transaction 2 is missing", "transaction 3", "no transaction"],
        ),
        ("DELETE FROM transactions WHERE seq = 5", &["2 postings belong to no transaction", stored, figures]),
        ("DELETE FROM transactions WHERE seq = 5; DELETE FROM postings WHERE seq = 5", &[stored, figures]),
        ("DELETE FROM transactions; DELETE FROM postings", &[stored, figures]),
        ("UPDATE transactions SET seq = 9 WHERE seq = 5", &["transaction 5 is missing"]),
        ("UPDATE tenants SET available = available + 1", &[stored]),
        ("UPDATE tenants SET debt = 5", &[stored]),
        ("DELETE FROM tenants", &["has postings and no row"]),
        (
            "INSERT INTO tenants (id, available, created_at) VALUES (zeroblob(16), 5, 0)",
            &["tenant 00000000-", stored],
        ),
        ("UPDATE lots SET available = available + 1 WHERE id = 1", &["lot 1", figures]),
        ("UPDATE lots SET revoked = 0 WHERE id = 1", &["lot 1", figures]),
        ("UPDATE lots SET tenant = (SELECT tenant FROM lots WHERE id = 2) WHERE id = 1", &["lot 1", figures]),
        ("DELETE FROM lots WHERE id = 2", &["lot 2", "has postings and no row"]),
    ];
    let folder = Folder::new();
    for (number, (forgery, expected)) in table.iter().enumerate() {
        let path = folder.file(&number.to_string());
        let store = open(&path);
        some_transactions(&store).await;
        forge(&raw(&path), forgery);
        let faults = store.audit().await.unwrap().faults;
        for text in *expected {
            assert!(faults.iter().any(|fault| fault.contains(text)), "{forgery}\nno '{text}' in {faults:#?}");
        }
    }
}

/// An open hold of four credits, and one of two credits that was partly captured: transactions 2, 3 and 4.
#[tokio::test]
async fn the_audit_finds_forged_holds() {
    let differs = "differs from the journal";
    let count = "holds are stored, and the journal created";
    let table: &[(&str, &[&str])] = &[
        ("UPDATE holds SET credits = 5 WHERE state = 'open'", &[differs]),
        ("UPDATE holds SET state = 'released', resolved_at = 1 WHERE state = 'open'", &[differs]),
        ("UPDATE holds SET state = 'open', resolved_at = NULL, captured = 0", &[differs]),
        ("UPDATE holds SET state = 'expired' WHERE state = 'captured'", &[differs]),
        ("UPDATE holds SET captured = 2 WHERE state = 'captured'", &[differs]),
        ("UPDATE holds SET tenant = zeroblob(16)", &[differs]),
        ("UPDATE holds SET created_at = created_at + 1", &[differs]),
        ("UPDATE holds SET resolved_at = resolved_at + 1", &[differs]),
        ("UPDATE hold_lots SET credits = credits + 1", &[differs]),
        ("UPDATE hold_lots SET lot = 7", &[differs]),
        ("DELETE FROM hold_lots", &[differs]),
        ("DELETE FROM holds WHERE state = 'open'", &["is in the journal and has no row"]),
        ("DELETE FROM holds WHERE state = 'captured'", &["is in the journal and has no row"]),
        ("INSERT INTO holds VALUES (zeroblob(16), zeroblob(16), 1, 0, 'open', NULL, 0, 0, NULL)", &[count]),
        ("UPDATE transactions SET hold = NULL WHERE seq = 2", &["does not name its hold", count]),
        ("UPDATE transactions SET hold = zeroblob(16) WHERE seq = 4", &["which was never created", differs]),
        ("UPDATE transactions SET kind = 'spent' WHERE seq = 2", &["transaction 2 moves held", count]),
        ("UPDATE postings SET amount = 9223372036854775807", &["as a whole", differs]),
        ("UPDATE postings SET lot = 2 WHERE seq = 4", &["transaction 4 does not end"]),
    ];
    let folder = Folder::new();
    for (number, (forgery, expected)) in table.iter().enumerate() {
        let path = folder.file(&number.to_string());
        let store = open(&path);
        apply(&store, &[TestPurchase::new("a").bought()]).await;
        for action in [hold(1, 4), hold(2, 2), capture(2, Some(1))] {
            execute_new(&store, action).await.unwrap();
        }
        assert_eq!(store.audit().await.unwrap().faults, [""; 0]);
        forge(&raw(&path), forgery);
        let faults = store.audit().await.unwrap().faults;
        for text in *expected {
            assert!(faults.iter().any(|fault| fault.contains(text)), "{forgery}\nno '{text}' in {faults:#?}");
        }
    }
}

#[tokio::test]
async fn unknown_stored_values_end_the_audit_with_an_error() {
    let table = [
        ("UPDATE transactions SET kind = 'gift' WHERE seq = 2", "transaction 2: kind gift"),
        ("UPDATE postings SET account = 'pocket' WHERE seq = 3", "transaction 3: account pocket"),
    ];
    let folder = Folder::new();
    for (number, (forgery, expected)) in table.into_iter().enumerate() {
        let path = folder.file(&number.to_string());
        let store = open(&path);
        some_transactions(&store).await;
        forge(&raw(&path), forgery);
        let error = store.audit().await.unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains("cannot read"), "{forgery}: {error}");
    }
}

/// For a tenant that holds more than it has, the ledger's rules panic.
#[tokio::test]
async fn a_tenant_that_cannot_be_expired_does_not_block_others() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let store = open(&path);
    for (tenant_number, lasts) in [(1, 10), (2, 20), (3, 30)] {
        let purchase = TestPurchase::new(format!("s{tenant_number}")).for_tenant(tenant_number);
        apply(&store, &[purchase.bought()]).await;
        for number in 0..3 {
            let hold = hold_for(10 * tenant_number + number, 1, lasts);
            let request = request_by(tenant(tenant_number), &number.to_string(), hold);
            execute(&store, request, NOW).await.unwrap();
        }
    }
    for forged in ["UPDATE tenants SET held = 0 WHERE id = ?1", "UPDATE tenants SET held = 3 WHERE id = ?1"] {
        raw(&path).execute(forged, [tenant(1).0]).unwrap();
        let expired = store.expire_due(Now::trusted(NOW.plus_seconds(60)), 2).await.unwrap();
        assert_eq!(expired, Expired { expired: 2, more: true }, "{forged}");
    }
    assert_eq!(balance(&store, 2).await, [9, 1, 0, 0]);
    assert_eq!(balance(&store, 1).await, [9, 1, 0, 0], "after the repair, it is expired too");
}

/// The list of faults is limited, and so is the time that it takes.
#[tokio::test]
async fn an_audit_lists_a_limited_number_of_faults() {
    let folder = Folder::new();
    let path = folder.file("a.db");
    let store = open(&path);
    let purchases = (0..30).map(|number| TestPurchase::new(format!("s{number}")).bought());
    apply(&store, &purchases.collect::<Vec<_>>()).await;
    for number in 0..30 {
        execute_new(&store, hold(number, 1)).await.unwrap();
    }
    for ruin in ["DELETE FROM hold_lots", "UPDATE transactions SET hash = zeroblob(32)"] {
        forge(&raw(&path), ruin);
        assert_eq!(store.audit().await.unwrap().faults.len(), 20, "{ruin}");
    }
}

/// Changes the file as somebody with access to it can.
fn forge(connection: &Connection, sql: &str) {
    connection
        .execute_batch(
            "DROP TRIGGER IF EXISTS transactions_are_final; DROP TRIGGER IF EXISTS transactions_are_kept;
             DROP TRIGGER IF EXISTS postings_are_final; DROP TRIGGER IF EXISTS postings_are_kept;",
        )
        .unwrap();
    connection.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}
