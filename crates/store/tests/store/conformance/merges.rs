//! Payments that turn out to be one: their history stays, under the merged payment.

use std::collections::{BTreeMap, BTreeSet};

use ledger::knowledge::ChargeFacts;
use ledger::{Fact, Knowledge, Minor, Outcome, PaymentId, PaymentStatus, Reason, TransactionKind};
use store::{EventFilter, QuarantineFilter, Store, TransactionFilter};

use super::action_requests::{self, grant};
use super::test_purchase::{ALL, NOW, TestPurchase, apply, balance, payment, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([apply_events, payment, payments, events], facts_stored_under_another_payment_join_their_purchase),
    case!([apply_events], facts_of_another_payment_join_their_purchase_within_one_batch),
    case!([apply_events, transactions, lots, payments], credits_of_two_merged_payments_are_granted_once),
    case!([apply_events, transactions, lots], a_payment_merged_twice_is_found_under_the_last),
    case!([apply_events, quarantine, quarantine_item], an_open_item_moves_to_the_merged_payment),
    case!([apply_events, request_action, quarantine_item], an_item_that_the_other_payment_settles_is_cleared),
];

/// A fact that names the session but not the payment intent.
pub(super) fn bought_without_intent(purchase: &TestPurchase) -> Fact {
    without_intent(purchase.bought())
}

fn without_intent(fact: Fact) -> Fact {
    let knowledge = Knowledge { payment_intents: BTreeSet::new(), ..fact.knowledge };
    Fact { knowledge, ..fact }
}

/// A fact that links the session and the charge to the payment intent.
fn linked(purchase: &TestPurchase) -> Fact {
    let sessions = BTreeSet::from([purchase.object("cs")]);
    let charges = BTreeMap::from([(purchase.object("ch"), ChargeFacts::default())]);
    purchase.fact("linked", Knowledge { sessions, charges, ..Knowledge::default() })
}

/// A partly refunded charge that names no payment intent.
fn refunded_without_intent(purchase: &TestPurchase) -> Fact {
    let charge = ChargeFacts { refunded: Minor(300), ..ChargeFacts::default() };
    let charges = BTreeMap::from([(purchase.object("ch"), charge)]);
    purchase.fact_without_intent("refunded", Knowledge { charges, ..Knowledge::default() })
}

async fn facts_stored_under_another_payment_join_their_purchase(store: Store) {
    let purchase = TestPurchase::new("a");
    let waits = [bought_without_intent(&purchase), refunded_without_intent(&purchase)];
    assert_eq!(apply(&store, &waits).await, [Outcome::Granted, Outcome::Ignored]);
    assert_eq!(store.payments(None, None, ALL).await.unwrap().total, 2);
    assert_eq!(payment(&store, &purchase.object("cs")).await.key, "cs_a");

    assert_eq!(apply(&store, &[linked(&purchase)]).await, [Outcome::Revoked]);
    assert_eq!(balance(&store, 1).await, [7, 0, 0, 0]);
    assert_eq!(store.payments(None, None, ALL).await.unwrap().total, 1);
    for kind in ["pi", "cs", "ch"] {
        let row = payment(&store, &purchase.object(kind)).await;
        assert_eq!((row.id, row.key.as_str()), (PaymentId(1), "pi_a"), "by its {kind}");
        assert_eq!(row.status, PaymentStatus::PartlyRefunded);
    }
    let of_payment = EventFilter { payment: Some(PaymentId(1)), ..EventFilter::default() };
    let events = store.events(of_payment, ALL).await.unwrap();
    assert_eq!(events.total, 3);
    assert!(events.rows.iter().all(|event| event.payment.as_deref() == Some("pi_a")), "{events:?}");

    apply(&store, &[TestPurchase::new("b").bought()]).await;
    let next = payment(&store, &"pi_b".into()).await.id;
    assert_eq!(next, PaymentId(3), "the id of a merged payment is never reused");
}

async fn facts_of_another_payment_join_their_purchase_within_one_batch(store: Store) {
    let purchase = TestPurchase::new("a");
    let facts = [
        refunded_without_intent(&purchase),
        bought_without_intent(&purchase),
        linked(&purchase),
        purchase.refunded(500),
    ];
    let expected = [Outcome::Ignored, Outcome::Granted, Outcome::Revoked, Outcome::Revoked];
    assert_eq!(apply(&store, &facts).await, expected);
    assert_eq!(balance(&store, 1).await, [5, 0, 0, 0]);
    assert_eq!(store.payments(None, None, ALL).await.unwrap().total, 1);
}

