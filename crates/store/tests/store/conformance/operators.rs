//! Tenants, statements, and the data of reports.

use ledger::{Cause, Command, CommandAction, Credits, Now, TenantId};
use store::{CommandRequest, IdempotencyKey, PageRequest, Scope, Store, TenantChange, TenantFilter};

use super::test_purchase::{ALL, NOW, TestPurchase, apply, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([tenants, set_tenant, tenant_detail], tenants_are_listed_counted_and_set),
    case!([statement, statement_lines], a_statement_has_the_transactions_of_its_range),
    case!([journal_end, positions], positions_are_as_of_a_time),
];

async fn spend(store: &Store, number: u128, credits: i64, seconds: i64) {
    let action = CommandAction::Spend { credits: Credits(credits) };
    let cause = Cause::Command("k".to_owned());
    let command = Command { tenant: tenant(number), cause, reference: None, action };
    let idempotency_key =
        IdempotencyKey { scope: Scope::Tenant, key: format!("{number} {seconds}"), fingerprint: [0; 32] };
    let requests = vec![CommandRequest { command, idempotency_key: Some(idempotency_key) }];
    let answers = store.execute_commands(requests, Now::trusted(NOW.plus_seconds(seconds))).await.unwrap();
    answers.into_iter().for_each(|answer| drop(answer.unwrap()));
}

async fn tenants_are_listed_counted_and_set(store: Store) {
    apply(
        &store,
        &[
            TestPurchase::new("a").bought(),
            TestPurchase::new("b").bought(),
            TestPurchase::new("c").for_tenant(2).bought(),
        ],
    )
    .await;
    apply(&store, &[TestPurchase::new("d").for_tenant(3).bought()]).await;
    spend(&store, 3, 10, 1).await;
    apply(&store, &[TestPurchase::new("d").for_tenant(3).refunded(1000)]).await;
    let low = |credits| TenantChange { low_balance: Some(credits), ..TenantChange::default() };
    for (number, credits) in [(1, 20), (2, 11)] {
        store.set_tenant(tenant(number), low(Some(Credits(credits)))).await.unwrap().unwrap();
    }
    let (debt, few) = (TenantFilter { debt: true, low: false }, TenantFilter { debt: false, low: true });
    for (filter, expected) in [(TenantFilter::default(), &[1, 2, 3][..]), (debt, &[3]), (few, &[2])] {
        let found = store.tenants(filter, ALL).await.unwrap();
        let numbers: Vec<_> = found.rows.iter().map(|row| row.id.0.as_u128()).collect();
        assert_eq!((numbers.as_slice(), found.total), (expected, expected.len() as i64), "{filter:?}");
    }
    let page = PageRequest { number: 2, size: 2, ascending: false };
    let last = store.tenants(TenantFilter::default(), page).await.unwrap();
    assert_eq!((last.rows[0].id, last.total), (tenant(1), 3), "oldest last");

    let named = TenantChange { name: Some(Some("Acme".to_owned())), ..TenantChange::default() };
    let row = store.set_tenant(tenant(1), named).await.unwrap().unwrap();
    assert_eq!(
        (row.name.as_deref(), row.low_balance),
        (Some("Acme"), Some(Credits(20))),
        "the rest is unchanged"
    );
    let row = store.set_tenant(tenant(1), low(None)).await.unwrap().unwrap();
    assert_eq!((row.name.as_deref(), row.low_balance), (Some("Acme"), None));
    assert!(store.set_tenant(tenant(9), low(None)).await.unwrap().is_none());

    let detail = store.tenant_detail(tenant(1), Now::trusted(NOW)).await.unwrap().unwrap();
    assert_eq!((detail.lots, detail.open_holds, detail.quarantined), (2, 0, 0));
    assert!(store.tenant_detail(tenant(9), Now::trusted(NOW)).await.unwrap().is_none());
}

async fn a_statement_has_the_transactions_of_its_range(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought(), TestPurchase::new("b").for_tenant(2).bought()]).await;
    for second in 1..=5 {
        spend(&store, 1, 1, second).await;
    }
    let at = |seconds: i64| Some(NOW.plus_seconds(seconds));
    for (from, to, expected, opening, closing) in [
        (None, None, &[1, 3, 4, 5, 6, 7][..], 0, 5),
        (at(0), at(0), &[1], 0, 10),
        (at(1), at(3), &[3, 4, 5], 10, 7),
        (at(4), None, &[6, 7], 7, 5),
        (at(6), None, &[], 5, 5),
        (None, at(-1), &[], 0, 0),
        (at(5), at(2), &[], 6, 6),
    ] {
        let range = store.statement(tenant(1), from, to).await.unwrap();
        assert_eq!((range.opening.net(), range.closing.net()), (opening, closing), "{from:?} {to:?}");
        let (mut after, mut seqs) = (range.after, Vec::new());
        loop {
            let lines = store.statement_lines(tenant(1), after, range.through, 2).await.unwrap();
            seqs.extend(lines.iter().map(|line| line.transaction.seq));
            let Some(last) = lines.last() else { break };
            after = last.transaction.seq;
        }
        assert_eq!(seqs, expected, "{from:?} {to:?}");
    }
    assert_eq!(store.statement(tenant(9), None, None).await.unwrap().closing.net(), 0);
}

async fn positions_are_as_of_a_time(store: Store) {
    apply(
        &store,
        &[TestPurchase::new("a").bought(), TestPurchase::new("b").for_tenant(2).with_credits(7).bought()],
    )
    .await;
    spend(&store, 1, 4, 60).await;
    apply(&store, &[TestPurchase::new("a").refunded(1000)]).await;
    for (seconds, expected) in [(-1, 0), (0, 2), (59, 2), (60, 4), (999, 4)] {
        assert_eq!(store.journal_end(NOW.plus_seconds(seconds)).await.unwrap(), expected, "{seconds}");
    }
    let figures = async |through: i64, after: Option<TenantId>, limit: u32| -> Vec<[i64; 7]> {
        let found = store.positions(through, after, limit).await.unwrap();
        let lots = found.iter().flat_map(|position| {
            position.lots.iter().map(|lot| {
                let sums = &lot.sums;
                let debt = position.debt.0;
                let [granted, consumed, revoked, outstanding] =
                    [sums.granted, sums.consumed, sums.revoked, sums.outstanding].map(|credits| credits.0);
                [lot.lot.0, sums.price.0, granted, consumed, revoked, outstanding, debt]
            })
        });
        lots.collect()
    };
    let (first, second) = ([1, 1000, 10, 0, 0, 10, 0], [2, 1000, 7, 0, 0, 7, 0]);
    assert_eq!(figures(2, None, 10).await, [first, second]);
    assert_eq!(figures(3, None, 10).await, [[1, 1000, 10, 4, 0, 6, 0], second]);
    assert_eq!(figures(4, None, 10).await, [[1, 1000, 10, 4, 10, 0, 4], second]);
    assert_eq!(
        (figures(2, None, 1).await, figures(2, Some(tenant(1)), 1).await),
        (vec![first], vec![second])
    );
    assert!(figures(0, None, 10).await.is_empty() && figures(2, Some(tenant(2)), 10).await.is_empty());
    let found = store.positions(4, None, 1).await.unwrap().remove(0).lots.remove(0);
    assert_eq!((found.payment_key.as_deref(), found.currency.as_deref()), (Some("pi_a"), Some("eur")));
}
