//! `faireplace adjust`: credits given, taken and forgiven by hand, and the second person's word.

use clap::{Args, Subcommand};
use engine::{Clock, entropy};
use ledger::TenantId;
use serde_json::{Value, json};

use super::listing::{Column, Listing, counted, json as print_json, moment, text};
use crate::client::{Client, encoded};
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::Side::{Left, Right};
use crate::terminal::{say, shown, yellow};

/// Give credits, take them, or forgive a debt; above FAIREPLACE_ADJUSTMENT_LIMIT two people decide
#[derive(Args)]
pub(crate) struct Adjust {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Give a tenant credits
    Give {
        #[command(flatten)]
        whose: Whose,
        /// How many
        #[arg(value_parser = credits, allow_negative_numbers = true)]
        credits: i64,
        /// From 0 to 100, the smallest is spent first; what was bought has 50
        #[arg(long, value_parser = clap::value_parser!(u8).range(0..=100))]
        priority: Option<u8>,
        /// When they end, such as 2027-01-01T00:00:00Z; never, if left out
        #[arg(long, value_name = "MOMENT")]
        expires: Option<String>,
        #[command(flatten)]
        word: Word,
    },
    /// Take available credits from a tenant
    Take {
        #[command(flatten)]
        whose: Whose,
        /// How many
        #[arg(value_parser = credits, allow_negative_numbers = true)]
        credits: i64,
        #[command(flatten)]
        word: Word,
    },
    /// Forgive what a tenant owes
    WriteOff {
        #[command(flatten)]
        whose: Whose,
        /// How much of it; all, if left out
        #[arg(value_parser = credits, allow_negative_numbers = true)]
        credits: Option<i64>,
        #[command(flatten)]
        word: Word,
    },
    /// List what was asked for, the newest first
    List {
        /// Only waiting, approved, done, refused or rejected ones
        #[arg(long)]
        state: Option<String>,
        #[command(flatten)]
        listing: Listing,
    },
    /// Approve what somebody else asked for: it is done at once
    Approve {
        /// Its id, as `adjust list` shows it
        id: String,
        /// Print JSON, exactly as the API answers it
        #[arg(long)]
        json: bool,
    },
    /// Reject what somebody else asked for
    Reject {
        /// Its id, as `adjust list` shows it
        id: String,
        /// Why not; kept for ever
        #[arg(long)]
        reason: String,
        /// Print JSON, exactly as the API answers it
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
struct Whose {
    /// The tenant's UUID
    #[arg(value_parser = super::tenant)]
    tenant: TenantId,
}

#[derive(Args)]
struct Word {
    /// Why; kept for ever
    #[arg(long)]
    reason: String,
    /// A name of your own for it: run again with the same one, it is still done once
    #[arg(long, value_name = "NAME")]
    once: Option<String>,
    /// Print JSON, exactly as the API answers it
    #[arg(long)]
    json: bool,
}

/// How many credits; their sign is the command's.
fn credits(text: &str) -> Result<i64, String> {
    let number = text.parse().ok().filter(|number| (1..=1_000_000_000).contains(number));
    number.ok_or_else(|| "must be a whole number from 1 to 1000000000".into())
}

impl Adjust {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::connect(&Config::of_database(environment)?).await?;
        match self.action {
            Action::Give { whose, credits, priority, expires, word } => {
                let asked = json!({
                    "tenant_id": whose.tenant, "credits": credits, "reason": word.reason,
                    "priority": priority, "expires_at": expires,
                });
                ask(&client, "/api/admin/adjustments", word, &asked).await
            }
            Action::Take { whose, credits, word } => {
                let asked = json!({ "tenant_id": whose.tenant, "credits": -credits, "reason": word.reason });
                ask(&client, "/api/admin/adjustments", word, &asked).await
            }
            Action::WriteOff { whose, credits, word } => {
                let asked = json!({ "tenant_id": whose.tenant, "credits": credits, "reason": word.reason });
                ask(&client, "/api/admin/write-offs", word, &asked).await
            }
            Action::List { state, listing } => list(&client, state.as_deref(), &listing).await,
            Action::Approve { id, json } => {
                let path = format!("/api/admin/adjustments/{}/approve", encoded(&id));
                report(&client.post(&path, &Value::Null).await?, json)
            }
            Action::Reject { id, reason, json } => {
                let path = format!("/api/admin/adjustments/{}/reject", encoded(&id));
                report(&client.post(&path, &json!({ "reason": reason })).await?, json)
            }
        }
    }
}

async fn ask(client: &Client, path: &str, word: Word, asked: &Value) -> Result<(), Failure> {
    let drawn = || entropy::unique_id(Clock::system().now()).to_string();
    let name = word.once.unwrap_or_else(drawn);
    report(&client.post_named(path, &name, asked).await?, word.json)
}

/// Says what became of one.
fn report(answer: &Value, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return print_json(answer);
    }
    let adjustment = &answer["data"];
    let (id, what) = (text(&adjustment["id"]), what(adjustment));
    match adjustment["state"].as_str() {
        Some("waiting") => {
            say!("{}", yellow(&format!("waiting: {what}. Nothing has moved yet.")));
            say!("Somebody else decides, with an operator's key of their own in FAIREPLACE_OPERATOR_KEY");
            say!("that was made before this was asked for:");
            say!("  faireplace adjust approve {id}");
        }
        Some("rejected") => say!("rejected: {what}. Nothing was moved."),
        _ => say!("done: {what}, transaction {}", text(&adjustment["transaction_id"])),
    }
    Ok(())
}

/// In words: `5 credits given to …`.
fn what(adjustment: &Value) -> String {
    let (credits, tenant) =
        (adjustment["credits"].as_i64().unwrap_or_default(), text(&adjustment["tenant_id"]));
    let number = counted(credits.unsigned_abs(), "credit");
    match adjustment["type"].as_str() {
        Some("write_off") => format!("a debt of {number} of {tenant} forgiven"),
        _ if credits < 0 => format!("{number} taken from {tenant}"),
        _ => format!("{number} given to {tenant}"),
    }
}

async fn list(client: &Client, state: Option<&str>, listing: &Listing) -> Result<(), Failure> {
    let mut path = format!("/api/admin/adjustments?{}", listing.query());
    path.extend(state.map(|state| format!("&state={}", encoded(state))));
    let columns = [
        Column("id", Left, |row| text(&row["id"])),
        Column("when (UTC)", Left, |row| moment(&row["created_at"])),
        Column("tenant", Left, |row| text(&row["tenant_id"])),
        Column("what", Left, |row| text(&row["type"]).replace('_', "-")),
        Column("credits", Right, |row| text(&row["credits"])),
        Column("state", Left, |row| text(&row["state"])),
        Column("by", Left, |row| text(&row["created_by"]["name"])),
        Column("decided by", Left, |row| text(&row["decided_by"]["name"])),
        Column("reason", Left, |row| shown(&text(&row["reason"]))),
    ];
    listing.print(&client.get(&path).await?, &columns, "No such adjustments.")
}
