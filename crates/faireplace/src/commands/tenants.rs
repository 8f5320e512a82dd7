//! `faireplace tenants`: tenants, their names and low-balance thresholds.

use clap::{Args, Subcommand};
use ledger::TenantId;
use serde_json::{Value, json};

use super::listing::{Column, ListingOptions, counted, json as print_json, moment, text};
use crate::client::Client;
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::Side::{Left, Right};
use crate::terminal::{bold, say, shown};

/// List and show tenants, and change their settings
#[derive(Args)]
pub(crate) struct TenantsArgs {
    #[command(subcommand)]
    action: TenantsCommand,
}

#[derive(Subcommand)]
enum TenantsCommand {
    /// List tenants, newest first
    List {
        /// Only tenants in debt
        #[arg(long)]
        debt: bool,
        /// Only tenants below their low-balance threshold
        #[arg(long)]
        low: bool,
        #[command(flatten)]
        listing: ListingOptions,
    },
    /// Show one tenant
    Show {
        /// The tenant's UUID
        #[arg(value_parser = super::tenant)]
        tenant: TenantId,
        /// Print the API's JSON response
        #[arg(long)]
        json: bool,
    },
    /// Set a tenant's name or low-balance threshold
    #[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
    Set {
        /// The tenant's UUID
        #[arg(value_parser = super::tenant)]
        tenant: TenantId,
        /// Display name; empty removes it
        #[arg(long, group = "what")]
        name: Option<String>,
        /// Send a balance.low notice below this many available credits; 0 for never
        #[arg(long, group = "what", value_name = "CREDITS")]
        low_balance: Option<u32>,
    },
}

impl TenantsArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::connect(&Config::of_database(environment)?).await?;
        match self.action {
            TenantsCommand::List { debt, low, listing } => {
                let path = format!("/api/admin/tenants?{}&debt={debt}&low={low}", listing.query());
                let columns = [
                    Column("tenant", Left, |row| text(&row["tenant_id"])),
                    Column("name", Left, |row| text(&row["name"])),
                    Column("available", Right, |row| text(&row["available"])),
                    Column("held", Right, |row| text(&row["held"])),
                    Column("frozen", Right, |row| text(&row["frozen"])),
                    Column("debt", Right, |row| text(&row["debt"])),
                    Column("low below", Right, |row| text(&row["low_balance"])),
                    Column("since (UTC)", Left, |row| moment(&row["created_at"])),
                ];
                listing.print(&client.get(&path).await?, &columns, "No such tenants.")
            }
            TenantsCommand::Show { tenant, json } => {
                let answer = client.get(&format!("/api/admin/tenants/{tenant}")).await?;
                if json {
                    return print_json(&answer);
                }
                show(&answer["data"]);
                Ok(())
            }
            TenantsCommand::Set { tenant, name, low_balance } => {
                let mut asked = json!({});
                if let Some(name) = name {
                    asked["name"] = if name.is_empty() { Value::Null } else { name.into() };
                }
                if let Some(credits) = low_balance {
                    asked["low_balance"] = if credits == 0 { Value::Null } else { credits.into() };
                }
                let answer = client.post(&format!("/api/admin/tenants/{tenant}"), &asked).await?;
                show(&answer["data"]);
                Ok(())
            }
        }
    }
}

fn show(tenant: &Value) {
    let figure = |field: &str| tenant[field].as_i64().unwrap_or_default();
    let id = text(&tenant["tenant_id"]);
    match tenant["name"].as_str() {
        Some(name) => say!("{}  {id}", bold(&shown(name))),
        None => say!("{}", bold(&id)),
    }
    say!(
        "{} available, {} held, {} frozen, {} owed",
        figure("available"),
        figure("held"),
        figure("frozen"),
        figure("debt")
    );
    match tenant["low_balance"].as_i64() {
        Some(low) => say!("a notice goes out when fewer than {low} are available"),
        None => say!("no notice when few are left; `tenants set --low-balance` asks for one"),
    }
    // Only one that is shown for itself is counted.
    if !tenant["lots"].is_null() {
        let count = |field: &str, thing: &str| counted(figure(field).unsigned_abs(), thing);
        say!(
            "{}, {}, {} for a person to decide",
            count("lots", "lot"),
            count("open_holds", "open hold"),
            count("payments_in_quarantine", "payment")
        );
    }
}
