//! Deciding quarantine items. The effect on credits is shown first. A decision that takes credits back or
//! covers several items needs `--yes`: a script never waits for an answer, and nobody is surprised.

use clap::Args;
use ledger::TenantId;
use serde_json::{Value, json};

use crate::client::{Client, encoded};
use crate::commands::actions::words;
use crate::commands::listing::{counted, json as print_json, text};
use crate::failure::Failure;
use crate::terminal::{say, shown};

/// The items to decide.
#[derive(Args)]
pub(super) struct ItemSelection {
    /// Number of one item
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<i64>,
    /// All open items that match, at most 500
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    filter: ItemFilter,
}

/// Filters of items.
#[derive(Args)]
pub(super) struct ItemFilter {
    /// Only items with this reason, such as price_mismatch
    #[arg(long, value_name = "REASON")]
    with_reason: Option<String>,
    /// Only items about payments of this tenant
    #[arg(long, value_name = "UUID", value_parser = crate::commands::tenant)]
    of_tenant: Option<TenantId>,
    /// Only items opened before this time, such as 2026-11-23T12:00:00Z
    #[arg(long, value_name = "MOMENT")]
    opened_before: Option<String>,
}

impl ItemFilter {
    /// The filters as query parameters.
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

/// Options of a decision.
#[derive(Args)]
pub(super) struct DecisionOptions {
    /// Reason, kept in the records
    #[arg(long)]
    reason: String,
    /// Show the effect without changing anything
    #[arg(long)]
    dry_run: bool,
    /// Confirm a decision that takes credits back or covers several items
    #[arg(long)]
    yes: bool,
    /// Skip the second person while nobody else is registered; reports mark it
    #[arg(long)]
    alone: bool,
    /// Print the API's JSON response
    #[arg(long)]
    json: bool,
}

/// Decides the selected items; `named` is what a resolution grants.
pub(super) async fn run(
    client: &Client,
    verb: &str,
    selection: ItemSelection,
    named: Value,
    options: DecisionOptions,
) -> Result<(), Failure> {
    let mut asked = named;
    (asked["reason"], asked["alone"]) = (json!(options.reason), json!(options.alone));
    let Some(id) = selection.id else { return all(client, verb, &selection.filter, asked, &options).await };
    if selection.filter.is_given() {
        return Err(Failure::failed("the options that choose items are for `--all`; nothing was changed"));
    }
    let path = format!("/api/admin/quarantine/{id}");
    let preview = preview(client, &format!("{path}/{verb}"), &asked).await?;
    if options.dry_run {
        return words::forecast(&preview, options.json);
    }
    let taken = preview["data"]["consequences"]["taken_back"].as_i64().unwrap_or_default();
    if taken > 0 && !options.yes {
        return Err(unconfirmed("this takes back credits", &preview));
    }
    let item = client.get(&path).await?;
    let answer = client.post(&format!("{path}/{verb}"), &asked).await?;
    if options.json {
        return print_json(&answer);
    }
    let action = &answer["data"];
    match (action["state"].as_str(), item["data"]["event"].as_str()) {
        (Some("waiting"), _) => words::waits(action),
        (_, Some(event)) if verb == "resolve" => return read_again(client, event).await,
        _ if verb == "resolve" => say!("resolved: {}", shown(&text(&action["outcome"]))),
        _ => say!("dismissed: no credits granted"),
    }
    if action["state"] == "done" {
        words::consequences(&action["consequences"], true);
    }
    Ok(())
}

/// Decides all items that match.
async fn all(
    client: &Client,
    verb: &str,
    filter: &ItemFilter,
    mut asked: Value,
    options: &DecisionOptions,
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
    if options.dry_run {
        return words::forecast(&preview, options.json);
    }
    if count == 0 {
        say!("No open item matches; nothing was changed.");
        return Ok(());
    }
    let items = counted(count, "item");
    if !options.yes {
        return Err(unconfirmed(&format!("this would {verb} {items}"), &preview));
    }
    if !options.json {
        say!("{items} to {verb}");
    }
    asked["expected_count"] = json!(count);
    words::report(&client.post(&path, &asked).await?, options.json)
}

/// The error without `--yes`, with the effect that the decision would have.
fn unconfirmed(what: &str, preview: &Value) -> Failure {
    let lines = words::lines(&preview["data"]["consequences"], false);
    let means = lines.iter().fold(format!("{what}; nothing was changed"), |text, line| text + "\n" + line);
    Failure::failed(means).and("Repeat the command with --yes to do it.")
}

async fn preview(client: &Client, path: &str, asked: &Value) -> Result<Value, Failure> {
    let mut asked = asked.clone();
    asked["dry_run"] = true.into();
    client.post(path, &asked).await
}

/// Waits until the event is applied again, and prints the outcome.
async fn read_again(client: &Client, event: &str) -> Result<(), Failure> {
    client.settled().await?;
    let answer = client.get(&format!("/api/admin/events/{}", encoded(event))).await?;
    let event = &answer["data"]["event"];
    let (outcome, reason) = (shown(&text(&event["outcome"])), shown(&text(&event["reason"])));
    if outcome == "quarantined" {
        return Err(Failure::failed(format!("applied again, and it still needs a person: {reason}")));
    }
    say!("applied again: {outcome}");
    Ok(())
}
