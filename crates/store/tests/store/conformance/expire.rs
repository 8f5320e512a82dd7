//! Expiry of holds and lots: in order, in bounded steps, and without changing an answer if it is late.

use ledger::{HoldState, Now, TenantId, TransactionKind};
use store::{CommandOutcome, Expired, Store, StoreError, TransactionFilter};

use super::action_requests::{self, dismiss};
use super::command_requests::{
    adjust, capture, check_each, execute, execute_batch, hold_for, hold_id, request, request_by, spend,
    summaries, summary,
};
use super::test_purchase::{ALL, NOW, TestPurchase, apply, apply_at, balance, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([expire_due, next_expiry], the_longest_due_expire_first_and_in_bounded_steps),
    case!([expire_due, next_expiry], holds_and_lots_expire_at_their_microsecond),
    case!(
        [expire_due, execute_commands, apply_events, hold, holds, tenant_detail],
        nothing_expires_while_the_clock_is_in_doubt
    ),
    case!([expire_due], credits_that_return_to_an_expired_lot_expire),
    case!([expire_due, execute_commands], late_expiry_changes_no_answer),
    case!([expire_due, apply_events, request_action], late_expiry_does_not_change_what_an_event_revokes),
    case!([execute_commands, expire_due], a_tenant_with_too_many_expired_holds_is_busy),
    case!([execute_commands, expire_due], a_tenant_with_too_many_expired_lots_is_busy),
];

/// The expired tenants in journal order, and after how many seconds.
async fn expired(store: &Store) -> Vec<(TenantId, i64)> {
    let mut lines = Vec::new();
    for kind in [TransactionKind::HoldExpired, TransactionKind::Expired] {
        let filter = TransactionFilter { kind: Some(kind), ..TransactionFilter::default() };
        let rows = store.transactions(filter, ALL).await.unwrap().rows;
        lines.extend(rows.into_iter().map(|row| row.transaction));
    }
    lines.sort_by_key(|line| line.seq);
    lines.iter().map(|line| (line.tenant, line.at.seconds() - NOW.seconds())).collect()
}

async fn the_longest_due_expire_first_and_in_bounded_steps(store: Store) {
    for number in 1..=4 {
        apply(&store, &[TestPurchase::new(format!("s{number}")).for_tenant(number).bought()]).await;
        // Tenant 4's hold ends first, tenant 1's last.
        let hold = hold_for(number, 4, 100 - 10 * number as i64);
        execute(&store, request_by(tenant(number), "hold", hold), NOW).await.unwrap();
    }
    execute(&store, request_by(tenant(3), "give", adjust(5, 50, Some(NOW.plus_seconds(50)))), NOW)
        .await
        .unwrap();
    assert_eq!(store.next_expiry().await.unwrap(), Some(NOW.plus_seconds(50)));
    assert_eq!(
        store.expire_due(Now::trusted(NOW.plus_seconds(49)), 2).await.unwrap(),
        Expired { expired: 0, more: false }
    );
    let at = NOW.plus_seconds(85);
    assert_eq!(
        store.expire_due(Now::trusted(at), 1).await.unwrap(),
        Expired { expired: 2, more: true },
        "one lot and one hold"
    );
    assert_eq!(store.expire_due(Now::trusted(at), 2).await.unwrap(), Expired { expired: 2, more: true });
    assert_eq!(store.expire_due(Now::trusted(at), 2).await.unwrap(), Expired { expired: 0, more: false });
    let request = [(3, 85), (4, 85), (3, 85), (2, 85)].map(|(number, at)| (tenant(number), at));
    assert_eq!(expired(&store).await, request);
    assert_eq!(balance(&store, 3).await, [10, 0, 0, 0]);
    assert_eq!(balance(&store, 1).await, [6, 4, 0, 0]);
    assert_eq!(store.next_expiry().await.unwrap(), Some(NOW.plus_seconds(90)));
}

async fn holds_and_lots_expire_at_their_microsecond(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    assert_eq!(store.next_expiry().await.unwrap(), None, "purchased lots do not expire");
    let end = NOW.plus_seconds(60);
    check_each(
        &store,
        &[(0, hold_for(1, 4, 60), "1:4 | 6 4 0 0"), (0, adjust(5, 50, Some(end)), "2:5 | 11 4 0 0")],
    )
    .await;
    let before = ledger::Timestamp(end.0 - 1);
    assert_eq!(store.expire_due(Now::trusted(before), 10).await.unwrap(), Expired::default());
    assert_eq!(store.expire_due(Now::trusted(end), 10).await.unwrap(), Expired { expired: 2, more: false });
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    assert_eq!(store.next_expiry().await.unwrap(), None);
}

