//! Waiting payments, if one of them cannot be read.

use std::sync::Arc;

use ledger::{Now, Outcome};

use super::{open, raw};
use crate::conformance::test_purchase::{NOW, TestPurchase, apply, balance};
use crate::folder::Folder;

#[tokio::test]
async fn an_unreadable_payment_does_not_block_others() {
    let folder = Folder::new();
    let path = folder.file("broken");
    let store = open(&path);
    let broken = TestPurchase::new("broken");
    apply(&store, &[broken.paid_by_intent(), TestPurchase::new("a").paid_by_intent()]).await;
    let tampered = raw(&path)
        .execute("UPDATE payments SET knowledge = '{' WHERE key = ?1", [broken.object("pi").as_str()])
        .unwrap();
    assert_eq!(tampered, 1);
    let late = NOW.plus_seconds(300);
    let reviewed = store.review(Arc::default(), Now::trusted(late), 10).await.unwrap();
    assert_eq!(reviewed.iter().map(|one| one.outcome).collect::<Vec<_>>(), [Outcome::Granted]);
    assert_eq!(store.next_due().await.unwrap(), Some(late.plus_seconds(300)), "it is retried");
    store.apply_events(Vec::new(), Arc::default(), Now::trusted(late.plus_seconds(300))).await.unwrap();
    assert_eq!(apply(&store, &[TestPurchase::new("b").bought()]).await, [Outcome::Granted]);
    assert_eq!(balance(&store, 1).await, [20, 0, 0, 0]);
}
