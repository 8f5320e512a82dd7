//! Operators' actions: executed once per idempotency key, by one person up to the limits and by two people
//! above them.

use std::sync::Arc;

use ledger::knowledge::RefundRank;
use ledger::{Credits, Now, Policy, Refusal, Timestamp};
use store::{
    ActionFilter, ActionKind, ActionRefusal, ActionRequest, ActionState, ActionVerdict, GrantTerms, Items,
    KeyHolder, MAX_BULK_ITEMS, NewAction, QuarantineFilter, RequestedAction, Store,
};

use super::action_requests::{
    LIMITS, add_person, adjustment, approve, decide, dismiss, grant, key, new_action, preview, recorded,
    recorded_at, refused, register_ann, register_ann_and_bob, resolve, submit,
};
use super::command_requests::{execute_new, spend};
use super::test_purchase::{ALL, NOW, TestPurchase, apply, apply_with_policy, balance, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([request_action, action], an_action_is_executed_once_per_idempotency_key),
    case!([request_action], a_person_moves_no_more_than_the_limits_within_24_hours),
    case!([request_action], concurrent_requests_never_exceed_a_limit_together),
    case!([decide_action, action], only_another_person_registered_before_the_request_decides),
    case!([decide_action], approved_actions_do_not_count_against_the_limits),
    case!([decide_action], an_action_that_became_impossible_is_refused_when_approved),
    case!([decide_action, action], an_approval_does_no_more_than_was_shown),
    case!([request_action], an_action_for_two_is_executed_alone_only_by_the_only_person),
    case!([actions], actions_are_listed_by_state_kind_person_and_tenant),
    case!([preview_action], a_preview_shows_the_effects_and_changes_nothing),
    case!([request_action, quarantine_item], a_quarantine_decision_counts_what_it_grants_and_takes_back),
    case!([request_action, quarantine_item], grants_count_in_full_even_if_refunded),
    case!([request_action, review], grants_and_revocations_both_count),
    case!([request_action, preview_action, quarantine], many_items_are_one_action_if_the_count_matches),
    case!([request_action, preview_action], one_decision_has_a_maximum_number_of_items),
];

async fn an_action_is_executed_once_per_idempotency_key(store: Store) {
    register_ann(&store).await;
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    let named = |credits: i64| NewAction {
        idempotency_key: Some(("k".to_owned(), [u8::try_from(credits).unwrap(); 32])),
        ..new_action("ann", adjustment(1, credits))
    };
    let RequestedAction::Recorded { action: first, replayed: false } = submit(&store, named(5), NOW).await
    else {
        panic!("it should be new")
    };
    assert_eq!((first.state, first.credits, first.alone), (ActionState::Done, Credits(5), false));
    assert_eq!((first.tenant, first.asked_by.name.as_str()), (Some(tenant(1)), "ann"));
    assert_eq!(first.result.transaction, Some(2));
    assert_eq!(store.action(first.id.clone()).await.unwrap().as_ref(), Some(&*first));
    let repeated = submit(&store, named(5), NOW).await;
    assert_eq!(repeated, RequestedAction::Recorded { action: first, replayed: true });
    assert_eq!(
        submit(&store, named(6), NOW).await,
        RequestedAction::Refused(ActionRefusal::IdempotencyKeyReused)
    );
    assert_eq!(balance(&store, 1).await, [15, 0, 0, 0]);

    // A refusal by the ledger is an answer too, and does not wait for approval.
    let too_much = recorded(&store, "ann", adjustment(1, -500)).await;
    assert_eq!(too_much.state, ActionState::Refused);
    assert!(matches!(too_much.result.refusal, Some(Refusal::Insufficient { .. })), "{too_much:?}");
    let none = ActionRequest::WriteOff { tenant: tenant(1), credits: None };
    assert!(recorded(&store, "ann", none).await.result.refusal.is_some());
    assert_eq!(refused(&store, "nobody", adjustment(1, 1)).await, ActionRefusal::NoRegisteredPerson);
}

