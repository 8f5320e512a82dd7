//! Transactions in the journal, and what each lot holds.

use ledger::chain::{GENESIS, seal};
use ledger::posting::Posting;
use ledger::{Account, Balance, Cause, Credits, LotId, PaymentId, TransactionKind};
use store::{Store, TransactionFilter};

use super::action_requests::{self, grant};
use super::test_purchase::{ALL, NOW, TestPurchase, apply, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([transactions, apply_events], a_transaction_records_postings_cause_and_balance),
    case!([transactions, request_action], a_transaction_names_the_deciding_person),
    case!([transactions, apply_events], every_transaction_hash_includes_the_previous_one),
    case!([lots, apply_events], a_lot_holds_the_rest_of_one_purchase),
];

async fn a_transaction_records_postings_cause_and_balance(store: Store) {
    let purchase = TestPurchase::new("a");
    apply(&store, &[purchase.bought()]).await;
    apply(&store, &[purchase.refunded(300)]).await;
    let rows = store.transactions(TransactionFilter::default(), ALL).await.unwrap().rows;
    let lot = store.lots(tenant(1), ALL).await.unwrap().rows[0].lot.id;
    let expected = [
        (TransactionKind::Granted, "evt_a_bought", [(Account::Issued, -10), (Account::Available, 10)], 10),
        (
            TransactionKind::Revoked,
            "evt_a_refunded_300",
            [(Account::Available, -3), (Account::Revoked, 3)],
            7,
        ),
    ];
    assert_eq!(rows.len(), expected.len());
    for (seq, (row, (kind, event, lines, left))) in (1..).zip(rows.iter().zip(expected)) {
        let entry = &row.transaction;
        assert_eq!((entry.seq, entry.kind, entry.tenant, entry.at), (seq, kind, tenant(1), NOW));
        assert_eq!(entry.cause, Cause::Event(event.into()));
        assert_eq!((entry.payment, row.payment_key.as_deref()), (Some(PaymentId(1)), Some("pi_a")));
        let postings = lines.map(|(account, amount)| Posting { account, lot: Some(lot), amount });
        assert_eq!(entry.postings, postings);
        assert_eq!(entry.balance_after, Balance { available: Credits(left), ..Balance::default() });
    }
}

async fn a_transaction_names_the_deciding_person(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought_with_invalid_tenant()]).await;
    action_requests::register_ann(&store).await;
    action_requests::recorded_at(&store, "ann", grant(1, 1, 10), NOW.plus_seconds(60)).await;
    let rows = store.transactions(TransactionFilter::default(), ALL).await.unwrap().rows;
    let cause = Cause::Operator { by: "ann (key ann's)".to_owned(), reason: "because".to_owned() };
    assert_eq!(rows[0].transaction.cause, cause);
    assert_eq!(rows[0].transaction.at, NOW.plus_seconds(60), "the time of the decision");
}

async fn every_transaction_hash_includes_the_previous_one(store: Store) {
    let (a, b) = (TestPurchase::new("a"), TestPurchase::new("b").for_tenant(2));
    apply(&store, &[a.bought(), b.bought(), a.refunded(100)]).await;
    apply(&store, &[a.refunded(200)]).await;
    apply(&store, &[b.refunded(1000)]).await;
    let rows = store.transactions(TransactionFilter::default(), ALL).await.unwrap().rows;
    assert_eq!(rows.len(), 5);
    let mut head = GENESIS;
    for row in &rows {
        assert_eq!(
            row.transaction.hash,
            seal(&head, &row.transaction),
            "transaction {}",
            row.transaction.seq
        );
        head = row.transaction.hash;
    }
    assert_eq!(store.audit().await.unwrap().head, ledger::chain::hex(&head));
}

async fn a_lot_holds_the_rest_of_one_purchase(store: Store) {
    let purchase = TestPurchase::new("a").with_credits(20);
    apply(
        &store,
        &[purchase.bought(), TestPurchase::new("b").for_tenant(2).bought(), TestPurchase::new("c").bought()],
    )
    .await;
    apply(&store, &[purchase.refunded(250)]).await;
    let listing = store.lots(tenant(1), ALL).await.unwrap();
    let keys: Vec<_> = listing.rows.iter().map(|row| row.payment_key.as_deref().unwrap()).collect();
    assert_eq!((listing.total, keys), (2, vec!["pi_a", "pi_c"]));
    let lot = &listing.rows[0].lot;
    assert_eq!((lot.id, lot.tenant, lot.payment), (LotId(1), tenant(1), Some(PaymentId(1))));
    assert_eq!(lot.purchased_at, NOW.seconds());
    let figures = [lot.granted, lot.revoked, lot.available, lot.held, lot.frozen].map(|credits| credits.0);
    assert_eq!(figures, [20, 5, 15, 0, 0], "granted, revoked, available, held, frozen");
}
