//! Payments that wait, when one of them cannot be read.

use std::sync::Arc;

use ledger::{Now, Outcome};

use super::{open, raw};
use crate::conformance::sale::{NOW, Sale, balance, learn};
use crate::folder::Folder;

#[tokio::test]
async fn a_payment_that_cannot_be_read_holds_up_no_other() {
    let folder = Folder::new();
    let path = folder.file("broken");
    let store = open(&path);
    let broken = Sale::new("broken");
    learn(&store, &[broken.paid_by_intent(), Sale::new("a").paid_by_intent()]).await;
    let tampered = raw(&path)
        .execute("UPDATE payments SET knowledge = '{' WHERE key = ?1", [broken.object("pi").as_str()])
        .unwrap();
    assert_eq!(tampered, 1);
    let late = NOW.plus_seconds(300);
    let reviewed = store.review(Arc::default(), Now::trusted(late), 10).await.unwrap();
    assert_eq!(reviewed.iter().map(|one| one.outcome).collect::<Vec<_>>(), [Outcome::Granted]);
    assert_eq!(store.next_due().await.unwrap(), Some(late.plus_seconds(300)), "it is tried again");
    store.apply_events(Vec::new(), Arc::default(), Now::trusted(late.plus_seconds(300))).await.unwrap();
    assert_eq!(learn(&store, &[Sale::new("b").bought()]).await, [Outcome::Granted]);
    assert_eq!(balance(&store, 1).await, [20, 0, 0, 0]);
}
