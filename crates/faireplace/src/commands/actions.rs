//! `faireplace actions`: what operators did, and what waits for a second person.

pub(super) mod words;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::listing::{Column, Listing, json as print_json, moment, text};
use crate::client::{Client, encoded};
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::Side::{Left, Right};
use crate::terminal::shown;

/// List what operators did, and decide what waits for a second person
#[derive(Args)]
pub(crate) struct Actions {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List actions, the newest first
    List {
        /// Only waiting, done, refused or rejected ones
        #[arg(long)]
        state: Option<String>,
        /// Only of this kind, such as adjustment or key_create
        #[arg(long)]
        kind: Option<String>,
        /// Only what this person asked for, by their id
        #[arg(long)]
        person: Option<String>,
        #[command(flatten)]
        listing: Listing,
    },
    /// Show one action: who asked for what, and what it means for the credits
    Show {
        /// Its id, as `actions list` shows it
        id: String,
        /// Print JSON, exactly as the API answers it
        #[arg(long)]
        json: bool,
    },
    /// Approve what somebody else asked for: it is done at once
    Approve {
        /// Its id, as `actions list` shows it
        id: String,
        /// Print JSON, exactly as the API answers it
        #[arg(long)]
        json: bool,
    },
    /// Reject what somebody else asked for
    Reject {
        /// Its id, as `actions list` shows it
        id: String,
        /// Why not; kept for ever
        #[arg(long)]
        reason: String,
        /// Print JSON, exactly as the API answers it
        #[arg(long)]
        json: bool,
    },
}

impl Actions {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::connect(&Config::of_database(environment)?).await?;
        let path = |id: &str, verb: &str| format!("/api/admin/actions/{}{verb}", encoded(id));
        match self.action {
            Action::List { state, kind, person, listing } => {
                let filters = [("state", state), ("kind", kind), ("person", person)];
                list(&client, &filters, &listing).await
            }
            Action::Show { id, json } => {
                let answer = client.get(&path(&id, "")).await?;
                if json {
                    return print_json(&answer);
                }
                words::show(&answer["data"]);
                Ok(())
            }
            Action::Approve { id, json } => {
                words::report(&client.post(&path(&id, "/approve"), &Value::Null).await?, json)
            }
            Action::Reject { id, reason, json } => {
                let asked = json!({ "reason": reason });
                words::report(&client.post(&path(&id, "/reject"), &asked).await?, json)
            }
        }
    }
}

async fn list(client: &Client, filters: &[(&str, Option<String>)], listing: &Listing) -> Result<(), Failure> {
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

/// The state, and who else was in it.
fn state(row: &Value) -> String {
    match (row["alone"].as_bool(), row["decided_by"]["name"].as_str()) {
        (Some(true), _) => format!("{} alone", text(&row["state"])),
        (_, Some(second)) => format!("{}, {second}", text(&row["state"])),
        _ => text(&row["state"]),
    }
}
