//! What operators do: once under its name, by one person up to the limits, above them by two.

use std::sync::Arc;

use ledger::knowledge::RefundRank;
use ledger::{Credits, Now, Policy, Refusal, Timestamp};
use store::{
    ActionFilter, ActionKind, ActionRefusal, ActionRequest, ActionState, ActionVerdict, Asked, GrantTerms,
    Items, KeyHolder, MAX_BULK_ITEMS, NewAction, QuarantineFilter, Store,
};

use super::office::{
    LIMITS, add, approve, ask, decide, dismiss, give, grant, kept, kept_at, key, new, open, open_for_two,
    preview, refused, resolve,
};
use super::requests::{does, spend};
use super::sale::{ALL, NOW, Sale, balance, learn, learn_under, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([ask_action, action], an_action_is_done_once_under_its_name),
    case!([ask_action], a_person_moves_no_more_than_the_limits_in_a_day),
    case!([ask_action], requests_at_once_never_pass_a_limit_together),
    case!([decide_action, action], another_person_who_was_there_before_decides),
    case!([decide_action], what_a_second_person_approves_counts_for_nobody),
    case!([decide_action], what_cannot_be_done_any_more_is_refused_when_it_is_approved),
    case!([decide_action, action], an_approval_does_no_more_than_was_shown),
    case!([ask_action], what_takes_two_is_done_alone_only_where_nobody_else_is),
    case!([actions], actions_are_listed_by_state_kind_person_and_tenant),
    case!([preview_action], a_preview_says_what_would_happen_and_changes_nothing),
    case!([ask_action, quarantine_item], a_quarantine_decision_counts_what_it_grants_and_takes_back),
    case!([ask_action, quarantine_item], what_is_granted_counts_in_full_where_its_money_was_refunded),
    case!([ask_action, review], what_is_taken_back_counts_beside_what_is_given),
    case!([ask_action, preview_action, quarantine], many_items_are_one_action_if_the_count_is_right),
    case!([ask_action, preview_action], no_more_items_than_one_decision_may_have),
];

async fn an_action_is_done_once_under_its_name(store: Store) {
    open(&store).await;
    learn(&store, &[Sale::new("a").bought()]).await;
    let named = |credits: i64| NewAction {
        name: Some(("k".to_owned(), [u8::try_from(credits).unwrap(); 32])),
        ..new("ann", give(1, credits))
    };
    let Asked::Kept { action: first, replayed: false } = ask(&store, named(5), NOW).await else {
        panic!("it is new")
    };
    assert_eq!((first.state, first.credits, first.alone), (ActionState::Done, Credits(5), false));
    assert_eq!((first.tenant, first.asked_by.name.as_str()), (Some(tenant(1)), "ann"));
    assert_eq!(first.result.transaction, Some(2));
    assert_eq!(store.action(first.id.clone()).await.unwrap().as_ref(), Some(&*first));
    let again = ask(&store, named(5), NOW).await;
    assert_eq!(again, Asked::Kept { action: first, replayed: true });
    assert_eq!(ask(&store, named(6), NOW).await, Asked::Refused(ActionRefusal::NameReused));
    assert_eq!(balance(&store, 1).await, [15, 0, 0, 0]);

    // What the ledger refuses is an answer too, and waits for nobody.
    let too_much = kept(&store, "ann", give(1, -500)).await;
    assert_eq!(too_much.state, ActionState::Refused);
    assert!(matches!(too_much.result.refusal, Some(Refusal::Insufficient { .. })), "{too_much:?}");
    let none = ActionRequest::WriteOff { tenant: tenant(1), credits: None };
    assert!(kept(&store, "ann", none).await.result.refusal.is_some());
    assert_eq!(refused(&store, "nobody", give(1, 1)).await, ActionRefusal::NobodyActs);
}

async fn a_person_moves_no_more_than_the_limits_in_a_day(store: Store) {
    open_for_two(&store).await;
    let at = |seconds| NOW.plus_seconds(seconds);
    let day = 24 * 3600;
    // Who, when, for which tenant, how many; what becomes of it.
    for (who, seconds, number, credits, expected) in [
        ("ann", 0, 1, 60, ActionState::Done),
        ("ann", 1, 1, 41, ActionState::Waiting),
        ("ann", 2, 1, -40, ActionState::Done),
        ("ann", 3, 1, -1, ActionState::Waiting),
        ("ann", 4, 2, 100, ActionState::Done),
        ("ann", 5, 3, 51, ActionState::Waiting),
        ("ann", 6, 3, 50, ActionState::Done),
        ("ann", 7, 4, 1, ActionState::Waiting),
        ("bob", 8, 1, 100, ActionState::Done),
        ("ann", day - 1, 4, 1, ActionState::Waiting),
        ("ann", day, 4, 60, ActionState::Done),
        ("ann", day, 4, 1, ActionState::Waiting),
    ] {
        let row = kept_at(&store, who, give(number, credits), at(seconds)).await;
        assert_eq!(row.state, expected, "{who} {credits} to {number} at {seconds}");
    }
}

