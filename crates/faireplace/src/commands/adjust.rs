//! `faireplace adjust`: credits given, taken and forgiven by hand.
//! Not here: the second person's word (`actions`).

use clap::{Args, Subcommand};
use engine::{Clock, entropy};
use ledger::TenantId;
use serde_json::{Value, json};

use super::actions::words;
use crate::client::Client;
use crate::config::{Config, Environment};
use crate::failure::Failure;

/// Give credits, take them, or forgive a debt; above the limits of a day two people decide
#[derive(Args)]
pub(crate) struct Adjust {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Give a tenant credits
    Give {
        #[command(flatten)]
        whose: Whose,
        /// How many
        #[arg(value_parser = credits, allow_negative_numbers = true)]
        credits: i64,
        /// From 0 to 100, the smallest is spent first; what was bought has 50
        #[arg(long, value_parser = clap::value_parser!(u8).range(0..=100))]
        priority: Option<u8>,
        /// When they end, such as 2027-01-01T00:00:00Z; never, if left out
        #[arg(long, value_name = "MOMENT")]
        expires: Option<String>,
        #[command(flatten)]
        word: Word,
    },
    /// Take available credits from a tenant
    Take {
        #[command(flatten)]
        whose: Whose,
        /// How many
        #[arg(value_parser = credits, allow_negative_numbers = true)]
        credits: i64,
        #[command(flatten)]
        word: Word,
    },
    /// Forgive what a tenant owes
    WriteOff {
        #[command(flatten)]
        whose: Whose,
        /// How much of it; all, if left out
        #[arg(value_parser = credits, allow_negative_numbers = true)]
        credits: Option<i64>,
        #[command(flatten)]
        word: Word,
    },
}

#[derive(Args)]
struct Whose {
    /// The tenant's UUID
    #[arg(value_parser = super::tenant)]
    tenant: TenantId,
}

#[derive(Args)]
struct Word {
    /// Why; kept for ever
    #[arg(long)]
    reason: String,
    /// A name of your own for it: run again with the same one, it is still done once
    #[arg(long, value_name = "NAME")]
    once: Option<String>,
    /// Only say what would happen
    #[arg(long)]
    dry_run: bool,
    /// While nobody else is registered: do alone what needs two people. Reports mark it
    #[arg(long)]
    alone: bool,
    /// Print JSON, exactly as the API answers it
    #[arg(long)]
    json: bool,
}

/// How many credits; their sign is the command's.
fn credits(text: &str) -> Result<i64, String> {
    let number = text.parse().ok().filter(|number| (1..=1_000_000_000).contains(number));
    number.ok_or_else(|| "must be a whole number from 1 to 1000000000".into())
}

impl Adjust {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::connect(&Config::of_database(environment)?).await?;
        match self.action {
            Action::Give { whose, credits, priority, expires, word } => {
                let asked = json!({
                    "tenant_id": whose.tenant, "credits": credits, "reason": word.reason,
                    "priority": priority, "expires_at": expires,
                });
                ask(&client, "/api/admin/adjustments", word, &asked).await
            }
            Action::Take { whose, credits, word } => {
                let asked = json!({ "tenant_id": whose.tenant, "credits": -credits, "reason": word.reason });
                ask(&client, "/api/admin/adjustments", word, &asked).await
            }
            Action::WriteOff { whose, credits, word } => {
                let asked = json!({ "tenant_id": whose.tenant, "credits": credits, "reason": word.reason });
                ask(&client, "/api/admin/write-offs", word, &asked).await
            }
        }
    }
}

async fn ask(client: &Client, path: &str, word: Word, asked: &Value) -> Result<(), Failure> {
    let mut asked = asked.clone();
    (asked["alone"], asked["dry_run"]) = (word.alone.into(), word.dry_run.into());
    let drawn = || entropy::unique_id(Clock::system().now()).to_string();
    let name = word.once.unwrap_or_else(drawn);
    let answer = client.post_named(path, &name, &asked).await?;
    if word.dry_run { words::forecast(&answer, word.json) } else { words::report(&answer, word.json) }
}
