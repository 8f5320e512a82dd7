//! `faireplace quarantine`: what needs a person, and the person's word.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::listing::{Column, Listing, json, moment, text};
use crate::client::Client;
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::Side::{Left, Right};
use crate::terminal::{bold, faint, say, shown};

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
        tenant: Option<String>,
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
                    Column("since", Left, |row| moment(&row["opened_at"])),
                    Column("about", Left, about),
                    Column("reason", Left, |row| text(&row["reason"])),
                    Column("decision", Left, |row| text(&row["resolution"])),
                ];
                listing.print(&client.get(&path).await?, &columns, "Nothing waits for a decision.")
            }
            Action::Show { id, json: as_json } => {
                let answer = client.get(&format!("/api/admin/quarantine/{id}")).await?;
                if as_json {
                    return json(&answer);
                }
                print(&answer["data"]);
                Ok(())
            }
            Action::Resolve { id, reason, tenant, credits } => {
                let word = json!({ "reason": reason, "by": by, "tenant_id": tenant, "credits": credits });
                let answer = client.post(&format!("/api/admin/quarantine/{id}/resolve"), &word).await?;
                match answer["data"]["outcome"].as_str() {
                    Some(outcome) => say!("resolved: {outcome}"),
                    None => say!("read again; `faireplace quarantine list` shows whether it still waits"),
                }
                Ok(())
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

fn about(row: &Value) -> String {
    row["event"].as_str().or(row["payment"].as_str()).unwrap_or("-").to_owned()
}

fn print(item: &Value) {
    let id = text(&item["id"]);
    say!("{} {}", bold(&text(&item["reason"])), shown(&about(item)));
    say!("{}", shown(&text(&item["detail"])));
    say!("{}", faint(&format!("since {}", moment(&item["opened_at"]))));
    match item["resolution"].as_str() {
        Some(resolution) => {
            let (by, note) = (shown(&text(&item["closed_by"])), shown(&text(&item["note"])));
            say!("{resolution} {}, by {by}: {note}", moment(&item["closed_at"]));
        }
        None if item["event"].is_string() => {
            say!(
                "\nWhen the cause is mended, read it again:  faireplace quarantine resolve {id} --reason WHY"
            );
            say!("To leave it at that:                      faireplace quarantine dismiss {id} --reason WHY");
        }
        None => {
            say!(
                "\nTo grant:  faireplace quarantine resolve {id} --reason WHY [--tenant UUID] [--credits N]"
            );
            say!("To grant nothing:  faireplace quarantine dismiss {id} --reason WHY");
        }
    }
}
