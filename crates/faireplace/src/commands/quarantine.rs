//! `faireplace quarantine`: items that need a person, and the person's decision.

mod decide;
mod item;

use clap::{Args, Subcommand};
use ledger::TenantId;
use serde_json::{Value, json};

use super::listing::{Column, ListingOptions, json as print_json, moment, text};
use crate::client::Client;
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::Side::{Left, Right};
use decide::{DecisionOptions, ItemFilter, ItemSelection};

/// List, show and decide the payments and events that need a person
#[derive(Args)]
pub(crate) struct QuarantineArgs {
    #[command(subcommand)]
    action: QuarantineCommand,
}

#[derive(Subcommand)]
enum QuarantineCommand {
    /// List open items
    List {
        /// Include decided items
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        filter: ItemFilter,
        #[command(flatten)]
        listing: ListingOptions,
    },
    /// Show one item: what happened, and what you can do
    Show {
        /// The item's number
        id: i64,
        /// Print the API's JSON response
        #[arg(long)]
        json: bool,
    },
    /// Grant a payment's credits, or apply an event again (fix the cause first)
    Resolve {
        #[command(flatten)]
        selection: ItemSelection,
        /// Tenant to credit, if the payment does not specify the right one
        #[arg(long, conflicts_with = "all")]
        #[arg(value_parser = super::tenant)]
        tenant: Option<TenantId>,
        /// Credits to grant, if the payment does not specify the right number
        #[arg(long, conflicts_with = "all")]
        credits: Option<i64>,
        /// Amount paid in minor units, if the payment does not specify it
        #[arg(long, conflicts_with = "all")]
        amount: Option<i64>,
        /// Currency such as eur, if the payment does not specify it
        #[arg(long, conflicts_with = "all")]
        currency: Option<String>,
        /// Payment intent of an unlinked purchase, so that its refunds are matched
        #[arg(long, conflicts_with = "all", value_name = "ID")]
        payment_intent: Option<String>,
        /// There is no payment intent; you take credits back by hand after a refund
        #[arg(long, conflicts_with_all = ["all", "payment_intent"])]
        refunds_by_hand: bool,
        #[command(flatten)]
        options: DecisionOptions,
    },
    /// Grant no credits, and take back credits that were already granted
    Dismiss {
        #[command(flatten)]
        selection: ItemSelection,
        #[command(flatten)]
        options: DecisionOptions,
    },
}

impl QuarantineArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::connect(&Config::of_database(environment)?).await?;
        match self.action {
            QuarantineCommand::List { all, filter, listing } => {
                let filters = filter.query();
                let path = format!("/api/admin/quarantine?{}&all={all}{filters}", listing.query());
                let columns = [
                    Column("id", Right, |row| text(&row["id"])),
                    Column("since (UTC)", Left, |row| moment(&row["opened_at"])),
                    Column("about", Left, about),
                    Column("reason", Left, |row| text(&row["reason"])),
                    Column("credits", Right, |row| text(&row["credits"])),
                    Column("amount", Right, amount),
                    Column("package", Left, |row| text(&row["package"])),
                    Column("tenant", Left, |row| text(&row["tenant_id"])),
                    Column("decision", Left, |row| text(&row["resolution"])),
                ];
                let nothing = if all { "No items." } else { "No open items." };
                listing.print(&client.get(&path).await?, &columns, nothing)
            }
            QuarantineCommand::Show { id, json: as_json } => {
                let answer = client.get(&format!("/api/admin/quarantine/{id}")).await?;
                if as_json {
                    return print_json(&answer);
                }
                item::print(&answer["data"]);
                Ok(())
            }
            QuarantineCommand::Resolve {
                selection,
                tenant,
                credits,
                amount,
                currency,
                payment_intent,
                refunds_by_hand,
                options,
            } => {
                let named = json!({
                    "tenant_id": tenant, "credits": credits, "amount": amount, "currency": currency,
                    "payment_intent": payment_intent, "refunds_by_hand": refunds_by_hand,
                });
                decide::run(&client, "resolve", selection, named, options).await
            }
            QuarantineCommand::Dismiss { selection, options } => {
                decide::run(&client, "dismiss", selection, json!({}), options).await
            }
        }
    }
}

/// `25000 eur`: minor units, never divided.
fn amount(row: &Value) -> String {
    match row["amount"].as_i64() {
        Some(amount) => format!("{amount} {}", row["currency"].as_str().unwrap_or("?")),
        None => "-".to_owned(),
    }
}

fn about(row: &Value) -> String {
    row["event"].as_str().or(row["payment"].as_str()).unwrap_or("-").to_owned()
}
