//! `faireplace restore`: replaces the database by a backup while the service is stopped, shows what that
//! means, and records an operator's confirmation, after which the service resumes. The steps are in
//! `store::sqlite::restore`.

use std::path::{Path, PathBuf};

use clap::Args;
use engine::Clock;
use engine::clock::Machine;
use serde_json::{Value, json};
use store::Mode;
use store::sqlite::{self, RestoreError, Restored};

use super::listing::{Column, counted, json as print_json, moment, print_rows, text};
use crate::client::Client;
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::Side::Left;
use crate::terminal::{bold, green, say, shown, yellow};

/// Replace the database with a backup, check it, and confirm it
///
/// With FILE, and the service stopped: checks the backup, moves the database aside, and puts the backup in
/// its place. Until an operator confirms the restore, events are stored and no credits move. Without
/// arguments: shows what was restored and which keys work again. With --confirm: the service resumes.
#[derive(Args)]
pub(crate) struct RestoreArgs {
    /// Backup file; it is not changed
    #[arg(conflicts_with_all = ["confirm", "json"])]
    file: Option<PathBuf>,
    /// Confirm the restore: events are applied, and credits can be spent and expire again
    #[arg(long, requires = "reason")]
    confirm: bool,
    /// Reason, kept in the records
    #[arg(long, requires = "confirm")]
    reason: Option<String>,
    /// Number of keys that work again, to show that you have looked at them
    #[arg(long, requires = "confirm", value_name = "N")]
    keys: Option<u64>,
    /// Print the API's JSON response
    #[arg(long)]
    json: bool,
}

impl RestoreArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        if let Some(file) = self.file {
            let otherwise = sqlite::mode_of(&file).unwrap_or(Mode::Live);
            return put_in_place(file, &Config::of_database_or(environment, otherwise)?).await;
        }
        let client = Client::connect(&Config::of_database(environment)?).await?;
        let answer = client.get("/api/admin/restore").await?;
        match self.confirm {
            true => self.confirm(&client, &answer["data"]).await,
            false if self.json => print_json(&answer),
            false => show(&answer["data"]),
        }
    }

    /// Confirms the restore, after showing the keys that work again.
    async fn confirm(&self, client: &Client, restore: &Value) -> Result<(), Failure> {
        let again = restore["keys_working_again"].as_u64().unwrap_or_default();
        if restore["unconfirmed"] == true && !self.json {
            keys_again(restore);
            say!("");
        }
        if again > 0 && self.keys.is_none() {
            let works = if again == 1 { "works" } else { "work" };
            return Err(Failure::failed(format!(
                "{} {works} again, and nothing was confirmed. `faireplace restore` lists them. \
                 Revoke those that must not work. If the others may keep working, confirm with their number: \
                 --keys {again}",
                counted(again, "key")
            )));
        }
        let asked = json!({ "expected_keys": self.keys.unwrap_or_default(), "reason": self.reason });
        let answer = client.post("/api/admin/restore/confirm", &asked).await?;
        if self.json {
            return print_json(&answer);
        }
        say!("{} confirmed: action {}", green("✓"), text(&answer["data"]["id"]));
        say!("Events stored meanwhile are now applied, and credits move again.");
        Ok(())
    }
}

async fn put_in_place(file: PathBuf, config: &Config) -> Result<(), Failure> {
    let (database, mode, from) = (config.database.path.clone(), config.mode, file.clone());
    let now = |record: &_| Clock::watched(Machine::real(), record).now();
    let restored = tokio::task::spawn_blocking(move || sqlite::restore(&file, &database, mode, now)).await;
    let restored = restored.map_err(|error| Failure::failed(error.to_string()))?.map_err(failure)?;
    report(&from, &restored);
    Ok(())
}

fn failure(error: RestoreError) -> Failure {
    match error {
        RestoreError::Database(error) => error.into(),
        error => Failure::failed(error.to_string()),
    }
}

