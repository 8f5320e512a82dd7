//! `faireplace audit verify`: checks the whole journal.

use clap::{Args, Subcommand};

use super::listing::{counted, json, text};
use crate::client::Client;
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::{green, red, say, shown};

/// Verify the journal
#[derive(Args)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    action: AuditCommand,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Recompute the hash chain, every sum and every balance from the journal
    Verify {
        /// Print the API's JSON response
        #[arg(long)]
        json: bool,
    },
}

impl AuditArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let AuditCommand::Verify { json: as_json } = self.action;
        let client = Client::connect(&Config::of_database(environment)?).await?;
        let answer = client.audit().await?;
        let found = &answer["data"];
        let faults = found["faults"].as_array().map(Vec::as_slice).unwrap_or_default();
        if as_json {
            json(&answer)?;
        } else {
            let of = |name: &str| found[name].as_u64().unwrap_or_default();
            let (lots, tenants) = (counted(of("lots"), "lot"), counted(of("tenants"), "tenant"));
            say!("{}, {lots}, {tenants}", counted(of("transactions"), "transaction"));
            say!("head {}", text(&found["head"]));
            faults.iter().for_each(|fault| say!("{} {}", red("✗"), shown(&text(fault))));
        }
        if !faults.is_empty() {
            return Err(Failure::failed("the books do not add up; restore a backup and compare"));
        }
        if !as_json {
            say!("{} the books add up", green("✓"));
        }
        Ok(())
    }
}
