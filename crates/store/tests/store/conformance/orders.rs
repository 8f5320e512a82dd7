//! The same events in every order and in batches of every size lead to the same balance. Each order is
//! played for a tenant of its own, so that one store plays them all at once.

use ledger::knowledge::{DisputeOutcome, RefundRank};
use ledger::{Fact, Policy};
use store::Store;

use super::sale::{Sale, arrive, balance, payment, settle, tenant, told};
use super::{Case, case};

pub(super) const CASES: &[Case] =
    &[case!([apply_events, ingest, tenant], no_order_and_no_batch_size_makes_a_difference)];

/// A life of one payment, as far as one store could hear of it.
fn life(sale: &Sale) -> Vec<Fact> {
    vec![
        sale.bought(),
        sale.refund(250, RefundRank::Pending),
        sale.refund(250, RefundRank::Succeeded),
        sale.refunded(250),
        sale.disputed(DisputeOutcome::Open),
    ]
}

async fn no_order_and_no_batch_size_makes_a_difference(store: Store) {
    let orders = orders(5);
    assert_eq!(orders.len(), 120);
    // Together these go around all batches of a size, including one for each event and one for everything.
    for (number, size) in [(0, 7), (1, 64), (2, 600)] {
        let sales: Vec<_> = (0..orders.len())
            .map(|order| Sale::new(format!("{number}_{order}")).to((number * 1000 + order) as u128))
            .collect();
        let mut stream = Vec::new();
        for step in 0..5 {
            for (sale, order) in sales.iter().zip(&orders) {
                let fact = life(sale).swap_remove(order[step]);
                stream.push(told(arrive(&store, &fact.event.id).await, &fact));
            }
        }
        for batch in stream.chunks(size) {
            assert_eq!(settle(&store, &Policy::default(), batch.to_vec()).await.len(), batch.len());
        }
        let known = payment(&store, &sales[0].object("pi")).await.status;
        for (sale, order) in sales.iter().zip(&orders) {
            let number = sale.tenant.0.as_u128();
            // A quarter is refunded; all the rest is frozen by the dispute.
            assert_eq!(balance(&store, number).await, [0, 0, 8, 0], "batches of {size}, order {order:?}");
            let row = payment(&store, &sale.object("pi")).await;
            assert_eq!((row.tenant, row.status), (Some(tenant(number)), known), "order {order:?}");
        }
    }
}

/// Every order of the numbers below `length`.
fn orders(length: usize) -> Vec<Vec<usize>> {
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
