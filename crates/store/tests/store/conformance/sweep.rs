//! What the store must do with what runs out of time: end it in order and in bounded steps, and never let a
//! late sweep change an answer.

use ledger::{HoldState, Now, TenantId, TransactionKind};
use store::{CommandOutcome, Expired, Store, StoreError, TransactionFilter};

use super::office::{self, dismiss};
use super::requests::{
    ask, batch, capture, decided, give, hold_for, hold_id, order, order_of, spend, statement, words,
};
use super::sale::{ALL, NOW, Sale, balance, learn, learn_at, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([sweep, next_expiry], what_is_due_ends_the_longest_due_first_and_in_bounded_steps),
    case!([sweep, next_expiry], what_has_an_end_is_due_at_its_microsecond),
    case!([sweep, execute_commands, apply_events, hold, holds, tenant_detail], a_clock_in_doubt_ends_nothing),
    case!([sweep], what_returns_to_a_lot_that_ended_is_gone),
    case!([sweep, execute_commands], a_late_sweep_changes_no_answer),
    case!([sweep, apply_events, ask_action], a_late_sweep_changes_nothing_that_an_event_takes),
    case!([execute_commands, sweep], where_too_much_is_due_nothing_is_decided_yet),
    case!([execute_commands, sweep], where_too_many_lots_end_nothing_is_decided_yet),
];

/// Who was expired, in the journal's order, and after how many seconds.
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

async fn what_is_due_ends_the_longest_due_first_and_in_bounded_steps(store: Store) {
    for number in 1..=4 {
        learn(&store, &[Sale::new(format!("s{number}")).to(number).bought()]).await;
        // Tenant 4's ends first, tenant 1's last.
        let hold = hold_for(number, 4, 100 - 10 * number as i64);
        ask(&store, order_of(tenant(number), "hold", hold), NOW).await.unwrap();
    }
    ask(&store, order_of(tenant(3), "give", give(5, 50, Some(NOW.plus_seconds(50)))), NOW).await.unwrap();
    assert_eq!(store.next_expiry().await.unwrap(), Some(NOW.plus_seconds(50)));
    assert_eq!(
        store.sweep(Now::trusted(NOW.plus_seconds(49)), 2).await.unwrap(),
        Expired { expired: 0, more: false }
    );
    let at = NOW.plus_seconds(85);
    assert_eq!(
        store.sweep(Now::trusted(at), 1).await.unwrap(),
        Expired { expired: 2, more: true },
        "one lot and one hold"
    );
    assert_eq!(store.sweep(Now::trusted(at), 2).await.unwrap(), Expired { expired: 2, more: true });
    assert_eq!(store.sweep(Now::trusted(at), 2).await.unwrap(), Expired { expired: 0, more: false });
    let order = [(3, 85), (4, 85), (3, 85), (2, 85)].map(|(number, at)| (tenant(number), at));
    assert_eq!(expired(&store).await, order);
    assert_eq!(balance(&store, 3).await, [10, 0, 0, 0]);
    assert_eq!(balance(&store, 1).await, [6, 4, 0, 0]);
    assert_eq!(store.next_expiry().await.unwrap(), Some(NOW.plus_seconds(90)));
}

async fn what_has_an_end_is_due_at_its_microsecond(store: Store) {
    learn(&store, &[Sale::new("a").bought()]).await;
    assert_eq!(store.next_expiry().await.unwrap(), None, "what was bought does not end");
    let end = NOW.plus_seconds(60);
    statement(
        &store,
        &[(0, hold_for(1, 4, 60), "1:4 | 6 4 0 0"), (0, give(5, 50, Some(end)), "2:5 | 11 4 0 0")],
    )
    .await;
    let before = ledger::Timestamp(end.0 - 1);
    assert_eq!(store.sweep(Now::trusted(before), 10).await.unwrap(), Expired::default());
    assert_eq!(store.sweep(Now::trusted(end), 10).await.unwrap(), Expired { expired: 2, more: false });
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    assert_eq!(store.next_expiry().await.unwrap(), None);
}

