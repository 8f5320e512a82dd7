//! `faireplace keys recover`: replaces people who lost their keys, with the service stopped. Access to the
//! database file is enough to do it, so every report shows that it was done.

use clap::Args;
use engine::entropy;
use store::{ActionRefusal, KeyHolder, Recovery, Store};
use web::auth;

use crate::client::require_ledger;
use crate::config::{Config, Environment};
use crate::failure::Failure;
use crate::service;
use crate::terminal::{bold, say, shown};

#[derive(Args)]
pub(super) struct RecoverArgs {
    /// Name of a person who lost their key; can be repeated
    #[arg(long = "lost", value_name = "NAME", required_unless_present = "everyone")]
    #[arg(conflicts_with = "everyone")]
    lost: Vec<String>,
    /// Everybody has lost their key
    #[arg(long)]
    everyone: bool,
    /// Name of the person who takes over
    #[arg(long)]
    name: String,
    /// Reason, kept in the records
    #[arg(long)]
    reason: String,
}

impl RecoverArgs {
    pub(super) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let config = Config::of_database(environment)?;
        require_ledger(&config.database)?;
        if self.name.trim().is_empty() || self.reason.trim().is_empty() {
            return Err(Failure::failed("--name and --reason must not be empty; nothing was changed"));
        }
        let store = Store::open_sqlite(&config.database.path, config.mode)?;
        let now = service::clock(&store).await?.now();
        let person = auth::new_person(self.name.trim().to_owned(), now);
        let (secret, hash) = auth::new_secret();
        let name = format!("{}'s recovered key", person.name);
        let key = auth::new_key(name, KeyHolder::Person(person.id.clone()), None, now);
        let recovery = Recovery {
            id: format!("act_{}", entropy::unique_id(now).simple()),
            lost: (!self.everyone).then_some(self.lost),
            person: person.clone(),
            key,
            hash,
            reason: self.reason,
        };
        let action = store.recover(recovery, now).await?.map_err(|refusal| {
            let why = match refusal {
                ActionRefusal::NameTaken => "another registered person has this name".to_owned(),
                other => other.to_string(),
            };
            Failure::failed(format!("{why}; nothing was changed"))
        })?;
        say!("{}", bold(&secret));
        say!("This is {}'s operator key. It is shown only once.", shown(&person.name));
        say!("The people who lost their keys are removed and their keys revoked: action {}.", action.id);
        Ok(())
    }
}
