//! `faireplace people`: who operates this deployment.
//! Not here: their keys beyond the first (`keys`), and replacing people who are lost (`keys recover`).

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
pub(crate) struct People {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List who is registered
    List {
        /// Also who was removed
        #[arg(long)]
        all: bool,
        /// Print JSON, exactly as the API answers it
        #[arg(long)]
        json: bool,
    },
    /// Register a person, with a first key; its secret is shown this once. Takes two people
    Add {
        /// Their name
        name: String,
        /// Why; kept for ever
        #[arg(long)]
        reason: String,
        /// While nobody else is registered: do it alone. Reports mark it
        #[arg(long)]
        alone: bool,
        /// Print JSON, exactly as the API answers it
        #[arg(long)]
        json: bool,
    },
    /// Remove a person: their keys stop working. Takes two people
    Remove {
        /// Their name or id
        person: String,
        /// Why; kept for ever
        #[arg(long)]
        reason: String,
        /// Print JSON, exactly as the API answers it
        #[arg(long)]
        json: bool,
    },
}

impl People {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::connect(&Config::of_database(environment)?).await?;
        match self.action {
            Action::List { all, json } => {
                let answer = client.get("/api/admin/people").await?;
                if json {
                    return print_json(&answer);
                }
                list(&answer["data"], all);
                Ok(())
            }
            Action::Add { name, reason, alone, json } => {
                let asked = json!({ "name": name, "reason": reason, "alone": alone });
                let answer = client.post("/api/admin/people", &asked).await?;
                if json {
                    return print_json(&answer);
                }
                added(&answer["data"]);
                Ok(())
            }
            Action::Remove { person, reason, json } => {
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
    found.ok_or_else(|| Failure::failed(format!("nobody is registered as {}", shown(named))))
}

fn added(data: &Value) {
    say!("{}", bold(&text(&data["secret"])));
    say!("This is the only time that it is shown. Give it to {};", shown(&text(&data["person"]["name"])));
    say!("to be the only one who knows their key, they rotate it first:");
    say!("  faireplace keys rotate {} --overlap 0", text(&data["key"]["id"]));
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
