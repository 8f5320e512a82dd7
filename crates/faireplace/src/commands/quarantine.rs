//! `faireplace quarantine`: what needs a person, and the person's word.

mod decide;
mod item;

use clap::{Args, Subcommand};
use ledger::TenantId;
use serde_json::{Value, json};

use super::listing::{Column, Listing, json as print_json, moment, text};
use crate::client::Client;
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::Side::{Left, Right};
use decide::{Filter, How, Which};

/// Look at what needs a person, and decide it
#[derive(Args)]
pub(crate) struct Quarantine {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List what waits for a decision
    List {
        /// Also what was decided
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        listing: Listing,
    },
    /// Show one item: what happened, and what can be done
    Show {
        /// Its number
        id: i64,
        /// Print JSON, exactly as the API answers it
        #[arg(long)]
        json: bool,
    },
    /// Grant a payment's credits, or read an event again after its cause was fixed
    Resolve {
        #[command(flatten)]
        which: Which,
        /// Who gets the credits, where the payment does not say or says it wrongly
        #[arg(long, conflicts_with = "all")]
        #[arg(value_parser = super::tenant)]
        tenant: Option<TenantId>,
        /// How many, where the payment does not say or says it wrongly
        #[arg(long, conflicts_with = "all")]
        credits: Option<i64>,
        /// What was paid, in minor units, where the payment does not say
        #[arg(long, conflicts_with = "all")]
        amount: Option<i64>,
        /// In which currency, such as eur, where the payment does not say
        #[arg(long, conflicts_with = "all")]
        currency: Option<String>,
        /// The payment intent behind an unlinked purchase: by it, refunds are matched
        #[arg(long, conflicts_with = "all", value_name = "ID")]
        payment_intent: Option<String>,
        /// There is no payment intent: you take credits back when money goes back
        #[arg(long, conflicts_with_all = ["all", "payment_intent"])]
        refunds_by_hand: bool,
        #[command(flatten)]
        how: How,
    },
    /// Decide that no credits come of it; those that were granted already are taken back
    Dismiss {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        how: How,
    },
}

impl Quarantine {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::connect(&Config::of_database(environment)?).await?;
        match self.action {
            Action::List { all, filter, listing } => {
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
                let nothing =
                    if all { "Nothing was ever in quarantine." } else { "Nothing waits for a decision." };
                listing.print(&client.get(&path).await?, &columns, nothing)
            }
            Action::Show { id, json: as_json } => {
                let answer = client.get(&format!("/api/admin/quarantine/{id}")).await?;
                if as_json {
                    return print_json(&answer);
                }
                item::print(&answer["data"]);
                Ok(())
            }
            Action::Resolve {
                which,
                tenant,
                credits,
                amount,
                currency,
                payment_intent,
                refunds_by_hand,
                how,
            } => {
                let named = json!({
                    "tenant_id": tenant, "credits": credits, "amount": amount, "currency": currency,
                    "payment_intent": payment_intent, "refunds_by_hand": refunds_by_hand,
                });
                decide::run(&client, "resolve", which, named, how).await
            }
            Action::Dismiss { which, how } => decide::run(&client, "dismiss", which, json!({}), how).await,
        }
    }
}

/// `25000 eur`: minor units, which are never divided.
fn amount(row: &Value) -> String {
    match row["amount"].as_i64() {
        Some(amount) => format!("{amount} {}", row["currency"].as_str().unwrap_or("?")),
        None => "-".to_owned(),
    }
}

fn about(row: &Value) -> String {
    row["event"].as_str().or(row["payment"].as_str()).unwrap_or("-").to_owned()
}
