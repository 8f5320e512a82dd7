//! Every scenario, in many orders, every event delivered once to three times, in batches of every size: the
//! balance at the end is the same.

use std::collections::BTreeMap;

use emulator::scenario::{Sale, Scenario};
use ledger::{Balance, Credits};
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use stripe::write::ApiVersion;

use crate::deployment::Deployment;
use crate::{NOW, bodies, ten_credits};

/// Shuffled orders per scenario and version, besides the natural order and its reverse.
const SHUFFLES: u64 = 3;

/// Each event one to three times; copies may arrive anywhere after shuffling.
fn delivered(events: &[String], random: &mut Xoshiro256PlusPlus) -> Vec<String> {
    events.iter().flat_map(|body| vec![body.clone(); random.random_range(1..=3)]).collect()
}

/// The credits of ten that are left after each scenario.
fn credits_left(scenario: Scenario) -> u32 {
    match scenario {
        Scenario::Purchase | Scenario::FailedRefund | Scenario::DisputeWon | Scenario::Async => 10,
        Scenario::PartialRefund => 5,
        Scenario::PendingRefund | Scenario::DisputeLost | Scenario::Declined => 0,
    }
}

/// One run of a scenario: its name, its deliveries in order, and the credits at the end.
struct Run {
    name: String,
    tenant: u128,
    deliveries: Vec<String>,
    credits: u32,
}

/// Every scenario × version × order. `tenant_of` gives the tenant of each number.
fn runs(seed: u64, tenant_of: impl Fn(u128) -> u128) -> Vec<Run> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut runs = Vec::new();
    for scenario in Scenario::ALL {
        for api_version in ApiVersion::ALL {
            for order in 0..SHUFFLES + 2 {
                let tenant = tenant_of(runs.len() as u128);
                let reference = format!("r{}", runs.len());
                let sale = Sale { api_version, ..ten_credits(&reference, tenant) };
                let mut deliveries = delivered(&bodies(scenario, &sale), &mut random);
                match order {
                    0 => {}
                    1 => deliveries.reverse(),
                    _ => deliveries.shuffle(&mut random),
                }
                let name = format!("{} {} order {order}", scenario.name(), api_version.as_str());
                runs.push(Run { name, tenant, deliveries, credits: credits_left(scenario) });
            }
        }
    }
    runs
}

fn available(credits: u32) -> Balance {
    Balance { available: Credits(i64::from(credits)), ..Balance::default() }
}

#[tokio::test]
async fn any_order_and_number_of_deliveries_lead_to_the_same_balance() {
    for (seed, batch) in [(1, 1), (2, 7), (3, usize::MAX)] {
        let deployment = Deployment::new();
        let runs = runs(seed, |number| number + 1);
        // Every batch costs a commit, so fewer runs use the small batches.
        let runs: Vec<_> = if batch == 1 { runs.into_iter().step_by(7).collect() } else { runs };
        let mut waiting = 0;
        for body in runs.iter().flat_map(|run| &run.deliveries) {
            deployment.keep(body, NOW).await;
            waiting += 1;
            if waiting == batch {
                deployment.apply(NOW).await;
                waiting = 0;
            }
        }
        deployment.apply(NOW).await;
        for run in &runs {
            let found = deployment.balance(run.tenant).await;
            assert_eq!(found, available(run.credits), "{} in batches of {batch}", run.name);
        }
        deployment.check_settled().await;
    }
}

/// The same runs, interleaved, and every second run is for the same tenant: a refund never revokes credits of
/// another payment's lot while its own lot has enough.
#[tokio::test]
async fn payments_of_the_same_or_other_tenants_are_independent() {
    let deployment = Deployment::new();
    let runs = runs(4, |number| 1 + number % 2 * number);
    let mut expected: BTreeMap<u128, u32> = BTreeMap::new();
    for run in &runs {
        *expected.entry(run.tenant).or_default() += run.credits;
    }
    let longest = runs.iter().map(|run| run.deliveries.len()).max().unwrap();
    for turn in 0..longest {
        for body in runs.iter().filter_map(|run| run.deliveries.get(turn)) {
            deployment.keep(body, NOW).await;
        }
        deployment.apply(NOW).await;
    }
    for (tenant, credits) in expected {
        assert_eq!(deployment.balance(tenant).await, available(credits), "tenant {tenant}");
    }
    deployment.check_settled().await;
}

#[tokio::test]
async fn a_delivery_after_the_settlement_changes_nothing() {
    let deployment = Deployment::new();
    let events = Scenario::PartialRefund.events(&ten_credits("late", 1));
    for event in &events {
        deployment.keep(&event.body, NOW).await;
    }
    deployment.apply(NOW).await;
    let before = deployment.store().health().await.unwrap();
    for event in &events {
        deployment.keep(&event.body, NOW).await;
        assert_eq!(deployment.event(&event.id).await.deliveries, 2, "{}", event.id);
    }
    deployment.apply(NOW).await;
    let after = deployment.store().health().await.unwrap();
    assert_eq!((before.events, before.transactions), (after.events, after.transactions));
    assert_eq!(deployment.balance(1).await, available(5));
}
