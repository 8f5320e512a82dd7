//! Commands: credits burn in order, an idempotency key always gets the same answer, refusals change nothing,
//! and a failing command does not affect its batch.

use ledger::{CommandAction, Credits, Fact, Minor, Now};
use store::{BegunPurchase, CommandOutcome, NewPurchase, PurchaseOrder, Scope, Store, StoreError};

use super::command_requests::{
    adjust, check_each, dry_run, execute, execute_batch, hold, request, request_by, spend, summaries, summary,
};
use super::test_purchase::{ALL, NOW, TestPurchase, apply, balance, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([execute_commands], credits_burn_by_priority_then_expiry_then_purchase_then_number),
    case!([execute_commands], a_tenant_in_debt_cannot_spend_until_it_is_repaid_or_written_off),
    case!([execute_commands, apply_events], spent_credits_are_revoked_from_other_lots_in_burn_order),
    case!([execute_commands], invalid_commands_are_refused_and_change_nothing),
    case!([execute_commands], the_same_idempotency_key_always_gets_the_same_answer),
    case!([execute_commands], an_idempotency_key_belongs_to_one_tenant_and_scope),
    case!([execute_commands, begin_purchase], an_idempotency_key_is_used_for_one_request),
    case!([execute_commands], a_dry_run_decides_and_changes_nothing),
    case!([execute_commands, transactions], a_failing_command_does_not_affect_the_batch),
    case!([execute_commands], a_batch_of_128_commands_of_one_tenant_equals_128_single_ones),
];

/// A purchase of ten credits, so many seconds from now by Stripe's clock.
fn bought_at(name: &str, seconds: i64) -> Fact {
    let mut fact = TestPurchase::new(name).bought();
    fact.event.created += seconds;
    fact
}

async fn credits_burn_by_priority_then_expiry_then_purchase_then_number(store: Store) {
    let lots = [bought_at("1", 60), bought_at("2", 0), bought_at("3", -60), bought_at("4", 0)];
    apply(&store, &lots).await;
    let end = |seconds| Some(NOW.plus_seconds(seconds));
    let burn_by_number = [
        (0, adjust(10, 90, None), "5:10 | 50 0 0 0"),
        (0, adjust(10, 50, end(9000)), "6:10 | 60 0 0 0"),
        (0, adjust(10, 10, None), "7:10 | 70 0 0 0"),
        (0, adjust(10, 10, end(9000)), "8:10 | 80 0 0 0"),
        (0, adjust(10, 10, end(8000)), "9:10 | 90 0 0 0"),
        // Priority 10: the earliest expiry first, then lots that do not expire.
        (0, spend(15), "9:10 8:5 | 75 0 0 0"),
        (0, spend(15), "8:5 7:10 | 60 0 0 0"),
        // Priority 50: expiring lots, then purchases by time, then by lot number.
        (0, spend(45), "6:10 3:10 2:10 4:10 1:5 | 15 0 0 0"),
        (0, spend(15), "1:5 5:10 | 0 0 0 0"),
    ];
    check_each(&store, &burn_by_number).await;
}

async fn a_tenant_in_debt_cannot_spend_until_it_is_repaid_or_written_off(store: Store) {
    let purchase = TestPurchase::new("a");
    apply(&store, &[purchase.bought()]).await;
    check_each(&store, &[(0, spend(10), "1:10 | 0 0 0 0")]).await;
    apply(&store, &[purchase.refunded(500)]).await;
    assert_eq!(balance(&store, 1).await, [0, 0, 0, 5]);
    let forgive = |credits: Option<i64>| CommandAction::WriteOff { credits: credits.map(Credits) };
    let owing = [
        (1, spend(1), "1 of 0, 5 owed"),
        (1, hold(1, 1), "1 of 0, 5 owed"),
        (1, adjust(2, 50, None), "2:2 | 0 0 0 3"),
        (1, adjust(-1, 0, None), "1 of 0, 3 owed"),
        (1, forgive(Some(4)), "only 3 owed"),
        (1, forgive(Some(0)), "not positive"),
        (1, forgive(Some(1)), "| 0 0 0 2"),
        (1, spend(1), "1 of 0, 2 owed"),
        (1, forgive(None), "| 0 0 0 0"),
        (1, forgive(None), "only 0 owed"),
        (1, adjust(3, 50, None), "3:3 | 3 0 0 0"),
        (1, adjust(-1, 0, None), "3:1 | 2 0 0 0"),
        (1, spend(2), "3:2 | 0 0 0 0"),
    ];
    check_each(&store, &owing).await;
}

