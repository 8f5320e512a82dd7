//! The secret that `listen` signs with: the one that the endpoint already knows, or one generated once and
//! kept. There is no guessable default.

use engine::entropy;
use ledger::chain::hex;
use stripe::Secret;

use crate::config::{Config, Database};
use crate::dev_file::DevFile;
use crate::failure::Failure;
use crate::operator_key::write_private;

const SUFFIX: &str = ".listen-secret";

/// A secret and its origin.
pub(crate) enum SecretOrigin {
    /// From the settings. It may be a Stripe endpoint's secret, so it is printed only on request.
    Settings(Secret),
    /// Generated on this machine, by `dev` or here. The developer of the endpoint needs to see it.
    MadeUp(Secret),
}

impl SecretOrigin {
    /// The secret itself.
    pub(crate) fn secret(&self) -> &Secret {
        match self {
            Self::Settings(secret) | Self::MadeUp(secret) => secret,
        }
    }

    /// The text about the secret.
    pub(crate) fn greeting(&self) -> String {
        match self {
            Self::Settings(_) => "Your webhook signing secret is that of STRIPE_WEBHOOK_SECRET".to_owned(),
            Self::MadeUp(secret) => format!("Your webhook signing secret is {}", secret.expose()),
        }
    }
}

/// The secret of the settings, else of `dev`, else a generated one.
///
/// # Errors
/// When the generated secret cannot be stored, or its file was damaged.
pub(crate) fn find(config: &Config) -> Result<SecretOrigin, Failure> {
    if let Some(secret) = config.secrets.iter().flatten().next() {
        return Ok(SecretOrigin::Settings(secret.clone()));
    }
    match DevFile::read(&config.database) {
        Some(dev) => dev.secret().map(SecretOrigin::MadeUp),
        None => kept(&config.database).map(SecretOrigin::MadeUp),
    }
}

fn kept(database: &Database) -> Result<Secret, Failure> {
    let path = database.beside(SUFFIX);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text.trim().to_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let made = format!("whsec_{}", hex(&entropy::bytes::<32>()));
            write_private(&path, &made)?;
            made
        }
        Err(error) => return Err(Failure::failed(format!("cannot read {}: {error}", path.display()))),
    };
    Secret::parse(&text).map_err(|fault| {
        Failure::failed(format!("{}: {fault}. Remove the file, and a new one is made", path.display()))
    })
}
