//! `faireplace actions`: operators' actions, and approval by a second person.

pub(super) mod words;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::listing::{Column, ListingOptions, json as print_json, moment, text};
use crate::client::{Client, encoded};
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::Side::{Left, Right};
use crate::terminal::shown;

/// List, show, approve and reject operators' actions
///
/// Actions above the daily limits, and those that grant access, need the approval of a second person.
#[derive(Args)]
pub(crate) struct ActionsArgs {
    #[command(subcommand)]
    action: ActionsCommand,
}

#[derive(Subcommand)]
enum ActionsCommand {
    /// List actions, newest first
    List {
        /// Only actions in this state: waiting, done, refused or rejected
        #[arg(long)]
        state: Option<String>,
        /// Only actions of this kind, such as adjustment or key_create
        #[arg(long)]
        kind: Option<String>,
        /// Only actions requested by this person (id)
        #[arg(long)]
        person: Option<String>,
        #[command(flatten)]
        listing: ListingOptions,
    },
    /// Show one action: who requested it and its effect on credits
    Show {
        /// The action's id
        id: String,
        /// Print the API's JSON response
        #[arg(long)]
        json: bool,
    },
    /// Approve another person's action; it takes effect at once
    Approve {
        /// The action's id
        id: String,
        /// Print the API's JSON response
        #[arg(long)]
        json: bool,
    },
    /// Reject another person's action
    Reject {
        /// The action's id
        id: String,
        /// Reason, kept in the records
        #[arg(long)]
        reason: String,
        /// Print the API's JSON response
        #[arg(long)]
        json: bool,
    },
}

impl ActionsArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::connect(&Config::of_database(environment)?).await?;
        let path = |id: &str, verb: &str| format!("/api/admin/actions/{}{verb}", encoded(id));
        match self.action {
            ActionsCommand::List { state, kind, person, listing } => {
                let filters = [("state", state), ("kind", kind), ("person", person)];
                list(&client, &filters, &listing).await
            }
            ActionsCommand::Show { id, json } => {
                let answer = client.get(&path(&id, "")).await?;
                if json {
                    return print_json(&answer);
                }
                words::show(&answer["data"]);
                Ok(())
            }
            ActionsCommand::Approve { id, json } => {
                words::report(&client.post(&path(&id, "/approve"), &Value::Null).await?, json)
            }
            ActionsCommand::Reject { id, reason, json } => {
                let asked = json!({ "reason": reason });
                words::report(&client.post(&path(&id, "/reject"), &asked).await?, json)
            }
        }
    }
}

async fn list(
    client: &Client,
    filters: &[(&str, Option<String>)],
    listing: &ListingOptions,
) -> Result<(), Failure> {
    let mut path = format!("/api/admin/actions?{}", listing.query());
    for (name, value) in filters {
        path.extend(value.as_deref().map(|value| format!("&{name}={}", encoded(value))));
    }
    let columns = [
        Column("id", Left, |row| text(&row["id"])),
        Column("when (UTC)", Left, |row| moment(&row["asked_at"])),
        Column("by", Left, |row| text(&row["asked_by"]["name"])),
        Column("what", Left, |row| text(&row["kind"]).replace('_', "-")),
        Column("credits", Right, |row| text(&row["credits"])),
        Column("state", Left, state),
        Column("reason", Left, |row| shown(&text(&row["reason"]))),
    ];
    listing.print(&client.get(&path).await?, &columns, "No such actions.")
}

/// The state, and the second person.
fn state(row: &Value) -> String {
    match (row["alone"].as_bool(), row["decided_by"]["name"].as_str()) {
        (Some(true), _) => format!("{} alone", text(&row["state"])),
        (_, Some(second)) => format!("{}, {second}", text(&row["state"])),
        _ => text(&row["state"]),
    }
}