async fn requests_at_once_never_pass_a_limit_together(store: Store) {
    open_for_two(&store).await;
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..40 {
        let store = store.clone();
        waiting.spawn(async move { kept(&store, "ann", give(number % 2, 7)).await.state });
    }
    let states = waiting.join_all().await;
    let done = states.iter().filter(|state| **state == ActionState::Done).count();
    assert_eq!(done, 28, "14 times 7 of each tenant, and no more: {states:?}");
    for number in 0..2 {
        assert_eq!(balance(&store, number).await, [98, 0, 0, 0]);
    }
}

async fn another_person_who_was_there_before_decides(store: Store) {
    open_for_two(&store).await;
    let later = |id: &str, holder| {
        let mut key = key(id, holder);
        key.created_at = NOW.plus_seconds(1);
        key
    };
    let second = KeyHolder::Person("person_ann".to_owned());
    store.create_key(key("ann_too", second), [11; 32]).await.unwrap();
    let younger = KeyHolder::Person("person_bob".to_owned());
    store.create_key(later("bob_young", younger), [12; 32]).await.unwrap();
    store.create_key(key("machine", KeyHolder::Machine), [13; 32]).await.unwrap();
    store.create_key(key("shop", KeyHolder::Service), [14; 32]).await.unwrap();
    let no = || ActionVerdict::Reject { reason: "no".to_owned() };
    let yes = || ActionVerdict::Approve;
    let mut ids = Vec::new();
    for credits in [101, 102, 103] {
        let row = kept(&store, "ann", give(1, credits)).await;
        assert_eq!((row.state, row.alone), (ActionState::Waiting, false));
        ids.push(row.id);
    }
    let small = kept(&store, "ann", give(1, 4)).await.id;
    for (id, verdict, by, expected) in [
        (&ids[0], yes(), "ann", "the same person"),
        (&ids[0], yes(), "ann_too", "the same person"),
        (&ids[0], no(), "ann_too", "the same person"),
        (&ids[0], yes(), "bob_young", "too new"),
        (&ids[0], yes(), "machine", "nobody acts"),
        (&ids[0], yes(), "shop", "nobody acts"),
        (&ids[0], yes(), "bob", "counted: done"),
        (&ids[0], no(), "bob", "already: done"),
        (&ids[0], yes(), "ann", "the same person"),
        (&ids[1], no(), "bob", "counted: rejected"),
        (&ids[1], yes(), "bob", "already: rejected"),
        (&small, yes(), "bob", "already: done"),
        (&"act_none".to_owned(), no(), "bob", "no such"),
    ] {
        assert_eq!(decide(&store, id, verdict.clone(), by).await, expected, "{id} {verdict:?} by {by}");
    }
    assert_eq!(balance(&store, 1).await, [105, 0, 0, 0]);
    let done = store.action(ids[0].clone()).await.unwrap().unwrap();
    assert_eq!(done.decided_by.unwrap().name, "bob");
    assert_eq!(done.result.consequences.granted, Credits(101));
    // A person who was registered after the asking is too new, whatever their key.
    let carol = kept(&store, "ann", add("carol", 3)).await;
    assert_eq!(approve_at(&store, &carol.id, "bob", 5).await, ActionState::Done);
    let mut old = key("carol_old", KeyHolder::Person("person_carol".to_owned()));
    old.created_at = NOW;
    store.create_key(old, [15; 32]).await.unwrap();
    assert_eq!(approve(&store, &ids[2], "carol_old").await, "too new");
    // Whoever is removed decides nothing, and what they asked for is rejected.
    let removal = kept(&store, "ann", ActionRequest::PersonRemove { id: "person_bob".to_owned() }).await;
    assert_eq!(approve(&store, &removal.id, "carol").await, "too new");
    let removal =
        kept_at(&store, "ann", ActionRequest::PersonRemove { id: "person_bob".to_owned() }, at(9)).await;
    let bobs = kept(&store, "bob", give(1, 500)).await;
    assert_eq!(approve_at(&store, &removal.id, "carol", 9).await, ActionState::Done);
    assert_eq!(approve(&store, &ids[2], "bob").await, "nobody acts");
    assert_eq!(store.action(bobs.id).await.unwrap().unwrap().state, ActionState::Rejected);
}

