//! `faireplace events`: the events that Stripe sent, and their outcomes.

use clap::{Args, Subcommand};
use serde_json::json;

use super::listing::{Column, ListingOptions, counted, json, moment, text};
use crate::client::{Client, encoded};
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::Side::{Left, Right};
use crate::terminal::{bold, faint, say, shown};

/// List and show events, or apply them again
#[derive(Args)]
pub(crate) struct EventsArgs {
    #[command(subcommand)]
    action: EventsCommand,
}

#[derive(Subcommand)]
enum EventsCommand {
    /// List events, newest first
    List {
        /// Only events of this type, such as charge.refunded
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
        /// Only events with this outcome, such as quarantined
        #[arg(long)]
        outcome: Option<String>,
        /// Only events about this payment (any of its Stripe ids)
        #[arg(long)]
        payment: Option<String>,
        /// Only events that are not applied yet
        #[arg(long)]
        pending: bool,
        #[command(flatten)]
        listing: ListingOptions,
    },
    /// Show one event with the body that Stripe sent
    Show {
        /// The event's id
        event: String,
        /// Print the API's JSON response
        #[arg(long)]
        json: bool,
    },
    /// Apply events again; nothing is ever counted twice
    Replay {
        /// The events' ids
        #[arg(required = true)]
        events: Vec<String>,
    },
}

impl EventsArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::connect(&Config::of_database(environment)?).await?;
        match self.action {
            EventsCommand::List { kind, outcome, payment, pending, listing } => {
                let mut path = format!("/api/admin/events?{}&pending={pending}", listing.query());
                for (name, value) in [("type", kind), ("outcome", outcome), ("payment", payment)] {
                    if let Some(value) = value {
                        path.push_str(&format!("&{name}={}", encoded(&value)));
                    }
                }
                let columns = [
                    Column("received (UTC)", Left, |row| moment(&row["received_at"])),
                    Column("type", Left, |row| text(&row["type"])),
                    Column("outcome", Left, outcome_and_reason),
                    Column("times", Right, |row| text(&row["deliveries"])),
                    Column("payment", Left, |row| text(&row["payment"])),
                    Column("event", Left, |row| text(&row["id"])),
                ];
                listing.print(&client.get(&path).await?, &columns, "No such events.")
            }
            EventsCommand::Show { event, json: as_json } => {
                let answer = client.get(&format!("/api/admin/events/{}", encoded(&event))).await;
                let answer = answer.map_err(|failure| failure.about(&event))?;
                if as_json {
                    return json(&answer);
                }
                let data = &answer["data"];
                let of = |name: &str| shown(&text(&data["event"][name]));
                say!("{} {}", bold(&of("type")), of("id"));
                say!("outcome   {}", shown(&outcome_and_reason(&data["event"])));
                say!("payment   {}", of("payment"));
                let deliveries = data["event"]["deliveries"].as_u64().unwrap_or_default();
                let deliveries = counted(deliveries, "time");
                say!("received  {} UTC, delivered {deliveries}", moment(&data["event"]["received_at"]));
                say!("{}", faint("body, as Stripe sent it:"));
                text(&data["body"]).lines().for_each(|line| say!("{}", shown(line)));
                Ok(())
            }
            EventsCommand::Replay { events } => {
                for event in events {
                    let path = format!("/api/admin/events/{}/replay", encoded(&event));
                    client.post(&path, &json!({})).await.map_err(|failure| failure.about(&event))?;
                    say!("{} will be applied again; see `faireplace events show {0}`", shown(&event));
                }
                Ok(())
            }
        }
    }
}

fn outcome_and_reason(row: &serde_json::Value) -> String {
    match (row["outcome"].as_str(), row["reason"].as_str()) {
        (None, None) => "waiting".to_owned(),
        (None, Some(error)) => format!("waiting, after: {error}"),
        (Some(outcome), None) => outcome.to_owned(),
        (Some(outcome), Some(reason)) => format!("{outcome}: {reason}"),
    }
}