async fn spent_credits_are_revoked_from_other_lots_in_burn_order(store: Store) {
    let [a, b] = ["a", "b"].map(TestPurchase::new);
    let small: Vec<_> =
        (0..30).map(|number| TestPurchase::new(format!("s{number}")).with_credits(1).bought()).collect();
    apply(&store, &[a.bought(), b.bought()]).await;
    apply(&store, &small).await;
    check_each(&store, &[(0, spend(20), "1:10 2:10 | 30 0 0 0")]).await;
    // Two refunds in one batch take from lots that neither of them loads by itself: 10 and then 5, oldest
    // first.
    apply(&store, &[a.refunded(1000), b.refunded(500)]).await;
    assert_eq!(available_by_lot(&store).await, [vec![0; 17], vec![1; 15]].concat());
    apply(&store, &[b.refunded(1000), TestPurchase::new("c").with_credits(4).bought()]).await;
    assert_eq!(available_by_lot(&store).await, [vec![0; 22], vec![1; 10], vec![4]].concat());
    assert_eq!(balance(&store, 1).await, [14, 0, 0, 0]);
}

/// The available credits of each lot, in order of creation.
async fn available_by_lot(store: &Store) -> Vec<i64> {
    let lots = store.lots(tenant(1), ALL).await.unwrap().rows;
    lots.iter().map(|row| row.lot.available.0).collect()
}

async fn invalid_commands_are_refused_and_change_nothing(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    let table = [
        (0, spend(0), "not positive"),
        (0, spend(-1), "not positive"),
        (0, spend(i64::MIN), "not positive"),
        (0, spend(11), "11 of 10, 0 owed"),
        (0, spend(i64::MAX), "9223372036854775807 of 10, 0 owed"),
        (0, hold(1, 0), "not positive"),
        (0, hold(1, i64::MAX), "9223372036854775807 of 10, 0 owed"),
        (0, adjust(0, 0, None), "not positive"),
        (0, adjust(-11, 0, None), "11 of 10, 0 owed"),
    ];
    check_each(&store, &table).await;
    assert_eq!(store.health().await.unwrap().transactions, 1);
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    let unknown = execute(&store, request_by(tenant(9), "k", spend(1)), NOW).await;
    assert_eq!(summary(&unknown), "1 of 0, 0 owed");
    assert_eq!(store.tenant(tenant(9)).await.unwrap(), None, "a refusal does not create a tenant");
}

async fn the_same_idempotency_key_always_gets_the_same_answer(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    let (refused, done) = (request("refused", spend(11)), request("done", spend(4)));
    let later = NOW.plus_seconds(86_400);
    let first = execute_batch(&store, vec![refused.clone(), done.clone(), done.clone()], NOW).await;
    assert_eq!(replays(&first), [false, false, true]);
    // A top-up changes the answer to new commands only.
    apply(&store, &[TestPurchase::new("b").bought()]).await;
    let repeated = execute_batch(&store, vec![done, refused, request("new", spend(11))], later).await;
    assert_eq!(replays(&repeated), [true, true, false]);
    let [(done, at), (refused, _), (new, _)] = summaries(repeated);
    assert_eq!((done.as_str(), at), ("1:4 | 6 0 0 0", NOW), "with the original balance and time");
    assert_eq!(refused, "11 of 10, 0 owed");
    assert_eq!(new, "1:6 2:5 | 5 0 0 0");
    assert_eq!(balance(&store, 1).await, [5, 0, 0, 0]);
}

async fn an_idempotency_key_belongs_to_one_tenant_and_scope(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought(), TestPurchase::new("b").for_tenant(2).bought()]).await;
    let own = request("k", spend(1));
    let mut services = own.clone();
    services.idempotency_key.as_mut().unwrap().scope = Scope::Service;
    let other = request_by(tenant(2), "k", spend(1));
    let answers = execute_batch(&store, vec![own, services, other], NOW).await;
    assert_eq!(replays(&answers), [false, false, false]);
    assert_eq!([balance(&store, 1).await[0], balance(&store, 2).await[0]], [8, 9]);
}

async fn an_idempotency_key_is_used_for_one_request(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    let answers = execute_batch(&store, vec![request("k", spend(1)), request("k", spend(2))], NOW).await;
    assert!(matches!(answers[1], Ok(CommandOutcome::KeyReused)), "within a batch: {answers:?}");
    let reused = execute_batch(&store, vec![request("k", hold(1, 1))], NOW).await;
    assert!(matches!(reused[0], Ok(CommandOutcome::KeyReused)), "and after it: {reused:?}");

    // Commands and purchases share their idempotency keys.
    for (first, second) in [("command", "purchase"), ("purchase", "command")] {
        let name = format!("{first}, {second}");
        assert!(key_is_free(&store, &name, first).await, "{name}");
        assert!(!key_is_free(&store, &name, second).await, "{name}");
    }
    assert_eq!(balance(&store, 1).await, [8, 0, 0, 0]);
}