async fn a_person_moves_no_more_than_the_limits_within_24_hours(store: Store) {
    register_ann_and_bob(&store).await;
    let at = |seconds| NOW.plus_seconds(seconds);
    let day = 24 * 3600;
    // Person, time, tenant, credits; the resulting state.
    for (person, seconds, number, credits, expected) in [
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
        let row = recorded_at(&store, person, adjustment(number, credits), at(seconds)).await;
        assert_eq!(row.state, expected, "{person} {credits} to {number} at {seconds}");
    }
}

async fn concurrent_requests_never_exceed_a_limit_together(store: Store) {
    register_ann_and_bob(&store).await;
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..40 {
        let store = store.clone();
        waiting.spawn(async move { recorded(&store, "ann", adjustment(number % 2, 7)).await.state });
    }
    let states = waiting.join_all().await;
    let done = states.iter().filter(|state| **state == ActionState::Done).count();
    assert_eq!(done, 28, "14 times 7 for each tenant: {states:?}");
    for number in 0..2 {
        assert_eq!(balance(&store, number).await, [98, 0, 0, 0]);
    }
}

async fn only_another_person_registered_before_the_request_decides(store: Store) {
    register_ann_and_bob(&store).await;
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
        let row = recorded(&store, "ann", adjustment(1, credits)).await;
        assert_eq!((row.state, row.alone), (ActionState::Waiting, false));
        ids.push(row.id);
    }
    let small = recorded(&store, "ann", adjustment(1, 4)).await.id;
    for (id, verdict, by, expected) in [
        (&ids[0], yes(), "ann", "the same person"),
        (&ids[0], yes(), "ann_too", "the same person"),
        (&ids[0], no(), "ann_too", "the same person"),
        (&ids[0], yes(), "bob_young", "too new"),
        (&ids[0], yes(), "machine", "no registered person"),
        (&ids[0], yes(), "shop", "no registered person"),
        (&ids[0], yes(), "bob", "decided: done"),
        (&ids[0], no(), "bob", "already done"),
        (&ids[0], yes(), "ann", "the same person"),
        (&ids[1], no(), "bob", "decided: rejected"),
        (&ids[1], yes(), "bob", "already rejected"),
        (&small, yes(), "bob", "already done"),
        (&"act_none".to_owned(), no(), "bob", "not found"),
    ] {
        assert_eq!(decide(&store, id, verdict.clone(), by).await, expected, "{id} {verdict:?} by {by}");
    }
    assert_eq!(balance(&store, 1).await, [105, 0, 0, 0]);
    let done = store.action(ids[0].clone()).await.unwrap().unwrap();
    assert_eq!(done.decided_by.unwrap().name, "bob");
    assert_eq!(done.result.consequences.granted, Credits(101));
    // A person who was registered after the request is too new, whatever their key.
    let carol = recorded(&store, "ann", add_person("carol", 3)).await;
    assert_eq!(approve_at(&store, &carol.id, "bob", 5).await, ActionState::Done);
    let mut old = key("carol_old", KeyHolder::Person("person_carol".to_owned()));
    old.created_at = NOW;
    store.create_key(old, [15; 32]).await.unwrap();
    assert_eq!(approve(&store, &ids[2], "carol_old").await, "too new");
    // A removed person decides nothing, and their waiting requests are rejected.
    let removal = recorded(&store, "ann", ActionRequest::PersonRemove { id: "person_bob".to_owned() }).await;
    assert_eq!(approve(&store, &removal.id, "carol").await, "too new");
    let removal =
        recorded_at(&store, "ann", ActionRequest::PersonRemove { id: "person_bob".to_owned() }, at(9)).await;
    let bobs = recorded(&store, "bob", adjustment(1, 500)).await;
    assert_eq!(approve_at(&store, &removal.id, "carol", 9).await, ActionState::Done);
    assert_eq!(approve(&store, &ids[2], "bob").await, "no registered person");
    assert_eq!(store.action(bobs.id).await.unwrap().unwrap().state, ActionState::Rejected);
}

