//! Lists: pages, orders, totals and filters.

use ledger::{Outcome, PaymentId, PaymentStatus, Timestamp, TransactionKind};
use store::{EventFilter, PageRequest, RowPage, Store, TransactionFilter};

use super::action_requests::{self, grant};
use super::test_purchase::{ALL, NOW, TestPurchase, apply, delivery, payment, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([events, payments, transactions, lots], lists_are_paged_in_both_orders),
    case!([events], events_are_filtered_by_type_outcome_payment_and_pending),
    case!([transactions], transactions_are_filtered_by_tenant_payment_kind_and_time),
    case!([payments], payments_are_filtered_by_tenant_and_status),
    case!([lots], lots_are_listed_by_tenant),
];

async fn lists_are_paged_in_both_orders(store: Store) {
    let purchases = ["1", "2", "3", "4", "5"].map(TestPurchase::new);
    apply(&store, &purchases.each_ref().map(TestPurchase::bought)).await;
    let table: [(u32, u32, bool, &[i64]); 9] = [
        (1, 2, false, &[5, 4]),
        (2, 2, false, &[3, 2]),
        (3, 2, false, &[1]),
        (4, 2, false, &[]),
        (1, 2, true, &[1, 2]),
        (3, 2, true, &[5]),
        (1, 100, true, &[1, 2, 3, 4, 5]),
        (u32::MAX, u32::MAX, true, &[]),
        (1, 0, true, &[]),
    ];
    for (number, size, ascending, expected) in table {
        let page = PageRequest { number, size, ascending };
        let events = store.events(EventFilter::default(), page).await.unwrap();
        check("events", page, &events, |row| row.seq, expected);
        let payments = store.payments(None, None, page).await.unwrap();
        check("payments", page, &payments, |row| row.id.0, expected);
        let transactions = store.transactions(TransactionFilter::default(), page).await.unwrap();
        check("transactions", page, &transactions, |row| row.transaction.seq, expected);
        let lots = store.lots(tenant(1), page).await.unwrap();
        check("lots", page, &lots, |row| row.lot.id.0, expected);
    }
}

fn check<T>(list: &str, page: PageRequest, found: &RowPage<T>, number: impl Fn(&T) -> i64, expected: &[i64]) {
    let rows: Vec<_> = found.rows.iter().map(number).collect();
    assert_eq!((rows.as_slice(), found.total), (expected, 5), "{list}, {page:?}");
}

async fn events_are_filtered_by_type_outcome_payment_and_pending(store: Store) {
    let (a, b) = (TestPurchase::new("a"), TestPurchase::new("b"));
    apply(&store, &[a.bought(), b.bought(), a.charged()]).await;
    let refund = store::IncomingEvent { kind: "charge.refunded".to_owned(), ..delivery("evt_waits") };
    store.ingest(refund, NOW).await.unwrap();
    let of_a = payment(&store, &a.object("pi")).await.id;
    let table: [(EventFilter, &[&str]); 7] = [
        (EventFilter::default(), &["evt_a_bought", "evt_b_bought", "evt_a_charged", "evt_waits"]),
        (EventFilter { kind: Some("charge.refunded".to_owned()), ..EventFilter::default() }, &["evt_waits"]),
        (
            EventFilter { outcome: Some(Outcome::Granted), ..EventFilter::default() },
            &["evt_a_bought", "evt_b_bought"],
        ),
        (EventFilter { payment: Some(of_a), ..EventFilter::default() }, &["evt_a_bought", "evt_a_charged"]),
        (EventFilter { pending: true, ..EventFilter::default() }, &["evt_waits"]),
        (
            EventFilter { payment: Some(of_a), outcome: Some(Outcome::Finalized), ..EventFilter::default() },
            &["evt_a_charged"],
        ),
        (EventFilter { kind: Some("charge".to_owned()), ..EventFilter::default() }, &[]),
    ];
    for (filter, expected) in table {
        let found = store.events(filter.clone(), ALL).await.unwrap();
        let ids: Vec<_> = found.rows.iter().map(|event| event.id.as_str()).collect();
        assert_eq!((ids.as_slice(), found.total), (expected, expected.len() as i64), "{filter:?}");
    }
}

