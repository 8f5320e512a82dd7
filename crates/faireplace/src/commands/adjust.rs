//! `faireplace adjust`: credits given, taken and forgiven by hand.
//! Approving one as the second person is `faireplace actions`.

use clap::{Args, Subcommand};
use engine::{Clock, entropy};
use ledger::TenantId;
use serde_json::{Value, json};

use super::actions::words;
use crate::client::Client;
use crate::config::{Config, Environment};
use crate::failure::Failure;

/// Give or take credits, or write off a debt
///
/// Above the daily limits a second person must approve.
#[derive(Args)]
pub(crate) struct AdjustArgs {
    #[command(subcommand)]
    action: AdjustCommand,
}

#[derive(Subcommand)]
enum AdjustCommand {
    /// Give a tenant credits
    Give {
        #[command(flatten)]
        target: TenantArg,
        /// Number of credits
        #[arg(value_parser = credits, allow_negative_numbers = true)]
        credits: i64,
        /// 0 to 100; credits with the lowest number are spent first. Purchased credits have 50
        #[arg(long, value_parser = clap::value_parser!(u8).range(0..=100))]
        priority: Option<u8>,
        /// When the credits expire, such as 2027-01-01T00:00:00Z [default: never]
        #[arg(long, value_name = "MOMENT")]
        expires: Option<String>,
        #[command(flatten)]
        options: AdjustmentOptions,
    },
    /// Take available credits from a tenant
    Take {
        #[command(flatten)]
        target: TenantArg,
        /// Number of credits
        #[arg(value_parser = credits, allow_negative_numbers = true)]
        credits: i64,
        #[command(flatten)]
        options: AdjustmentOptions,
    },
    /// Write off a tenant's debt
    WriteOff {
        #[command(flatten)]
        target: TenantArg,
        /// Credits to write off [default: the whole debt]
        #[arg(value_parser = credits, allow_negative_numbers = true)]
        credits: Option<i64>,
        #[command(flatten)]
        options: AdjustmentOptions,
    },
}

#[derive(Args)]
struct TenantArg {
    /// The tenant's UUID
    #[arg(value_parser = super::tenant)]
    tenant: TenantId,
}

#[derive(Args)]
struct AdjustmentOptions {
    /// Reason, kept in the records
    #[arg(long)]
    reason: String,
    /// Your own idempotency key: with the same key, the command is executed only once
    #[arg(long, value_name = "NAME")]
    once: Option<String>,
    /// Show the effect without changing anything
    #[arg(long)]
    dry_run: bool,
    /// Skip the second person while nobody else is registered; reports mark it
    #[arg(long)]
    alone: bool,
    /// Print the API's JSON response
    #[arg(long)]
    json: bool,
}

/// A positive number of credits.
fn credits(text: &str) -> Result<i64, String> {
    let number = text.parse().ok().filter(|number| (1..=1_000_000_000).contains(number));
    number.ok_or_else(|| "must be a whole number from 1 to 1000000000".into())
}

impl AdjustArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::connect(&Config::of_database(environment)?).await?;
        match self.action {
            AdjustCommand::Give { target, credits, priority, expires, options } => {
                let body = json!({
                    "tenant_id": target.tenant, "credits": credits, "reason": options.reason,
                    "priority": priority, "expires_at": expires,
                });
                ask(&client, "/api/admin/adjustments", options, &body).await
            }
            AdjustCommand::Take { target, credits, options } => {
                let body =
                    json!({ "tenant_id": target.tenant, "credits": -credits, "reason": options.reason });
                ask(&client, "/api/admin/adjustments", options, &body).await
            }
            AdjustCommand::WriteOff { target, credits, options } => {
                let body =
                    json!({ "tenant_id": target.tenant, "credits": credits, "reason": options.reason });
                ask(&client, "/api/admin/write-offs", options, &body).await
            }
        }
    }
}

async fn ask(client: &Client, path: &str, options: AdjustmentOptions, body: &Value) -> Result<(), Failure> {
    let mut body = body.clone();
    (body["alone"], body["dry_run"]) = (options.alone.into(), options.dry_run.into());
    let generated = || entropy::unique_id(Clock::system().now()).to_string();
    let name = options.once.unwrap_or_else(generated);
    let answer = client.post_named(path, &name, &body).await?;
    if options.dry_run {
        words::forecast(&answer, options.json)
    } else {
        words::report(&answer, options.json)
    }
}
