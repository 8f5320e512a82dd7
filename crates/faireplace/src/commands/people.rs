//! `faireplace people`: the people who operate this deployment. Their further keys are in `keys`, and
//! replacing people who lost theirs in `keys recover`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::actions::words;
use super::listing::{Column, json as print_json, moment, print_rows, text};
use crate::client::{Client, encoded};
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::Side::Left;
use crate::terminal::{bold, say, shown};

/// List, register and remove the people who operate this deployment
#[derive(Args)]
pub(crate) struct PeopleArgs {
    #[command(subcommand)]
    action: PeopleCommand,
}

#[derive(Subcommand)]
enum PeopleCommand {
    /// List registered people
    List {
        /// Include removed people
        #[arg(long)]
        all: bool,
        /// Print the API's JSON response
        #[arg(long)]
        json: bool,
    },
    /// Register a person and create their first key. Needs two people
    Add {
        /// The person's name
        name: String,
        /// Reason, kept in the records
        #[arg(long)]
        reason: String,
        /// Skip the second person while nobody else is registered; reports mark it
        #[arg(long)]
        alone: bool,
        /// Print the API's JSON response
        #[arg(long)]
        json: bool,
    },
    /// Remove a person and revoke their keys. Needs two people
    Remove {
        /// Name or id
        person: String,
        /// Reason, kept in the records
        #[arg(long)]
        reason: String,
        /// Print the API's JSON response
        #[arg(long)]
        json: bool,
    },
}

impl PeopleArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::connect(&Config::of_database(environment)?).await?;
        match self.action {
            PeopleCommand::List { all, json } => {
                let answer = client.get("/api/admin/people").await?;
                if json {
                    return print_json(&answer);
                }
                list(&answer["data"], all);
                Ok(())
            }
            PeopleCommand::Add { name, reason, alone, json } => {
                let asked = json!({ "name": name, "reason": reason, "alone": alone });
                let answer = client.post("/api/admin/people", &asked).await?;
                if json {
                    return print_json(&answer);
                }
                added(&answer["data"]);
                Ok(())
            }
            PeopleCommand::Remove { person, reason, json } => {
                let id = find(&client, &person).await?;
                let path = format!("/api/admin/people/{}/remove", encoded(&id));
                words::report(&client.post(&path, &json!({ "reason": reason })).await?, json)
            }
        }
    }
}

/// The id of the registered person of this name or id.
async fn find(client: &Client, named: &str) -> Result<String, Failure> {
    let answer = client.get("/api/admin/people").await?;
    let rows = answer["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_named = |row: &&Value| {
        let name = text(&row["name"]).to_lowercase() == named.to_lowercase();
        row["removed_at"].is_null() && (name || row["id"] == named)
    };
    let found = rows.iter().find(is_named).map(|row| text(&row["id"]));
    found.ok_or_else(|| Failure::failed(format!("nobody named {} is registered", shown(named))))
}

fn added(data: &Value) {
    say!("{}", bold(&text(&data["secret"])));
    say!("This secret is shown only once. Give it to {},", shown(&text(&data["person"]["name"])));
    say!("who should rotate it at once, so that nobody else knows it:");
    say!("  faireplace keys rotate {} --grace-period 0", text(&data["key"]["id"]));
    if data["action"]["state"] == "waiting" {
        say!("");
        words::waits(&data["action"]);
    }
}

fn list(people: &Value, all: bool) {
    let mut rows = people.as_array().cloned().unwrap_or_default();
    rows.retain(|row| all || row["removed_at"].is_null());
    let columns = [
        Column("id", Left, |row| text(&row["id"])),
        Column("name", Left, |row| text(&row["name"])),
        Column("since (UTC)", Left, |row| moment(&row["created_at"])),
        Column("removed (UTC)", Left, |row| moment(&row["removed_at"])),
    ];
    print_rows(&rows, if all { &columns } else { &columns[..3] });
}