async fn transactions_are_filtered_by_tenant_payment_kind_and_time(store: Store) {
    let (a, b) = (TestPurchase::new("a"), TestPurchase::new("b").for_tenant(2));
    apply(&store, &[a.bought(), b.bought(), a.refunded(300), b.bought_with_invalid_tenant()]).await;
    let everything = TransactionFilter::default();
    let after = |seconds| NOW.plus_seconds(seconds);
    // Decided a minute later: 20 instead of 10.
    action_requests::register_ann(&store).await;
    action_requests::recorded_at(&store, "ann", grant(1, 2, 20), after(60)).await;
    let at = |from: Option<Timestamp>, to| TransactionFilter { from, to, ..TransactionFilter::default() };
    let table: [(TransactionFilter, &[i64]); 10] = [
        (everything.clone(), &[1, 2, 3, 4]),
        (TransactionFilter { tenant: Some(tenant(1)), ..everything.clone() }, &[1, 3]),
        (TransactionFilter { tenant: Some(tenant(9)), ..everything.clone() }, &[]),
        (TransactionFilter { payment: Some(PaymentId(2)), ..everything.clone() }, &[2, 4]),
        (TransactionFilter { kind: Some(TransactionKind::Granted), ..everything.clone() }, &[1, 2, 4]),
        (
            TransactionFilter { kind: Some(TransactionKind::Granted), tenant: Some(tenant(2)), ..everything },
            &[2, 4],
        ),
        (at(Some(NOW), Some(NOW)), &[1, 2, 3]),
        (at(Some(after(1)), None), &[4]),
        (at(None, Some(after(59))), &[1, 2, 3]),
        (at(Some(after(61)), None), &[]),
    ];
    for (filter, expected) in table {
        let found = store.transactions(filter.clone(), ALL).await.unwrap();
        let seqs: Vec<_> = found.rows.iter().map(|row| row.transaction.seq).collect();
        assert_eq!((seqs.as_slice(), found.total), (expected, expected.len() as i64), "{filter:?}");
    }
}

async fn payments_are_filtered_by_tenant_and_status(store: Store) {
    let (a, b, c) = (TestPurchase::new("a"), TestPurchase::new("b").for_tenant(2), TestPurchase::new("c"));
    apply(&store, &[a.bought(), b.bought(), c.completed_unpaid(), a.refunded(300)]).await;
    let table: [(Option<u128>, Option<PaymentStatus>, &[&str]); 6] = [
        (None, None, &["pi_a", "pi_b", "pi_c"]),
        (Some(1), None, &["pi_a", "pi_c"]),
        (None, Some(PaymentStatus::Paid), &["pi_b"]),
        (Some(1), Some(PaymentStatus::PartlyRefunded), &["pi_a"]),
        (Some(1), Some(PaymentStatus::Paid), &[]),
        (Some(3), None, &[]),
    ];
    for (number, status, expected) in table {
        let found = store.payments(number.map(tenant), status, ALL).await.unwrap();
        let keys: Vec<_> = found.rows.iter().map(|row| row.key.as_str()).collect();
        assert_eq!(
            (keys.as_slice(), found.total),
            (expected, expected.len() as i64),
            "{number:?} {status:?}"
        );
    }
}

async fn lots_are_listed_by_tenant(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought(), TestPurchase::new("b").for_tenant(2).bought()]).await;
    for (number, expected) in [(1, &["pi_a"][..]), (2, &["pi_b"]), (3, &[])] {
        let found = store.lots(tenant(number), ALL).await.unwrap();
        let keys: Vec<_> = found.rows.iter().map(|row| row.payment_key.as_deref().unwrap()).collect();
        assert_eq!((keys.as_slice(), found.total), (expected, expected.len() as i64), "tenant {number}");
    }
}
