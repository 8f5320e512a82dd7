//! `faireplace clock`: which time the service uses, and confirming it when the clock is in doubt.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::listing::{json as print_json, moment, text};
use crate::client::Client;
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::{bold, say};

/// Show the time that the service uses, or confirm it
#[derive(Args)]
pub(crate) struct ClockArgs {
    #[command(subcommand)]
    action: ClockCommand,
}

#[derive(Subcommand)]
enum ClockCommand {
    /// Show the machine's clock, the kept time, and which of them is trusted
    Show {
        /// Print the API's JSON response
        #[arg(long)]
        json: bool,
    },
    /// Confirm which time is right
    ///
    /// Credits and holds that have expired by that time expire at once, so compare it with another clock
    /// first.
    Confirm {
        /// wall: the machine's clock; kept: the last trusted time plus the time elapsed since
        #[arg(long, value_enum)]
        time: TrustedTime,
        /// How you know which time is right; written to the log
        #[arg(long)]
        reason: String,
        /// Print the API's JSON response
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum TrustedTime {
    Wall,
    Kept,
}

impl ClockArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::connect(&Config::of_database(environment)?).await?;
        let (answer, json) = match self.action {
            ClockCommand::Show { json } => (client.get("/api/admin/clock").await?, json),
            ClockCommand::Confirm { time, reason, json } => {
                let time = match time {
                    TrustedTime::Wall => "wall",
                    TrustedTime::Kept => "kept",
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
