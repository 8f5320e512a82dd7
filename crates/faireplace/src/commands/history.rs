//! `faireplace history`: the transactions behind a tenant's balance.

use clap::Args;
use ledger::TenantId;

use super::listing::{Column, ListingOptions, moment, signed, text};
use crate::client::Client;
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::Side::{Left, Right};
use crate::terminal::{shown, write};

/// List a tenant's transactions, newest first
#[derive(Args)]
pub(crate) struct HistoryArgs {
    /// The tenant's UUID
    #[arg(value_parser = super::tenant)]
    tenant: TenantId,
    /// Print the whole statement as CSV, oldest first, with the balance after each line
    #[arg(long, conflicts_with_all = ["json", "limit", "page"])]
    csv: bool,
    #[command(flatten)]
    listing: ListingOptions,
}

impl HistoryArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::connect(&Config::of_database(environment)?).await?;
        if self.csv {
            let path = format!("/api/credits/statement?format=csv&tenant_id={}", self.tenant);
            write(&client.text(&path).await?);
            return Ok(());
        }
        let (tenant, page) = (&self.tenant, self.listing.query());
        let answer = client.get(&format!("/api/credits/transactions?tenant_id={tenant}&{page}")).await?;
        let columns = [
            Column("when (UTC)", Left, |row| moment(&row["created_at"])),
            Column("what", Left, |row| text(&row["type"]).replace('_', " ")),
            Column("credits", Right, |row| text(&row["credits"])),
            Column("change", Right, |row| signed(&row["amount"])),
            Column("balance", Right, |row| text(&row["balance_after"]["balance"])),
            Column("available", Right, |row| text(&row["balance_after"]["available"])),
            Column("held", Right, |row| unless_zero(&row["balance_after"]["held"])),
            Column("frozen", Right, |row| unless_zero(&row["balance_after"]["frozen"])),
            Column("debt", Right, |row| unless_zero(&row["balance_after"]["debt"])),
            Column("payment", Left, |row| text(&row["payment"])),
            Column("cause", Left, because),
        ];
        self.listing.print(&answer, &columns, "This tenant has no transactions.")
    }
}

/// The cause, with the operator's name. A spend's or a hold's reference comes first: people look for that
/// rather than for the request's id.
fn because(row: &serde_json::Value) -> String {
    let cause = &row["cause"];
    let (id, reference) = (text(&cause["id"]), row["reference"].as_str());
    let reference = reference.filter(|reference| *reference != id);
    let cause = match cause["by"].as_str() {
        Some(by) => format!("{by}: {id}"),
        None => id,
    };
    shown(&match reference {
        Some(reference) => format!("{reference} ({cause})"),
        None => cause,
    })
}

fn unless_zero(value: &serde_json::Value) -> String {
    if value.as_i64() == Some(0) { String::new() } else { text(value) }
}