fn at(seconds: i64) -> Timestamp {
    NOW.plus_seconds(seconds)
}

/// Approves so many seconds later, and answers the state that follows.
async fn approve_at(store: &Store, id: &str, key: &str, seconds: i64) -> ActionState {
    let (id, key) = (id.to_owned(), key.to_owned());
    let approve = ActionVerdict::Approve;
    store.decide_action(id.clone(), approve, key, Arc::default(), Now::trusted(at(seconds))).await.unwrap();
    store.action(id).await.unwrap().unwrap().state
}

async fn what_a_second_person_approves_counts_for_nobody(store: Store) {
    open_for_two(&store).await;
    let large = kept(&store, "ann", give(1, 5000)).await;
    assert_eq!(approve(&store, &large.id, "bob").await, "counted: done");
    for who in ["ann", "bob"] {
        assert_eq!(kept(&store, who, give(1, 100)).await.state, ActionState::Done, "{who}");
    }
    assert_eq!(balance(&store, 1).await, [5200, 0, 0, 0]);
}

async fn what_cannot_be_done_any_more_is_refused_when_it_is_approved(store: Store) {
    open_for_two(&store).await;
    kept(&store, "bob", give(1, 100)).await;
    kept(&store, "ann", give(1, 70)).await;
    let take = kept(&store, "ann", give(1, -150)).await;
    kept(&store, "ann", give(1, -30)).await;
    assert_eq!(approve(&store, &take.id, "bob").await, "counted: refused");
    let refused = store.action(take.id).await.unwrap().unwrap();
    assert!(refused.note.is_some_and(|note| note.contains("not enough credits")));
    assert_eq!(balance(&store, 1).await, [140, 0, 0, 0]);

    // A grant that has ended by now still waits: somebody must reject it.
    let ends =
        ActionRequest::Adjustment { tenant: tenant(1), credits: 500, priority: 10, expires_at: Some(at(5)) };
    let waits = kept(&store, "ann", ends.clone()).await;
    let late = store.decide_action(
        waits.id,
        ActionVerdict::Approve,
        "bob".to_owned(),
        Arc::default(),
        Now::trusted(at(5)),
    );
    assert!(matches!(late.await.unwrap(), Some(store::ActionDecided::Ended)));
    assert_eq!(ask(&store, new("ann", ends), at(5)).await, Asked::Refused(ActionRefusal::Ended));
}

async fn an_approval_does_no_more_than_was_shown(store: Store) {
    open_for_two(&store).await;
    let refuses = async |id: String, why: &str| {
        assert_eq!(approve(&store, &id, "bob").await, "counted: refused");
        let note = store.action(id).await.unwrap().unwrap().note.unwrap();
        assert!(note.contains(why), "{note}");
    };
    // Spent while it waits: a debt that nobody was shown.
    let sale = Sale::new("a").of(500);
    learn(&store, &[sale.bought_by_nobody(), sale.bought()]).await;
    let dismissal = kept(&store, "ann", dismiss(1)).await;
    assert_eq!((dismissal.state, dismissal.credits), (ActionState::Waiting, Credits(500)));
    does(&store, spend(300)).await.unwrap();
    refuses(dismissal.id, "a debt of 300 by now, and 0 was shown").await;
    assert_eq!(balance(&store, 1).await, [200, 0, 0, 0]);

    // Another tenant's claim comes to count while it waits: not the tenant that was shown.
    let strict = Policy { known_tenants_only: true, ..Policy::default() };
    let (sale, other) = (Sale::new("b").of(600), Sale::new("c").to(5));
    learn_under(&store, &strict, &[sale.to(3).bought(), other.bought()]).await;
    let reason = Some(ledger::Reason::TenantUnknown);
    let filter = QuarantineFilter { reason, ..QuarantineFilter::default() };
    let items = Items::Matching { filter, expected: Some(2) };
    let terms = GrantTerms::default();
    let granting = kept(&store, "ann", ActionRequest::QuarantineResolve { items, terms }).await;
    assert_eq!((granting.state, granting.credits), (ActionState::Waiting, Credits(610)));
    let mut earlier = Sale::new("b").of(600).to(4).bought();
    (earlier.event.id, earlier.event.created) = ("evt_earlier".into(), earlier.event.created - 1);
    learn_under(&store, &strict, &[earlier]).await;
    refuses(granting.id, "it would move 600 credits of tenant 00000000-0000-0000-0000-000000000004").await;
    assert!(
        store.tenant(tenant(3)).await.unwrap().is_none() && store.tenant(tenant(4)).await.unwrap().is_none()
    );
}

