//! Payments that wait for a session or a purchase, and unrelated payments.

use std::sync::Arc;

use ledger::knowledge::RefundRank;
use ledger::{Knowledge, Minor, Now, Outcome, Policy, Reason, Timestamp};
use store::{AppliedEvent, QuarantineFilter, Store, UnrelatedMoney};

use super::test_purchase::{ALL, NOW, TestPurchase, apply, balance, payment};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([review, next_due, event], a_claim_without_a_session_is_decided_after_the_wait),
    case!([review, apply_events], a_session_that_arrives_in_time_ends_the_wait),
    case!([apply_events], an_ended_wait_is_reviewed_with_a_batch),
    case!([review, quarantine], a_refund_without_its_purchase_is_quarantined_until_that_arrives),
    case!([unrelated_money, events], unrelated_payments_are_counted_until_they_become_ours),
];

/// When a wait for a session ends.
const IN_VAIN: Timestamp = NOW.plus_seconds(300);

async fn review(store: &Store, now: Timestamp) -> Vec<AppliedEvent> {
    store.review(Arc::default(), Now::trusted(now), 10).await.unwrap()
}

async fn outcome(store: &Store, event: &str) -> Option<Outcome> {
    store.event(event.into()).await.unwrap().unwrap().0.outcome
}

async fn a_claim_without_a_session_is_decided_after_the_wait(store: Store) {
    assert_eq!(apply(&store, &[TestPurchase::new("a").paid_by_intent()]).await, [Outcome::AwaitingPurchase]);
    assert_eq!(store.next_due().await.unwrap(), Some(IN_VAIN));
    assert_eq!(review(&store, IN_VAIN.plus_seconds(-1)).await, []);
    assert_eq!(store.health().await.unwrap().transactions, 0);
    let granted = AppliedEvent { seq: 0, outcome: Outcome::Granted, review: None };
    assert_eq!(review(&store, IN_VAIN).await, [granted]);
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    assert_eq!(outcome(&store, "evt_a_intent").await, Some(Outcome::Granted), "it led to the grant");
    assert_eq!((store.next_due().await.unwrap(), review(&store, IN_VAIN).await), (None, vec![]));
}

async fn a_session_that_arrives_in_time_ends_the_wait(store: Store) {
    let purchase = TestPurchase::new("a");
    let heard = apply(&store, &[purchase.paid_by_intent(), purchase.bought()]).await;
    assert_eq!(heard, [Outcome::AwaitingPurchase, Outcome::Granted]);
    assert_eq!((store.next_due().await.unwrap(), review(&store, IN_VAIN).await), (None, vec![]));
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
}

async fn an_ended_wait_is_reviewed_with_a_batch(store: Store) {
    apply(&store, &[TestPurchase::new("a").paid_by_intent()]).await;
    store.apply_events(Vec::new(), Arc::default(), Now::trusted(IN_VAIN)).await.unwrap();
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
}

async fn a_refund_without_its_purchase_is_quarantined_until_that_arrives(store: Store) {
    let purchase = TestPurchase::new("a");
    apply(&store, &[purchase.completed_unpaid(), purchase.refund(1000, RefundRank::Succeeded)]).await;
    let hour = NOW.plus_seconds(Policy::default().reversal_wait);
    assert_eq!(store.next_due().await.unwrap(), Some(hour));
    let reviewed = review(&store, hour).await;
    let reasons: Vec<_> = reviewed.iter().filter_map(|one| Some(one.review.as_ref()?.reason)).collect();
    assert_eq!(reasons, [Reason::ReversalUnmatched]);
    let open = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap();
    assert_eq!((open.total, open.rows[0].purchase.amount), (1, Some(Minor(1000))));
    assert_eq!(apply(&store, &[purchase.charged()]).await, [Outcome::Granted]);
    assert_eq!(store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().total, 0);
    assert_eq!(balance(&store, 1).await, [0; 4], "granted and immediately revoked");
}

async fn unrelated_payments_are_counted_until_they_become_ours(store: Store) {
    let purchases = ["a", "b"].map(TestPurchase::new);
    assert_eq!(apply(&store, &purchases.each_ref().map(TestPurchase::charged)).await, [Outcome::Ignored; 2]);
    let expired = Knowledge { expired: true, ..Knowledge::default() };
    assert_eq!(apply(&store, &[TestPurchase::new("z").fact("expired", expired)]).await, [Outcome::Ignored]);
    let money = |payments, amount| vec![UnrelatedMoney { currency: None, payments, amount: Minor(amount) }];
    assert_eq!(store.unrelated_money().await.unwrap(), money(2, 2000));
    assert_eq!(
        store
            .quarantine(QuarantineFilter { all: true, ..QuarantineFilter::default() }, ALL)
            .await
            .unwrap()
            .total,
        0
    );
    apply(&store, &[purchases[0].bought()]).await;
    assert_eq!(store.unrelated_money().await.unwrap(), money(1, 1000));
    // The ignored event is now about a purchase of ours; the other one is not.
    assert_eq!(outcome(&store, "evt_a_charged").await, Some(Outcome::AwaitingPurchase));
    assert_eq!(outcome(&store, "evt_b_charged").await, Some(Outcome::Ignored));
    assert_eq!(payment(&store, &purchases[1].object("pi")).await.status.as_str(), "unrelated");
}
