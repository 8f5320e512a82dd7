//! `faireplace backup`: copies the database while the service runs.

use std::path::PathBuf;

use clap::Args;
use store::sqlite;

use crate::client::require_ledger;
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::terminal::{green, say};

/// Copy the database to a new file while the service runs
#[derive(Args)]
pub(crate) struct BackupArgs {
    /// New file; it must not exist yet
    to: PathBuf,
}

impl BackupArgs {
    pub(crate) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let config = Config::of_database(environment)?;
        require_ledger(&config.database)?;
        let (from, to) = (config.database.path, self.to);
        if to.exists() {
            let to = to.display();
            return Err(Failure::failed(format!(
                "{to} exists, and a backup never overwrites a file; choose another name"
            )));
        }
        let copy = to.clone();
        let copied = tokio::task::spawn_blocking(move || sqlite::backup(&from, &copy)).await;
        copied.map_err(|error| Failure::failed(error.to_string()))??;
        let bytes = std::fs::metadata(&to)
            .map_err(|error| Failure::failed(format!("{}: {error}", to.display())))?
            .len();
        say!(
            "{} {} ({bytes} bytes); DATABASE_URL=sqlite:{} opens it",
            green("✓"),
            to.display(),
            to.display()
        );
        Ok(())
    }
}