async fn what_takes_two_is_done_alone_only_where_nobody_else_is(store: Store) {
    open(&store).await;
    let alone = |request| NewAction { alone: true, ..new("ann", request) };
    assert_eq!(refused(&store, "ann", give(1, 101)).await, ActionRefusal::SecondPersonMissing);
    assert_eq!(refused(&store, "ann", add("bob", 2)).await, ActionRefusal::SecondPersonMissing);
    assert!(store.tenant(tenant(1)).await.unwrap().is_none(), "nothing was changed");
    let Asked::Kept { action, .. } = ask(&store, alone(give(1, 90)), NOW).await else { panic!("done") };
    assert!(!action.alone, "it needs nobody else");
    let Asked::Kept { action, .. } = ask(&store, alone(give(1, 500)), NOW).await else { panic!("done") };
    assert_eq!((action.state, action.alone), (ActionState::Done, true));
    assert_eq!(refused(&store, "ann", give(1, 1)).await, ActionRefusal::SecondPersonMissing, "it counts");
    let Asked::Kept { .. } = ask(&store, alone(add("bob", 2)), NOW).await else { panic!("done") };
    assert_eq!(ask(&store, alone(give(2, 1)), NOW).await, Asked::Refused(ActionRefusal::NotAlone));
    assert_eq!(kept(&store, "ann", give(1, 1)).await.state, ActionState::Waiting);
}

async fn actions_are_listed_by_state_kind_person_and_tenant(store: Store) {
    open_for_two(&store).await;
    let mut ids = vec![store.actions(ActionFilter::default(), ALL).await.unwrap().rows.remove(0).id];
    for (who, number, credits) in [("ann", 1, 5), ("ann", 2, 500), ("bob", 1, 6)] {
        ids.push(kept_at(&store, who, give(number, credits), at(ids.len() as i64)).await.id);
    }
    let all = ActionFilter::default;
    for (filter, expected) in [
        (all(), &[0, 1, 2, 3][..]),
        (ActionFilter { state: Some(ActionState::Waiting), ..all() }, &[2]),
        (ActionFilter { kind: Some(ActionKind::PersonAdd), ..all() }, &[0]),
        (ActionFilter { person: Some("person_bob".to_owned()), ..all() }, &[3]),
        (ActionFilter { tenant: Some(tenant(1)), ..all() }, &[1, 3]),
        (ActionFilter { tenant: Some(tenant(9)), ..all() }, &[]),
    ] {
        let found = store.actions(filter.clone(), ALL).await.unwrap();
        let rows: Vec<_> = found.rows.iter().map(|row| row.id.as_str()).collect();
        let wanted: Vec<_> = expected.iter().map(|index| ids[*index].as_str()).collect();
        assert_eq!((rows, found.total), (wanted, expected.len() as i64), "{filter:?}");
    }
}

/// A payment of which two claims are believed: 10 credits, and then 7.
async fn conflict(store: &Store, name: &str) -> i64 {
    let mut other = Sale::new(name).of(7).bought();
    other.event.id = format!("evt_{name}_other").as_str().into();
    other.event.created += 1;
    learn(store, &[Sale::new(name).bought(), other]).await;
    let items = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap();
    items.rows.last().expect("asked").id
}