/// Uses a key, always with the same fingerprint, and returns whether it was free.
async fn key_is_free(store: &Store, name: &str, key_use: &str) -> bool {
    let request = request(name, spend(1));
    let (tenant, idempotency_key) = (request.command.tenant, request.idempotency_key.clone().unwrap());
    match key_use {
        "command" => {
            !matches!(execute_batch(store, vec![request], NOW).await[0], Ok(CommandOutcome::KeyReused))
        }
        "purchase" => {
            let new = NewPurchase {
                id: name.to_owned(),
                package: "ten".to_owned(),
                credits: Credits(10),
                price: Minor(1000),
                currency: "eur".to_owned(),
                form: String::new(),
            };
            let order = PurchaseOrder { tenant, idempotency_key, new: Some(new) };
            !matches!(store.begin_purchase(order, NOW).await.unwrap(), BegunPurchase::KeyReused)
        }
        _ => panic!("{key_use} has no key"),
    }
}

async fn a_dry_run_decides_and_changes_nothing(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    let first = request("k", spend(7));
    let requests = vec![
        dry_run(first.clone()),
        first.clone(),
        dry_run(request("x", spend(7))),
        dry_run(request("x", spend(3))),
    ];
    let outcomes = summaries(execute_batch(&store, requests, NOW).await).map(|(summary, _)| summary);
    assert_eq!(outcomes, ["1:7 | 3 0 0 0", "1:7 | 3 0 0 0", "7 of 3, 0 owed", "1:3 | 0 0 0 0"]);
    assert_eq!(balance(&store, 1).await, [3, 0, 0, 0]);
    assert_eq!(store.health().await.unwrap().transactions, 2);
    assert!(store.holds(tenant(1), None, Now::trusted(NOW), ALL).await.unwrap().rows.is_empty());

    // Credits of an expired hold count, but do not move.
    check_each(&store, &[(0, hold(1, 3), "1:3 | 0 3 0 0")]).await;
    let answer = execute(&store, dry_run(request("x", spend(3))), NOW.plus_seconds(3600)).await;
    assert_eq!(summary(&answer), "1:3 | 0 0 0 0");
    assert_eq!(balance(&store, 1).await, [0, 3, 0, 0]);
}

async fn a_failing_command_does_not_affect_the_batch(store: Store) {
    apply(&store, &[TestPurchase::new("a").bought()]).await;
    // The sum overflows, and deciding panics.
    let too_much = request("too much", adjust(i64::MAX, 50, None));
    let requests = vec![
        request("before", spend(1)),
        too_much.clone(),
        request("hold", hold(1, 2)),
        request("same hold", hold(1, 3)),
        request("after", spend(1)),
    ];
    let answers = execute_batch(&store, requests, NOW).await;
    let failed = |answer: &Result<_, StoreError>, expected: &str| match answer {
        Err(StoreError::Refused(why)) => assert!(why.contains(expected), "{why}"),
        other => panic!("not refused: {other:?}"),
    };
    failed(&answers[1], "panicked");
    failed(&answers[3], "already");
    assert_eq!(balance(&store, 1).await, [6, 2, 0, 0]);
    let repeated = execute_batch(&store, vec![request("another batch", hold(1, 3)), too_much], NOW).await;
    failed(&repeated[0], "already");
    failed(&repeated[1], "panicked");
    // Nothing was decided, so the key is free.
    assert_eq!(summary(&execute(&store, request("too much", spend(1)), NOW).await), "1:1 | 5 2 0 0");
}

async fn a_batch_of_128_commands_of_one_tenant_equals_128_single_ones(store: Store) {
    let purchases: Vec<_> =
        (0..40).map(|number| TestPurchase::new(format!("s{number}")).with_credits(3).bought()).collect();
    apply(&store, &purchases).await;
    let requests = (0..128).map(|number| request(&format!("k{number}"), spend(1))).collect();
    let answers = execute_batch(&store, requests, NOW).await;
    for (index, answer) in answers.into_iter().enumerate() {
        let Ok(CommandOutcome::Decided { answer, .. }) = answer else { panic!("{answer:?}") };
        let expected = match 119_usize.checked_sub(index) {
            Some(left) => format!("{}:1 | {left} 0 0 0", index / 3 + 1),
            None => "1 of 0, 0 owed".to_owned(),
        };
        assert_eq!(summary(&answer), expected, "request {index}");
    }
}

fn replays(answers: &[Result<CommandOutcome, StoreError>]) -> Vec<bool> {
    let replayed = |answer: &_| matches!(answer, Ok(CommandOutcome::Decided { replayed: true, .. }));
    answers.iter().map(replayed).collect()
}