fn at(seconds: i64) -> Timestamp {
    NOW.plus_seconds(seconds)
}

/// Approves so many seconds later, and returns the resulting state.
async fn approve_at(store: &Store, id: &str, key: &str, seconds: i64) -> ActionState {
    let (id, key) = (id.to_owned(), key.to_owned());
    let approve = ActionVerdict::Approve;
    store.decide_action(id.clone(), approve, key, Arc::default(), Now::trusted(at(seconds))).await.unwrap();
    store.action(id).await.unwrap().unwrap().state
}

async fn approved_actions_do_not_count_against_the_limits(store: Store) {
    register_ann_and_bob(&store).await;
    let large = recorded(&store, "ann", adjustment(1, 5000)).await;
    assert_eq!(approve(&store, &large.id, "bob").await, "decided: done");
    for person in ["ann", "bob"] {
        assert_eq!(recorded(&store, person, adjustment(1, 100)).await.state, ActionState::Done, "{person}");
    }
    assert_eq!(balance(&store, 1).await, [5200, 0, 0, 0]);
}

async fn an_action_that_became_impossible_is_refused_when_approved(store: Store) {
    register_ann_and_bob(&store).await;
    recorded(&store, "bob", adjustment(1, 100)).await;
    recorded(&store, "ann", adjustment(1, 70)).await;
    let take = recorded(&store, "ann", adjustment(1, -150)).await;
    recorded(&store, "ann", adjustment(1, -30)).await;
    assert_eq!(approve(&store, &take.id, "bob").await, "decided: refused");
    let refused = store.action(take.id).await.unwrap().unwrap();
    assert!(refused.note.is_some_and(|note| note.contains("not enough credits")));
    assert_eq!(balance(&store, 1).await, [140, 0, 0, 0]);

    // A grant that has expired still waits: somebody must reject it.
    let ends =
        ActionRequest::Adjustment { tenant: tenant(1), credits: 500, priority: 10, expires_at: Some(at(5)) };
    let waits = recorded(&store, "ann", ends.clone()).await;
    let late = store.decide_action(
        waits.id,
        ActionVerdict::Approve,
        "bob".to_owned(),
        Arc::default(),
        Now::trusted(at(5)),
    );
    assert!(matches!(late.await.unwrap(), Some(store::DecidedAction::GrantExpired)));
    assert_eq!(
        submit(&store, new_action("ann", ends), at(5)).await,
        RequestedAction::Refused(ActionRefusal::GrantExpired)
    );
}

async fn an_approval_does_no_more_than_was_shown(store: Store) {
    register_ann_and_bob(&store).await;
    let refuses = async |id: String, why: &str| {
        assert_eq!(approve(&store, &id, "bob").await, "decided: refused");
        let note = store.action(id).await.unwrap().unwrap().note.unwrap();
        assert!(note.contains(why), "{note}");
    };
    // Spent while it waits: approving would create a debt that was not shown.
    let purchase = TestPurchase::new("a").with_credits(500);
    apply(&store, &[purchase.bought_with_invalid_tenant(), purchase.bought()]).await;
    let dismissal = recorded(&store, "ann", dismiss(1)).await;
    assert_eq!((dismissal.state, dismissal.credits), (ActionState::Waiting, Credits(500)));
    execute_new(&store, spend(300)).await.unwrap();
    refuses(dismissal.id, "a debt of 300, but 0 was shown").await;
    assert_eq!(balance(&store, 1).await, [200, 0, 0, 0]);

    // Another tenant's claim takes effect while it waits: not the tenant that was shown.
    let strict = Policy { known_tenants_only: true, ..Policy::default() };
    let (purchase, other) = (TestPurchase::new("b").with_credits(600), TestPurchase::new("c").for_tenant(5));
    apply_with_policy(&store, &strict, &[purchase.for_tenant(3).bought(), other.bought()]).await;
    let reason = Some(ledger::Reason::TenantUnknown);
    let filter = QuarantineFilter { reason, ..QuarantineFilter::default() };
    let items = Items::Matching { filter, expected: Some(2) };
    let terms = GrantTerms::default();
    let granting = recorded(&store, "ann", ActionRequest::QuarantineResolve { items, terms }).await;
    assert_eq!((granting.state, granting.credits), (ActionState::Waiting, Credits(610)));
    let mut earlier = TestPurchase::new("b").with_credits(600).for_tenant(4).bought();
    (earlier.event.id, earlier.event.created) = ("evt_earlier".into(), earlier.event.created - 1);
    apply_with_policy(&store, &strict, &[earlier]).await;
    refuses(granting.id, "it would now move 600 credits of tenant 00000000-0000-0000-0000-000000000004")
        .await;
    assert!(
        store.tenant(tenant(3)).await.unwrap().is_none() && store.tenant(tenant(4)).await.unwrap().is_none()
    );
}