async fn nothing_expires_while_the_clock_is_in_doubt(store: Store) {
    let purchase = TestPurchase::new("a");
    apply(&store, &[purchase.bought()]).await;
    let end = NOW.plus_seconds(60);
    check_each(&store, &[(0, adjust(5, 10, Some(end)), "2:5 | 15 0 0 0")]).await;
    check_each(&store, &[(0, hold_for(1, 1, 60), "2:1 | 14 1 0 0")]).await;
    let doubt = Now::in_doubt(NOW.plus_seconds(30 * 86_400));
    assert_eq!(store.expire_due(doubt, 10).await.unwrap(), Expired::default());
    let spent = store.execute_commands(vec![request("spend", spend(3))], doubt).await.unwrap();
    assert_eq!(
        summaries(spent).map(|(summary, _)| summary),
        ["2:3 | 11 1 0 0"],
        "expiring credits burn first"
    );
    apply_at(&store, &[purchase.refunded(1000)], doubt).await;
    assert_eq!(expired(&store).await, []);
    let state = async |now| store.hold(tenant(1), hold_id(1), now).await.unwrap().unwrap().state;
    assert_eq!(state(doubt).await, HoldState::Open);
    assert_eq!(store.holds(tenant(1), Some(HoldState::Open), doubt, ALL).await.unwrap().rows.len(), 1);
    assert_eq!(store.tenant_detail(tenant(1), doubt).await.unwrap().unwrap().open_holds, 1);
    // Transactions are dated ahead now, but only the clock expires anything.
    let before = Now::trusted(NOW.plus_seconds(59));
    assert_eq!(store.expire_due(before, 10).await.unwrap(), Expired::default());
    assert_eq!(state(before).await, HoldState::Open);
    assert_eq!(store.expire_due(Now::trusted(end), 10).await.unwrap(), Expired { expired: 2, more: false });
}

async fn credits_that_return_to_an_expired_lot_expire(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    let end = Some(NOW.plus_seconds(60));
    let lines = [
        (0, adjust(5, 10, end), "2:5 | 15 0 0 0"),
        (0, hold_for(1, 7, 120), "2:5 1:2 | 8 7 0 0"),
        (0, hold_for(2, 2, 90), "1:2 | 6 9 0 0"),
        // Held credits outlive their lot.
        (60, spend(1), "1:1 | 5 9 0 0"),
    ];
    check_each(&store, &lines).await;
    store.expire_due(Now::trusted(NOW.plus_seconds(90)), 10).await.unwrap();
    assert_eq!(balance(&store, 1).await, [7, 7, 0, 0]);
    assert_eq!(
        store.expire_due(Now::trusted(NOW.plus_seconds(120)), 10).await.unwrap().expired,
        2,
        "a hold and then its lot"
    );
    assert_eq!(balance(&store, 1).await, [9, 0, 0, 0]);
}

async fn late_expiry_changes_no_answer(store: Store) {
    for number in [1, 2] {
        let purchases =
            ["a", "b"].map(|name| TestPurchase::new(format!("{name}{number}")).for_tenant(number).bought());
        apply(&store, &purchases).await;
        let end = Some(NOW.plus_seconds(60));
        for (key, action) in [
            ("give", adjust(5, 10, end)),
            ("more", adjust(5, 90, end)),
            ("hold", hold_for(number, 14, 60)),
            ("spend", spend(3)),
        ] {
            execute(&store, request_by(tenant(number), key, action), NOW).await.unwrap();
        }
    }
    let at = NOW.plus_seconds(60);
    // Tenant 1 is expired in time. Tenant 2 requests before that.
    let requests = |number| {
        let request = |key, action| request_by(tenant(number), key, action);
        vec![
            request("too much", spend(18)),
            request("late", capture(number, None)),
            request("spend all", spend(17)),
        ]
    };
    let late = summaries(execute_batch(&store, requests(2), at).await).map(|(summary, _)| summary);
    store.expire_due(Now::trusted(at), 10).await.unwrap();
    let on_time = summaries(execute_batch(&store, requests(1), at).await).map(|(summary, _)| summary);
    assert_eq!(late, ["18 of 17, 0 owed", "expired before", "5:9 6:8 | 0 0 0 0"]);
    assert_eq!(on_time, ["18 of 17, 0 owed", "expired before", "1:9 2:8 | 0 0 0 0"]);
}

