//! `faireplace keys`: API keys for the products behind this service.

use clap::{Args, Subcommand};
use ledger::TenantId;
use serde_json::{Value, json};
use web::auth::{CREDITS_READ, CREDITS_WRITE, OPERATOR};

use super::listing::{Column, json as print_json, moment, print_rows, text};

use crate::client::{Client, encoded};
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::Side::Left;
use crate::terminal::{bold, say};

/// Make, list, replace and revoke API keys
#[derive(Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a key; its secret is shown this once
    Create {
        /// What it is for
        name: String,
        /// The tenant's UUID
        #[arg(long, value_parser = super::tenant, required_unless_present = "operator")]
        #[arg(conflicts_with = "operator")]
        tenant: Option<TenantId>,
        /// An operator's key: it may do everything, for every tenant
        #[arg(long)]
        operator: bool,
        /// With a tenant: it may buy and spend too, not only look
        #[arg(long, conflicts_with = "operator")]
        write: bool,
        /// Days until it ends by itself; never, if left out
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
        expires: Option<u32>,
        /// Print JSON, exactly as the API answers it
        #[arg(long)]
        json: bool,
    },
    /// List keys, without their secrets
    List {
        /// Print JSON, exactly as the API answers it
        #[arg(long)]
        json: bool,
    },
    /// Replace a key by a new one; both work for a while. The new secret is shown this once
    Rotate {
        /// Its id, as `keys list` shows it
        id: String,
        /// Hours for which the old key still works
        #[arg(long, value_name = "HOURS", default_value_t = 24,
            value_parser = clap::value_parser!(u8).range(..=168))]
        overlap: u8,
        /// Print JSON, exactly as the API answers it
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key: it stops working at once
    Revoke {
        /// Its id, as `keys list` shows it
        id: String,
    },
}

impl Keys {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::connect(&Config::of_database(environment)?).await?;
        match self.action {
            Action::Create { name, tenant, write, expires, json, .. } => {
                let permissions: &[&str] = match (tenant, write) {
                    (None, _) => &[OPERATOR],
                    (Some(_), false) => &[CREDITS_READ],
                    (Some(_), true) => &[CREDITS_READ, CREDITS_WRITE],
                };
                let asked = json!({
                    "name": name, "tenant_id": tenant, "permissions": permissions,
                    "expires_in_days": expires,
                });
                let answer = client.post("/api/admin/keys", &asked).await?;
                if json {
                    return print_json(&answer);
                }
                say!("{}", bold(&text(&answer["data"]["secret"])));
                say!(
                    "This is the only time that it is shown. Its id is {}.",
                    text(&answer["data"]["key"]["id"])
                );
                Ok(())
            }
            Action::List { json } => {
                let answer = client.get("/api/admin/keys").await?;
                if json {
                    return print_json(&answer);
                }
                list(&answer["data"]);
                Ok(())
            }
            Action::Rotate { id, overlap, json } => {
                let path = format!("/api/admin/keys/{}/rotate", encoded(&id));
                let answer = client.post(&path, &json!({ "overlap_hours": overlap })).await?;
                if json {
                    return print_json(&answer);
                }
                let data = &answer["data"];
                say!("{}", bold(&text(&data["secret"])));
                say!("This is the only time that it is shown. Its id is {}.", text(&data["key"]["id"]));
                say!("{id} works until {} (UTC).", moment(&data["replaced"]["expires_at"]));
                Ok(())
            }
            Action::Revoke { id } => {
                client.post(&format!("/api/admin/keys/{}/revoke", encoded(&id)), &json!({})).await?;
                say!("revoked: {id} does not work any more");
                Ok(())
            }
        }
    }
}

fn list(keys: &Value) {
    let columns = [
        Column("id", Left, |row| text(&row["id"])),
        Column("name", Left, |row| text(&row["name"])),
        Column("tenant", Left, |row| text(&row["tenant_id"])),
        Column("may", Left, |row| text(&row["permissions"]).replace(['[', ']', '"'], "").replace(',', " ")),
        Column("expires (UTC)", Left, |row| moment(&row["expires_at"])),
        Column("revoked (UTC)", Left, |row| moment(&row["revoked_at"])),
    ];
    print_rows(keys.as_array().map(Vec::as_slice).unwrap_or_default(), &columns);
}
