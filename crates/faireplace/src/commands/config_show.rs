//! `faireplace config show`: each setting, its value and where it came from.

use clap::{Args, Subcommand};

use super::listing::counted;
use crate::config::{self, Environment, Raw, Source};
use crate::failure::Failure;
use crate::terminal::{Side, faint, say, table, yellow};

/// Show the settings
#[derive(Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    action: ConfigCommand,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print each setting, its value and where it came from; secrets are hidden
    Show,
}

impl ConfigArgs {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        let ConfigCommand::Show = self.action;
        let raw = Raw::gather(environment)?;
        let rows: Vec<Vec<String>> = raw.values.iter().map(row).collect();
        let columns =
            [("setting", Side::Left), ("value", Side::Left), ("from", Side::Left), ("what for", Side::Left)];
        say!("{}", table(&columns, &rows));
        let packages = match &raw.packages {
            Some(packages) => format!("{} in the catalogue", counted(packages.len() as u64, "package")),
            None => {
                "no catalogue: the credits in Stripe's metadata are trusted; `dev` uses FairePlace's packages"
                    .to_owned()
            }
        };
        let file = raw.file.as_ref().map_or_else(|| "no file".to_owned(), |file| file.display().to_string());
        say!("\n{}", faint(&format!("{packages}; file: {file} ({})", config::FILE_VARIABLE)));
        let checked = config::Config::check(&raw)?;
        match store::sqlite::mode_of(&checked.database.path) {
            Some(mode) if mode != checked.mode => say!(
                "{}",
                yellow(&format!(
                    "the database is of {0} mode: `serve` needs FAIREPLACE_MODE={0}; the rest follows it",
                    mode.as_str()
                ))
            ),
            _ => {}
        }
        let mistakes = config::Mistakes::find(&raw, &checked);
        for refused in &mistakes.refused {
            say!("{}", yellow(&format!("`serve` does not start: {refused}")));
        }
        for named in &mistakes.named {
            say!("{}", yellow(&format!("`serve` warns: {named}")));
        }
        Ok(())
    }
}

fn row((setting, value, source): &(config::Setting, Option<String>, Source)) -> Vec<String> {
    let shown = match value {
        None => "-".to_owned(),
        Some(_) if setting.secret => "(hidden)".to_owned(),
        Some(value) => without_password(value),
    };
    let from = match source {
        Source::Environment => "environment".to_owned(),
        Source::File(path) => format!("{}: {}", path.display(), setting.key()),
        Source::Default => "default".to_owned(),
        Source::Unset => "not set".to_owned(),
    };
    vec![setting.variable.to_owned(), shown, from, setting.purpose.to_owned()]
}

/// A database URL may contain a user name and a password.
fn without_password(value: &str) -> String {
    match (value.split_once("://"), value.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, place))) => format!("{scheme}://(hidden)@{place}"),
        _ => value.to_owned(),
    }
}