async fn late_expiry_does_not_change_what_an_event_revokes(store: Store) {
    let purchases = [1, 2, 3].map(|number| TestPurchase::new(format!("s{number}")).for_tenant(number));
    apply(&store, &purchases.each_ref().map(TestPurchase::bought)).await;
    // A second claim about the third purchase is quarantined.
    apply(&store, &[purchases[2].bought_with_invalid_tenant()]).await;
    // Tenant 1 is expired in time, tenants 2 and 3 are not.
    for (number, lasts) in [(1, 50), (2, 60), (3, 60)] {
        let end = Some(NOW.plus_seconds(lasts));
        let hold = hold_for(number, 4, lasts);
        for (key, action) in [("hold", hold), ("give", adjust(5, 90, end)), ("spend", spend(6))] {
            execute(&store, request_by(tenant(number), key, action), NOW).await.unwrap();
        }
        assert_eq!(balance(&store, number).await, [5, 4, 0, 0]);
    }
    store.expire_due(Now::trusted(NOW.plus_seconds(59)), 10).await.unwrap();
    let at = NOW.plus_seconds(60);
    apply_at(&store, &[purchases[0].refunded(1000), purchases[1].refunded(1000)], Now::trusted(at)).await;
    assert_eq!(balance(&store, 1).await, [0, 0, 0, 6]);
    assert_eq!(balance(&store, 2).await, [0, 0, 0, 6]);
    // An operator's decision does not change it either.
    action_requests::register_ann(&store).await;
    action_requests::recorded_at(&store, "ann", dismiss(1), at).await;
    assert_eq!(balance(&store, 3).await, [0, 0, 0, 6]);
}

async fn a_tenant_with_too_many_expired_holds_is_busy(store: Store) {
    apply(
        &store,
        &[TestPurchase::new("a").with_credits(1100).bought(), TestPurchase::new("b").for_tenant(2).bought()],
    )
    .await;
    let requests = (0..1100).map(|number| request(&format!("k{number}"), hold_for(number, 1, 60))).collect();
    assert!(execute_batch(&store, requests, NOW).await.iter().all(Result::is_ok));
    let at = NOW.plus_seconds(60);
    let requests = vec![
        request("all", spend(1100)),
        request("one", spend(1)),
        request_by(tenant(2), "k", spend(1)),
        request("k0", hold_for(0, 1, 60)),
    ];
    let answers = execute_batch(&store, requests, at).await;
    // While a hundred expired holds still count, a refusal would be wrong and permanent.
    assert!(matches!(&answers[..2], [Err(StoreError::Busy), Err(StoreError::Busy)]), "{answers:?}");
    assert!(matches!(&answers[2], Ok(CommandOutcome::Decided { replayed: false, .. })), "{answers:?}");
    assert!(matches!(&answers[3], Ok(CommandOutcome::Decided { replayed: true, .. })), "{answers:?}");
    assert_eq!(balance(&store, 1).await, [1000, 100, 0, 0], "one step was made");
    assert_eq!(summary(&execute(&store, request("all", spend(1100)), at).await), "1:1100 | 0 0 0 0");
    assert_eq!(store.expire_due(Now::trusted(at), 128).await.unwrap().expired, 0);
}

async fn a_tenant_with_too_many_expired_lots_is_busy(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    let at = NOW.plus_seconds(60);
    let requests = (0..1100).map(|number| request(&format!("k{number}"), adjust(1, 10, Some(at)))).collect();
    assert!(execute_batch(&store, requests, NOW).await.iter().all(Result::is_ok));
    let answers = execute_batch(&store, vec![request("all", spend(10))], at).await;
    assert!(matches!(&answers[..], [Err(StoreError::Busy)]), "{answers:?}");
    assert_eq!(balance(&store, 1).await, [110, 0, 0, 0], "one step was made");
    assert_eq!(summary(&execute(&store, request("all", spend(10)), at).await), "1:10 | 0 0 0 0");
    assert_eq!(store.expire_due(Now::trusted(at), 128).await.unwrap().expired, 0);
}