async fn credits_of_two_merged_payments_are_granted_once(store: Store) {
    let (first, second) = (TestPurchase::new("a"), TestPurchase::new("b"));
    apply(&store, &[bought_without_intent(&first), bought_without_intent(&second)]).await;
    assert_eq!(balance(&store, 1).await, [20, 0, 0, 0]);
    // Two sessions of one payment intent, on the same terms: one purchase.
    let sessions = BTreeSet::from([first.object("cs"), second.object("cs")]);
    let same = first.fact("same", Knowledge { sessions, ..Knowledge::default() });
    assert_eq!(apply(&store, &[same]).await, [Outcome::Revoked]);
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);

    let of_payment = TransactionFilter { payment: Some(PaymentId(1)), ..TransactionFilter::default() };
    let history = store.transactions(of_payment, ALL).await.unwrap();
    let lines: Vec<_> = history
        .rows
        .iter()
        .map(|row| (row.transaction.kind, row.transaction.payment, row.payment_key.as_deref()))
        .collect();
    let key = Some("pi_a");
    let expected = [
        (TransactionKind::Granted, Some(PaymentId(1)), key),
        (TransactionKind::Granted, Some(PaymentId(2)), key),
        (TransactionKind::Reversed, Some(PaymentId(1)), key),
    ];
    assert_eq!((lines.as_slice(), history.total), (&expected[..], 3));
    let lots = store.lots(tenant(1), ALL).await.unwrap().rows;
    assert!(
        lots.iter()
            .all(|row| (row.lot.payment, row.payment_key.as_deref()) == (Some(PaymentId(1)), Some("pi_a")))
    );
    assert_eq!(lots.len(), 2, "{lots:?}");
    assert_eq!(payment(&store, &second.object("cs")).await.id, PaymentId(1));
}

async fn a_payment_merged_twice_is_found_under_the_last(store: Store) {
    let purchases = ["a", "b", "c"].map(TestPurchase::new);
    apply(&store, &purchases.each_ref().map(bought_without_intent)).await;
    let same = |one: &TestPurchase, other: &TestPurchase| {
        let sessions = BTreeSet::from([one.object("cs"), other.object("cs")]);
        one.fact("same", Knowledge { sessions, ..Knowledge::default() })
    };
    apply(&store, &[same(&purchases[1], &purchases[2])]).await;
    apply(&store, &[same(&purchases[0], &purchases[1])]).await;
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    let of_payment = TransactionFilter { payment: Some(PaymentId(1)), ..TransactionFilter::default() };
    let history = store.transactions(of_payment, ALL).await.unwrap();
    assert!(history.rows.iter().all(|row| row.payment_key.as_deref() == Some("pi_a")), "{history:?}");
    let written: Vec<_> = history.rows.iter().filter_map(|row| row.transaction.payment).collect();
    assert_eq!(written, [1, 2, 3, 2, 1].map(PaymentId), "the journal keeps the original ids");
    let lots = store.lots(tenant(1), ALL).await.unwrap().rows;
    assert_eq!(lots.iter().map(|row| row.lot.payment).collect::<Vec<_>>(), [Some(PaymentId(1)); 3]);
    assert_eq!(payment(&store, &purchases[2].object("cs")).await.id, PaymentId(1));
}

async fn an_open_item_moves_to_the_merged_payment(store: Store) {
    let purchase = TestPurchase::new("a");
    apply(
        &store,
        &[refunded_without_intent(&purchase), without_intent(purchase.bought_with_invalid_tenant())],
    )
    .await;
    let item = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().rows.remove(0);
    assert_eq!((item.payment.as_deref(), item.reason), (Some("cs_a"), Reason::TenantInvalid));

    apply(&store, &[linked(&purchase)]).await;
    let open = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().rows;
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].id, open[0].opened_at), (item.id, NOW), "the same item");
    assert_eq!((open[0].payment.as_deref(), open[0].reason), (Some("pi_a"), Reason::TenantInvalid));
}

async fn an_item_that_the_other_payment_settles_is_cleared(store: Store) {
    let (answered, open) = (TestPurchase::new("a"), TestPurchase::new("b"));
    apply(
        &store,
        &[answered.bought_with_invalid_tenant(), without_intent(open.bought_with_invalid_tenant())],
    )
    .await;
    let item = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().rows;
    let [first, item] = item.as_slice() else { panic!("two items: {item:?}") };
    // An operator decides one payment, and then the two are linked.
    action_requests::register_ann(&store).await;
    action_requests::recorded(&store, "ann", grant(first.id, 1, 10)).await;
    let sessions = BTreeSet::from([open.object("cs")]);
    apply(&store, &[answered.fact("linked", Knowledge { sessions, ..Knowledge::default() })]).await;

    assert_eq!(store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().total, 0);
    let item = store.quarantine_item(item.id).await.unwrap().expect("items are kept");
    assert_eq!((item.resolution.as_deref(), item.closed_at), (Some("cleared"), Some(NOW)));
    assert_eq!(item.payment.as_deref(), Some("pi_a"));
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0], "her decision stands");
}