async fn a_preview_says_what_would_happen_and_changes_nothing(store: Store) {
    open_for_two(&store).await;
    let item = conflict(&store, "a").await;
    kept(&store, "ann", give(1, -4)).await;
    let before = balance(&store, 1).await;
    let seen = preview(&store, "bob", dismiss(item)).await.unwrap();
    let told = &seen.result.consequences;
    assert_eq!((told.items, told.granted, told.taken_back), (1, Credits(0), Credits(10)));
    assert_eq!((told.already_used, told.debt_created), (Credits(4), Credits(4)));
    assert_eq!((seen.credits, seen.second_person), (Credits(10), false));
    let [change] = told.balances.as_slice() else { panic!("one tenant: {told:?}") };
    assert_eq!((change.before.available, change.after.debt), (Credits(6), Credits(4)));
    assert_eq!(balance(&store, 1).await, before);
    assert!(store.quarantine_item(item).await.unwrap().unwrap().resolution.is_none());
    let done = kept(&store, "bob", dismiss(item)).await;
    assert_eq!(done.result.consequences, *told, "what is done is what was said");
    assert_eq!(balance(&store, 1).await, [0, 0, 0, 4]);

    assert!(preview(&store, "ann", give(1, 101)).await.unwrap().second_person);
    assert!(!preview(&store, "ann", give(1, 90)).await.unwrap().second_person);
    assert_eq!(preview(&store, "ann", dismiss(99)).await, Err(ActionRefusal::NoSuchItem));
    assert_eq!(preview(&store, "ann", dismiss(item)).await, Err(closed("dismissed")));
}

fn closed(resolution: &str) -> ActionRefusal {
    ActionRefusal::ItemClosed(resolution.to_owned())
}

async fn what_is_granted_counts_in_full_where_its_money_was_refunded(store: Store) {
    open_for_two(&store).await;
    let sale = Sale::new("a");
    let gone = sale.refund(1000, RefundRank::Succeeded);
    learn(&store, &[sale.bought_by_nobody(), gone]).await;
    // It would give nothing now, and a million when the refund fails.
    let large = kept(&store, "ann", grant(1, 1, 1_000_000)).await;
    assert_eq!((large.state, large.credits), (ActionState::Waiting, Credits(1_000_000)));
    let small = kept(&store, "ann", grant(1, 1, 10)).await;
    let told = &small.result.consequences;
    assert_eq!((small.state, small.credits), (ActionState::Done, Credits(10)));
    assert_eq!((told.granted, told.refunded, told.taken_back), (Credits(10), Credits(10), Credits(0)));
    assert_eq!(balance(&store, 1).await, [0; 4]);
    learn(&store, &[sale.refund(1000, RefundRank::Failed)]).await;
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
}

/// A refund that could not be prorated, because nobody knew the amount: naming it takes credits back.
async fn what_is_taken_back_counts_beside_what_is_given(store: Store) {
    open_for_two(&store).await;
    let sale = Sale::new("a");
    let mut bought = sale.bought();
    bought.knowledge.session_total = None;
    bought.claimed.as_mut().unwrap().amount = None;
    learn(&store, &[bought, sale.refund(500, RefundRank::Succeeded)]).await;
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    store.review(Arc::default(), Now::trusted(at(3600)), 10).await.unwrap();
    let terms =
        GrantTerms { credits: Some(Credits(11)), amount: Some(ledger::Minor(1000)), ..GrantTerms::default() };
    let resolving = ActionRequest::QuarantineResolve { items: Items::One(1), terms };
    let done = kept_at(&store, "ann", resolving, at(3600)).await;
    let told = &done.result.consequences;
    assert_eq!((told.granted, told.taken_back, done.credits), (Credits(1), Credits(4), Credits(5)));
    assert_eq!(balance(&store, 1).await, [6, 0, 0, 0]);
}

async fn a_quarantine_decision_counts_what_it_grants_and_takes_back(store: Store) {
    open_for_two(&store).await;
    learn(&store, &[Sale::new("a").bought_by_nobody(), Sale::new("b").bought_by_nobody()]).await;
    assert_eq!(refused(&store, "ann", resolve(1)).await, ActionRefusal::NotGrantable(vec![1]));
    let large = kept(&store, "ann", grant(1, 1, 1_000_000)).await;
    assert_eq!((large.state, large.credits), (ActionState::Waiting, Credits(1_000_000)));
    assert!(store.tenant(tenant(1)).await.unwrap().is_none(), "nothing has moved yet");
    assert_eq!(approve(&store, &large.id, "bob").await, "counted: done");
    assert_eq!(balance(&store, 1).await, [1_000_000, 0, 0, 0]);
    let item = store.quarantine_item(1).await.unwrap().unwrap();
    let by = "ann (key ann's), approved by bob (key bob's)";
    assert_eq!((item.resolution.as_deref(), item.closed_by.as_deref()), (Some("resolved"), Some(by)));

    kept(&store, "ann", give(1, 60)).await;
    assert_eq!(
        kept(&store, "ann", grant(2, 1, 41)).await.state,
        ActionState::Waiting,
        "they share one limit"
    );
    assert_eq!(kept(&store, "ann", grant(2, 1, 40)).await.state, ActionState::Done);
    assert_eq!(refused(&store, "ann", grant(2, 1, 40)).await, closed("resolved"));
    // Dismissing what never granted anything moves nothing, and needs nobody.
    learn(&store, &[Sale::new("c").bought_by_nobody()]).await;
    let nothing = kept(&store, "ann", dismiss(3)).await;
    assert_eq!((nothing.state, nothing.credits), (ActionState::Done, Credits(0)));
    // What was refunded meanwhile is not taken back again.
    let item = conflict(&store, "d").await;
    let waits = kept(&store, "ann", dismiss(item)).await;
    assert_eq!((waits.state, waits.credits), (ActionState::Waiting, Credits(10)));
    learn(&store, &[Sale::new("d").charged(), Sale::new("d").refund(500, RefundRank::Succeeded)]).await;
    assert_eq!(approve(&store, &waits.id, "bob").await, "counted: done");
    assert!(store.action(waits.id).await.unwrap().unwrap().credits <= Credits(10));
}