async fn an_action_for_two_is_executed_alone_only_by_the_only_person(store: Store) {
    register_ann(&store).await;
    let alone = |request| NewAction { alone: true, ..new_action("ann", request) };
    assert_eq!(refused(&store, "ann", adjustment(1, 101)).await, ActionRefusal::SecondPersonMissing);
    assert_eq!(refused(&store, "ann", add_person("bob", 2)).await, ActionRefusal::SecondPersonMissing);
    assert!(store.tenant(tenant(1)).await.unwrap().is_none(), "nothing was changed");
    let RequestedAction::Recorded { action, .. } = submit(&store, alone(adjustment(1, 90)), NOW).await else {
        panic!("done")
    };
    assert!(!action.alone, "it needs no second person");
    let RequestedAction::Recorded { action, .. } = submit(&store, alone(adjustment(1, 500)), NOW).await
    else {
        panic!("done")
    };
    assert_eq!((action.state, action.alone), (ActionState::Done, true));
    assert_eq!(
        refused(&store, "ann", adjustment(1, 1)).await,
        ActionRefusal::SecondPersonMissing,
        "it counts against the limits"
    );
    let RequestedAction::Recorded { .. } = submit(&store, alone(add_person("bob", 2)), NOW).await else {
        panic!("done")
    };
    assert_eq!(
        submit(&store, alone(adjustment(2, 1)), NOW).await,
        RequestedAction::Refused(ActionRefusal::NotAlone)
    );
    assert_eq!(recorded(&store, "ann", adjustment(1, 1)).await.state, ActionState::Waiting);
}

