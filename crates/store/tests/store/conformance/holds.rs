//! Holds: each is resolved once; returning credits are frozen or revoked as decided meanwhile; and holds are
//! shown as of a time.

use std::collections::BTreeSet;

use ledger::knowledge::{DisputeOutcome, RefundRank};
use ledger::{HoldState, Knowledge, Now, Timestamp};

use store::{PageRequest, Store};

use super::command_requests::{
    adjust, capture, check_each, execute, execute_batch, hold, hold_for, hold_id, release, request,
    request_by, spend, summaries, summary,
};
use super::merges::bought_without_intent;
use super::test_purchase::{ALL, NOW, TestPurchase, apply, balance, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([execute_commands], a_hold_resolves_once),
    case!([execute_commands], of_two_captures_in_one_batch_one_succeeds),
    case!([execute_commands], a_hold_lasts_until_its_last_microsecond),
    case!([execute_commands], the_ledgers_time_never_decreases),
    case!([execute_commands], a_capture_spends_in_burn_order_and_the_rest_returns),
    case!([execute_commands, apply_events], returning_credits_are_frozen_or_revoked_as_decided_meanwhile),
    case!([execute_commands, apply_events], returning_credits_are_frozen_for_the_whole_payment),
    case!([execute_commands, hold], another_tenants_hold_counts_as_missing),
    case!([hold, holds], holds_are_listed_as_of_a_time),
];

async fn a_hold_resolves_once(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    let lines = [
        (0, hold(1, 4), "1:4 | 6 4 0 0"),
        (0, capture(1, Some(5)), "5 of 4 held"),
        (0, capture(1, Some(0)), "not positive"),
        (0, capture(1, Some(-1)), "not positive"),
        (0, capture(1, Some(3)), "1:3 | 7 0 0 0"),
        (0, capture(1, Some(1)), "captured before"),
        (0, capture(1, None), "captured before"),
        (0, release(1), "captured before"),
        (0, hold(2, 7), "1:7 | 0 7 0 0"),
        (0, spend(1), "1 of 0, 0 owed"),
        (0, hold(3, 1), "1 of 0, 0 owed"),
        (0, release(2), "1:7 | 7 0 0 0"),
        (0, release(2), "released before"),
        (0, capture(2, None), "released before"),
        (0, hold(4, 7), "1:7 | 0 7 0 0"),
        (0, capture(4, None), "1:7 | 0 0 0 0"),
        (0, release(9), "no such hold"),
        (0, capture(3, None), "no such hold"),
    ];
    check_each(&store, &lines).await;
}

async fn of_two_captures_in_one_batch_one_succeeds(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    let at_once = vec![
        request("1", hold(1, 4)),
        request("2", capture(1, Some(3))),
        request("3", capture(1, Some(2))),
        request("4", release(1)),
    ];
    let outcomes = summaries(execute_batch(&store, at_once, NOW).await).map(|(summary, _)| summary);
    assert_eq!(outcomes, ["1:4 | 6 4 0 0", "1:3 | 7 0 0 0", "captured before", "captured before"]);
    check_each(&store, &[(0, hold(2, 4), "1:4 | 3 4 0 0")]).await;
    let at_once = vec![request("5", release(2)), request("6", capture(2, None)), request("7", release(2))];
    let outcomes = summaries(execute_batch(&store, at_once, NOW).await).map(|(summary, _)| summary);
    assert_eq!(outcomes, ["1:4 | 7 0 0 0", "released before", "released before"]);
}

async fn a_hold_lasts_until_its_last_microsecond(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    check_each(&store, &[(0, hold_for(1, 4, 60), "1:4 | 6 4 0 0"), (0, hold_for(2, 4, 60), "1:4 | 2 8 0 0")])
        .await;
    let end = NOW.plus_seconds(60);
    let last = execute(&store, request("last", capture(1, None)), Timestamp(end.0 - 1)).await;
    assert_eq!(summary(&last), "1:4 | 2 4 0 0");
    // A refusal is stored like any answer, and what expired is written with it.
    let late =
        execute_batch(&store, vec![request("late", capture(2, None)), request("spend", spend(6))], end).await;
    assert_eq!(summaries(late).map(|(summary, _)| summary), ["expired before", "1:6 | 0 0 0 0"]);
    let expired = store.hold(tenant(1), hold_id(2), Now::trusted(end)).await.unwrap().unwrap();
    assert_eq!((expired.state, expired.resolved_at), (HoldState::Expired, Some(end)));
}

