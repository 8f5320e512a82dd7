//! `faireplace keys recover`: lost people are replaced, with the service stopped. Whoever has the file of the
//! database in their hands can do this; every report says that it was done.

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
pub(super) struct Recover {
    /// Somebody who is lost, by name; can be given several times
    #[arg(long = "lost", value_name = "NAME", required_unless_present = "everyone")]
    #[arg(conflicts_with = "everyone")]
    lost: Vec<String>,
    /// Everybody is lost
    #[arg(long)]
    everyone: bool,
    /// The name of the person who takes their place
    #[arg(long)]
    name: String,
    /// Why; kept for ever
    #[arg(long)]
    reason: String,
}

impl Recover {
    pub(super) async fn run(self, environment: &Environment) -> Result<(), Failure> {
        let config = Config::of_database(environment)?;
        require_ledger(&config.database)?;
        if self.name.trim().is_empty() || self.reason.trim().is_empty() {
            return Err(Failure::failed("--name and --reason must say something; nothing was changed"));
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
                ActionRefusal::NameTaken => "somebody who stays registered has this name".to_owned(),
                other => other.to_string(),
            };
            Failure::failed(format!("{why}; nothing was changed"))
        })?;
        say!("{}", bold(&secret));
        say!("This is the only time that it is shown: {}'s operator key.", shown(&person.name));
        say!("The lost people are removed and their keys are revoked: action {}.", action.id);
        Ok(())
    }
}
