//! Compares the service's events and balances, as its API shows them, with the deliveries and with the
//! expected credits of the scenarios.

use std::collections::{BTreeMap, BTreeSet};

use e2e::deployment::Deployment;
use e2e::service::Service;
use serde_json::{Value, json};

use crate::outbox::Outbox;

/// The state of a running service.
pub(crate) struct Books<'s> {
    service: &'s Service,
}

impl<'s> Books<'s> {
    pub(crate) fn of(service: &'s Service) -> Self {
        Self { service }
    }

    /// The ids that the service does not have.
    pub(crate) fn missing<'i>(&self, ids: &[&'i str]) -> Vec<&'i str> {
        ids.iter().copied().filter(|id| self.event(id).is_none()).collect()
    }

    /// All differences, once everything was delivered and applied.
    pub(crate) fn faults(&self, outbox: &Outbox) -> Vec<String> {
        let mut faults = Vec::new();
        let tally = outbox.tally();
        for (id, counts) in &tally {
            let Some(event) = self.event(id) else {
                faults.push(format!("{id} is missing"));
                continue;
            };
            let deliveries = event["deliveries"].as_u64().unwrap_or_default();
            if !(counts.acknowledged..=counts.sent).contains(&deliveries) {
                let (sent, acknowledged) = (counts.sent, counts.acknowledged);
                faults.push(format!(
                    "{id} counts {deliveries} deliveries; it was sent {sent} times and acknowledged \
                     {acknowledged} times"
                ));
            }
            if event["outcome"].is_null() || event["outcome"] == "quarantined" {
                faults.push(format!("{id} ended as {}: {}", event["outcome"], event["reason"]));
            }
        }
        let events = &self.service.get("/api/admin/events?per_page=1")["meta"]["pagination"]["total"];
        if *events != tally.len() {
            faults.push(format!("the service has {events} events, and {} were sent", tally.len()));
        }
        let mut worth: BTreeMap<&str, i64> = BTreeMap::new();
        for sold in &outbox.sales {
            *worth.entry(&sold.tenant).or_default() += i64::from(sold.credits);
        }
        for (tenant, credits) in worth {
            faults.extend(self.faults_of_tenant(tenant, credits));
        }
        faults
    }

    fn faults_of_tenant(&self, tenant: &str, credits: i64) -> Vec<String> {
        let mut faults = Vec::new();
        let balance = self.service.balance(tenant);
        let expected = json!({
            "tenant_id": tenant, "available": credits, "held": 0, "frozen": 0, "debt": 0, "balance": credits,
        });
        if balance != expected {
            faults.push(format!("the balance of {tenant} is {balance} instead of {expected}"));
        }
        let (mut sum, mut seen) = (0, BTreeSet::new());
        for line in self.history(tenant) {
            sum += line["amount"].as_i64().unwrap_or_default();
            let cause = format!("{} by {} for {}", line["type"], line["cause"]["id"], line["payment"]);
            if !seen.insert(cause.clone()) {
                faults.push(format!("{tenant}: {cause} is posted twice"));
            }
        }
        if balance["balance"] != sum {
            faults.push(format!("{tenant}: the history adds up to {sum}, the balance is {balance}"));
        }
        faults
    }

    fn history(&self, tenant: &str) -> Vec<Value> {
        let mut lines = Vec::new();
        for page in 1.. {
            let path = format!("/api/credits/transactions?tenant_id={tenant}&per_page=100&page={page}");
            let answer = self.service.get(&path);
            lines.extend(answer["data"].as_array().expect("a page is a list").iter().cloned());
            if answer["meta"]["pagination"]["has_next"] == false {
                break;
            }
        }
        lines
    }

    fn event(&self, id: &str) -> Option<Value> {
        let path = format!("/api/admin/events/{id}");
        let answer = self.service.ask("GET", &path, Some(&self.service.operator_key), "");
        assert!([200, 404].contains(&answer.status), "GET {path}: {}", answer.body);
        (answer.status == 200).then(|| answer.json()["data"]["event"].take())
    }
}

/// Checks that the program's own audit succeeds.
pub(crate) fn assert_audited(deployment: &Deployment) {
    let output = deployment.done("audit verify");
    assert!(output.contains("the books add up"), "{output}");
}
