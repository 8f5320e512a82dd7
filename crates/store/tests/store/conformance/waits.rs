//! Payments that wait for a session or for a purchase that may never come, and money that is not ours.

use std::sync::Arc;

use ledger::knowledge::RefundRank;
use ledger::{Knowledge, Minor, Now, Outcome, Policy, Reason, Timestamp};
use store::{AppliedEvent, QuarantineFilter, Store, UnrelatedMoney};

use super::sale::{ALL, NOW, Sale, balance, learn, payment};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([review, next_due, event], a_claim_without_a_session_is_judged_after_the_wait),
    case!([review, apply_events], a_session_that_arrives_in_time_ends_the_wait),
    case!([apply_events], a_payment_that_has_waited_is_reviewed_beside_a_batch),
    case!([review, quarantine], a_refund_without_its_purchase_needs_a_person_until_that_arrives),
    case!([unrelated_money, events], money_that_is_not_ours_is_counted_until_it_is),
];

/// When whatever waits for a session has waited long enough.
const IN_VAIN: Timestamp = NOW.plus_seconds(300);

async fn review(store: &Store, now: Timestamp) -> Vec<AppliedEvent> {
    store.review(Arc::default(), Now::trusted(now), 10).await.unwrap()
}

async fn outcome(store: &Store, event: &str) -> Option<Outcome> {
    store.event(event.into()).await.unwrap().unwrap().0.outcome
}

async fn a_claim_without_a_session_is_judged_after_the_wait(store: Store) {
    assert_eq!(learn(&store, &[Sale::new("a").paid_by_intent()]).await, [Outcome::AwaitingPurchase]);
    assert_eq!(store.next_due().await.unwrap(), Some(IN_VAIN));
    assert_eq!(review(&store, IN_VAIN.plus_seconds(-1)).await, []);
    assert_eq!(store.health().await.unwrap().transactions, 0);
    let granted = AppliedEvent { seq: 0, outcome: Outcome::Granted, review: None };
    assert_eq!(review(&store, IN_VAIN).await, [granted]);
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    assert_eq!(outcome(&store, "evt_a_intent").await, Some(Outcome::Granted), "it is why there are credits");
    assert_eq!((store.next_due().await.unwrap(), review(&store, IN_VAIN).await), (None, vec![]));
}

async fn a_session_that_arrives_in_time_ends_the_wait(store: Store) {
    let sale = Sale::new("a");
    let heard = learn(&store, &[sale.paid_by_intent(), sale.bought()]).await;
    assert_eq!(heard, [Outcome::AwaitingPurchase, Outcome::Granted]);
    assert_eq!((store.next_due().await.unwrap(), review(&store, IN_VAIN).await), (None, vec![]));
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
}

async fn a_payment_that_has_waited_is_reviewed_beside_a_batch(store: Store) {
    learn(&store, &[Sale::new("a").paid_by_intent()]).await;
    store.apply_events(Vec::new(), Arc::default(), Now::trusted(IN_VAIN)).await.unwrap();
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
}

async fn a_refund_without_its_purchase_needs_a_person_until_that_arrives(store: Store) {
    let sale = Sale::new("a");
    learn(&store, &[sale.ordered(), sale.refund(1000, RefundRank::Succeeded)]).await;
    let hour = NOW.plus_seconds(Policy::default().reversal_wait);
    assert_eq!(store.next_due().await.unwrap(), Some(hour));
    let reviewed = review(&store, hour).await;
    let reasons: Vec<_> = reviewed.iter().filter_map(|one| Some(one.review.as_ref()?.reason)).collect();
    assert_eq!(reasons, [Reason::ReversalUnmatched]);
    let open = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap();
    assert_eq!((open.total, open.rows[0].purchase.amount), (1, Some(Minor(1000))));
    assert_eq!(learn(&store, &[sale.charged()]).await, [Outcome::Granted]);
    assert_eq!(store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().total, 0);
    assert_eq!(balance(&store, 1).await, [0; 4], "granted, and revoked at once");
}

async fn money_that_is_not_ours_is_counted_until_it_is(store: Store) {
    let sales = ["a", "b"].map(Sale::new);
    assert_eq!(learn(&store, &sales.each_ref().map(Sale::charged)).await, [Outcome::Ignored; 2]);
    let expired = Knowledge { expired: true, ..Knowledge::default() };
    assert_eq!(learn(&store, &[Sale::new("z").fact("expired", expired)]).await, [Outcome::Ignored]);
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
    learn(&store, &[sales[0].bought()]).await;
    assert_eq!(store.unrelated_money().await.unwrap(), money(1, 1000));
    // What had been ignored is about a purchase of ours now; the other is not.
    assert_eq!(outcome(&store, "evt_a_charged").await, Some(Outcome::AwaitingPurchase));
    assert_eq!(outcome(&store, "evt_b_charged").await, Some(Outcome::Ignored));
    assert_eq!(payment(&store, &sales[1].object("pi")).await.status.as_str(), "unrelated");
}
