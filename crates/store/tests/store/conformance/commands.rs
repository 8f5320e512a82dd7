//! What the store must do with commands: burn in order, answer the same name with the same words for ever,
//! refuse without changing anything, and let none of a batch suffer for another.
//! Not here: holds (`holds`), what ran out of time (`sweep`), random batches (`batches`).

use ledger::{CommandAction, Credits, Fact, Minor, Now};
use store::{BegunPurchase, CommandOutcome, NewPurchase, PurchaseOrder, Scope, Store, StoreError};

use super::requests::{ask, batch, decided, dry, give, hold, order, order_of, spend, statement, words};
use super::sale::{ALL, NOW, Sale, balance, learn, tenant};
use super::{Case, case};

pub(super) const CASES: &[Case] = &[
    case!([execute_commands], credits_burn_by_priority_then_expiry_then_purchase_then_number),
    case!([execute_commands], a_tenant_that_owes_spends_nothing_until_it_is_repaid_or_forgiven),
    case!([execute_commands, apply_events], what_was_spent_is_taken_back_from_other_lots_in_burn_order),
    case!([execute_commands], what_cannot_be_is_refused_and_changes_nothing),
    case!([execute_commands], the_same_name_gets_the_same_answer_for_ever),
    case!([execute_commands], a_name_belongs_to_one_tenant_and_one_scope),
    case!([execute_commands, begin_purchase], a_name_is_used_for_one_thing),
    case!([execute_commands], a_dry_run_decides_and_changes_nothing),
    case!([execute_commands, transactions], one_that_fails_takes_no_neighbour_with_it),
    case!([execute_commands], a_hundred_and_twenty_eight_of_one_tenant_are_as_if_one_by_one),
];

/// The purchase of ten credits, so many seconds from now by Stripe's clock.
fn bought_at(name: &str, seconds: i64) -> Fact {
    let mut fact = Sale::new(name).bought();
    fact.event.created += seconds;
    fact
}

async fn credits_burn_by_priority_then_expiry_then_purchase_then_number(store: Store) {
    let lots = [bought_at("1", 60), bought_at("2", 0), bought_at("3", -60), bought_at("4", 0)];
    learn(&store, &lots).await;
    let end = |seconds| Some(NOW.plus_seconds(seconds));
    let burn_by_number = [
        (0, give(10, 90, None), "5:10 | 50 0 0 0"),
        (0, give(10, 50, end(9000)), "6:10 | 60 0 0 0"),
        (0, give(10, 10, None), "7:10 | 70 0 0 0"),
        (0, give(10, 10, end(9000)), "8:10 | 80 0 0 0"),
        (0, give(10, 10, end(8000)), "9:10 | 90 0 0 0"),
        // Priority 10: the first to end first, then what never ends.
        (0, spend(15), "9:10 8:5 | 75 0 0 0"),
        (0, spend(15), "8:5 7:10 | 60 0 0 0"),
        // Priority 50: what ends, then purchases by their time, the lot's number deciding between two.
        (0, spend(45), "6:10 3:10 2:10 4:10 1:5 | 15 0 0 0"),
        (0, spend(15), "1:5 5:10 | 0 0 0 0"),
    ];
    statement(&store, &burn_by_number).await;
}

async fn a_tenant_that_owes_spends_nothing_until_it_is_repaid_or_forgiven(store: Store) {
    let sale = Sale::new("a");
    learn(&store, &[sale.bought()]).await;
    statement(&store, &[(0, spend(10), "1:10 | 0 0 0 0")]).await;
    learn(&store, &[sale.refunded(500)]).await;
    assert_eq!(balance(&store, 1).await, [0, 0, 0, 5]);
    let forgive = |credits: Option<i64>| CommandAction::WriteOff { credits: credits.map(Credits) };
    let owing = [
        (1, spend(1), "1 of 0, 5 owed"),
        (1, hold(1, 1), "1 of 0, 5 owed"),
        (1, give(2, 50, None), "2:2 | 0 0 0 3"),
        (1, give(-1, 0, None), "1 of 0, 3 owed"),
        (1, forgive(Some(4)), "only 3 owed"),
        (1, forgive(Some(0)), "not positive"),
        (1, forgive(Some(1)), "| 0 0 0 2"),
        (1, spend(1), "1 of 0, 2 owed"),
        (1, forgive(None), "| 0 0 0 0"),
        (1, forgive(None), "only 0 owed"),
        (1, give(3, 50, None), "3:3 | 3 0 0 0"),
        (1, give(-1, 0, None), "3:1 | 2 0 0 0"),
        (1, spend(2), "3:2 | 0 0 0 0"),
    ];
    statement(&store, &owing).await;
}

