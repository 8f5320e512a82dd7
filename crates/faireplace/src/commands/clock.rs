//! `faireplace clock`: which time the service goes by, and a person's word for which one is right.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::listing::{json as print_json, moment, text};
use crate::client::Client;
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::{bold, say};

/// Show which time the service goes by, or confirm which one is right when its clock is in doubt
#[derive(Args)]
pub(crate) struct Clock {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Show the machine's clock and the kept time, and which of them is trusted
    Show {
        /// Print JSON, exactly as the API answers it
        #[arg(long)]
        json: bool,
    },
    /// Confirm which time is right: credits and holds that have ended by it expire at once
    Confirm {
        /// The machine's clock (wall), or the last trusted time and what has passed since (kept)
        #[arg(long, value_enum)]
        time: Time,
        /// How you know; written to the log
        #[arg(long)]
        reason: String,
        /// Print JSON, exactly as the API answers it
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Time {
    Wall,
    Kept,
}

impl Clock {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::connect(&Config::of_database(environment)?).await?;
        let (answer, json) = match self.action {
            Action::Show { json } => (client.get("/api/admin/clock").await?, json),
            Action::Confirm { time, reason, json } => {
                let time = match time {
                    Time::Wall => "wall",
                    Time::Kept => "kept",
                };
                let asked = json!({ "time": time, "reason": reason });
                (client.post("/api/admin/clock/confirm", &asked).await?, json)
            }
        };
        if json {
            return print_json(&answer);
        }
        show(&answer["data"]);
        Ok(())
    }
}

fn show(clock: &Value) {
    let state = match clock["state"].as_str() {
        Some("trusted") => "the machine's clock is trusted",
        Some("kept") => "the kept time is trusted, the machine's clock is wrong",
        _ => "in doubt: nothing expires",
    };
    say!("{}", bold(state));
    say!("machine's clock  {} (UTC)", moment(&clock["wall_time"]));
    say!("kept time        {} (UTC)", moment(&clock["kept_time"]));
    if let Some(message) = clock["message"].as_str() {
        say!("difference       {} seconds", text(&clock["difference_seconds"]));
        say!("since            {} (UTC)", moment(&clock["since"]));
        say!("{message}");
    }
}
