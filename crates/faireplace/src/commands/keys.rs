//! `faireplace keys`: API keys for the products behind this service, and for the people who operate it.

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
use recover::Recover;

/// Create, list, replace and revoke API keys
#[derive(Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Create a key; its secret is shown this once
    Create(Create),
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
        #[command(flatten)]
        why: Why,
    },
    /// Revoke a key: it stops working at once
    Revoke {
        /// Its id, as `keys list` shows it
        id: String,
        /// Why; kept for ever
        #[arg(long)]
        reason: Option<String>,
    },
    /// With the service stopped: replace people who have lost their keys
    Recover(Recover),
}

#[derive(Args)]
struct Create {
    /// What it is for
    name: String,
    /// A tenant's key: the tenant's UUID
    #[arg(long, value_parser = super::tenant, required_unless_present_any = ["operator", "service"])]
    #[arg(conflicts_with_all = ["operator", "service"])]
    tenant: Option<TenantId>,
    /// A key for a backend that spends and sells for every tenant. Takes two people
    #[arg(long, conflicts_with = "operator")]
    service: bool,
    /// A key for a person who administers. Takes two people
    #[arg(long)]
    operator: bool,
    /// Of an operator key: the person, by name; you, if left out
    #[arg(long, value_name = "NAME", requires = "operator")]
    person: Option<String>,
    /// With a tenant: it may buy and spend too, not only look
    #[arg(long, requires = "tenant")]
    write: bool,
    /// Days until it ends by itself; never, if left out
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
    expires: Option<u32>,
    #[command(flatten)]
    why: Why,
}

#[derive(Args)]
struct Why {
    /// Why; kept for ever. A service or an operator key needs it
    #[arg(long)]
    reason: Option<String>,
    /// While nobody else is registered: do alone what needs two people. Reports mark it
    #[arg(long)]
    alone: bool,
    /// Print JSON, exactly as the API answers it
    #[arg(long)]
    json: bool,
}

impl Keys {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        if let Action::Recover(recover) = self.action {
            return recover.run(environment).await;
        }
        let client = Client::connect(&Config::of_database(environment)?).await?;
        match self.action {
            Action::Create(create) => create.run(&client).await,
            Action::List { json } => {
                let answer = client.get("/api/admin/keys").await?;
                let people = client.get("/api/admin/people").await?;
                if json {
                    return print_json(&answer);
                }
                list(&answer["data"], &people["data"]);
                Ok(())
            }
            Action::Rotate { id, overlap, why } => {
                let path = format!("/api/admin/keys/{}/rotate", encoded(&id));
                let asked = json!({ "overlap_hours": overlap, "reason": why.reason, "alone": why.alone });
                let answer = client.post(&path, &asked).await?;
                if why.json {
                    return print_json(&answer);
                }
                let data = &answer["data"];
                shown_once(data);
                match data["action"]["state"].as_str() {
                    Some("waiting") => {}
                    _ => say!("{id} works until {} (UTC).", moment(&data["replaced"]["expires_at"])),
                }
                Ok(())
            }
            Action::Revoke { id, reason } => {
                let path = format!("/api/admin/keys/{}/revoke", encoded(&id));
                client.post(&path, &json!({ "reason": reason })).await?;
                say!("revoked: {id} does not work any more");
                Ok(())
            }
            // It works without a client, above.
            Action::Recover(_) => Ok(()),
        }
    }
}

impl Create {
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
            "person": self.person, "expires_in_days": self.expires, "reason": self.why.reason,
            "alone": self.why.alone,
        });
        let answer = client.post("/api/admin/keys", &asked).await?;
        if self.why.json {
            return print_json(&answer);
        }
        shown_once(&answer["data"]);
        Ok(())
    }
}

/// Shows a secret, and whether its key works yet.
fn shown_once(data: &Value) {
    say!("{}", bold(&text(&data["secret"])));
    say!("This is the only time that it is shown. Its id is {}.", text(&data["key"]["id"]));
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