async fn the_ledgers_time_never_decreases(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    check_each(&store, &[(0, hold_for(1, 4, 60), "1:4 | 6 4 0 0"), (60, spend(1), "1:1 | 9 0 0 0")]).await;
    // The machine's clock was set back: the hold stays expired. A new one is dated by the ledger's time and
    // ends by the clock.
    let lines = [(-3600, capture(1, None), "expired before"), (-3600, hold_for(2, 4, 60), "1:4 | 5 4 0 0")];
    check_each(&store, &lines).await;
    let made = store.hold(tenant(1), hold_id(2), Now::trusted(NOW)).await.unwrap().unwrap();
    assert_eq!((made.created_at, made.expires_at), (NOW.plus_seconds(60), NOW.plus_seconds(-3540)));
    let rows = store.transactions(Default::default(), ALL).await.unwrap().rows;
    assert!(rows.is_sorted_by_key(|row| row.transaction.at), "{rows:#?}");
    // Events are recorded at the ledger's time, too.
    let sold = TestPurchase::new("b").bought();
    apply(&store, &[sold]).await;
    let rows = store.transactions(Default::default(), ALL).await.unwrap().rows;
    assert_eq!(rows.last().unwrap().transaction.at, NOW.plus_seconds(60));
}

async fn a_capture_spends_in_burn_order_and_the_rest_returns(store: Store) {
    apply(
        &store,
        &[TestPurchase::new("a").with_credits(3).bought(), TestPurchase::new("b").with_credits(3).bought()],
    )
    .await;
    let lines = [
        (0, adjust(3, 10, None), "3:3 | 9 0 0 0"),
        (0, hold(1, 8), "3:3 1:3 2:2 | 1 8 0 0"),
        (0, capture(1, Some(4)), "3:3 1:1 | 5 0 0 0"),
        (0, hold(2, 4), "1:2 2:2 | 1 4 0 0"),
        // Lots that were added later do not change a hold, even if they burn first.
        (0, adjust(2, 10, None), "4:2 | 3 4 0 0"),
        (0, capture(2, Some(3)), "1:2 2:1 | 4 0 0 0"),
        (0, spend(4), "4:2 2:2 | 0 0 0 0"),
    ];
    check_each(&store, &lines).await;
}

async fn returning_credits_are_frozen_or_revoked_as_decided_meanwhile(store: Store) {
    let [a, b, c] = ["a", "b", "c"].map(TestPurchase::new);
    let (b, c) = (b.for_tenant(2), c.for_tenant(3));
    apply(&store, &[a.bought(), b.bought(), c.bought()]).await;
    for (number, key) in [(1, "a"), (2, "b"), (3, "c")] {
        execute(&store, request_by(tenant(number), key, hold(number, 8)), NOW).await.unwrap();
    }
    apply(&store, &[a.refund(1000, RefundRank::Pending), b.refunded(1000)]).await;
    apply(&store, &[c.disputed(DisputeOutcome::Open)]).await;
    let release = async |number| {
        summary(&execute(&store, request_by(tenant(number), "release", release(number)), NOW).await)
    };
    assert_eq!(balance(&store, 1).await, [0, 8, 2, 0], "no more can be frozen");
    assert_eq!(release(1).await, "1:8 | 0 0 10 0", "returning credits are frozen first");
    assert_eq!(balance(&store, 2).await, [0, 8, 0, 8], "the hold stays, and becomes debt");
    assert_eq!(release(2).await, "2:8 | 0 0 0 0", "returning credits repay it");
    let capture = request_by(tenant(3), "capture", capture(3, Some(5)));
    assert_eq!(
        summary(&execute(&store, capture, NOW).await),
        "3:5 | 0 0 5 0",
        "as does the rest of a capture"
    );
}