fn report(from: &Path, Restored { database, restore, audit, events, cleared }: &Restored) {
    let count = |number: i64, thing: &str| counted(number.unsigned_abs(), thing);
    say!("{} {} is restored from {}", green("✓"), database.display(), from.display());
    let (transactions, tenants) = (count(audit.transactions, "transaction"), count(audit.tenants, "tenant"));
    say!("{}, {transactions}, {tenants}; the books add up", count(*events, "event"));
    match restore.newest {
        Some(at) => {
            let newest = web::answer::rfc3339(at);
            say!("Its newest data is of {} (UTC). Later data is not in it.", moment(&json!(newest)));
        }
        None => say!("It contains no data."),
    }
    if let Some(replaced) = &restore.replaced {
        say!("The previous database is now {}", shown(replaced));
    }
    for copy in cleared {
        say!("The copy that was saved is now at {}", shown(&copy.display().to_string()));
    }
    match restore.revoked_keys.as_ref().map(Vec::len) {
        Some(0) => {}
        Some(1) => say!("{}", yellow("1 key that was revoked or had expired works again")),
        Some(keys) => say!("{}", yellow(&format!("{keys} keys that were revoked or had expired work again"))),
        None if restore.replaced.is_some() => {
            let text =
                "The previous database cannot be read, so the keys revoked after the backup are unknown.";
            say!("{}", yellow(text));
        }
        None => say!("{}", yellow("Keys that were revoked after the backup was made work again.")),
    }
    say!("");
    say!("Until you confirm: events are stored, and no credits move. Next steps:");
    say!("  faireplace serve                          start the service");
    say!("  faireplace restore                        see which keys work again, and revoke them");
    say!("  faireplace restore --confirm --reason WHY confirm; the service resumes");
}

/// Shows what was restored, and which keys work again.
fn show(restore: &Value) -> Result<(), Failure> {
    if restore["unconfirmed"] != true {
        say!(
            "There is no restore to confirm: the database was not restored from a backup, or the restore is \
             already confirmed."
        );
        return Ok(());
    }
    say!("{}", bold("restored, not confirmed: no credits move"));
    say!("restored         {} (UTC)", moment(&restore["restored_at"]));
    say!("from             {}", shown(&text(&restore["source"])));
    say!("newest data      {} (UTC)", moment(&restore["newest_at"]));
    say!("previous data    {}", shown(&text(&restore["replaced"])));
    say!("stored since     {}", counted(restore["events_since"].as_u64().unwrap_or_default(), "event"));
    say!("");
    keys_again(restore);
    say!("");
    let count = match restore["keys_working_again"].as_u64().unwrap_or_default() {
        0 => String::new(),
        several => format!("--keys {several} "),
    };
    say!("To confirm: faireplace restore --confirm {count}--reason WHY");
    Ok(())
}

/// The keys that work again, and how each of them is revoked.
fn keys_again(restore: &Value) {
    let rows: Vec<Value> = restore["keys"].as_array().cloned().unwrap_or_default();
    let (again, unknown): (Vec<_>, Vec<_>) = (
        rows.iter().filter(|row| row["was_revoked"] == true).cloned().collect(),
        rows.iter().filter(|row| row["was_revoked"].is_null()).cloned().collect(),
    );
    match (again.as_slice(), unknown.as_slice()) {
        ([], []) => say!("No key that was revoked or had expired works again."),
        ([], _) => {
            say!("These keys work. Which of them were revoked after the backup cannot be read any more:");
            print_keys(&unknown);
        }
        _ => {
            say!("These keys were revoked or had expired, and work again:");
            print_keys(&again);
        }
    }
}

fn print_keys(rows: &[Value]) {
    let columns = [
        Column("key", Left, |row| text(&row["key"]["name"])),
        Column("kind", Left, |row| text(&row["key"]["kind"])),
        Column("of", Left, |row| {
            let key = &row["key"];
            text(if key["tenant_id"].is_string() { &key["tenant_id"] } else { &key["person_id"] })
        }),
        Column("to revoke it", Left, |row| format!("faireplace keys revoke {}", text(&row["key"]["id"]))),
    ];
    print_rows(rows, &columns);
}