async fn a_clock_in_doubt_ends_nothing(store: Store) {
    let sale = Sale::new("a");
    learn(&store, &[sale.bought()]).await;
    let end = NOW.plus_seconds(60);
    statement(&store, &[(0, give(5, 10, Some(end)), "2:5 | 15 0 0 0")]).await;
    statement(&store, &[(0, hold_for(1, 1, 60), "2:1 | 14 1 0 0")]).await;
    let doubt = Now::in_doubt(NOW.plus_seconds(30 * 86_400));
    assert_eq!(store.sweep(doubt, 10).await.unwrap(), Expired::default());
    let spent = store.execute_commands(vec![order("spend", spend(3))], doubt).await.unwrap();
    assert_eq!(decided(spent).map(|(words, _)| words), ["2:3 | 11 1 0 0"], "credits that end burn first");
    learn_at(&store, &[sale.refunded(1000)], doubt).await;
    assert_eq!(expired(&store).await, []);
    let state = async |now| store.hold(tenant(1), hold_id(1), now).await.unwrap().unwrap().state;
    assert_eq!(state(doubt).await, HoldState::Open);
    assert_eq!(store.holds(tenant(1), Some(HoldState::Open), doubt, ALL).await.unwrap().rows.len(), 1);
    assert_eq!(store.tenant_detail(tenant(1), doubt).await.unwrap().unwrap().open_holds, 1);
    // Entries are dated ahead now, and still only the clock ends what has ended.
    let before = Now::trusted(NOW.plus_seconds(59));
    assert_eq!(store.sweep(before, 10).await.unwrap(), Expired::default());
    assert_eq!(state(before).await, HoldState::Open);
    assert_eq!(store.sweep(Now::trusted(end), 10).await.unwrap(), Expired { expired: 2, more: false });
}

async fn what_returns_to_a_lot_that_ended_is_gone(store: Store) {
    learn(&store, &[Sale::new("a").bought()]).await;
    let end = Some(NOW.plus_seconds(60));
    let lines = [
        (0, give(5, 10, end), "2:5 | 15 0 0 0"),
        (0, hold_for(1, 7, 120), "2:5 1:2 | 8 7 0 0"),
        (0, hold_for(2, 2, 90), "1:2 | 6 9 0 0"),
        // What is held outlives its lot.
        (60, spend(1), "1:1 | 5 9 0 0"),
    ];
    statement(&store, &lines).await;
    store.sweep(Now::trusted(NOW.plus_seconds(90)), 10).await.unwrap();
    assert_eq!(balance(&store, 1).await, [7, 7, 0, 0]);
    assert_eq!(
        store.sweep(Now::trusted(NOW.plus_seconds(120)), 10).await.unwrap().expired,
        2,
        "a hold, and then its lot"
    );
    assert_eq!(balance(&store, 1).await, [9, 0, 0, 0]);
}

async fn a_late_sweep_changes_no_answer(store: Store) {
    for number in [1, 2] {
        let sales = ["a", "b"].map(|name| Sale::new(format!("{name}{number}")).to(number).bought());
        learn(&store, &sales).await;
        let end = Some(NOW.plus_seconds(60));
        for (key, action) in [
            ("give", give(5, 10, end)),
            ("more", give(5, 90, end)),
            ("hold", hold_for(number, 14, 60)),
            ("spend", spend(3)),
        ] {
            ask(&store, order_of(tenant(number), key, action), NOW).await.unwrap();
        }
    }
    let at = NOW.plus_seconds(60);
    // Tenant 1 is swept in time. Tenant 2 asks before any sweep.
    let asked = |number| {
        let order = |key, action| order_of(tenant(number), key, action);
        vec![
            order("too much", spend(18)),
            order("late", capture(number, None)),
            order("spend all", spend(17)),
        ]
    };
    let late = decided(batch(&store, asked(2), at).await).map(|(words, _)| words);
    store.sweep(Now::trusted(at), 10).await.unwrap();
    let swept = decided(batch(&store, asked(1), at).await).map(|(words, _)| words);
    assert_eq!(late, ["18 of 17, 0 owed", "expired before", "5:9 6:8 | 0 0 0 0"]);
    assert_eq!(swept, ["18 of 17, 0 owed", "expired before", "1:9 2:8 | 0 0 0 0"]);
}

