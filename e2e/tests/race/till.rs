//! A service with one tenant who has bought some credits, and what its books must say in the end: every line
//! follows from the one before it, no command counts twice, and the program's own audit agrees.

use std::collections::BTreeSet;

use e2e::deployment::Deployment;
use e2e::service::Service;
use serde_json::Value;
use stripe::write::{ApiVersion, Purchase, event};

pub(crate) const TENANT: &str = "550e8400-e29b-41d4-a716-446655440000";

/// The deployment, its service, and the key of those who act for the tenant: a service key.
pub(crate) fn open(credits: u32) -> (Deployment, Service, String) {
    let deployment = Deployment::default().with("FAIREPLACE_REQUESTS_PER_HOUR", "0");
    let service = deployment.serve();
    let key = service.service_key();
    let purchase = Purchase {
        reference: "race".into(),
        tenant_id: TENANT.into(),
        package: "some_credits".into(),
        credits,
        amount_total: 2_500 * i64::from(credits),
        currency: "eur".into(),
        created: e2e::now(),
        livemode: false,
        api_version: ApiVersion::default(),
    };
    let sold = event("checkout.session.completed", &purchase, "race", None).expect("Stripe sends it");
    assert_eq!(service.deliver(&sold.body), 200);
    service.settle();
    assert_eq!(service.balance(TENANT)["available"], credits);
    (deployment, service, key)
}

/// The tenant's history, the oldest line first, checked line by line.
pub(crate) fn history(service: &Service) -> Vec<Value> {
    let mut lines = Vec::new();
    for page in 1.. {
        let path =
            format!("/api/credits/transactions?tenant_id={TENANT}&sort=created_at&per_page=100&page={page}");
        let answer = service.get(&path);
        lines.extend(answer["data"].as_array().expect("a page is a list").iter().cloned());
        if answer["meta"]["pagination"]["has_next"] == false {
            break;
        }
    }
    let accounts = ["available", "held", "frozen", "debt"];
    let (mut sums, mut causes, mut last) = ([0; 4], BTreeSet::new(), 0);
    for line in &lines {
        let postings = line["postings"].as_array().expect("a transaction has lines");
        let amount = |posting: &Value| posting["amount"].as_i64().expect("a whole number");
        assert_eq!(postings.iter().map(amount).sum::<i64>(), 0, "{line}");
        for (account, sum) in accounts.iter().zip(&mut sums) {
            let moved = postings.iter().filter(|posting| posting["account"] == *account).map(amount);
            // What is owed is counted down in the books, and shown as a number of credits.
            *sum += moved.sum::<i64>() * if *account == "debt" { -1 } else { 1 };
            assert_eq!(line["balance_after"][account], *sum, "{line}");
        }
        let id = line["id"].as_i64().expect("a number");
        assert!(id > last, "in their order: {line}");
        last = id;
        let cause = format!("{} {}", line["cause"]["type"], line["cause"]["id"]);
        assert!(causes.insert(cause), "one command, two lines: {line}");
    }
    let balance = service.balance(TENANT);
    for (account, sum) in accounts.iter().zip(sums) {
        assert_eq!(balance[account], sum, "the history adds up to the balance");
    }
    lines
}

/// The `Idempotency-Key` of a line that a command caused.
fn key(line: &Value) -> &str {
    assert_eq!(line["cause"]["type"], "command", "{line}");
    line["cause"]["id"].as_str().expect("a command's key")
}

/// The `Idempotency-Key` of every line of these kinds.
pub(crate) fn commands(history: &[Value], kinds: &[&str]) -> BTreeSet<String> {
    let of_kind = history.iter().filter(|line| kinds.iter().any(|kind| line["type"] == *kind));
    of_kind.map(|line| key(line).to_owned()).collect()
}

/// The program's own audit of its books finds nothing.
pub(crate) fn audited(deployment: &Deployment) {
    let said = deployment.done("audit verify");
    assert!(said.contains("the books add up"), "{said}");
}
