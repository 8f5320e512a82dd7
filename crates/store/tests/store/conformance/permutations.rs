//! The same events in any order and in batches of any size lead to the same balance. Each order is played for
//! its own tenant, so that one store plays them all.

use ledger::knowledge::{DisputeOutcome, RefundRank};
use ledger::{Fact, Policy};
use store::Store;

use super::test_purchase::{TestPurchase, apply_batch, balance, event_to_apply, ingest, payment, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] =
    &[case!([apply_events, ingest, tenant], event_order_and_batch_size_make_no_difference)];

/// The events of one payment.
fn payment_events(purchase: &TestPurchase) -> Vec<Fact> {
    vec![
        purchase.bought(),
        purchase.refund(250, RefundRank::Pending),
        purchase.refund(250, RefundRank::Succeeded),
        purchase.refunded(250),
        purchase.disputed(DisputeOutcome::Open),
    ]
}

async fn event_order_and_batch_size_make_no_difference(store: Store) {
    let orders = permutations(5);
    assert_eq!(orders.len(), 120);
    // Batches of different sizes, from about one event to all of them.
    for (number, size) in [(0, 7), (1, 64), (2, 600)] {
        let purchases: Vec<_> = (0..orders.len())
            .map(|order| {
                TestPurchase::new(format!("{number}_{order}")).for_tenant((number * 1000 + order) as u128)
            })
            .collect();
        let mut stream = Vec::new();
        for step in 0..5 {
            for (purchase, order) in purchases.iter().zip(&orders) {
                let fact = payment_events(purchase).swap_remove(order[step]);
                stream.push(event_to_apply(ingest(&store, &fact.event.id).await, &fact));
            }
        }
        for batch in stream.chunks(size) {
            assert_eq!(apply_batch(&store, &Policy::default(), batch.to_vec()).await.len(), batch.len());
        }
        let expected_status = payment(&store, &purchases[0].object("pi")).await.status;
        for (purchase, order) in purchases.iter().zip(&orders) {
            let number = purchase.tenant.0.as_u128();
            // A quarter is refunded; the dispute freezes the rest.
            assert_eq!(balance(&store, number).await, [0, 0, 8, 0], "batches of {size}, order {order:?}");
            let row = payment(&store, &purchase.object("pi")).await;
            assert_eq!((row.tenant, row.status), (Some(tenant(number)), expected_status), "order {order:?}");
        }
    }
}

/// All permutations of the numbers below `length`.
fn permutations(length: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for _ in 0..length {
        let longer = orders.iter().flat_map(|order: &Vec<usize>| {
            let next = (0..length).filter(|number| !order.contains(number));
            next.map(|number| [order.as_slice(), &[number]].concat())
        });
        orders = longer.collect();
    }
    orders
}
