//! Deciding quarantine items. What it means for the credits is said first; what takes credits back, or is
//! about many items, is done only with `--yes`: a script never waits for an answer, and nobody is surprised.
//! Not here: the second person's word (`actions`).

use clap::Args;
use ledger::TenantId;
use serde_json::{Value, json};

use crate::client::{Client, encoded};
use crate::commands::actions::words;
use crate::commands::listing::{counted, json as print_json, text};
use crate::failure::Failure;
use crate::terminal::{say, shown};

/// Which items are decided.
#[derive(Args)]
pub(super) struct Which {
    /// The number of one item
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<i64>,
    /// Every open item that matches, 500 at most
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    filter: Filter,
}

/// Which items match.
#[derive(Args)]
pub(super) struct Filter {
    /// Only items with this reason, such as price_mismatch
    #[arg(long, value_name = "REASON")]
    with_reason: Option<String>,
    /// Only items about payments of this tenant
    #[arg(long, value_name = "UUID", value_parser = crate::commands::tenant)]
    of_tenant: Option<TenantId>,
    /// Only items that were opened earlier, such as 2026-11-23T12:00:00Z
    #[arg(long, value_name = "MOMENT")]
    opened_before: Option<String>,
}

impl Filter {
    /// As a part of a query string.
    pub(super) fn query(&self) -> String {
        let tenant = self.of_tenant.map(|tenant| tenant.to_string());
        let mut query = String::new();
        for (name, value) in
            [("reason", &self.with_reason), ("tenant_id", &tenant), ("opened_before", &self.opened_before)]
        {
            query.extend(value.as_deref().map(|value| format!("&{name}={}", encoded(value))));
        }
        query
    }

    fn is_given(&self) -> bool {
        self.with_reason.is_some() || self.of_tenant.is_some() || self.opened_before.is_some()
    }
}

/// How they are decided.
#[derive(Args)]
pub(super) struct How {
    /// Why; kept for ever
    #[arg(long)]
    reason: String,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// Do it, even where it takes credits back or is about many items
    #[arg(long)]
    yes: bool,
    /// While nobody else is registered: do alone what needs two people. Reports mark it
    #[arg(long)]
    alone: bool,
    /// Print JSON, exactly as the API answers it
    #[arg(long)]
    json: bool,
}

/// Decides what is asked for; `named` is what a resolution grants.
pub(super) async fn run(
    client: &Client,
    verb: &str,
    which: Which,
    named: Value,
    how: How,
) -> Result<(), Failure> {
    let mut asked = named;
    (asked["reason"], asked["alone"]) = (json!(how.reason), json!(how.alone));
    let Some(id) = which.id else { return all(client, verb, &which.filter, asked, &how).await };
    if which.filter.is_given() {
        return Err(Failure::failed("the options that choose items are for `--all`; nothing was changed"));
    }
    let path = format!("/api/admin/quarantine/{id}");
    let preview = preview(client, &format!("{path}/{verb}"), &asked).await?;
    if how.dry_run {
        return words::forecast(&preview, how.json);
    }
    let taken = preview["data"]["consequences"]["taken_back"].as_i64().unwrap_or_default();
    if taken > 0 && !how.yes {
        return Err(unconfirmed("this takes back credits", &preview));
    }
    let item = client.get(&path).await?;
    let answer = client.post(&format!("{path}/{verb}"), &asked).await?;
    if how.json {
        return print_json(&answer);
    }
    let action = &answer["data"];
    match (action["state"].as_str(), item["data"]["event"].as_str()) {
        (Some("waiting"), _) => words::waits(action),
        (_, Some(event)) if verb == "resolve" => return read_again(client, event).await,
        _ if verb == "resolve" => say!("resolved: {}", shown(&text(&action["outcome"]))),
        _ => say!("dismissed: no credits come of it"),
    }
    if action["state"] == "done" {
        words::consequences(&action["consequences"], true);
    }
    Ok(())
}

/// Decides every item that matches.
async fn all(
    client: &Client,
    verb: &str,
    filter: &Filter,
    mut asked: Value,
    how: &How,
) -> Result<(), Failure> {
    if let Some(fields) = asked.as_object_mut() {
        fields.retain(|name, _| name == "reason" || name == "alone");
    }
    asked["filter"] = json!({
        "reason": filter.with_reason, "tenant_id": filter.of_tenant, "opened_before": filter.opened_before,
    });
    let path = format!("/api/admin/quarantine/{verb}");
    let preview = preview(client, &path, &asked).await?;
    let count = preview["data"]["consequences"]["items"].as_u64().unwrap_or_default();
    if how.dry_run {
        return words::forecast(&preview, how.json);
    }
    if count == 0 {
        say!("No open item matches. Nothing was changed.");
        return Ok(());
    }
    let items = counted(count, "item");
    if !how.yes {
        return Err(unconfirmed(&format!("this would {verb} {items}"), &preview));
    }
    if !how.json {
        say!("{items} to {verb}");
    }
    asked["expected_count"] = json!(count);
    words::report(&client.post(&path, &asked).await?, how.json)
}

/// What is done only with `--yes` is not done, and this is what it would mean.
fn unconfirmed(what: &str, preview: &Value) -> Failure {
    let lines = words::lines(&preview["data"]["consequences"], false);
    let means = lines.iter().fold(format!("{what}; nothing was changed"), |text, line| text + "\n" + line);
    Failure::failed(means).and("To do it, repeat this with --yes.")
}

async fn preview(client: &Client, path: &str, asked: &Value) -> Result<Value, Failure> {
    let mut asked = asked.clone();
    asked["dry_run"] = true.into();
    client.post(path, &asked).await
}

/// Waits until an event was read again, and says what came of it.
async fn read_again(client: &Client, event: &str) -> Result<(), Failure> {
    client.settled().await?;
    let answer = client.get(&format!("/api/admin/events/{}", encoded(event))).await?;
    let event = &answer["data"]["event"];
    let (outcome, reason) = (shown(&text(&event["outcome"])), shown(&text(&event["reason"])));
    if outcome == "quarantined" {
        return Err(Failure::failed(format!("read again, and it still needs a person: {reason}")));
    }
    say!("read again: {outcome}");
    Ok(())
}
