//! `faireplace report`: reports for finance and auditors.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::listing::{Column, json as print_json, print_rows, text};
use crate::client::{Client, encoded};
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::Side::{Left, Right};
use crate::terminal::{faint, say, write};

/// Print reports for finance and auditors
#[derive(Args)]
pub(crate) struct ReportArgs {
    #[command(subcommand)]
    action: ReportCommand,
}

#[derive(Subcommand)]
enum ReportCommand {
    /// Report the liability for unspent credits, by currency and age
    Liability {
        /// End of this day (UTC), such as 2026-10-31, or a time [default: now]
        #[arg(long, value_name = "DATE")]
        as_of: Option<String>,
        /// Include every lot (with --csv or --json)
        #[arg(long, requires = "form")]
        lots: bool,
        /// Print CSV
        #[arg(long, group = "form")]
        csv: bool,
        /// Print the API's JSON response
        #[arg(long, group = "form")]
        json: bool,
    },
    /// Report money from sales other than credits, by currency
    Unrelated {
        /// Print the API's JSON response
        #[arg(long)]
        json: bool,
    },
    /// Report the number and credits of operators' actions, by person
    Actions {
        /// Start of this day (UTC), such as 2026-10-01, or a time [default: the beginning]
        #[arg(long, value_name = "DATE")]
        from: Option<String>,
        /// End of this day (UTC), such as 2026-10-31, or a time [default: now]
        #[arg(long, value_name = "DATE")]
        to: Option<String>,
        /// Print CSV
        #[arg(long, group = "format")]
        csv: bool,
        /// Print the API's JSON response
        #[arg(long, group = "format")]
        json: bool,
    },
}

impl ReportArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::connect(&Config::of_database(environment)?).await?;
        let (path, csv, json, print): (_, _, _, fn(&Value)) = match self.action {
            ReportCommand::Liability { as_of, lots, csv, json } => {
                let format = if csv { "csv" } else { "json" };
                let mut path = format!("/api/admin/reports/liability?lots={lots}&format={format}");
                path.extend(as_of.map(|day| format!("&as_of={}", encoded(&day))));
                (path, csv, json, print_liability)
            }
            ReportCommand::Unrelated { json } => {
                ("/api/admin/reports/unrelated".to_owned(), false, json, print_unrelated)
            }
            ReportCommand::Actions { from, to, csv, json } => {
                let named = [from.map(|day| ("from", day)), to.map(|day| ("to", day))];
                let named =
                    named.into_iter().flatten().map(|(name, day)| format!("&{name}={}", encoded(&day)));
                let format = if csv { "csv" } else { "json" };
                let path = format!("/api/admin/reports/actions?format={format}");
                (named.fold(path, |path, part| path + &part), csv, json, print_actions)
            }
        };
        if csv {
            write(&client.text(&path).await?);
            return Ok(());
        }
        let answer = client.get(&path).await?;
        if json {
            return print_json(&answer);
        }
        print(&answer["data"]);
        Ok(())
    }
}

fn print_unrelated(report: &Value) {
    let lines = report.as_array().map(Vec::as_slice).unwrap_or_default();
    if lines.is_empty() {
        say!("Every payment so far is a purchase of credits.");
        return;
    }
    let columns = [
        Column("currency", Left, |row| text(&row["currency"])),
        Column("payments", Right, |row| text(&row["payments"])),
        Column("amount", Right, |row| text(&row["amount"])),
    ];
    print_rows(lines, &columns);
    say!("{}", faint("payments without our metadata; minor units, refunds not subtracted"));
}

fn print_actions(report: &Value) {
    let lines = report["lines"].as_array().map(Vec::as_slice).unwrap_or_default();
    if lines.is_empty() {
        say!("No actions in this period.");
        return;
    }
    let columns = [
        Column("person", Left, |row| text(&row["person"])),
        Column("what", Left, |row| text(&row["kind"]).replace('_', "-")),
        Column("actions", Right, |row| text(&row["actions"])),
        Column("credits", Right, |row| text(&row["credits"])),
        Column("alone", Right, |row| text(&row["alone"])),
        Column("credits", Right, |row| text(&row["alone_credits"])),
        Column("approved", Right, |row| text(&row["approved"])),
        Column("credits", Right, |row| text(&row["approved_credits"])),
    ];
    print_rows(lines, &columns);
    say!("{}", faint("alone: done without the second person that the rules require; includes recoveries"));
}

fn print_liability(report: &Value) {
    let rows = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let currencies = rows(&report["currencies"]);
    if currencies.is_empty() {
        say!("No sales.");
    } else {
        let columns = [
            Column("currency", Left, |row| text(&row["currency"])),
            Column("sold (net)", Right, |row| text(&row["money"]["net_price"])),
            Column("recognised", Right, |row| text(&row["money"]["recognised"])),
            Column("refunded unspent", Right, |row| text(&row["money"]["refunded_unspent"])),
            Column("refunded spent", Right, |row| text(&row["money"]["refunded_spent"])),
            Column("deferred", Right, |row| text(&row["money"]["deferred"])),
            Column("credits owed", Right, |row| text(&row["credits"]["outstanding"])),
        ];
        print_rows(&currencies, &columns);
    }
    for currency in &currencies {
        say!("\ndeferred {} by days since the purchase", text(&currency["currency"]));
        let columns = [
            Column("days", Right, |row| text(&row["days"])),
            Column("credits", Right, |row| text(&row["outstanding"])),
            Column("deferred", Right, |row| text(&row["deferred"])),
        ];
        print_rows(&rows(&currency["ageing"]), &columns);
    }
    let grants = &report["grants"]["credits"];
    say!(
        "\ngranted by operators: {} credits, {} of them unspent; not paid for",
        text(&grants["granted"]),
        text(&grants["outstanding"])
    );
    if report["unpriced_credits"] != 0 {
        say!("unspent and not paid for: {} credits", text(&report["unpriced_credits"]));
    }
    let debts = rows(&report["debts"]);
    say!("owed by tenants: {} credits", text(&report["owed_credits"]));
    if !debts.is_empty() {
        let columns = [
            Column("tenant", Left, |row| text(&row["tenant_id"])),
            Column("credits", Right, |row| text(&row["credits"])),
        ];
        print_rows(&debts, &columns);
    }
    let (as_of, last) = (text(&report["as_of"]), text(&report["transaction"]));
    say!("{}", faint(&format!("as of {as_of}, transaction {last}; money in minor units, without tax")));
}
