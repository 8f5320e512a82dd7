//! A service with one tenant who has bought credits, and checks of the transaction history: every transaction
//! follows from the one before it, no command counts twice, and the program's own audit succeeds.

use std::collections::BTreeSet;

use e2e::deployment::Deployment;
use e2e::sale::sale;
use e2e::service::Service;
use emulator::scenario::{Sale, event};
use serde_json::Value;

pub(crate) const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";

/// Starts a service whose tenant has this many credits; returns the deployment, the service and a service
/// key.
pub(crate) fn open(credits: u32) -> (Deployment, Service, String) {
    let deployment = Deployment::default().with("FAIREPLACE_REQUESTS_PER_HOUR", "0");
    let service = deployment.serve();
    let key = service.service_key();
    let sale = Sale { created: e2e::now(), ..sale("race", TENANT, credits, 2_500 * i64::from(credits)) };
    let sold = event("checkout.session.completed", &sale, "race", None).expect("the type exists");
    assert_eq!(service.deliver(&sold.body), 200);
    service.settle();
    assert_eq!(service.balance(TENANT)["available"], credits);
    (deployment, service, key)
}

/// The tenant's transactions, oldest first, after checking each of them.
pub(crate) fn history(service: &Service) -> Vec<Value> {
    let mut transactions = Vec::new();
    for page in 1.. {
        let path =
            format!("/api/credits/transactions?tenant_id={TENANT}&sort=created_at&per_page=100&page={page}");
        let answer = service.get(&path);
        transactions.extend(answer["data"].as_array().expect("a page is a list").iter().cloned());
        if answer["meta"]["pagination"]["has_next"] == false {
            break;
        }
    }
    let accounts = ["available", "held", "frozen", "debt"];
    let (mut sums, mut causes, mut last) = ([0; 4], BTreeSet::new(), 0);
    for transaction in &transactions {
        let postings = transaction["postings"].as_array().expect("a transaction has postings");
        let amount = |posting: &Value| posting["amount"].as_i64().expect("an integer");
        assert_eq!(postings.iter().map(amount).sum::<i64>(), 0, "{transaction}");
        for (account, sum) in accounts.iter().zip(&mut sums) {
            let moved = postings.iter().filter(|posting| posting["account"] == *account).map(amount);
            // The postings count debt as negative, the balance shows it as positive.
            *sum += moved.sum::<i64>() * if *account == "debt" { -1 } else { 1 };
            assert_eq!(transaction["balance_after"][account], *sum, "{transaction}");
        }
        let id = transaction["id"].as_i64().expect("a number");
        assert!(id > last, "out of order: {transaction}");
        last = id;
        let cause = format!("{} {}", transaction["cause"]["type"], transaction["cause"]["id"]);
        assert!(causes.insert(cause), "a second transaction of one command: {transaction}");
    }
    let balance = service.balance(TENANT);
    for (account, sum) in accounts.iter().zip(sums) {
        assert_eq!(balance[account], sum, "the transactions do not add up to the balance");
    }
    transactions
}

/// The `Idempotency-Key` of a command's transaction.
fn key(transaction: &Value) -> &str {
    assert_eq!(transaction["cause"]["type"], "command", "{transaction}");
    transaction["cause"]["id"].as_str().expect("a key")
}

/// The `Idempotency-Key`s of all transactions of these types.
pub(crate) fn commands(history: &[Value], kinds: &[&str]) -> BTreeSet<String> {
    let of_kind = history.iter().filter(|transaction| kinds.iter().any(|kind| transaction["type"] == *kind));
    of_kind.map(|transaction| key(transaction).to_owned()).collect()
}

/// Checks that the program's own audit succeeds.
pub(crate) fn assert_audited(deployment: &Deployment) {
    let output = deployment.done("audit verify");
    assert!(output.contains("the books add up"), "{output}");
}