async fn a_late_sweep_changes_nothing_that_an_event_takes(store: Store) {
    let sales = [1, 2, 3].map(|number| Sale::new(format!("s{number}")).to(number));
    learn(&store, &sales.each_ref().map(Sale::bought)).await;
    // A second claim about the third is a question for a person.
    learn(&store, &[sales[2].bought_by_nobody()]).await;
    // Tenant 1 is swept in time, tenants 2 and 3 are not.
    for (number, lasts) in [(1, 50), (2, 60), (3, 60)] {
        let end = Some(NOW.plus_seconds(lasts));
        let hold = hold_for(number, 4, lasts);
        for (key, action) in [("hold", hold), ("give", give(5, 90, end)), ("spend", spend(6))] {
            ask(&store, order_of(tenant(number), key, action), NOW).await.unwrap();
        }
        assert_eq!(balance(&store, number).await, [5, 4, 0, 0]);
    }
    store.sweep(Now::trusted(NOW.plus_seconds(59)), 10).await.unwrap();
    let at = NOW.plus_seconds(60);
    learn_at(&store, &[sales[0].refunded(1000), sales[1].refunded(1000)], Now::trusted(at)).await;
    assert_eq!(balance(&store, 1).await, [0, 0, 0, 6]);
    assert_eq!(balance(&store, 2).await, [0, 0, 0, 6]);
    // Nor a person's word.
    office::open(&store).await;
    office::kept_at(&store, "ann", dismiss(1), at).await;
    assert_eq!(balance(&store, 3).await, [0, 0, 0, 6]);
}

async fn where_too_much_is_due_nothing_is_decided_yet(store: Store) {
    learn(&store, &[Sale::new("a").of(1100).bought(), Sale::new("b").to(2).bought()]).await;
    let orders = (0..1100).map(|number| order(&format!("k{number}"), hold_for(number, 1, 60))).collect();
    assert!(batch(&store, orders, NOW).await.iter().all(Result::is_ok));
    let at = NOW.plus_seconds(60);
    let asked = vec![
        order("all", spend(1100)),
        order("one", spend(1)),
        order_of(tenant(2), "k", spend(1)),
        order("k0", hold_for(0, 1, 60)),
    ];
    let answers = batch(&store, asked, at).await;
    // With credits of a hundred holds not back yet, a refusal would be wrong, and for ever.
    assert!(matches!(&answers[..2], [Err(StoreError::Busy), Err(StoreError::Busy)]), "{answers:?}");
    assert!(matches!(&answers[2], Ok(CommandOutcome::Decided { replayed: false, .. })), "{answers:?}");
    assert!(matches!(&answers[3], Ok(CommandOutcome::Decided { replayed: true, .. })), "{answers:?}");
    assert_eq!(balance(&store, 1).await, [1000, 100, 0, 0], "but a step was made");
    assert_eq!(words(&ask(&store, order("all", spend(1100)), at).await), "1:1100 | 0 0 0 0");
    assert_eq!(store.sweep(Now::trusted(at), 128).await.unwrap().expired, 0);
}

async fn where_too_many_lots_end_nothing_is_decided_yet(store: Store) {
    learn(&store, &[Sale::new("a").bought()]).await;
    let at = NOW.plus_seconds(60);
    let orders = (0..1100).map(|number| order(&format!("k{number}"), give(1, 10, Some(at)))).collect();
    assert!(batch(&store, orders, NOW).await.iter().all(Result::is_ok));
    let answers = batch(&store, vec![order("all", spend(10))], at).await;
    assert!(matches!(&answers[..], [Err(StoreError::Busy)]), "{answers:?}");
    assert_eq!(balance(&store, 1).await, [110, 0, 0, 0], "but a step was made");
    assert_eq!(words(&ask(&store, order("all", spend(10)), at).await), "1:10 | 0 0 0 0");
    assert_eq!(store.sweep(Now::trusted(at), 128).await.unwrap().expired, 0);
}