async fn returning_credits_are_frozen_for_the_whole_payment(store: Store) {
    let [a, b] = ["a", "b"].map(TestPurchase::new);
    apply(&store, &[bought_without_intent(&a), bought_without_intent(&b)]).await;
    let lines = [(0, hold(1, 10), "1:10 | 10 10 0 0"), (0, spend(10), "2:10 | 0 10 0 0")];
    check_each(&store, &lines).await;
    // They turn out to be one purchase, and it is disputed: its second lot should be frozen.
    let sessions = BTreeSet::from([a.object("cs"), b.object("cs")]);
    apply(&store, &[a.fact("same", Knowledge { sessions, ..Knowledge::default() })]).await;
    apply(&store, &[a.disputed(DisputeOutcome::Open)]).await;
    assert_eq!(balance(&store, 1).await, [0, 10, 0, 10]);
    check_each(&store, &[(0, release(1), "1:10 | 0 0 10 10")]).await;
}

async fn another_tenants_hold_counts_as_missing(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought(), TestPurchase::new("b").for_tenant(2).bought()]).await;
    check_each(&store, &[(0, hold(1, 4), "1:4 | 6 4 0 0")]).await;
    for (key, action) in [("capture", capture(1, None)), ("release", release(1))] {
        let answer = execute(&store, request_by(tenant(2), key, action), NOW).await;
        assert_eq!(summary(&answer), "no such hold", "{key}");
    }
    assert_eq!(store.hold(tenant(2), hold_id(1), Now::trusted(NOW)).await.unwrap(), None);
    assert_eq!(balance(&store, 1).await, [6, 4, 0, 0]);
}

async fn holds_are_listed_as_of_a_time(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought(), TestPurchase::new("b").for_tenant(2).bought()]).await;
    let mut named = request("named", hold_for(1, 1, 600));
    named.command.reference = Some("lease 7".to_owned());
    execute(&store, named, NOW).await.unwrap();
    let lines = [
        (1, hold_for(2, 2, 60), "1:2 | 7 3 0 0"),
        (2, hold(3, 3), "1:3 | 4 6 0 0"),
        (3, hold(4, 4), "1:4 | 0 10 0 0"),
        (4, capture(3, Some(2)), "1:2 | 1 7 0 0"),
        (5, release(4), "1:4 | 5 3 0 0"),
    ];
    check_each(&store, &lines).await;
    execute(&store, request_by(tenant(2), "other", hold(5, 1)), NOW).await.unwrap();

    let shown = async |state, at: i64, page| {
        let listing = store.holds(tenant(1), state, Now::trusted(NOW.plus_seconds(at)), page).await.unwrap();
        let rows: Vec<_> =
            listing.rows.iter().map(|hold| format!("{} {}", hold.credits, hold.state)).collect();
        (rows.join(", "), listing.total)
    };
    let (open, expired) = (Some(HoldState::Open), Some(HoldState::Expired));
    let all = "1 open, 2 open, 3 captured, 4 released";
    assert_eq!(shown(None, 10, ALL).await, (all.to_owned(), 4));
    assert_eq!(shown(None, 61, ALL).await.0, all.replace("2 open", "2 expired"));
    assert_eq!(shown(open, 60, ALL).await, ("1 open, 2 open".to_owned(), 2));
    assert_eq!(shown(open, 61, ALL).await, ("1 open".to_owned(), 1));
    assert_eq!(shown(expired, 60, ALL).await, (String::new(), 0));
    assert_eq!(shown(expired, 61, ALL).await, ("2 expired".to_owned(), 1));
    assert_eq!(shown(Some(HoldState::Captured), 61, ALL).await, ("3 captured".to_owned(), 1));
    assert_eq!(shown(Some(HoldState::Released), 61, ALL).await, ("4 released".to_owned(), 1));
    let page = PageRequest { number: 2, size: 3, ascending: false };
    assert_eq!(shown(None, 10, page).await, ("1 open".to_owned(), 4));

    let first = store.hold(tenant(1), hold_id(1), Now::trusted(NOW)).await.unwrap().unwrap();
    assert_eq!((first.reference.as_deref(), first.resolved_at), (Some("lease 7"), None));
    let over = store.hold(tenant(1), hold_id(1), Now::trusted(NOW.plus_seconds(600))).await.unwrap().unwrap();
    assert_eq!((over.state, over.resolved_at), (HoldState::Expired, None), "before its credits returned");
    let third = store.hold(tenant(1), hold_id(3), Now::trusted(NOW)).await.unwrap().unwrap();
    assert_eq!((third.captured.0, third.resolved_at), (2, Some(NOW.plus_seconds(4))));
}