async fn many_items_are_one_action_if_the_count_is_right(store: Store) {
    open_for_two(&store).await;
    let sales = ["a", "b", "c"].map(|name| Sale::new(name).bought_by_nobody());
    learn(&store, &sales).await;
    let conflicts = [conflict(&store, "d").await, conflict(&store, "e").await];
    let matching = |reason: ledger::Reason, expected| Items::Matching {
        filter: QuarantineFilter { reason: Some(reason), ..QuarantineFilter::default() },
        expected,
    };
    let dismissing =
        |reason, expected| ActionRequest::QuarantineDismiss { items: matching(reason, expected) };
    let (invalid, conflict) = (ledger::Reason::TenantInvalid, ledger::Reason::ClaimsConflict);
    let seen = preview(&store, "ann", dismissing(conflict, None)).await.unwrap();
    assert_eq!((seen.result.consequences.items, seen.credits), (2, Credits(20)));
    assert_eq!(
        refused(&store, "ann", dismissing(invalid, Some(2))).await,
        ActionRefusal::CountDiffers { expected: 2, found: 3 }
    );
    let grant =
        ActionRequest::QuarantineResolve { items: matching(invalid, Some(3)), terms: GrantTerms::default() };
    assert_eq!(refused(&store, "ann", grant).await, ActionRefusal::NotGrantable(vec![1, 2, 3]));
    assert_eq!(store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().total, 5);
    let done = kept(&store, "ann", dismissing(invalid, Some(3))).await;
    assert_eq!((done.state, done.credits), (ActionState::Done, Credits(0)));

    // As one action it counts as its sum.
    kept(&store, "ann", give(1, 85)).await;
    let waits = kept(&store, "ann", dismissing(conflict, Some(2))).await;
    assert_eq!((waits.state, waits.credits), (ActionState::Waiting, Credits(20)));
    // Of what is listed, nothing may be closed by the time that it is approved.
    kept(&store, "bob", dismiss(conflicts[0])).await;
    assert_eq!(approve(&store, &waits.id, "bob").await, "counted: refused");
    assert!(store.quarantine_item(conflicts[1]).await.unwrap().unwrap().resolution.is_none());
    assert_eq!(LIMITS.per_tenant, Credits(100));
}

async fn no_more_items_than_one_decision_may_have(store: Store) {
    open(&store).await;
    let sales: Vec<_> = (0..=MAX_BULK_ITEMS).map(|number| Sale::new(number.to_string())).collect();
    learn(&store, &sales.iter().map(Sale::bought_by_nobody).collect::<Vec<_>>()).await;
    let all = i64::try_from(MAX_BULK_ITEMS).unwrap() + 1;
    let dismissing = |expected, opened_before| ActionRequest::QuarantineDismiss {
        items: Items::Matching {
            filter: QuarantineFilter { opened_before, ..QuarantineFilter::default() },
            expected,
        },
    };
    let refusal = ActionRefusal::TooManyItems(all);
    assert_eq!(preview(&store, "ann", dismissing(None, None)).await, Err(refusal.clone()));
    assert_eq!(refused(&store, "ann", dismissing(Some(all), None)).await, refusal);
    assert_eq!(store.quarantine(QuarantineFilter::default(), ALL).await.unwrap().total, all);
    let none = kept(&store, "ann", dismissing(Some(0), Some(NOW))).await;
    assert_eq!(none.result.consequences.items, 0);
}
