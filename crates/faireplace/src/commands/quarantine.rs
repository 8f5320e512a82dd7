//! `faireplace quarantine`: what needs a person, and the person's word.

mod item;

use clap::{Args, Subcommand};
use ledger::TenantId;
use serde_json::{Value, json};

use super::listing::{Column, Listing, json, moment, text};
use crate::client::{Client, encoded};
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::Side::{Left, Right};
use crate::terminal::{say, shown};

/// Look at what needs a person, and decide it
#[derive(Args)]
pub(crate) struct Quarantine {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List what waits for a decision
    List {
        /// Also what was decided
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        listing: Listing,
    },
    /// Show one item: what happened, and what can be done
    Show {
        /// Its number
        id: i64,
        /// Print JSON, exactly as the API answers it
        #[arg(long)]
        json: bool,
    },
    /// Grant a payment's credits, or read an event again after its cause was mended
    Resolve {
        /// Its number
        id: i64,
        /// Why; kept for ever
        #[arg(long)]
        reason: String,
        /// Who gets the credits, where the payment does not say or says it wrongly
        #[arg(long)]
        #[arg(value_parser = super::tenant)]
        tenant: Option<TenantId>,
        /// How many, where the payment does not say or says it wrongly
        #[arg(long)]
        credits: Option<i64>,
    },
    /// Decide that no credits come of it
    Dismiss {
        /// Its number
        id: i64,
        /// Why; kept for ever
        #[arg(long)]
        reason: String,
    },
}

impl Quarantine {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::connect(&Config::of_database(environment)?).await?;
        let by = environment.get("USER").map(str::to_owned);
        match self.action {
            Action::List { all, listing } => {
                let path = format!("/api/admin/quarantine?{}&all={all}", listing.query());
                let columns = [
                    Column("id", Right, |row| text(&row["id"])),
                    Column("since (UTC)", Left, |row| moment(&row["opened_at"])),
                    Column("about", Left, about),
                    Column("reason", Left, |row| text(&row["reason"])),
                    Column("decision", Left, |row| text(&row["resolution"])),
                ];
                let nothing =
                    if all { "Nothing was ever in quarantine." } else { "Nothing waits for a decision." };
                listing.print(&client.get(&path).await?, &columns, nothing)
            }
            Action::Show { id, json: as_json } => {
                let answer = client.get(&format!("/api/admin/quarantine/{id}")).await?;
                if as_json {
                    return json(&answer);
                }
                item::print(&answer["data"]);
                Ok(())
            }
            Action::Resolve { id, reason, tenant, credits } => {
                let word = json!({ "reason": reason, "by": by, "tenant_id": tenant, "credits": credits });
                resolve(&client, id, &word).await
            }
            Action::Dismiss { id, reason } => {
                let word = json!({ "reason": reason, "by": by });
                client.post(&format!("/api/admin/quarantine/{id}/dismiss"), &word).await?;
                say!("dismissed: no credits come of it");
                Ok(())
            }
        }
    }
}

/// Passes a person's word on; where that has an event read again, waits and says what came of it.
async fn resolve(client: &Client, id: i64, word: &Value) -> Result<(), Failure> {
    let item = client.get(&format!("/api/admin/quarantine/{id}")).await?;
    let answer = client.post(&format!("/api/admin/quarantine/{id}/resolve"), word).await?;
    let Some(event) = item["data"]["event"].as_str() else {
        say!("resolved: {}", shown(&text(&answer["data"]["outcome"])));
        return Ok(());
    };
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

fn about(row: &Value) -> String {
    row["event"].as_str().or(row["payment"].as_str()).unwrap_or("-").to_owned()
}
