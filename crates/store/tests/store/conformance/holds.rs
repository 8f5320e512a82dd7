//! What the store must do with holds: each resolves once, whatever comes at the same moment; what returns
//! meets what happened meanwhile; and they are shown as they are.
//! Not here: ending those that nobody asks about (`sweep`).

use std::collections::BTreeSet;

use ledger::knowledge::{DisputeOutcome, RefundRank};
use ledger::{HoldState, Knowledge, Now, Timestamp};

use store::{Page, Store};

use super::merges::bought_without_intent;
use super::requests::{
    ask, batch, capture, decided, give, hold, hold_for, hold_id, order, order_of, release, spend, statement,
    words,
};
use super::sale::{ALL, NOW, Sale, balance, learn, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([execute_commands], a_hold_resolves_once),
    case!([execute_commands], of_two_captures_in_one_batch_one_counts),
    case!([execute_commands], a_hold_lasts_until_its_last_microsecond),
    case!([execute_commands], the_ledgers_time_never_goes_back),
    case!([execute_commands], what_a_hold_took_is_spent_in_burn_order_and_the_rest_returns),
    case!([execute_commands, apply_events], what_was_frozen_or_revoked_meanwhile_meets_what_returns),
    case!([execute_commands, apply_events], what_returns_meets_what_is_to_be_frozen_of_its_whole_payment),
    case!([execute_commands, hold], another_tenants_hold_is_as_good_as_missing),
    case!([hold, holds], holds_are_shown_as_they_are_at_the_moment),
];

async fn a_hold_resolves_once(store: Store) {
    learn(&store, &[Sale::new("a").bought()]).await;
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
    statement(&store, &lines).await;
}

async fn of_two_captures_in_one_batch_one_counts(store: Store) {
    learn(&store, &[Sale::new("a").bought()]).await;
    let at_once = vec![
        order("1", hold(1, 4)),
        order("2", capture(1, Some(3))),
        order("3", capture(1, Some(2))),
        order("4", release(1)),
    ];
    let told = decided(batch(&store, at_once, NOW).await).map(|(words, _)| words);
    assert_eq!(told, ["1:4 | 6 4 0 0", "1:3 | 7 0 0 0", "captured before", "captured before"]);
    statement(&store, &[(0, hold(2, 4), "1:4 | 3 4 0 0")]).await;
    let at_once = vec![order("5", release(2)), order("6", capture(2, None)), order("7", release(2))];
    let told = decided(batch(&store, at_once, NOW).await).map(|(words, _)| words);
    assert_eq!(told, ["1:4 | 7 0 0 0", "released before", "released before"]);
}

async fn a_hold_lasts_until_its_last_microsecond(store: Store) {
    learn(&store, &[Sale::new("a").bought()]).await;
    statement(&store, &[(0, hold_for(1, 4, 60), "1:4 | 6 4 0 0"), (0, hold_for(2, 4, 60), "1:4 | 2 8 0 0")])
        .await;
    let end = NOW.plus_seconds(60);
    let last = ask(&store, order("last", capture(1, None)), Timestamp(end.0 - 1)).await;
    assert_eq!(words(&last), "1:4 | 2 4 0 0");
    // A refusal is kept like any answer, and what the clock ended is written with it.
    let late = batch(&store, vec![order("late", capture(2, None)), order("spend", spend(6))], end).await;
    assert_eq!(decided(late).map(|(words, _)| words), ["expired before", "1:6 | 0 0 0 0"]);
    let expired = store.hold(tenant(1), hold_id(2), Now::trusted(end)).await.unwrap().unwrap();
    assert_eq!((expired.state, expired.resolved_at), (HoldState::Expired, Some(end)));
}

async fn the_ledgers_time_never_goes_back(store: Store) {
    learn(&store, &[Sale::new("a").bought()]).await;
    statement(&store, &[(0, hold_for(1, 4, 60), "1:4 | 6 4 0 0"), (60, spend(1), "1:1 | 9 0 0 0")]).await;
    // The machine's clock was put back: the hold that had ended stays so. A new one is dated by the ledger's
    // time, and ends by the clock.
    let lines = [(-3600, capture(1, None), "expired before"), (-3600, hold_for(2, 4, 60), "1:4 | 5 4 0 0")];
    statement(&store, &lines).await;
    let made = store.hold(tenant(1), hold_id(2), Now::trusted(NOW)).await.unwrap().unwrap();
    assert_eq!((made.created_at, made.expires_at), (NOW.plus_seconds(60), NOW.plus_seconds(-3540)));
    let rows = store.transactions(Default::default(), ALL).await.unwrap().rows;
    assert!(rows.is_sorted_by_key(|row| row.transaction.at), "{rows:#?}");
    // An event is recorded at the ledger's time, too.
    let sold = Sale::new("b").bought();
    learn(&store, &[sold]).await;
    let rows = store.transactions(Default::default(), ALL).await.unwrap().rows;
    assert_eq!(rows.last().unwrap().transaction.at, NOW.plus_seconds(60));
}

