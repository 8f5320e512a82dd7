//! `faireplace keys`: API keys of tenants, services and operators.

mod recover;

use clap::{Args, Subcommand};
use ledger::TenantId;
use serde_json::{Value, json};
use store::KeyKind;
use web::auth::{CREDITS_READ, CREDITS_WRITE};

use super::actions::words;
use super::listing::{Column, json as print_json, moment, print_rows, text};
use crate::client::{Client, encoded};
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::Side::Left;
use crate::terminal::{bold, say};
use recover::RecoverArgs;

/// Create, list, rotate and revoke API keys
#[derive(Args)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    action: KeysCommand,
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Create a key; its secret is shown once
    Create(CreateArgs),
    /// List keys without their secrets
    List {
        /// Print the API's JSON response
        #[arg(long)]
        json: bool,
    },
    /// Replace a key; the old one stays valid for a grace period
    Rotate {
        /// The key's id
        id: String,
        /// Hours for which the old key stays valid
        #[arg(long, value_name = "HOURS", default_value_t = 24,
            value_parser = clap::value_parser!(u8).range(..=168))]
        grace_period: u8,
        #[command(flatten)]
        options: KeyOptions,
    },
    /// Revoke a key; it stops working at once
    Revoke {
        /// The key's id
        id: String,
        /// Reason, kept in the records
        #[arg(long)]
        reason: Option<String>,
    },
    /// Replace people who lost their keys (with the service stopped)
    Recover(RecoverArgs),
}

#[derive(Args)]
struct CreateArgs {
    /// Name that describes what the key is for
    name: String,
    /// Create a tenant key for this tenant (UUID)
    #[arg(long, value_parser = super::tenant, required_unless_present_any = ["operator", "service"])]
    #[arg(conflicts_with_all = ["operator", "service"])]
    tenant: Option<TenantId>,
    /// Create a service key, for a backend that serves every tenant. Needs two people
    #[arg(long, conflicts_with = "operator")]
    service: bool,
    /// Create an operator key for a person. Needs two people
    #[arg(long)]
    operator: bool,
    /// The operator key's person, by name [default: you]
    #[arg(long, value_name = "NAME", requires = "operator")]
    person: Option<String>,
    /// The tenant key may also buy and spend, not only read
    #[arg(long, requires = "tenant")]
    write: bool,
    /// Days until the key expires [default: never]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
    expires: Option<u32>,
    #[command(flatten)]
    options: KeyOptions,
}

#[derive(Args)]
struct KeyOptions {
    /// Reason, kept in the records; required for service and operator keys
    #[arg(long)]
    reason: Option<String>,
    /// Skip the second person while nobody else is registered; reports mark it
    #[arg(long)]
    alone: bool,
    /// Print the API's JSON response
    #[arg(long)]
    json: bool,
}

impl KeysArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        if let KeysCommand::Recover(recover) = self.action {
            return recover.run(environment).await;
        }
        let client = Client::connect(&Config::of_database(environment)?).await?;
        match self.action {
            KeysCommand::Create(create) => create.run(&client).await,
            KeysCommand::List { json } => {
                let answer = client.get("/api/admin/keys").await?;
                let people = client.get("/api/admin/people").await?;
                if json {
                    return print_json(&answer);
                }
                list(&answer["data"], &people["data"]);
                Ok(())
            }
            KeysCommand::Rotate { id, grace_period, options } => {
                let path = format!("/api/admin/keys/{}/rotate", encoded(&id));
                let asked = json!({
                    "grace_period_hours": grace_period, "reason": options.reason, "alone": options.alone,
                });
                let answer = client.post(&path, &asked).await?;
                if options.json {
                    return print_json(&answer);
                }
                let data = &answer["data"];
                shown_once(data);
                match data["action"]["state"].as_str() {
                    Some("waiting") => {}
                    _ => say!("{id} stays valid until {} (UTC).", moment(&data["replaced"]["expires_at"])),
                }
                Ok(())
            }
            KeysCommand::Revoke { id, reason } => {
                let path = format!("/api/admin/keys/{}/revoke", encoded(&id));
                client.post(&path, &json!({ "reason": reason })).await?;
                say!("revoked {id}; it no longer works");
                Ok(())
            }
            // It works without a client, above.
            KeysCommand::Recover(_) => Ok(()),
        }
    }
}

impl CreateArgs {
    async fn run(self, client: &Client) -> Result<(), Failure> {
        let permissions: Option<&[&str]> = match (self.tenant, self.write) {
            (None, _) => None,
            (Some(_), false) => Some(&[CREDITS_READ]),
            (Some(_), true) => Some(&[CREDITS_READ, CREDITS_WRITE]),
        };
        let kind = match (self.service, self.operator) {
            (true, _) => KeyKind::Service,
            (_, true) => KeyKind::Operator,
            _ => KeyKind::Tenant,
        };
        let asked = json!({
            "name": self.name, "kind": kind.as_str(), "tenant_id": self.tenant, "permissions": permissions,
            "person": self.person, "expires_in_days": self.expires, "reason": self.options.reason,
            "alone": self.options.alone,
        });
        let answer = client.post("/api/admin/keys", &asked).await?;
        if self.options.json {
            return print_json(&answer);
        }
        shown_once(&answer["data"]);
        Ok(())
    }
}

/// Prints a new secret, and whether its key works yet.
fn shown_once(data: &Value) {
    say!("{}", bold(&text(&data["secret"])));
    say!("This secret is shown only once. The key's id is {}.", text(&data["key"]["id"]));
    if data["action"]["state"] == "waiting" {
        say!("");
        words::waits(&data["action"]);
    }
}

fn list(keys: &Value, people: &Value) {
    let mut rows = keys.as_array().cloned().unwrap_or_default();
    for row in &mut rows {
        let person = people.as_array().into_iter().flatten().find(|one| one["id"] == row["person_id"]);
        row["holder"] = match (row["kind"].as_str(), person) {
            (Some("operator"), Some(person)) => person["name"].clone(),
            (Some("operator"), None) => "this machine".into(),
            (Some("service"), _) => "-".into(),
            _ => row["tenant_id"].clone(),
        };
    }
    let columns = [
        Column("id", Left, |row| text(&row["id"])),
        Column("name", Left, |row| text(&row["name"])),
        Column("kind", Left, |row| text(&row["kind"])),
        Column("of", Left, |row| text(&row["holder"])),
        Column("may", Left, |row| text(&row["permissions"]).replace(['[', ']', '"'], "").replace(',', " ")),
        Column("expires (UTC)", Left, |row| moment(&row["expires_at"])),
        Column("revoked (UTC)", Left, |row| moment(&row["revoked_at"])),
    ];
    print_rows(&rows, &columns);
}