async fn what_was_spent_is_taken_back_from_other_lots_in_burn_order(store: Store) {
    let [a, b] = ["a", "b"].map(Sale::new);
    let small: Vec<_> = (0..30).map(|number| Sale::new(format!("s{number}")).of(1).bought()).collect();
    learn(&store, &[a.bought(), b.bought()]).await;
    learn(&store, &small).await;
    statement(&store, &[(0, spend(20), "1:10 2:10 | 30 0 0 0")]).await;
    // Two refunds in one batch take from lots that neither of them names: 10 and then 5, the oldest first.
    learn(&store, &[a.refunded(1000), b.refunded(500)]).await;
    assert_eq!(left(&store).await, [vec![0; 17], vec![1; 15]].concat());
    learn(&store, &[b.refunded(1000), Sale::new("c").of(4).bought()]).await;
    assert_eq!(left(&store).await, [vec![0; 22], vec![1; 10], vec![4]].concat());
    assert_eq!(balance(&store, 1).await, [14, 0, 0, 0]);
}

/// What is available of each lot, in the order in which they were opened.
async fn left(store: &Store) -> Vec<i64> {
    let lots = store.lots(tenant(1), ALL).await.unwrap().rows;
    lots.iter().map(|row| row.lot.available.0).collect()
}

async fn what_cannot_be_is_refused_and_changes_nothing(store: Store) {
    learn(&store, &[Sale::new("a").bought()]).await;
    let table = [
        (0, spend(0), "not positive"),
        (0, spend(-1), "not positive"),
        (0, spend(i64::MIN), "not positive"),
        (0, spend(11), "11 of 10, 0 owed"),
        (0, spend(i64::MAX), "9223372036854775807 of 10, 0 owed"),
        (0, hold(1, 0), "not positive"),
        (0, hold(1, i64::MAX), "9223372036854775807 of 10, 0 owed"),
        (0, give(0, 0, None), "not positive"),
        (0, give(-11, 0, None), "11 of 10, 0 owed"),
    ];
    statement(&store, &table).await;
    assert_eq!(store.health().await.unwrap().transactions, 1);
    assert_eq!(balance(&store, 1).await, [10, 0, 0, 0]);
    let nobody = ask(&store, order_of(tenant(9), "k", spend(1)), NOW).await;
    assert_eq!(words(&nobody), "1 of 0, 0 owed");
    assert_eq!(store.tenant(tenant(9)).await.unwrap(), None, "a refusal makes nobody known");
}

async fn the_same_name_gets_the_same_answer_for_ever(store: Store) {
    learn(&store, &[Sale::new("a").bought()]).await;
    let (refused, done) = (order("refused", spend(11)), order("done", spend(4)));
    let later = NOW.plus_seconds(86_400);
    let first = batch(&store, vec![refused.clone(), done.clone(), done.clone()], NOW).await;
    assert_eq!(replays(&first), [false, false, true]);
    // A top-up changes what a new command would be told, not what these were.
    learn(&store, &[Sale::new("b").bought()]).await;
    let again = batch(&store, vec![done, refused, order("new", spend(11))], later).await;
    assert_eq!(replays(&again), [true, true, false]);
    let [(done, at), (refused, _), (new, _)] = decided(again);
    assert_eq!((done.as_str(), at), ("1:4 | 6 0 0 0", NOW), "with the balance and the time of then");
    assert_eq!(refused, "11 of 10, 0 owed");
    assert_eq!(new, "1:6 2:5 | 5 0 0 0");
    assert_eq!(balance(&store, 1).await, [5, 0, 0, 0]);
}

async fn a_name_belongs_to_one_tenant_and_one_scope(store: Store) {
    learn(&store, &[Sale::new("a").bought(), Sale::new("b").to(2).bought()]).await;
    let own = order("k", spend(1));
    let mut services = own.clone();
    services.pin.as_mut().unwrap().scope = Scope::Service;
    let other = order_of(tenant(2), "k", spend(1));
    let answers = batch(&store, vec![own, services, other], NOW).await;
    assert_eq!(replays(&answers), [false, false, false]);
    assert_eq!([balance(&store, 1).await[0], balance(&store, 2).await[0]], [8, 9]);
}

async fn a_name_is_used_for_one_thing(store: Store) {
    learn(&store, &[Sale::new("a").bought()]).await;
    let answers = batch(&store, vec![order("k", spend(1)), order("k", spend(2))], NOW).await;
    assert!(matches!(answers[1], Ok(CommandOutcome::KeyReused)), "within a batch: {answers:?}");
    let reused = batch(&store, vec![order("k", hold(1, 1))], NOW).await;
    assert!(matches!(reused[0], Ok(CommandOutcome::KeyReused)), "and after it: {reused:?}");

    // A command and a purchase have their names from the same list.
    for (first, second) in [("command", "purchase"), ("purchase", "command")] {
        let name = format!("{first}, {second}");
        assert!(takes(&store, &name, first).await, "{name}");
        assert!(!takes(&store, &name, second).await, "{name}");
    }
    assert_eq!(balance(&store, 1).await, [8, 0, 0, 0]);
}