async fn actions_are_listed_by_state_kind_person_and_tenant(store: Store) {
    register_ann_and_bob(&store).await;
    let mut ids = vec![store.actions(ActionFilter::default(), ALL).await.unwrap().rows.remove(0).id];
    for (person, number, credits) in [("ann", 1, 5), ("ann", 2, 500), ("bob", 1, 6)] {
        ids.push(recorded_at(&store, person, adjustment(number, credits), at(ids.len() as i64)).await.id);
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

/// A payment with two accepted claims: 10 credits, and then 7.
async fn open_conflict(store: &Store, name: &str) -> i64 {
    let mut other = TestPurchase::new(name).with_credits(7).bought();
    other.event.id = format!("evt_{name}_other").as_str().into();
    other.event.created += 1;
    apply(store, &[TestPurchase::new(name).bought(), other]).await;
    let items = store.quarantine(QuarantineFilter::default(), ALL).await.unwrap();
    items.rows.last().expect("asked").id
}

async fn a_preview_shows_the_effects_and_changes_nothing(store: Store) {
    register_ann_and_bob(&store).await;
    let item = open_conflict(&store, "a").await;
    recorded(&store, "ann", adjustment(1, -4)).await;
    let before = balance(&store, 1).await;
    let seen = preview(&store, "bob", dismiss(item)).await.unwrap();
    let consequences = &seen.result.consequences;
    assert_eq!(
        (consequences.items, consequences.granted, consequences.taken_back),
        (1, Credits(0), Credits(10))
    );
    assert_eq!((consequences.already_used, consequences.debt_created), (Credits(4), Credits(4)));
    assert_eq!((seen.credits, seen.second_person), (Credits(10), false));
    let [change] = consequences.balances.as_slice() else { panic!("one tenant: {consequences:?}") };
    assert_eq!((change.before.available, change.after.debt), (Credits(6), Credits(4)));
    assert_eq!(balance(&store, 1).await, before);
    assert!(store.quarantine_item(item).await.unwrap().unwrap().resolution.is_none());
    let done = recorded(&store, "bob", dismiss(item)).await;
    assert_eq!(done.result.consequences, *consequences, "the result matches the preview");
    assert_eq!(balance(&store, 1).await, [0, 0, 0, 4]);

    assert!(preview(&store, "ann", adjustment(1, 101)).await.unwrap().second_person);
    assert!(!preview(&store, "ann", adjustment(1, 90)).await.unwrap().second_person);
    assert_eq!(preview(&store, "ann", dismiss(99)).await, Err(ActionRefusal::NoSuchItem));
    assert_eq!(preview(&store, "ann", dismiss(item)).await, Err(item_closed("dismissed")));
}

fn item_closed(resolution: &str) -> ActionRefusal {
    ActionRefusal::ItemClosed(resolution.to_owned())
}

async fn grants_count_in_full_even_if_refunded(store: Store) {
    register_ann_and_bob(&store).await;
    let purchase = TestPurchase::new("a");
    let gone = purchase.refund(1000, RefundRank::Succeeded);
    apply(&store, &[purchase.bought_with_invalid_tenant(), gone]).await;
    // It would grant nothing now, and a million if the refund fails.
    let large = recorded(&store, "ann", grant(1, 1, 1_000_000)).await;
    assert_eq!((large.state, large.credits), (ActionState::Waiting, Credits(1_000_000)));
    let small = recorded(&store, "ann", grant(1, 1, 10)).await;
    let consequences = &small.result.consequences;
    assert_eq!((small.state, small.credits), (ActionState::Done, Credits(10)));
    assert_eq!(
        (consequences.granted, consequences.refunded, consequences.taken_back),
        (Credits(10), Credits(10), Credits(0))
    );
    assert_eq!(balance(&store, 1).await, [0; 4]);
    apply(&store, &[purchase.refund(1000, RefundRank::Failed)]).await;
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
}

/// A refund that could not be prorated because the amount was unknown: setting it takes credits back.
async fn grants_and_revocations_both_count(store: Store) {
    register_ann_and_bob(&store).await;
    let purchase = TestPurchase::new("a");
    let mut bought = purchase.bought();
    bought.knowledge.session_total = None;
    bought.claimed.as_mut().unwrap().amount = None;
    apply(&store, &[bought, purchase.refund(500, RefundRank::Succeeded)]).await;
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    store.review(Arc::default(), Now::trusted(at(3600)), 10).await.unwrap();
    let terms =
        GrantTerms { credits: Some(Credits(11)), amount: Some(ledger::Minor(1000)), ..GrantTerms::default() };
    let resolving = ActionRequest::QuarantineResolve { items: Items::One(1), terms };
    let done = recorded_at(&store, "ann", resolving, at(3600)).await;
    let consequences = &done.result.consequences;
    assert_eq!(
        (consequences.granted, consequences.taken_back, done.credits),
        (Credits(1), Credits(4), Credits(5))
    );
    assert_eq!(balance(&store, 1).await, [6, 0, 0, 0]);
}

async fn a_quarantine_decision_counts_what_it_grants_and_takes_back(store: Store) {
    register_ann_and_bob(&store).await;
    apply(
        &store,
        &[
            TestPurchase::new("a").bought_with_invalid_tenant(),
            TestPurchase::new("b").bought_with_invalid_tenant(),
        ],
    )
    .await;
    assert_eq!(refused(&store, "ann", resolve(1)).await, ActionRefusal::NotGrantable(vec![1]));
    let large = recorded(&store, "ann", grant(1, 1, 1_000_000)).await;
    assert_eq!((large.state, large.credits), (ActionState::Waiting, Credits(1_000_000)));
    assert!(store.tenant(tenant(1)).await.unwrap().is_none(), "nothing has moved yet");
    assert_eq!(approve(&store, &large.id, "bob").await, "decided: done");
    assert_eq!(balance(&store, 1).await, [1_000_000, 0, 0, 0]);
    let item = store.quarantine_item(1).await.unwrap().unwrap();
    let by = "ann (key ann's), approved by bob (key bob's)";
    assert_eq!((item.resolution.as_deref(), item.closed_by.as_deref()), (Some("resolved"), Some(by)));

    recorded(&store, "ann", adjustment(1, 60)).await;
    assert_eq!(
        recorded(&store, "ann", grant(2, 1, 41)).await.state,
        ActionState::Waiting,
        "they share one limit"
    );
    assert_eq!(recorded(&store, "ann", grant(2, 1, 40)).await.state, ActionState::Done);
    assert_eq!(refused(&store, "ann", grant(2, 1, 40)).await, item_closed("resolved"));
    // Dismissing an item that granted nothing moves nothing, and needs no second person.
    apply(&store, &[TestPurchase::new("c").bought_with_invalid_tenant()]).await;
    let nothing = recorded(&store, "ann", dismiss(3)).await;
    assert_eq!((nothing.state, nothing.credits), (ActionState::Done, Credits(0)));
    // What was refunded meanwhile is not taken back again.
    let item = open_conflict(&store, "d").await;
    let waits = recorded(&store, "ann", dismiss(item)).await;
    assert_eq!((waits.state, waits.credits), (ActionState::Waiting, Credits(10)));
    apply(
        &store,
        &[TestPurchase::new("d").charged(), TestPurchase::new("d").refund(500, RefundRank::Succeeded)],
    )
    .await;
    assert_eq!(approve(&store, &waits.id, "bob").await, "decided: done");
    assert!(store.action(waits.id).await.unwrap().unwrap().credits <= Credits(10));
}

async fn many_items_are_one_action_if_the_count_matches(store: Store) {
    register_ann_and_bob(&store).await;
    let purchases = ["a", "b", "c"].map(|name| TestPurchase::new(name).bought_with_invalid_tenant());
    apply(&store, &purchases).await;
    let conflicts = [open_conflict(&store, "d").await, open_conflict(&store, "e").await];
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
    let done = recorded(&store, "ann", dismissing(invalid, Some(3))).await;
    assert_eq!((done.state, done.credits), (ActionState::Done, Credits(0)));

    // As one action it counts with its sum.
    recorded(&store, "ann", adjustment(1, 85)).await;
    let waits = recorded(&store, "ann", dismissing(conflict, Some(2))).await;
    assert_eq!((waits.state, waits.credits), (ActionState::Waiting, Credits(20)));
    // None of the listed items may be closed by the time of the approval.
    recorded(&store, "bob", dismiss(conflicts[0])).await;
    assert_eq!(approve(&store, &waits.id, "bob").await, "decided: refused");
    assert!(store.quarantine_item(conflicts[1]).await.unwrap().unwrap().resolution.is_none());
    assert_eq!(LIMITS.per_tenant, Credits(100));
}

async fn one_decision_has_a_maximum_number_of_items(store: Store) {
    register_ann(&store).await;
    let purchases: Vec<_> =
        (0..=MAX_BULK_ITEMS).map(|number| TestPurchase::new(number.to_string())).collect();
    apply(&store, &purchases.iter().map(TestPurchase::bought_with_invalid_tenant).collect::<Vec<_>>()).await;
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
    let none = recorded(&store, "ann", dismissing(Some(0), Some(NOW))).await;
    assert_eq!(none.result.consequences.items, 0);
}
