//! `faireplace balance`: a tenant's balance.

use clap::Args;
use ledger::TenantId;

use super::listing::json;
use crate::client::Client;
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::{bold, faint, red, say, yellow};

/// Show a tenant's balance
#[derive(Args)]
pub(crate) struct BalanceArgs {
    /// The tenant's UUID
    #[arg(value_parser = super::tenant)]
    tenant: TenantId,
    /// Print the API's JSON response
    #[arg(long)]
    json: bool,
}

impl BalanceArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::connect(&Config::of_database(environment)?).await?;
        let answer = client.get(&format!("/api/credits/balance?tenant_id={}", self.tenant)).await?;
        if self.json {
            return json(&answer);
        }
        let figure = |name: &str| answer["data"][name].as_i64().unwrap_or_default();
        let parts = [("held", figure("held")), ("frozen", figure("frozen"))];
        say!("{} available", bold(&figure("available").to_string()));
        for (name, credits) in parts.into_iter().filter(|part| part.1 != 0) {
            say!("{} {name}", yellow(&credits.to_string()));
        }
        if figure("debt") != 0 {
            say!(
                "{} debt; nothing can be spent until the next purchase repays it",
                red(&figure("debt").to_string())
            );
        }
        say!("{}", faint(&format!("balance {}, tenant {}", figure("balance"), self.tenant)));
        Ok(())
    }
}