/// Asks for one thing under this name, always with the same fingerprint: whether it may have it.
async fn takes(store: &Store, name: &str, thing: &str) -> bool {
    let order = order(name, spend(1));
    let (tenant, pin) = (order.command.tenant, order.pin.clone().unwrap());
    match thing {
        "command" => !matches!(batch(store, vec![order], NOW).await[0], Ok(CommandOutcome::KeyReused)),
        "purchase" => {
            let new = NewPurchase {
                id: name.to_owned(),
                package: "ten".to_owned(),
                credits: Credits(10),
                price: Minor(1000),
                currency: "eur".to_owned(),
                form: String::new(),
            };
            let asked = PurchaseOrder { tenant, pin, new: Some(new) };
            !matches!(store.begin_purchase(asked, NOW).await.unwrap(), BegunPurchase::KeyReused)
        }
        _ => panic!("{thing} has no name"),
    }
}

async fn a_dry_run_decides_and_changes_nothing(store: Store) {
    learn(&store, &[Sale::new("a").bought()]).await;
    let first = order("k", spend(7));
    let orders =
        vec![dry(first.clone()), first.clone(), dry(order("x", spend(7))), dry(order("x", spend(3)))];
    let told = decided(batch(&store, orders, NOW).await).map(|(words, _)| words);
    assert_eq!(told, ["1:7 | 3 0 0 0", "1:7 | 3 0 0 0", "7 of 3, 0 owed", "1:3 | 0 0 0 0"]);
    assert_eq!(balance(&store, 1).await, [3, 0, 0, 0]);
    assert_eq!(store.health().await.unwrap().transactions, 2);
    assert!(store.holds(tenant(1), None, Now::trusted(NOW), ALL).await.unwrap().rows.is_empty());

    // What a hold's time gives back is counted, and stays where it is.
    statement(&store, &[(0, hold(1, 3), "1:3 | 0 3 0 0")]).await;
    let told = ask(&store, dry(order("x", spend(3))), NOW.plus_seconds(3600)).await;
    assert_eq!(words(&told), "1:3 | 0 0 0 0");
    assert_eq!(balance(&store, 1).await, [0, 3, 0, 0]);
}

async fn one_that_fails_takes_no_neighbour_with_it(store: Store) {
    learn(&store, &[Sale::new("a").bought()]).await;
    // So many credits nobody can mean: the sum overflows, and deciding panics.
    let too_much = order("too much", give(i64::MAX, 50, None));
    let orders = vec![
        order("before", spend(1)),
        too_much.clone(),
        order("hold", hold(1, 2)),
        order("same hold", hold(1, 3)),
        order("after", spend(1)),
    ];
    let answers = batch(&store, orders, NOW).await;
    let failed = |answer: &Result<_, StoreError>, words: &str| match answer {
        Err(StoreError::Refused(why)) => assert!(why.contains(words), "{why}"),
        other => panic!("not refused: {other:?}"),
    };
    failed(&answers[1], "panicked");
    failed(&answers[3], "already");
    assert_eq!(balance(&store, 1).await, [6, 2, 0, 0]);
    let again = batch(&store, vec![order("another batch", hold(1, 3)), too_much], NOW).await;
    failed(&again[0], "already");
    failed(&again[1], "panicked");
    // Nothing was decided, so the name is free.
    assert_eq!(words(&ask(&store, order("too much", spend(1)), NOW).await), "1:1 | 5 2 0 0");
}

async fn a_hundred_and_twenty_eight_of_one_tenant_are_as_if_one_by_one(store: Store) {
    let sales: Vec<_> = (0..40).map(|number| Sale::new(format!("s{number}")).of(3).bought()).collect();
    learn(&store, &sales).await;
    let orders = (0..128).map(|number| order(&format!("k{number}"), spend(1))).collect();
    let answers = batch(&store, orders, NOW).await;
    for (index, answer) in answers.into_iter().enumerate() {
        let Ok(CommandOutcome::Decided { answer, .. }) = answer else { panic!("{answer:?}") };
        let expected = match 119_usize.checked_sub(index) {
            Some(left) => format!("{}:1 | {left} 0 0 0", index / 3 + 1),
            None => "1 of 0, 0 owed".to_owned(),
        };
        assert_eq!(words(&answer), expected, "order {index}");
    }
}

fn replays(answers: &[Result<CommandOutcome, StoreError>]) -> Vec<bool> {
    let replayed = |answer: &_| matches!(answer, Ok(CommandOutcome::Decided { replayed: true, .. }));
    answers.iter().map(replayed).collect()
}