async fn what_a_hold_took_is_spent_in_burn_order_and_the_rest_returns(store: Store) {
    learn(&store, &[Sale::new("a").of(3).bought(), Sale::new("b").of(3).bought()]).await;
    let lines = [
        (0, give(3, 10, None), "3:3 | 9 0 0 0"),
        (0, hold(1, 8), "3:3 1:3 2:2 | 1 8 0 0"),
        (0, capture(1, Some(4)), "3:3 1:1 | 5 0 0 0"),
        (0, hold(2, 4), "1:2 2:2 | 1 4 0 0"),
        // What came later and burns first does not change what a hold has.
        (0, give(2, 10, None), "4:2 | 3 4 0 0"),
        (0, capture(2, Some(3)), "1:2 2:1 | 4 0 0 0"),
        (0, spend(4), "4:2 2:2 | 0 0 0 0"),
    ];
    statement(&store, &lines).await;
}

async fn what_was_frozen_or_revoked_meanwhile_meets_what_returns(store: Store) {
    let [a, b, c] = ["a", "b", "c"].map(Sale::new);
    let (b, c) = (b.to(2), c.to(3));
    learn(&store, &[a.bought(), b.bought(), c.bought()]).await;
    for (number, key) in [(1, "a"), (2, "b"), (3, "c")] {
        ask(&store, order_of(tenant(number), key, hold(number, 8)), NOW).await.unwrap();
    }
    learn(&store, &[a.refund(1000, RefundRank::Pending), b.refunded(1000)]).await;
    learn(&store, &[c.disputed(DisputeOutcome::Open)]).await;
    let release =
        async |number| words(&ask(&store, order_of(tenant(number), "release", release(number)), NOW).await);
    assert_eq!(balance(&store, 1).await, [0, 8, 2, 0], "no more can be frozen");
    assert_eq!(release(1).await, "1:8 | 0 0 10 0", "what returns is frozen first");
    assert_eq!(balance(&store, 2).await, [0, 8, 0, 8], "a hold stands, and is owed");
    assert_eq!(release(2).await, "2:8 | 0 0 0 0", "what returns pays it");
    let capture = order_of(tenant(3), "capture", capture(3, Some(5)));
    assert_eq!(words(&ask(&store, capture, NOW).await), "3:5 | 0 0 5 0", "as does the rest of a capture");
}

async fn what_returns_meets_what_is_to_be_frozen_of_its_whole_payment(store: Store) {
    let [a, b] = ["a", "b"].map(Sale::new);
    learn(&store, &[bought_without_intent(&a), bought_without_intent(&b)]).await;
    let lines = [(0, hold(1, 10), "1:10 | 10 10 0 0"), (0, spend(10), "2:10 | 0 10 0 0")];
    statement(&store, &lines).await;
    // They turn out to be one purchase, and it is disputed: its second lot is the one that should be frozen.
    let sessions = BTreeSet::from([a.object("cs"), b.object("cs")]);
    learn(&store, &[a.fact("same", Knowledge { sessions, ..Knowledge::default() })]).await;
    learn(&store, &[a.disputed(DisputeOutcome::Open)]).await;
    assert_eq!(balance(&store, 1).await, [0, 10, 0, 10]);
    statement(&store, &[(0, release(1), "1:10 | 0 0 10 10")]).await;
}

async fn another_tenants_hold_is_as_good_as_missing(store: Store) {
    learn(&store, &[Sale::new("a").bought(), Sale::new("b").to(2).bought()]).await;
    statement(&store, &[(0, hold(1, 4), "1:4 | 6 4 0 0")]).await;
    for (key, action) in [("capture", capture(1, None)), ("release", release(1))] {
        let told = ask(&store, order_of(tenant(2), key, action), NOW).await;
        assert_eq!(words(&told), "no such hold", "{key}");
    }
    assert_eq!(store.hold(tenant(2), hold_id(1), Now::trusted(NOW)).await.unwrap(), None);
    assert_eq!(balance(&store, 1).await, [6, 4, 0, 0]);
}

async fn holds_are_shown_as_they_are_at_the_moment(store: Store) {
    learn(&store, &[Sale::new("a").bought(), Sale::new("b").to(2).bought()]).await;
    let mut named = order("named", hold_for(1, 1, 600));
    named.command.reference = Some("lease 7".to_owned());
    ask(&store, named, NOW).await.unwrap();
    let lines = [
        (1, hold_for(2, 2, 60), "1:2 | 7 3 0 0"),
        (2, hold(3, 3), "1:3 | 4 6 0 0"),
        (3, hold(4, 4), "1:4 | 0 10 0 0"),
        (4, capture(3, Some(2)), "1:2 | 1 7 0 0"),
        (5, release(4), "1:4 | 5 3 0 0"),
    ];
    statement(&store, &lines).await;
    ask(&store, order_of(tenant(2), "other", hold(5, 1)), NOW).await.unwrap();

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
    let page = Page { number: 2, size: 3, ascending: false };
    assert_eq!(shown(None, 10, page).await, ("1 open".to_owned(), 4));

    let first = store.hold(tenant(1), hold_id(1), Now::trusted(NOW)).await.unwrap().unwrap();
    assert_eq!((first.reference.as_deref(), first.resolved_at), (Some("lease 7"), None));
    let over = store.hold(tenant(1), hold_id(1), Now::trusted(NOW.plus_seconds(600))).await.unwrap().unwrap();
    assert_eq!((over.state, over.resolved_at), (HoldState::Expired, None), "before its credits returned");
    let third = store.hold(tenant(1), hold_id(3), Now::trusted(NOW)).await.unwrap().unwrap();
    assert_eq!((third.captured.0, third.resolved_at), (2, Some(NOW.plus_seconds(4))));
}
